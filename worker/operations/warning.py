"""Telling of stocks: once when fewer seats are free than a policy's `warn_below`, or when more shared mailboxes are
protected than licenses bring (S4); again after they recovered."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from store.directories import ACTIVE
from store.stock_warnings import LOW, OVER
from store.times import micros
from worker.operations.policies import in_force, parsed
from worker.operations.serving import entitlement_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

_WORD = "warn_below"
"""What a policy must say for its stock to be looked at; the others need not be read for it."""


class Watched(NamedTuple):
    """A stock that a company wants to be told of."""

    company: int
    pool: int
    license: str
    below: int


class Entitled(NamedTuple):
    """Shared mailboxes that a company protects without seats, and how many its licenses bring."""

    company: int
    pool: int
    license: str
    used: int
    entitled: int | None

    @property
    def is_over(self) -> bool:
        return self.entitled is not None and self.used > self.entitled


def warn_of_stocks(app: "App") -> None:
    """Tell of the stocks that need people now; where nothing changed, nothing is written."""
    _warn_of_low_stock(app)
    _warn_of_over_entitlement(app)


def _warn_of_low_stock(app: "App") -> None:
    now = micros(app.clock())
    with app.store.read() as tx:
        watched = list(_watched(app, tx))
        told = tx.stock_warnings.told(LOW)
        changed = [
            one for one in watched if (_free(tx, one, now) < one.below) is not ((one.company, one.license) in told)
        ]
        forgotten = told - {(one.company, one.license) for one in watched}
    for one in changed:
        _tell(app, one, now)
    for company, license in sorted(forgotten):
        with app.store.begin() as tx:
            tx.stock_warnings.recovered(LOW, company, license)


def _tell(app: "App", one: Watched, now: int) -> None:
    """Nobody gives out seats of the pool meanwhile."""
    with app.store.begin() as tx:
        tx.lots.lock_pool(one.pool)
        free = _free(tx, one, now)
        if free < one.below:
            pool = "own" if one.pool else "global"
            tx.stock_warnings.low(one.company, one.license, free=free, below=one.below, pool=pool, now=now)
        else:
            tx.stock_warnings.recovered(LOW, one.company, one.license)


def _free(tx: "Transaction", one: Watched, now: int) -> int:
    return tx.lots.stock(one.pool, one.license, now).free


def _watched(app: "App", tx: "Transaction") -> Iterator[Watched]:
    companies = {row.id: row for row in tx.directories.companies()}
    for version in tx.versions.all_in_force():
        row = companies[version.company]
        if _WORD in version.text and row.state == ACTIVE:
            for license, below in sorted(parsed(version, app.kinds).policy.warn_below.items()):
                yield Watched(row.key, row.pool, license, below)


def _warn_of_over_entitlement(app: "App") -> None:
    now = micros(app.clock())
    with app.store.read() as tx:
        told = tx.stock_warnings.told(OVER)
        found = [one for one in _entitled(app, tx, now) if one.is_over is not ((one.company, one.license) in told)]
        gone = told - {(company, license) for company, license, used in tx.holdings.entitlements_used() if used}
    for one in found:
        with app.store.begin() as tx:
            tx.lots.lock_pool(one.pool)
            for again in _entitled(app, tx, now, one.company, one.license):
                if again.is_over and again.entitled is not None:
                    tx.stock_warnings.over(
                        again.company, again.license, used=again.used, entitled=again.entitled, now=now
                    )
                else:
                    tx.stock_warnings.recovered(OVER, again.company, again.license)
    for company, license in sorted(gone):
        with app.store.begin() as tx:
            tx.stock_warnings.recovered(OVER, company, license)


def _entitled(
    app: "App", tx: "Transaction", now: int, company: int | None = None, license: str | None = None
) -> Iterator[Entitled]:
    """Of every company, or of one stock of one."""
    companies = {row.key: row for row in tx.directories.companies()}
    for key, name, used in tx.holdings.entitlements_used():
        row = companies[key]
        policy = in_force(app, tx, row.id) if (company or key, license or name) == (key, name) else None
        if policy is not None and used:
            yield Entitled(key, row.pool, name, used, entitlement_of(tx, key, row.pool, policy, name, now))
