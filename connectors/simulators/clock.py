"""The time that a simulated vendor lives in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Tells the time as an aware UTC datetime."""


class SimulatedClock:
    """Time that stands still at `start`, or runs with the real one where there is none; it moves on when told."""

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("a simulated clock starts at an aware time")
        self._start = start
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return (self._start or datetime.now(UTC)) + self._ahead

    def advance(self, by: timedelta) -> datetime:
        """Move on and tell the new time. Raises ValueError for a negative step: the past does not come back."""
        if by < timedelta(0):
            raise ValueError(f"time does not go back: {by}")
        self._ahead += by
        return self()
