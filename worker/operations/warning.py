"""Telling of low stocks: once when fewer seats are free than a policy's `warn_below`, again after they recovered."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from store.directories import ACTIVE
from store.times import micros
from worker.operations.policies import parsed

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


def warn_of_low_stock(app: "App") -> None:
    """Tell of the stocks that have become low; where nothing changed, nothing is written."""
    now = micros(app.clock())
    with app.store.read() as tx:
        watched = list(_watched(app, tx))
        told = tx.stock_warnings.told()
        changed = [
            one for one in watched if (_free(tx, one, now) < one.below) is not ((one.company, one.license) in told)
        ]
        forgotten = told - {(one.company, one.license) for one in watched}
    for one in changed:
        _tell(app, one, now)
    for company, license in sorted(forgotten):
        with app.store.begin() as tx:
            tx.stock_warnings.recovered(company, license)


def _tell(app: "App", one: Watched, now: int) -> None:
    """Nobody gives out seats of the pool meanwhile."""
    with app.store.begin() as tx:
        tx.lots.lock_pool(one.pool)
        free = _free(tx, one, now)
        if free < one.below:
            pool = "own" if one.pool else "global"
            tx.stock_warnings.warn(one.company, one.license, free=free, below=one.below, pool=pool, now=now)
        else:
            tx.stock_warnings.recovered(one.company, one.license)


def _free(tx: "Transaction", one: Watched, now: int) -> int:
    return tx.lots.stock(one.pool, one.license, now).free


def _watched(app: "App", tx: "Transaction") -> Iterator[Watched]:
    companies = {row.id: row for row in tx.directories.companies()}
    for version in tx.versions.all_in_force():
        row = companies[version.company]
        if _WORD in version.text and row.state == ACTIVE:
            for license, below in sorted(parsed(version, app.kinds).policy.warn_below.items()):
                yield Watched(row.key, row.pool, license, below)
