"""Telling receivers outside what happened: at least once, in order per subject, the same event under the same id (A2).

    deliver ──▶ claim a receiver ──▶ programs: an event, a request; or people: what is new, a mail
                                       └──▶ told, as far as it was accepted ──▶ due again
                                       └──▶ failed: nothing further before it accepts what is next

Any number of processes and threads may deliver at once: a receiver is one's for as long as its claim lasts, so that a
slow one delays no other. Those that failed the last time share half of the threads, so that many that hang leave room
for the others. No transaction is open while a receiver is asked.
"""

import threading
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
"""Longer than one round takes: seconds of requests, and the last of them at the bounds of its client."""
THREADS = 8
ENOUGH = timedelta(minutes=1)
"""For so long whoever asked for a pass waits for receivers that always have something more to be told."""
ROUND = timedelta(minutes=30)
"""The same where nobody waits: at its end, what happens waits for those who are still being told."""
_LOOK = 0.25
"""Seconds between two looks at who is due, while somebody else is still being told."""


def deliver(app: "App", now: datetime, *, well: bool = False) -> bool:
    """Tell the receiver that is due the longest what is next for it; with `well`, of those that did not fail the last
    time. Returns False where nobody is due; else there may be more to do at once. May be called from many threads and
    processes."""
    at = micros(now)
    with app.store.read() as tx:
        if not tx.receivers.is_due(at, well=well):
            return False
    with app.store.begin() as tx:
        claim = tx.receivers.claim(at, CLAIM, well=well)
    if claim is None:
        return False
    app.mark("receiver claimed")
    if claim.kind == EMAIL:
        tell_people(app, claim, now)
    else:
        tell_programs(app, claim, now)
    return True


def deliver_all(app: "App", enough: timedelta = ENOUGH) -> None:
    """Tell everybody who is due, several at once, until nobody is or enough time has passed; the rest is told later."""
    with app.store.read() as tx:
        if not tx.receivers.is_due(micros(app.clock())):
            return
    until, at_work = app.clock() + enough, _AtWork()
    with ThreadPoolExecutor(THREADS) as pool:
        ways = [n * 2 >= THREADS for n in range(THREADS)]
        for done in [pool.submit(_deliver_until, app, until, at_work, well) for well in ways]:
            done.result()


class _AtWork:
    """How many of several threads tell somebody at the moment."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.number += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.number -= 1


def _deliver_until(app: "App", until: datetime, at_work: _AtWork, well: bool) -> None:
    """Who has nothing to do looks again while others work: what happens meanwhile does not wait for them."""
    while not app.stopping.is_set() and app.clock() < until:
        with at_work:
            told = deliver(app, app.clock(), well=well)
        if not told and at_work.number == 0:
            return
        if not told:
            app.stopping.wait(_LOOK)


def hasten(app: "App", now: datetime) -> None:
    """Let receivers that failed be tried at once, as when a process starts after somebody has seen to them."""
    with app.store.begin() as tx:
        tx.receivers.hasten(micros(now))
