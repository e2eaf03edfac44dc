"""Automatic exchange: whoever holds a seat of a lot that ended gets a free one of the same pool, or waits first in
line for the next (M4, M9)."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from policies.model import License
from store.exchanges import EXCHANGE, Holder
from store.holdings import Change
from worker.operations.policies import in_force

if TYPE_CHECKING:
    from store.endpoints import Endpoint
    from store.lots import FreeLot
    from store.transaction import Transaction
    from worker.bootstrap import App

CHUNK = 50_000


def exchange_expired(app: "App", tx: "Transaction", pool: int, now: int) -> tuple[int, ...]:
    """Exchange what can be exchanged, put the others in line, and tell of them once; returns the companies in which
    somebody is new in line. The pool's row must be locked; directories that are frozen or failing take part too."""
    tx.renewals.follow(pool, now)
    companies = tx.exchanges.companies(pool, now)
    if not companies:
        return ()
    tx.audit.open(companies)
    wanting = [company for company in companies if _exchanges(app, tx, company)]
    _exchange_renewed(tx, pool, wanting, now)
    _exchange_all(tx, pool, wanting, now)
    if left := set(companies).difference(wanting):
        tx.exchanges.take_out_of_line(left)
    new = tx.exchanges.put_in_line(pool, wanting, now)
    tx.exchanges.tell(pool, now)
    return tuple(wanting) if new else ()


def exchange_first(app: "App", tx: "Transaction", pool: int, company: int, now: int) -> None:
    """Exchange what this company's people hold of lots that ended, before others have their turn (M9)."""
    tx.renewals.follow(pool, now)
    wanting = [company for company in tx.exchanges.companies(pool, now) if _exchanges(app, tx, company)]
    _exchange_renewed(tx, pool, wanting, now)
    if company in wanting:
        _exchange_all(tx, pool, [company], now)


def _exchange_renewed(tx: "Transaction", pool: int, companies: Collection[int], now: int) -> None:
    """The seats of a renewal are for the holders of the lot that it renews, whoever else's ended, and when (M9)."""
    for license in License:
        for renewal, holders in tx.exchanges.holders_renewed(pool, license.value, companies, now):
            _move(tx, holders, _seats([renewal]), now)


def _exchange_all(tx: "Transaction", pool: int, companies: Collection[int], now: int) -> None:
    for license in License:
        _exchange(tx, pool, license.value, companies, now)
    _exchange_endpoints(tx, pool, companies, now)


def _exchanges(app: "App", tx: "Transaction", company: int) -> bool:
    policy = in_force(app, tx, tx.directories.company_id(company))
    return policy is None or policy.policy.licenses.exchange_expired


def _exchange_endpoints(tx: "Transaction", pool: int, companies: Collection[int], now: int) -> None:
    """The same for kinds that are assigned to endpoints; who finds no seat is found again when there is one (M7)."""
    holders = tx.endpoints.expired(pool, companies, now)
    for license in sorted({holder.license or "" for holder in holders}):
        left = [holder for holder in holders if holder.license == license]
        for renewal, renewed in tx.lots.renewals_with_seats(pool, license, now):
            theirs = [holder for holder in left if holder.lot == renewed]
            moved = _move_endpoints(tx, theirs, [renewal], now)
            left = [holder for holder in left if holder.key not in moved]
        _move_endpoints(tx, left, tx.lots.free_seats(pool, license, now), now)


def _move_endpoints(tx: "Transaction", holders: "Sequence[Endpoint]", lots: "Sequence[FreeLot]", now: int) -> set[int]:
    """Move as many as there are seats; their keys."""
    moved = list(zip(holders, _seats(lots), strict=False))
    if moved:
        tx.endpoints.exchange([holder for holder, _ in moved], [lot for _, lot in moved], now)
    return {holder.key for holder, _ in moved}


def _exchange(tx: "Transaction", pool: int, license: str, companies: Collection[int], now: int) -> None:
    """Seats in the order of use: of the lot that ends first, first."""
    lots = tx.lots.free_seats(pool, license, now)
    seats = _seats(lots)
    left = sum(lot.free for lot in lots)
    while left > 0:
        holders = tx.exchanges.holders(pool, license, companies, now, min(left, CHUNK))
        if not holders:
            return
        _move(tx, holders, seats, now)
        left -= len(holders)


def _move(tx: "Transaction", holders: Sequence[Holder], seats: Iterator[int], now: int) -> None:
    """Give each of these the next of the seats, which are enough for all."""
    changes = [(holder.company, _changed(holder, next(seats))) for holder in holders]
    for company, own in groupby(sorted(changes, key=_company), key=_company):
        tx.holdings.exchange(company, [change for _, change in own], now)


def _seats(lots: "Sequence[FreeLot]") -> Iterator[int]:
    for lot in lots:
        for _ in range(lot.free):
            yield lot.key


def _company(change: tuple[int, Change]) -> int:
    return change[0]


def _changed(holder: Holder, lot: int) -> Change:
    after = holder.held._replace(lot=lot)
    return Change(
        holder.account, holder.directory, holder.id, EXCHANGE, "system", holder.lot.why, holder.held, after
    )  # fmt: skip
