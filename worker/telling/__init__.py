"""Telling receivers outside what happened: at least once, in order per subject, the same event under the same id (A2).

    deliver ──▶ claim a receiver ──▶ programs: an event, a request; or people: what is new, a mail
                                       └──▶ told, as far as it was accepted ──▶ due again
                                       └──▶ failed: nothing further before it accepts what is next

Any number of processes and threads may deliver at once: a receiver is one's for as long as its claim lasts, so that a
slow one delays no other. No transaction is open while a receiver is asked.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from store.receivers import EMAIL
from store.times import micros
from worker.telling.people import tell_people
from worker.telling.programs import tell_programs

if TYPE_CHECKING:
    from worker.bootstrap import App

CLAIM = timedelta(minutes=10)
"""Longer than one round takes: a minute of requests, and the last of them at the bounds of its client."""
THREADS = 8
ENOUGH = timedelta(minutes=1)
"""For so long whoever asked for a pass waits for receivers that always have something more to be told."""


def deliver(app: "App", now: datetime) -> bool:
    """Tell the receiver that is due the longest what is next for it. Returns False where nobody is due; else there may
    be more to do at once. May be called from many threads and processes."""
    at = micros(now)
    with app.store.read() as tx:
        if not tx.receivers.is_due(at):
            return False
    with app.store.begin() as tx:
        claim = tx.receivers.claim(at, CLAIM)
    if claim is None:
        return False
    app.mark("receiver claimed")
    if claim.kind == EMAIL:
        tell_people(app, claim, now)
    else:
        tell_programs(app, claim, now)
    return True


def deliver_all(app: "App") -> None:
    """Tell everybody who is due, several at once, until nobody is or enough time has passed; the rest is told later."""
    with app.store.read() as tx:
        if not tx.receivers.is_due(micros(app.clock())):
            return
    until = app.clock() + ENOUGH
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(_deliver_until, app, until) for _ in range(THREADS)]:
            done.result()


def _deliver_until(app: "App", until: datetime) -> None:
    while not app.stopping.is_set() and app.clock() < until and deliver(app, app.clock()):
        pass


def hasten(app: "App", now: datetime) -> None:
    """Let receivers that failed be tried at once, as when a process starts after somebody has seen to them."""
    with app.store.begin() as tx:
        tx.receivers.hasten(micros(now))
