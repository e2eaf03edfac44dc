"""What a scheduler does beside directories: reading policies, pools and clocks, the outbox.

Each duty is a loop of its own, so that a seller that hangs keeps no policy from being read. Of several schedulers one
has a duty at a time (`store.duties`); who finds that there is nothing to do writes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from store.times import micros, span
from worker.loops import Loop
from worker.operations.policies import load
from worker.operations.policy_folder import looks
from worker.operations.pool_pass import pass_pools
from worker.operations.pushing import ChannelKeeper
from worker.relay import relay_once

if TYPE_CHECKING:
    from policies.errors import Problem
    from store.transaction import Transaction
    from worker.bootstrap import App
    from worker.pace import Pace

log = logging.getLogger(__name__)
POLICIES, POOLS, ORDERS, CHANNELS = "policies", "pools", "orders", "channels"
_LOOK = timedelta(seconds=0.5)
_IN_ANY_CASE = timedelta(minutes=10)
_BETWEEN_LOOKS = timedelta(seconds=5)
"""At the files of policies: a look at ten thousand takes a tenth of a second."""
_LOGGED = 20
_LONGEST = 3_600.0
"""Seconds that a duty may take before its process is taken for stuck: sellers take their time."""


@dataclass(frozen=True)
class Duty:
    """Something that is done every so often, and at once when somebody asks."""

    name: str
    every: timedelta
    do: Callable[["App", datetime], object]
    needed: "Callable[[App, Transaction], bool]" = lambda _app, _tx: True
    """Whether there is anything to do at all; looked at without writing."""


def duties(pace: "Pace") -> tuple[Duty, ...]:
    """All of them."""
    reader, keeper = PolicyReader(), ChannelKeeper()
    return (
        Duty(POLICIES, pace.policies, lambda app, _now: reader.read(app), lambda app, _tx: reader.is_needed(app)),
        Duty(POOLS, pace.pools, lambda app, _now: pass_pools(app)),
        Duty(ORDERS, pace.carry, relay_once, lambda _app, tx: not tx.outbox.is_empty()),
        Duty(CHANNELS, pace.pools, keeper.keep, keeper.is_needed),
    )


class OnDuty:
    """One scheduler's hand in one duty."""

    def __init__(self, app: "App", duty: Duty, pace: "Pace") -> None:
        self._app = app
        self._duty = duty
        self._silent = span(pace.silent)
        self.loop = Loop(duty.name, min(_LOOK, duty.every), self.look, _LONGEST)

    def look(self) -> None:
        """Do it if it is due, needed, and ours."""
        app, duty, now = self._app, self._duty, micros(self._app.clock())
        with app.store.read() as tx:
            if not tx.duties.is_due(duty.name, app.owner, now):
                return
            if not tx.duties.is_asked(duty.name) and not duty.needed(app, tx):
                return
        with app.store.begin() as tx:
            if not tx.duties.take(duty.name, app.owner, now, now + self._silent):
                return
        try:
            duty.do(app, app.clock())
        finally:
            self._done()

    def _done(self) -> None:
        app, now = self._app, micros(self._app.clock())
        due = now + span(self._duty.every)
        with app.store.begin() as tx:
            tx.duties.done(self._duty.name, app.owner, now, due, due + self._silent)


class PolicyReader:
    """Reads the policy folder when its files look otherwise, and now and then in any case."""

    def __init__(self) -> None:
        self._looked: object = None
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self._problems: tuple[Problem, ...] = ()

    def is_needed(self, app: "App") -> bool:
        """Whether they look otherwise than when they were read."""
        now = app.clock()
        if now - self._read_at > _IN_ANY_CASE:
            return True
        if self._looked_at <= now < self._looked_at + _BETWEEN_LOOKS:
            return False
        self._looked_at = now
        return looks(app.settings.policy_dir) != self._looked

    def read(self, app: "App") -> None:
        """Read them; what is wrong is logged once."""
        looked = looks(app.settings.policy_dir)
        problems = load(app)
        self._looked, self._read_at = looked, app.clock()
        if problems and problems != self._problems:
            told = [str(problem) for problem in problems[:_LOGGED]]
            log.warning("policy files have problems; the last good versions are in force", extra={"problems": told})
        self._problems = problems
