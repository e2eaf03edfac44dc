"""Serving a pool when seats appear: those who waited longest first, company by company (P4, M8, M9)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.operations.exchanging import exchange_expired
from worker.operations.policies import in_force
from worker.operations.serving import NO_BATCH, Service, Tally, stock_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App


def serve_pool(app: "App", tx: "Transaction", pool: int, now: int) -> Tally:
    """Serve everybody who waits for the pool, in the transaction that brought the seats (P4): expired holders first,
    also those of directories that are not healthy (M9)."""
    tx.lots.lock_pool(pool)
    tx.audit.open(concerned(tx, pool, now))
    exchange_expired(app, tx, pool, now)
    companies = tx.directories.waiting_for(pool)
    return serve_companies(app, tx, pool, companies, now)


def concerned(tx: "Transaction", pool: int, now: int) -> list[int]:
    """The companies whose licenses may change when seats appear in the pool."""
    return [*tx.directories.waiting_for(pool), *tx.exchanges.companies(pool, now)]


def in_line(tx: "Transaction", pool: int, company: int) -> tuple[list[int], list[int]]:
    """The other companies that wait for a shared pool: those that have waited longer than this one, and the rest (M8).
    A company that does not wait comes last."""
    if pool != 0:
        return [], []
    line = tx.directories.waiting_for(pool)
    place = line.index(company) if company in line else len(line)
    return line[:place], line[place + 1 :]


def serve_companies(app: "App", tx: "Transaction", pool: int, companies: Sequence[int], now: int) -> Tally:
    """Serve those who wait in these companies, one company after the other."""
    tally = Tally()
    for company in companies:
        _serve_company(app, tx, pool, company, now, tally)
    return tally


def _serve_company(app: "App", tx: "Transaction", pool: int, company: int, now: int, tally: Tally) -> None:
    policy = in_force(app, tx, tx.directories.company_id(company))
    if policy is None:
        return
    service = Service(tx, company, policy, NO_BATCH, now, stock_of(tx, company, pool, policy, now), tally)
    moved, removed = dict(tally.moved), dict(tally.removed)
    service.serve_returning()
    service.serve_new()
    for license, total in sorted(tally.moved.items()):
        if total != moved.get(license, 0):
            tx.plans.note_movement(company, license, total - moved.get(license, 0), now)
    for (kind, license), total in sorted(tally.removed.items()):
        if total != removed.get((kind, license), 0):
            tx.plans.note_removals(company, kind, license, total - removed.get((kind, license), 0), now)
