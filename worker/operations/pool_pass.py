"""The pass over a pool: what is due there by time alone, also for companies whose directories are frozen (M9)."""

from typing import TYPE_CHECKING

from store.times import micros
from worker.operations.buying import buy
from worker.operations.exchanging import exchange_expired
from worker.operations.policies import in_force
from worker.operations.pools import concerned, serve_pool
from worker.operations.renewing import pools_to_renew, renew_due
from worker.operations.retaining import pass_clocks
from worker.operations.serving import NO_BATCH, Service, stock_of
from worker.operations.warning import warn_of_stocks

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

ACTIVE = "active"


def pass_pools(app: "App") -> None:
    """A pass over every pool in which something is due; where nothing is, one look at the ends of lots and of
    clocks."""
    now = micros(app.clock())
    with app.store.read() as tx:
        pools = {*tx.exchanges.pools(now), *pools_to_renew(app, tx, now), *tx.lots.pools_begun(now)}
        companies = tx.retentions.companies(now)
    for pool in sorted(pools):
        if app.stopping.is_set():
            return
        pass_pool(app, pool, now)
    for company in companies:
        if app.stopping.is_set():
            return
        pass_clocks(app, company, now)
    warn_of_stocks(app)


def pass_pool(app: "App", pool: int, now: int) -> None:
    """Order renewals, exchange the seats of lots that ended, and buy what is short then, in one transaction (M3, M4,
    P1)."""
    with app.store.begin() as tx:
        tx.lots.lock_pool(pool)
        tx.audit.open([pool, *concerned(tx, pool, now)])
        renew_due(app, tx, pool, now)
        for company in exchange_expired(app, tx, pool, now):
            _buy(app, tx, pool, company, now)
        if pool in tx.lots.pools_begun(now):
            serve_pool(app, tx, pool, now)


def _buy(app: "App", tx: "Transaction", pool: int, company: int, now: int) -> None:
    """Order seats for those who are new in line; for a company that is frozen or retired nothing is bought."""
    row = tx.directories.company_by_key(company)
    policy = in_force(app, tx, row.id)
    if row.state == ACTIVE and policy is not None:
        buy(tx, Service(tx, company, policy, NO_BATCH, now, stock_of(tx, company, pool, policy, now)), pool)
