"""Renewing lots: ordered ahead of their end, for what they had or for what is needed, and never capped (M3, P9)."""

from typing import TYPE_CHECKING

from policies.renewing import DAY, REMINDERS, is_due, reminder, seats_to_renew
from policies.text import Money
from store.directories import RETIRED
from store.errors import Conflict, NotFound
from store.lots import last_day
from store.orders import Order
from store.renewals import Renewable
from store.times import instant, micros, span
from worker.operations.terms import PROVIDER, Terms, terms_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App


def pools_to_renew(app: "App", tx: "Transaction", now: int) -> list[int]:
    """The pools in which a renewal is due or under way, or people are to be told of a lot that ends."""
    due = {lot.pool for lot in tx.renewals.wanted(now) if _is_due(lot, who_renews(app, tx, lot), now)}
    ending = {lot.pool for lot, _ in _ending(app, tx, now)}
    return sorted(due.union(ending, tx.renewals.pools()))


def renew_due(app: "App", tx: "Transaction", pool: int, now: int) -> None:
    """Order the renewals that are due, follow those under way, and remind people of lots that end meanwhile."""
    for lot in tx.renewals.wanted(now, pool):
        terms = who_renews(app, tx, lot)
        if _is_due(lot, terms, now):
            _order(tx, lot, terms, terms.licenses.renew, now)
    tx.renewals.follow(pool, now)
    for lot in tx.renewals.open(pool):
        days = reminder(lot.ends, lot.reminded, now)
        if days is not None:
            tx.renewals.remind(lot, days, now)
    for lot, days in _ending(app, tx, now, pool):
        tx.renewals.remind(lot, days, now)


def _ending(app: "App", tx: "Transaction", now: int, pool: int | None = None) -> list[tuple[Renewable, int]]:
    """The lots that end for good, of which people are to be told now, with the days ahead: nothing renews them, and
    nothing will."""
    found = []
    for lot in tx.renewals.unrenewed(now, now + REMINDERS[0] * DAY, pool):
        days = reminder(lot.ends, lot.reminded, now)
        if days is not None and not (lot.by_itself and _renews(who_renews(app, tx, lot))):
            found.append((lot, days))
    return found


def renew_lot(app: "App", id: str, who: str) -> Order:
    """Renew a lot now, whatever its policy says; for all of its seats, or for those in use where the policy wants that.

    Raises NotFound, and Conflict for a lot that never ends, or whose renewal is ordered already, or that nobody needs.
    """
    now = micros(app.clock())
    with app.store.begin() as tx:
        pool = tx.lots.by_id(id).pool
        tx.lots.lock_pool(pool)
        lot = tx.renewals.of(id)
        if lot is None:
            raise Conflict(f"{id} never ends; there is nothing to renew")
        if tx.renewals.is_ordered(lot.key):
            raise Conflict(f"the renewal of {id} is ordered already: seatkeeper orders list")
        terms = who_renews(app, tx, lot)
        mode = "as_needed" if terms.licenses.renew == "as_needed" else "all"
        order = _order(tx, lot, terms, mode, now, who)
        if order is None:
            raise Conflict(f"no seat of {id} is needed; there is nothing to renew")
        tx.renewals.follow(pool, now)
        return order


def _is_due(lot: Renewable, terms: Terms, now: int) -> bool:
    return _renews(terms) and is_due(lot.ends, span(terms.licenses.renew_ahead), now)


def _renews(terms: Terms) -> bool:
    return terms.licenses.renew != "off" and not terms.licenses.trial


def _order(
    tx: "Transaction", lot: Renewable, terms: Terms, mode: str, now: int, who: str | None = None
) -> Order | None:
    seats = seats_to_renew(mode, seats=lot.seats, held=lot.held, spare=terms.buying(lot.license).spare)
    if seats <= 0:
        return None
    price = _estimate(tx, lot, terms, seats, now)
    return tx.orders.want(
        company=terms.company,
        pool=lot.pool,
        license=lot.license,
        seats=seats,
        term=lot.term,
        seller=terms.seller,
        estimate=None if price is None else str(price),
        because=f"renewal of {lot.id}, which ends on {last_day(lot.ends)}{_saving(tx, lot, terms, seats, now)}",
        shortage=0,
        awaits_approval=False,
        now=now,
        renews_lot=lot.key,
        approved_by=who,
    )


def _estimate(tx: "Transaction", lot: Renewable, terms: Terms, seats: int, now: int) -> Money | None:
    """The renewal begins where the lot ends (P5)."""
    return terms.estimate(tx, lot.pool, lot.license, seats, lot.term, instant(lot.ends).date(), now)


def _saving(tx: "Transaction", lot: Renewable, terms: Terms, seats: int, now: int) -> str:
    """What a renewal for less saves (P9)."""
    fewer = lot.seats - seats
    if not fewer:
        return ""
    saved = _estimate(tx, lot, terms, fewer, now)
    return f", {fewer} fewer than before" + ("" if saved is None else f", which saves {saved}")


def who_renews(app: "App", tx: "Transaction", lot: Renewable) -> Terms:
    """A company renews what is in its own pool and what was bought for it; the provider everything else."""
    company = lot.pool or _bought_by(tx, lot)
    if company != PROVIDER and not lot.pool and not _buys(tx, company):
        company = PROVIDER
    return terms_of(app, tx, company)


def _buys(tx: "Transaction", company: int) -> bool:
    row = tx.directories.company_by_key(company)
    return row.state != RETIRED and tx.versions.in_force(row.id) is not None


def _bought_by(tx: "Transaction", lot: Renewable) -> int:
    if lot.order_id is None:
        return PROVIDER
    try:
        return tx.orders.by_id(lot.order_id).company
    except NotFound:
        return PROVIDER
