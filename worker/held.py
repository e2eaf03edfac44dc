"""The leases that this process holds, and the thread that keeps them while its runs are at work (Z5).

One statement keeps all of them. A process that dies or is frozen keeps none, and others take its directories over.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from store.times import micros
from worker.loops import Loop

if TYPE_CHECKING:
    from store.leases import Lease
    from worker.bootstrap import App

LEASE = timedelta(minutes=2)
"""How long a process that is not heard of keeps its directories."""
BEAT = timedelta(seconds=15)
"""Between two renewals, where no daemon says otherwise; a lease outlives several."""


class Held:
    """What the runs of this process work on, and how far those are that somebody waits for."""

    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self._progress: dict[int, tuple[str, int]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def during(self, lease: "Lease") -> Iterator[None]:
        """The lease is kept for as long as the block lasts."""
        with self._lock:
            self._leases[lease.directory] = lease
        try:
            yield
        finally:
            with self._lock:
                if self._leases.get(lease.directory) == lease:
                    del self._leases[lease.directory]
                self._progress.pop(lease.directory, None)

    def directories(self) -> list[int]:
        """The keys of the directories, in order."""
        with self._lock:
            return sorted(self._leases)

    def note(self, directory: int, step: str, number: int) -> None:
        """How far a run is that somebody waits for."""
        with self._lock:
            self._progress[directory] = (step, number)

    def told(self) -> dict[int, tuple[str, int]]:
        """What was noted since the last time."""
        with self._lock:
            told, self._progress = self._progress, {}
        return told


def keep(app: "App") -> None:
    """Keep every lease of this process longer."""
    directories = app.held.directories()
    if directories:
        with app.store.begin() as tx:
            tx.leases.keep(directories, app.owner, micros(app.clock()), app.lease)


@contextmanager
def keeping(app: "App") -> Iterator[None]:
    """For as long as the block lasts, a thread keeps the leases of this process."""
    loop = Loop("leases", BEAT, lambda: keep(app)).start()
    try:
        yield
    finally:
        loop.stop()
