"""How fast we ask, so that Google need not tell us: a few requests at once, then so many a second.

The quotas are 2,400 requests a minute for a user of a Google Cloud project, and one for each Workspace customer, over
all of its programs, which cannot be raised and is not published (Google, "Directory API: limits and quotas"). We stay
below the first with all customers of a service account together, and far below it with each of them.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Pace:
    """A token bucket. It is asked before each request and tells how long that one has to wait."""

    rate: float
    """Requests a second, in the long run."""
    burst: float
    """Requests that need not wait after a pause."""
    _left: float = field(init=False)
    _at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._left = self.burst

    def take(self, now: datetime) -> float:
        """Take one request's turn; returns the seconds until it comes. Turns are given in the order of asking."""
        with self._lock:
            if self._at is not None and now > self._at:
                self._left = min(self.burst, self._left + (now - self._at).total_seconds() * self.rate)
            if self._at is None or now > self._at:
                self._at = now
            self._left -= 1
            return max(0.0, -self._left / self.rate)


def of_project() -> Pace:
    """For all customers of one service account: nine tenths of 2,400 a minute."""
    return Pace(rate=36.0, burst=36.0)


def of_customer() -> Pace:
    """For one customer, whose own programs share the quota with us."""
    return Pace(rate=10.0, burst=20.0)
