"""Says which directories are due, in messages of some forty keys, as long as workers keep up (Z7, Z9).

It takes nothing: whoever begins a pass takes its directory's lease. So a message that is lost, doubled or late does no
harm; a directory that nobody has taken is said to be due again. Of several schedulers one speaks at a time, and should
two do so, workers pass over what others have taken.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from store.set_back import set_back
from store.times import micros, span
from worker.broker import LONG, SHORT, waiting
from worker.loops import Loop
from worker.operations.pulling import READ_WHOLE_EVERY
from worker.relay import CLAIM

if TYPE_CHECKING:
    import dramatiq

    from store.leases import Due
    from worker.actors import Actors
    from worker.bootstrap import App
    from worker.pace import Pace

log = logging.getLogger(__name__)
DIRECTORIES = "directories"
_LEADS_FOR = timedelta(seconds=5)
"""Between two looks at whether we are still the one who speaks."""
_LONG_AHEAD = 8
_WENT_BACK = 2_000_000
"""Microseconds: clocks that are kept right go back by less."""


def portions(due: "Sequence[Due]", about: int) -> "list[Sequence[Due]]":
    """What is due in portions of about so many, up to half as many again, each as large as the others: a small rest
    would cost a message and a transaction of its own. Nothing waits for more to come."""
    number = round(len(due) / about) or min(1, len(due))
    return [due[len(due) * n // number : len(due) * (n + 1) // number] for n in range(number)]


class Scheduler:
    """Turns what is due into messages."""

    def __init__(self, app: "App", broker: "dramatiq.Broker", actors: "Actors", pace: "Pace") -> None:
        self._app = app
        self._broker = broker
        self._actors = actors
        self._pace = pace
        self._told: dict[int, tuple[int, int]] = {}
        """By directory: since when it was due when it was told, and when that was."""
        self._leads_until = self._asks_again_at = 0
        self._looked_at: int | None = None
        self.loop = Loop("scheduler", pace.look, self.look)

    def look(self) -> None:
        """Say what is due now, and was not said already."""
        now = micros(self._app.clock())
        if self._looked_at is None or now < self._looked_at - _WENT_BACK:
            self._set_back(now)
        self._looked_at = now
        if not self._leads(now):
            return
        room = {
            False: self._pace.ahead - waiting(self._broker, SHORT),
            True: _LONG_AHEAD - waiting(self._broker, LONG),
        }
        if max(room.values()) <= 0:
            return
        for long, due in self._due(now).items():
            for batch in portions(due, self._pace.batch)[: max(0, room[long])]:
                self._tell(batch, long, now)

    def _set_back(self, now: int) -> None:
        """The clock was set back, or may have been while nobody looked: nothing waits until it is there again."""
        self._leads_until = self._asks_again_at = 0
        self._told.clear()
        with self._app.store.begin() as tx:
            moved = set_back(tx, now, self._app.lease, CLAIM)
        if self._looked_at is not None:
            back = timedelta(microseconds=self._looked_at - now)
            log.warning("the clock was set back by %s; what was due then is due now", back, extra={"moved": moved})

    def _leads(self, now: int) -> bool:
        """Whether it is we who speak. Asked of the store every few seconds; written when it is so."""
        if now < self._asks_again_at:
            return now < self._leads_until
        self._asks_again_at = now + span(_LEADS_FOR)
        until = now + span(_LEADS_FOR)
        with self._app.store.read() as tx:
            ours = tx.duties.is_due(DIRECTORIES, self._app.owner, now)
        if ours:
            with self._app.store.begin() as tx:
                ours = tx.duties.take(DIRECTORIES, self._app.owner, now, until + span(self._pace.silent))
                tx.duties.done(DIRECTORIES, self._app.owner, now, now, until + span(self._pace.silent))
        self._leads_until = until + span(_LEADS_FOR) if ours else 0
        return ours

    def _due(self, now: int) -> "dict[bool, list[Due]]":
        """What is due and was not told lately, the short ones apart from the long ones."""
        most = self._pace.batch * (self._pace.ahead + _LONG_AHEAD)
        with self._app.store.read() as tx:
            due = tx.leases.due(now, most, read_whole_before=now - READ_WHOLE_EVERY)
        again = now - span(self._pace.again)
        self._told = {key: told for key, told in self._told.items() if told[1] > again}
        new = [one for one in due if self._told.get(one.directory, (None,))[0] != one.since]
        return {long: [one for one in new if one.long is long] for long in (False, True)}

    def _tell(self, batch: "Sequence[Due]", long: bool, now: int) -> None:
        (self._actors.sync_long if long else self._actors.sync).send([one.directory for one in batch])
        self._told |= {one.directory: (one.since, now) for one in batch}
