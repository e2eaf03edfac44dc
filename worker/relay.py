"""The relay: what the outbox holds leaves the machine, one entry at a time, from whoever calls (Z7).

Any number of relays may run at once, on any number of machines: an entry is one's for as long as its claim lasts. No
transaction is open while somebody is asked. What a relay that died left behind is taken up when its claim has run out.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from store.outbox import ORDER, Outgoing
from store.times import micros
from worker.operations.placing import place_order

if TYPE_CHECKING:
    from worker.bootstrap import App

CLAIM = timedelta(minutes=10)
"""Longer than asking takes: two requests at the bounds of the HTTP client."""
MANY = 1_000
ENOUGH = timedelta(minutes=10)
"""For so long one round goes on; what is left is carried by the next."""


def relay_once(app: "App", now: datetime, limit: int = MANY, *, asked: bool = False) -> int:
    """Carry what is due, the longest due first, and return how many entries that were.

    `asked`: a person waits, so that placed orders are looked at whether they are due or not.
    """
    at, carried = micros(now), 0
    with app.store.read() as tx:
        if tx.outbox.is_empty():  # most of the time: then nothing is written
            return 0
    if asked:
        with app.store.begin() as tx:
            tx.outbox.hasten(at)
    while carried < limit and not app.stopping.is_set() and app.clock() < now + ENOUGH:
        entry = _claimed(app, at)
        if entry is None:
            break
        app.mark("order claimed")
        place_order(app, entry)
        carried += 1
    return carried


def _claimed(app: "App", now: int) -> Outgoing | None:
    with app.store.begin() as tx:
        return next(iter(tx.outbox.claim(ORDER, now, 1, CLAIM)), None)
