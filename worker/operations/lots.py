"""Adding lots: the seats exist at once, and whoever waits for them is served in the same transaction (M9); and removing
those that ended (M5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from policies.model import License
from store.lots import Listed, day_after, start_of
from store.times import micros
from worker.errors import Usage
from worker.operations.ending import last_day_of
from worker.operations.pools import concerned, serve_pool
from worker.operations.serving import Tally
from worker.operations.terms import kind_of

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
    term: str | None = None
    """None is the term that the catalog sells it for."""
    starts: date | None = None
    expires: date | None = None
    renews: bool = True
    ref: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """The lot as it stands now, and what was done with its seats."""

    lot: Listed
    tally: Tally
    begun: bool = True
    """Whether its seats are valid already."""


def add_lot(app: "App", new: NewLot, who: str) -> Added:
    """Put a lot into its pool and serve everybody who waits for it. Raises Usage for what contradicts itself, and for a
    license that the provider does not sell."""
    with app.store.begin() as tx:
        pool = GLOBAL if new.company is None else own_pool(tx, new.company)
        return put_in(app, tx, pool, new, who)


def put_in(app: "App", tx: "Transaction", pool: int, new: NewLot, who: str, *, bought_for: int | None = None) -> Added:
    """Put a lot into this pool, and serve everybody who waits for it: those of the company first that it was bought
    for, if it was for one."""
    now = app.clock()
    starts, term = new.starts or now.date(), _term(app, tx, new)
    expires = last_day_of(term, starts, new.expires)
    tx.lots.lock_pool(pool)
    tx.audit.open([pool, *concerned(tx, pool, micros(now))])
    row = tx.lots.add(
        pool=pool,
        license=new.license,
        seats=new.seats,
        term=term,
        starts_at=start_of(starts),
        expires_at=None if expires is None else day_after(expires),
        who=who,
        now=micros(now),
        because=new.because,
        renews=new.renews and expires is not None and term != "trial",
        ref=new.ref,
    )
    tally = serve_pool(app, tx, pool, micros(now), bought_for=bought_for)
    return Added(lot_of(tx, row.id, pool, micros(now)), tally, starts <= now.date())


def _term(app: "App", tx: "Transaction", new: NewLot) -> str:
    """The term that is said, else that of the catalog. Raises Usage for a license that is not sold (M7)."""
    if new.license in tuple(License):
        return new.term or "yearly"
    sold = kind_of(app, tx, new.license)
    return new.term or sold.term


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


def own_pool(tx: "Transaction", company: str) -> int:
    """The company's own pool. Raises Usage where it draws from the global one."""
    row = tx.directories.company(company)
    if row.pool != row.key:
        raise Usage(f"{company} draws from the global pool: leave --company out, or let its policy say `pool: own`")
    return row.key
