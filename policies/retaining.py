"""Retention clocks: when people are told that backups will go, and when the clock has run out (L4, R1).

Each notice's distance must really pass after somebody accepted it, so an end is only as good as its notices.
"""

from typing import Final, NamedTuple

DAY: Final = 24 * 3_600 * 1_000_000
"""In the store's microseconds."""
DISTANCES: Final = (30, 7, 1)
"""Days before the end at which people are told, as far as they fit into the retention; the last one always is."""
NONE_YET: Final = 0


class Clock(NamedTuple):
    """A clock that runs; instants in the store's microseconds."""

    started_at: int
    ends: int
    noticed: int = NONE_YET
    """The distance of the last notice about this end, in days."""


class Step(NamedTuple):
    """What is to be done for a clock now."""

    notice: int | None
    """The distance of the notice to send, in days."""
    next_at: int | None
    """When to look at it again; None where only somebody's answer can bring it further."""


def step(clock: Clock, now: int) -> Step:
    """The notice that is due, and when the next one is. After a standstill the longest distance that was missed is
    told, and no other: its acceptance moves the end, and the others follow from there."""
    ahead = [days for days in _fitting(clock) if clock.noticed == NONE_YET or days < clock.noticed]
    due = [days for days in ahead if clock.ends - days * DAY <= now]
    if due:
        shorter = [clock.ends - days * DAY for days in ahead if days < due[0]]
        if not shorter:
            return Step(due[0], clock.ends)
        return Step(due[0], shorter[0] if shorter[0] > now else None)
    return Step(None, clock.ends - ahead[0] * DAY if ahead else clock.ends)


def end_after(days: int, accepted_at: int) -> int:
    """The earliest end of a clock whose notice was accepted at an instant."""
    return accepted_at + days * DAY


def _fitting(clock: Clock) -> tuple[int, ...]:
    length = clock.ends - clock.started_at
    return tuple(days for days in DISTANCES if days * DAY <= length) or DISTANCES[-1:]
