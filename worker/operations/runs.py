"""A run: one pass over one directory, and what it reports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from connectors.errors import Transient
from store.briefings import Briefing
from store.directories import DirectoryRow
from store.leases import Lease
from store.times import micros
from worker.errors import Stopped
from worker.operations.policies import InForce

if TYPE_CHECKING:
    from policies.document import DirectoryEntry
    from store.transaction import Transaction
    from worker.bootstrap import App

RENEW_AFTER = timedelta(seconds=30)
LONGEST = 4 * 3_600 * 1_000_000
"""Microseconds that a run may take; a longer one is stopped between two steps, and goes on from there when it is due
again."""
REPORTED = 1_000
"""Actions that a result carries; `actions_total` has their number."""


class AccountName(msgspec.Struct, frozen=True):
    id: str
    address: str


class Action(msgspec.Struct, frozen=True):
    """One change, as `sync --json` shows it."""

    kind: str
    account: AccountName | None
    license: str | None
    because: str


class HeldKind(msgspec.Struct, frozen=True):
    """A kind of change that waits for a person."""

    hash: str
    kind: str
    total: int


class RunResult(msgspec.Struct):
    """What a run did, as `sync --json` shows it."""

    directory: str
    run: str | None
    outcome: str
    mode: str = "delta"
    seen: int = 0
    changed: int = 0
    actions: list[Action] = []
    actions_total: int = 0
    held: list[HeldKind] = []
    plan_hash: str | None = None
    error: str | None = None
    remedy: str | None = None
    warning: str | None = None
    """Something that a person should know, and that stopped nothing."""
    retry_after: float | None = None
    """Seconds that the directory asks to be left alone, where it failed for that."""


@dataclass
class Run:
    """One run under way."""

    app: "App"
    id: str
    briefing: Briefing
    directory: DirectoryRow
    entry: "DirectoryEntry"
    in_force: InForce
    lease: Lease
    full: bool = False
    """Everybody is read."""
    whole: bool = False
    """Everybody is planned."""
    dry: bool = False
    progress: Callable[[str, int], None] = lambda _step, _n: None
    unread: bool = False
    """A person approves what is held of a directory that cannot be read: nothing else of it is decided (Z2)."""
    hinted: bool = False
    """Hints said that nothing has to be read: the last complete read stays the last one (R4)."""
    tenant: str | None = None
    """The tenant or customer that answered, where it said so."""
    result: RunResult = field(init=False)
    _renewed: int = field(init=False, default=0)
    _until: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.result = RunResult(self.directory.id, self.id, "nothing_to_do")
        self._renewed = self.now
        self._until = self._renewed + LONGEST

    @property
    def now(self) -> int:
        """The time, in the store's microseconds."""
        return micros(self.app.clock())

    @property
    def batch(self) -> int:
        """The number under which this run stages and proposes: no other run has it."""
        return (self.directory.key << 32) | (self.lease.fence & 0xFFFFFFFF)

    @property
    def is_awake(self) -> bool:
        """Whether something is to be looked at without any news of the directory: a grace that ends, a mailbox that is
        due to be asked for, a person who asks."""
        row = self.directory
        return row.plan_some or row.asked_at is not None or (row.wake_at is not None and row.wake_at <= self.now)

    def step(self, name: str) -> None:
        """Between two steps: a stop takes effect here (Z10), and so does the limit of time."""
        self.app.mark(name)
        if self.app.stopping.is_set():
            raise Stopped
        if self.now > self._until:
            raise Transient("the run took longer than four hours; it goes on when it is due again")

    def guard(self, tx: "Transaction") -> None:
        """In a transaction that writes: only while the lease is ours (Z5)."""
        tx.leases.check(self.lease, self.now)

    def stay(self) -> None:
        """Keep the lease while a long walk goes on, also where no thread does (`worker.held`)."""
        now = self.now
        if now - self._renewed < RENEW_AFTER // timedelta(microseconds=1):
            return
        with self.app.store.begin() as tx:
            self.lease = tx.leases.renew(self.lease, now, self.app.lease)
        self._renewed = now
