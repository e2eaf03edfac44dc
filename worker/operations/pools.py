"""Serving a pool when seats appear: those who waited longest first, company by company (P4, M8, M9)."""

from typing import TYPE_CHECKING

from worker.operations.policies import in_force
from worker.operations.serving import Service, Tally, stock_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

NO_BATCH = 0
"""No run proposes under this number: only those who already wait are served."""


def serve_pool(app: "App", tx: "Transaction", pool: int, now: int) -> Tally:
    """Serve everybody who waits for the pool, in the transaction that brought the seats (P4)."""
    tx.lots.lock_pool(pool)
    tally = Tally()
    companies = tx.directories.waiting_for(pool)
    tx.audit.open(companies)
    for company in companies:
        _serve_company(app, tx, pool, company, now, tally)
    return tally


def serve_others(app: "App", tx: "Transaction", pool: int, but: int, now: int) -> bool:
    """Serve the other companies that wait for a shared pool; returns whether any seat was taken."""
    if pool != 0:
        return False
    companies = [company for company in tx.directories.waiting_for(pool) if company != but]
    tally = Tally()
    for company in companies:
        _serve_company(app, tx, pool, company, now, tally)
    return tally.total > 0


def _serve_company(app: "App", tx: "Transaction", pool: int, company: int, now: int, tally: Tally) -> None:
    policy = in_force(app, tx, tx.directories.company_id(company))
    if policy is None:
        return
    service = Service(tx, company, policy, NO_BATCH, now, stock_of(tx, company, pool, policy, now), tally)
    before = dict(tally.moved)
    service.serve_returning()
    service.serve_new()
    for license, total in tally.moved.items():
        if total != before.get(license, 0):
            tx.plans.note_movement(company, license, total - before.get(license, 0), now)
