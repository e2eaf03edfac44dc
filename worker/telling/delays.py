"""When a receiver is tried again: further apart each time, by the three ways in which it can fail."""

from datetime import timedelta
from typing import Final

from connectors.errors import ConnectorError, NeedsPerson, Transient

DAY: Final = timedelta(days=1)
TRANSIENT: Final = (timedelta(seconds=30), timedelta(hours=1))
"""The first delay, doubled from one attempt to the next, and the longest: busy, or out of reach."""
PERSON: Final = (timedelta(minutes=5), DAY)
"""The receiver refuses us until somebody changes something."""
OURS: Final = (timedelta(minutes=1), timedelta(minutes=15))
"""The same, seen before anything left this machine: looking again costs nobody anything."""
PERMANENT: Final = (timedelta(minutes=15), DAY)
"""The receiver does not take this very event."""


def delay(problem: ConnectorError, failures: int, chance: float) -> timedelta:
    """How long to wait after this failure, which is not the first where `failures` came before; a little by chance,
    from 0 up to 1, and not before the receiver wants to be asked."""
    first, longest = _bounds(problem)
    long = min(longest, first * (1 << min(failures, 20)))
    if isinstance(problem, Transient) and problem.retry_after is not None:
        long = max(long, min(DAY, timedelta(seconds=problem.retry_after)))
    return long * (1 + chance / 10)


def _bounds(problem: ConnectorError) -> tuple[timedelta, timedelta]:
    if isinstance(problem, Transient):
        return TRANSIENT
    if isinstance(problem, NeedsPerson):
        return OURS if problem.unsent else PERSON
    return PERMANENT
