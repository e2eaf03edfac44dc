"""The processes that run unattended, by their heart-beats: a row each, with the time when it was last heard of.

A row says nothing about rights: those are leases and duties. It says who there is, for people and for `sync`.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from store.times import span

if TYPE_CHECKING:
    from store.transaction import Transaction

UP, WORKER, SCHEDULER = "up", "worker", "scheduler"
HEARD_WITHIN = timedelta(seconds=20)
"""Who was not heard of for so long is taken for gone."""
FORGOTTEN = span(timedelta(hours=1))


class Process(NamedTuple):
    """A process as it was last heard of; instants are in microseconds."""

    name: str
    role: str
    version: str
    started_at: int
    seen_at: int


class Processes:
    """Who runs."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def beat(self, process: Process) -> None:
        """Be heard of. Those who have been silent for an hour are forgotten."""
        self._tx.execute(
            "INSERT INTO process (name, role, version, started_at, seen_at)"
            " VALUES (:name, :role, :version, :started_at, :seen_at)"
            " ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at",
            process._asdict(),
        )
        self._tx.execute("DELETE FROM process WHERE seen_at < :before", {"before": process.seen_at - FORGOTTEN})

    def leave(self, name: str) -> None:
        """Be gone."""
        self._tx.execute("DELETE FROM process WHERE name = :name", {"name": name})

    def running(self, now: int) -> list[Process]:
        """Those who were heard of lately, by name."""
        rows = self._tx.execute(
            "SELECT name, role, version, started_at, seen_at FROM process WHERE seen_at > :since ORDER BY name",
            {"since": now - span(HEARD_WITHIN)},
        )
        return [Process(*row) for row in rows]

    def daemon_runs(self, now: int) -> bool:
        """Whether somebody says what is due, and somebody does it."""
        roles = {process.role for process in self.running(now)}
        return UP in roles or {WORKER, SCHEDULER} <= roles
