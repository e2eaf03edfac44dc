"""How fast we ask, so that Google need not tell us: a few requests at once, then so many a second.

The quotas are 2,400 requests a minute for a user of a Google Cloud project, and one for each Workspace customer, over
all of its programs, which cannot be raised and is not published (Google, "Directory API: limits and quotas"). We stay
below the first with all customers of a service account together, and far below it with each of them. What Google says
of a customer is believed at once: half as fast, and then faster by a request a second each minute, so that its own
programs are left room. Each process finds this out by itself.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime

SLOWEST = 1.0
"""Requests a second: a customer of 500,000 users is still read within half an hour."""
_RECOVERS = 1.0 / 60
"""Requests a second, each second."""


@dataclass(slots=True)
class Pace:
    """A token bucket. It is asked before each request and tells how long that one has to wait."""

    rate: float
    """Requests a second, in the long run."""
    burst: float
    """Requests that need not wait after a pause; fewer while it is slowed down."""
    _now: float = field(init=False)
    """The rate as it is now."""
    _left: float = field(init=False)
    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._now, self._left = self.rate, self.burst

    def take(self, now: datetime) -> float:
        """Take one request's turn; returns the seconds until it comes. Turns are given in the order of asking."""
        with self._lock:
            self._pass(now)
            self._left -= 1
            return max(0.0, -self._left / self._now)

    def slow_down(self, now: datetime) -> None:
        """Go half as fast, and recover in time."""
        with self._lock:
            self._pass(now)
            self._now = max(min(SLOWEST, self.rate), self._now / 2)
            self._left = min(self._left, 0.0)

    def _pass(self, now: datetime) -> None:
        if self._at is not None and now > self._at:
            seconds = (now - self._at).total_seconds()
            self._now = min(self.rate, self._now + seconds * _RECOVERS)
            self._left = min(self.burst * self._now / self.rate, self._left + seconds * self._now)
        if self._at is None or now > self._at:
            self._at = now


def of_project() -> Pace:
    """For all customers of one service account: nine tenths of 2,400 a minute."""
    return Pace(rate=36.0, burst=36.0)


def of_customer() -> Pace:
    """For one customer, whose own programs share the quota with us."""
    return Pace(rate=10.0, burst=20.0)
