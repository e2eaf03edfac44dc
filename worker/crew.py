"""The threads of a process that run passes: so many at once, and only a share of them for long ones (Z9).

A directory is taken when a thread is free for it and not before, so that no lease runs while its directory stands in a
line, and a tenant that hangs holds up one thread and nobody else.
"""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from store.briefings import briefings
from store.connections import was_ended
from store.times import micros
from worker.operations.syncing import Asked, retry_at, sync_leased

if TYPE_CHECKING:
    from store.briefings import Briefing
    from store.directories import DirectoryRow
    from store.leases import Lease
    from worker.bootstrap import App
    from worker.operations.runs import RunResult
    from worker.pace import Pace
    from worker.telemetry import Telemetry

log = logging.getLogger(__name__)
_NOTICES_A_STOP_WITHIN = 0.2
_LINGERS = 0.05
"""Seconds that directories wait for others to begin with: one transaction for twenty costs little more than for one."""


class Slots:
    """How many passes may run at once, and how many of those may be long."""

    def __init__(self, all_: int, long: int) -> None:
        self._free, self._free_for_long = all_, long
        self._changed = threading.Condition()

    def reserve(self, most: int, *, long: bool, timeout: float, linger: float = 0.0) -> int:
        """Reserve up to `most`; 0 if there was none in time. Where there are fewer, more may come free for `linger`
        seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._left(long) > 0, timeout)
            lingers = 0 < self._left(long) < most
        if lingers:
            time.sleep(linger)
        with self._changed:
            got = max(0, min(most, self._left(long)))
            self._take(got, long)
        return got

    def give_back(self, number: int, *, long: bool) -> None:
        with self._changed:
            self._take(-number, long)
            self._changed.notify_all()

    def _left(self, long: bool) -> int:
        return min(self._free, self._free_for_long) if long else self._free

    def _take(self, number: int, long: bool) -> None:
        self._free -= number
        self._free_for_long -= number if long else 0


class Crew:
    """Runs passes over the directories of messages."""

    def __init__(self, app: "App", pace: "Pace", telemetry: "Telemetry") -> None:
        self._app = app
        self._telemetry = telemetry
        self._slots = Slots(pace.threads, pace.long)
        self._threads = ThreadPoolExecutor(pace.threads, thread_name_prefix="pass")

    def take_on(self, directories: Sequence[int], long: bool) -> None:
        """Take those of these directories that are due, each when there is a thread for it, and come back when every
        one has been begun."""
        left = list(directories)
        while left and not self._app.stopping.is_set():
            got = self._slots.reserve(len(left), long=long, timeout=_NOTICES_A_STOP_WITHIN, linger=_LINGERS)
            if got:
                self._begin(left[:got], got, long)
                left = left[got:]

    def stop(self, timeout: float) -> bool:
        """Wait for the runs to end; False where some did not in time. Whoever calls has said that they shall stop."""
        self._threads.shutdown(wait=False)
        waits = threading.Thread(target=self._threads.shutdown, daemon=True)
        waits.start()
        waits.join(timeout)
        return not waits.is_alive()

    def _begin(self, directories: Sequence[int], reserved: int, long: bool) -> None:
        app, begun = self._app, 0
        leases: list[Lease] = []
        try:
            with app.store.begin() as tx:
                leases = tx.leases.take_due(directories, app.owner, micros(app.clock()), app.lease)
                known = briefings(tx, [lease.directory for lease in leases]) if leases else {}
            for lease in leases:
                self._threads.submit(self._run, lease, known[lease.directory], long)
                begun += 1
        finally:
            self._slots.give_back(reserved - begun, long=long)
            if leases[begun:]:  # the process stops
                with app.store.begin() as tx:
                    tx.leases.give_back(leases[begun:])

    def _run(self, lease: "Lease", known: "Briefing", long: bool) -> None:
        try:
            with self._app.held.during(lease):
                self._pass(lease, known)
        finally:
            self._slots.give_back(1, long=long)

    def _pass(self, lease: "Lease", known: "Briefing") -> None:
        app, row = self._app, known.row
        watched = row.asked_at is not None
        progress = (lambda step, n: app.held.note(row.key, step, n)) if watched else Asked.progress
        try:
            with self._telemetry.run(row, lease) as told:
                result = told(sync_leased(app, row.id, lease, Asked(progress=progress), known))
        except Exception as problem:
            ended = was_ended(problem)
            if ended is None:
                log.exception("a pass over %s ended in a way that nobody foresaw", row.id)
            self._put_off(row, lease, problem, ended)
            return
        if watched:
            self._answer(row, lease, result)

    def _answer(self, row: "DirectoryRow", lease: "Lease", result: "RunResult") -> None:
        """Tell who waits for a pass what it came to; who is told nothing asks again."""
        try:
            with self._app.store.begin() as tx:
                tx.waiters.answer(row.key, lease.taken, msgspec.json.encode(result).decode())
        except Exception:
            log.exception("who waits for a pass over %s could not be told that it is over", row.id)

    def _put_off(self, row: "DirectoryRow", lease: "Lease", problem: Exception, ended: str | None) -> None:
        """A directory that makes runs end in unforeseen ways is tried again like any that fails. Where the database
        ended the transaction of a pass, because nothing was heard of it for too long, it is not to blame (Z5)."""
        app, now = self._app, micros(self._app.clock())
        again = retry_at(row, now, app.random())
        try:
            with app.store.begin() as tx:
                ours = tx.leases.held(lease)
                if ours and ended is None:
                    told = f"something unforeseen went wrong: {type(problem).__name__}"
                    remedy = "look into the log of the process, and report it with what stands there"
                    tx.directories.failed(row.key, now, told, remedy, retry_at=again)
                if ours:
                    tx.leases.release(lease, due_at=again)
        except Exception:
            log.exception("%s could not be handed back; its lease runs out", row.id)
            return
        if not ours:
            log.warning("the pass over %s lost its lease, and is left to whoever has it now", row.id)
        elif ended is not None:
            log.warning("the database ended the pass over %s, which is done again: %s", row.id, ended)
