"""A pass that somebody asks for while a daemon runs: the daemon makes it, and whoever asked hears how it goes.

The policy files are read where the daemon reads them (Z4), not here. Should the daemon be gone meanwhile, the pass is
made in this process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec

from policies.errors import Problem
from policies.model import Mark
from store.processes import HEARD_WITHIN
from store.times import micros
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

POLICIES, ORDERS = "policies", "orders"
"""Duties of a scheduler that people may ask for (`worker.duties`)."""
_LOOK = 0.2
_DAEMON_EVERY = 25
"""Looks after which it is asked whether the daemon is still there."""


def daemon_runs(app: "App") -> bool:
    """Whether somebody unattended does what is due."""
    with app.store.read() as tx:
        return tx.processes.daemon_runs(micros(app.clock()))


def read_policies(app: "App", deadline: datetime) -> tuple[Problem, ...]:
    """Let the daemon read the policy folder, and return what is wrong with the files."""
    _done(app, POLICIES, deadline)
    with app.store.read() as tx:
        broken = [problem for file in tx.versions.problems() for problem in file.problems]
    return tuple(
        Problem(Mark(p["file"], p["line"], p["column"]), p["message"], p["found"], p["expected"], p["nearest"])
        for p in broken
    )


def carry_orders(app: "App", deadline: datetime) -> None:
    """Let the daemon look at every order that is placed, and wait until it has."""
    with app.store.begin() as tx:
        tx.outbox.hasten(micros(app.clock()))
    _done(app, ORDERS, deadline)


def ask(app: "App", directories: Sequence[str], *, full: bool) -> list[str]:
    """Let the daemon pass over these directories at once; those that are frozen or retired are left out. Returns
    whom it was asked about."""
    with app.store.begin() as tx:
        return [name for name in directories if _asked(tx, name, micros(app.clock()), full=full)]


def _asked(tx: "Transaction", directory: str, now: int, *, full: bool) -> bool:
    row = tx.directories.by_id(directory)
    if row.retired or row.state == "frozen":
        return False
    tx.directories.ask(row.key, now, full=full)
    if full:
        tx.directories.plan_whole(row.key)
    return True


@dataclass
class Waiting:
    """Somebody who waits for a pass over one directory."""

    app: "App"
    directory: str
    asked: Asked
    deadline: datetime
    id: str = field(default_factory=lambda: uuid4().hex)

    begun: bool = False
    """It was asked for, and nobody has waited for it yet."""

    def begin(self, tx: "Transaction") -> None:
        """Ask for a pass; one that nothing is changed for is not asked for."""
        now = micros(self.app.clock())
        tx.waiters.put(self.id, tx.directories.by_id(self.directory).key, now)
        self.begun = _asked(tx, self.directory, now, full=self.asked.full)

    def __call__(self) -> RunResult:
        """Wait for a pass to its end, or for another one; `busy` if it has not come by the deadline."""
        if not self.begun:
            with self.app.store.begin() as tx:
                self.begin(tx)
        if not self.begun:
            return sync(self.app, self.directory, self.asked)
        self.begun = False
        for look in self._looks():
            if look % _DAEMON_EVERY == 0 and not self._is_under_way():
                return sync(self.app, self.directory, self.asked)
            with self.app.store.read() as tx:
                heard = tx.waiters.heard(self.id)
            if heard is not None and heard.result is not None:
                return msgspec.json.decode(heard.result, type=RunResult)
            if heard is not None and heard.step is not None:
                self.asked.progress(heard.step, heard.n)
        return RunResult(self.directory, None, "busy", error="the daemon has not come to it in time")

    def _is_under_way(self) -> bool:
        """Whether a daemon makes the pass, or will. It is asked again where the pass is over and nobody answers:
        whoever made it was gone before it could, or approved a hold and read nothing."""
        if not daemon_runs(self.app):
            return False
        with self.app.store.read() as tx:
            heard, asked_at = tx.waiters.heard(self.id), tx.directories.by_id(self.directory).asked_at
        if asked_at is not None or (heard is not None and heard.result is not None):
            return True
        with self.app.store.begin() as tx:
            self.begin(tx)
        begun, self.begun = self.begun, False
        return begun

    def _looks(self) -> Iterator[int]:
        look = 0
        while self.app.clock() < self.deadline and not self.app.stopping.is_set():
            look += 1
            yield look
            self.app.sleep(_LOOK)


@contextmanager
def waiting(app: "App", waits: Sequence[Waiting]) -> Iterator[None]:
    """All are asked for at once; whoever waits is gone when the block is left."""
    with app.store.begin() as tx:
        for one in waits:
            one.begin(tx)
    try:
        yield
    finally:
        with app.store.begin() as tx:
            tx.waiters.leave([one.id for one in waits])


def _done(app: "App", duty: str, deadline: datetime) -> None:
    """Ask for a duty, and wait until it is done, or the daemon is gone."""
    asked = micros(app.clock())
    with app.store.begin() as tx:
        tx.duties.ask(duty, asked)
    until = min(deadline, app.clock() + HEARD_WITHIN + timedelta(seconds=10))
    while app.clock() < until and not app.stopping.is_set():
        with app.store.read() as tx:
            if any(row.name == duty and row.done_at >= asked for row in tx.duties.listing()):
                return
        app.sleep(_LOOK)
