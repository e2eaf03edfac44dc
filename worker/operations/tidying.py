"""Letting go what time has passed over, so that an installation that idles does not grow (Z12)."""

from datetime import timedelta
from typing import TYPE_CHECKING

from store import housekeeping
from store.housekeeping import Tidied
from store.times import micros, span

if TYPE_CHECKING:
    from worker.bootstrap import App

DUTY = "tidying"
"""Under which name the store knows when it is due again."""
EVERY = span(timedelta(days=1))
AGAIN = span(timedelta(hours=1))
"""When somebody else takes it over from one who was killed meanwhile."""


def tidy(app: "App", now: int) -> Tidied:
    """Remove what no run, limit or person looks at any more, in short transactions; audit and feed stay. Returns how
    many rows went. A stop ends it before the next transaction (Z10)."""
    total = Tidied(0, 0, 0, 0)
    while not app.stopping.is_set():
        with app.store.begin() as tx:
            gone = housekeeping.tidy(tx, now)
        if not any(gone):
            break
        total = Tidied(*map(sum, zip(total, gone, strict=True)))
    return total


def tidy_daily(app: "App") -> Tidied | None:
    """Tidy if that is due, once a day whoever asks; None where it is not due, or somebody else is at it."""
    now = micros(app.clock())
    with app.store.read() as tx:
        if not tx.duties.is_due(DUTY, app.owner, now):
            return None
    with app.store.begin() as tx:
        if not tx.duties.take(DUTY, app.owner, now, now + AGAIN):
            return None
    gone = tidy(app, now)
    with app.store.begin() as tx:
        tx.duties.done(DUTY, app.owner, now, now + EVERY, now)
    return gone
