"""A thing that is done again and again in a thread of its own, whatever goes wrong with it once."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from connectors.errors import NeedsPerson

log = logging.getLogger(__name__)
_AFTER_A_FAILURE = 1.0
"""Seconds at least before something that failed is tried again."""


class Loop:
    """Calls an action every so often until it is stopped."""

    def __init__(self, name: str, every: timedelta, action: Callable[[], object], patience: float = 90.0) -> None:
        self.name = name
        self.patience = patience
        """Seconds that it may take to come round, and longer than a busy database is waited for; after that it is taken
        for stuck."""
        self.failures = 0
        """How often in a row the action has failed."""
        self.problem = ""
        """Why it failed the last time, and what to do where that is known, in one line."""
        self._every = every.total_seconds()
        self._action = action
        self._turned = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._turn, name=name, daemon=True)

    def start(self) -> "Loop":
        self._thread.start()
        return self

    def stop(self, timeout: float | None = None) -> bool:
        """Let it end after what it is doing, and wait for that; False where it did not end in time."""
        self._stop.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def is_stuck(self) -> bool:
        """Whether it has not come round for too long."""
        return not self._thread.is_alive() or time.monotonic() - self._turned > self.patience

    def _turn(self) -> None:
        while not self._stop.is_set():
            pause = self._every
            try:
                self._action()
                self._succeeded()
            except Exception as problem:
                pause = max(pause, _AFTER_A_FAILURE)
                if self._is_worth_telling(problem):
                    told = {"failures": self.failures}
                    log.exception("%s failed, and is tried again: %s", self.name, self.problem, extra=told)
            self._turned = time.monotonic()
            self._stop.wait(pause)

    def _succeeded(self) -> None:
        if self.failures > 1:
            log.info("%s goes on after %d failures", self.name, self.failures)
        self.failures = 0

    def _is_worth_telling(self, problem: Exception) -> bool:
        """What fails for hours is told ever more seldom, unless something else is wrong with it by now."""
        before, self.problem = self.problem, _told(problem)
        self.failures += 1
        return self.problem != before or self.failures.bit_count() == 1


def _told(problem: Exception) -> str:
    line = next(iter(str(problem).splitlines()), type(problem).__name__)
    return f"{line}; {problem.remedy}" if isinstance(problem, NeedsPerson) else line
