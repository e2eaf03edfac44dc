"""Serving a pool when seats appear: those who waited longest first, company by company (P4, M8, M9)."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from worker.operations.exchanging import exchange_expired, exchange_first
from worker.operations.policies import in_force
from worker.operations.serving import NO_BATCH, Service, Tally, stock_of

if TYPE_CHECKING:
    from store.order_rows import Order
    from store.transaction import Transaction
    from worker.bootstrap import App


def open_pools(app: "App", tx: "Transaction", pools: Collection[int], now: int) -> None:
    """Lock these pools for somebody who asks for seats now. Who holds one of a lot that has just ended, and who waits
    for one that has just begun, come first, also where no pass over the pool has seen it yet (M9).

    Called once the directories are locked, and before the accounts are looked at.
    """
    for pool in sorted(pools):
        tx.lots.lock_pool(pool)
    tx.audit.open({company for pool in pools for company in concerned(tx, pool, now)})
    begun = tx.lots.pools_begun(now)
    for pool in sorted(pools):
        if pool in begun:
            serve_pool(app, tx, pool, now)
        elif tx.exchanges.is_due(pool, now):
            exchange_expired(app, tx, pool, now)


def serve_pool(app: "App", tx: "Transaction", pool: int, now: int, *, bought_for: int | None = None) -> Tally:
    """Serve everybody who waits for the pool, in the transaction that brought the seats (P4): the company that they
    were bought for, if they were for one; expired holders, also those of directories that are not healthy; those who
    are to be archived or return; everybody else (M9)."""
    tx.lots.lock_pool(pool)
    tx.audit.open(concerned(tx, pool, now))
    tally = Tally()
    if pool == 0 and bought_for is not None and bought_for in concerned(tx, pool, now):
        exchange_first(app, tx, pool, bought_for, now)
        serve_companies(app, tx, pool, [bought_for], now, tally)
    exchange_expired(app, tx, pool, now)
    line = tx.directories.waiting_for(pool)
    if len(line) > 1:
        serve_returning(app, tx, pool, tx.directories.waiting_for(pool, returning=True), now, tally)
    return serve_companies(app, tx, pool, line, now, tally)


def bought_for(order: "Order") -> int | None:
    """The company whose people the seats of an order were bought for. Those of a renewal were for the holders of the
    lot that ended, whosever they are, and those that the provider ordered for everybody."""
    return None if order.renews_lot is not None or order.company == 0 else order.company


def concerned(tx: "Transaction", pool: int, now: int) -> list[int]:
    """The companies whose licenses may change when seats appear in the pool."""
    return [*tx.directories.waiting_for(pool), *tx.exchanges.companies(pool, now)]


def in_line(tx: "Transaction", pool: int, service: Service) -> tuple[list[int], list[int]]:
    """The other companies that wait for a shared pool: those that have waited longer than the one that is served, and
    the rest (M8). A company that does not wait comes last."""
    if pool != 0:
        return [], []
    line, company = tx.directories.waiting_for(pool, own=service.well), service.company
    place = line.index(company) if company in line else len(line)
    return line[:place], line[place + 1 :]


def serve_companies(
    app: "App", tx: "Transaction", pool: int, companies: Sequence[int], now: int, tally: Tally | None = None
) -> Tally:
    """Serve those who wait in these companies, one company after the other."""
    tally = Tally() if tally is None else tally
    for company in companies:
        _serve_company(app, tx, pool, company, now, tally)
    return tally


def serve_returning(
    app: "App", tx: "Transaction", pool: int, companies: Sequence[int], now: int, tally: Tally | None = None
) -> Tally:
    """Serve those in these companies who are to be archived or return: of all companies they come before anybody who
    is new (M9). What one gives back may serve one of a company before it."""
    tally, before = Tally() if tally is None else tally, -1
    while companies and tally.total > before:
        before = tally.total
        for company in companies:
            _serve_company(app, tx, pool, company, now, tally, new=False)
    return tally


def _serve_company(
    app: "App", tx: "Transaction", pool: int, company: int, now: int, tally: Tally, *, new: bool = True
) -> None:
    policy = in_force(app, tx, tx.directories.company_id(company))
    if policy is None:
        return
    service = Service(tx, company, policy, NO_BATCH, now, stock_of(tx, company, pool, policy, now), tally)
    moved, removed = dict(tally.moved), dict(tally.removed)
    service.serve_returning()
    if new:
        service.serve_new()
    for license, total in sorted(tally.moved.items()):
        if total != moved.get(license, 0):
            tx.plans.note_movement(company, license, total - moved.get(license, 0), now)
    for (kind, license), total in sorted(tally.removed.items()):
        if total != removed.get((kind, license), 0):
            tx.plans.note_removals(company, kind, license, total - removed.get((kind, license), 0), now)
