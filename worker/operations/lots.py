"""Adding lots: the seats exist at once, and whoever waits for them is served in the same transaction (M9); and removing
those that ended (M5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from store.lots import Listed, day_after, start_of
from store.times import micros
from worker.errors import Usage
from worker.operations.ending import last_day_of
from worker.operations.pools import concerned, serve_pool
from worker.operations.serving import Tally

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

GLOBAL = 0
"""The key of the provider, who owns the global pool."""


@dataclass(frozen=True, slots=True)
class NewLot:
    """A lot to add; a day that is not said follows from the term."""

    license: str
    seats: int
    company: str | None = None
    """None is the global pool."""
    term: str = "yearly"
    starts: date | None = None
    expires: date | None = None
    renews: bool = True
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """The lot as it stands now, and what was done with its seats."""

    lot: Listed
    tally: Tally


def add_lot(app: "App", new: NewLot, who: str) -> Added:
    """Put a lot into its pool and serve everybody who waits for it. Raises Usage for what contradicts itself."""
    now = app.clock()
    starts = new.starts or now.date()
    expires = last_day_of(new.term, starts, new.expires)
    with app.store.begin() as tx:
        pool = _pool(tx, new.company)
        tx.lots.lock_pool(pool)
        tx.audit.open([pool, *concerned(tx, pool, micros(now))])
        row = tx.lots.add(
            pool=pool,
            license=new.license,
            seats=new.seats,
            term=new.term,
            starts_at=start_of(starts),
            expires_at=None if expires is None else day_after(expires),
            who=who,
            now=micros(now),
            renews=new.renews and expires is not None and new.term != "trial",
            ref=new.ref,
        )
        tally = serve_pool(app, tx, pool, micros(now))
        return Added(lot_of(tx, row.id, pool, micros(now)), tally)


def prunable(app: "App", *, renewing: bool, unheld: bool) -> list[Listed]:
    """The lots that ended and can be removed: all, those that were to be renewed, those of which no seat is held."""
    with app.store.read() as tx:
        return tx.lots.ended(micros(app.clock()), renewing=renewing, unheld=unheld)


def prune(app: "App", ids: Sequence[str], who: str) -> list[Listed]:
    """Remove these lots, if they have ended; who holds a seat of one stays expired and early in line (M5)."""
    with app.store.begin() as tx:
        return tx.lots.remove(ids, who, micros(app.clock()))


def lot_of(tx: "Transaction", id: str, pool: int, now: int) -> Listed:
    """A lot as lists show it."""
    return next(lot for lot in tx.lots.listing(now, pool=pool) if lot.id == id)


def _pool(tx: "Transaction", company: str | None) -> int:
    if company is None:
        return GLOBAL
    row = tx.directories.company(company)
    if row.pool != row.key:
        raise Usage(f"{company} draws from the global pool: leave --company out, or let its policy say `pool: own`")
    return row.key
