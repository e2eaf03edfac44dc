"""Renewals: when they are ordered, for how many seats, and when people are reminded of open ones (M3, P9)."""

from typing import Final

DAY: Final = 24 * 3_600 * 1_000_000
"""In the store's microseconds."""
REMINDERS: Final = (7, 3, 1)
"""Days before a lot's end at which people are told that its renewal is still open."""
KEPT: Final = 14 * DAY
"""For how long a placed renewal keeps its lot valid past its end."""


def is_due(ends: int, ahead: int, now: int) -> bool:
    """Whether a lot's renewal is to be ordered now; what has ended is exchanged, or bought anew."""
    return ends - ahead <= now < ends


def seats_to_renew(mode: str, *, seats: int, held: int, spare: int) -> int:
    """How many seats a renewal is for: never more than the lot has, so that it passes every cap (M3)."""
    if mode == "off":
        return 0
    return seats if mode == "all" else min(seats, held + spare)


def reminder(ends: int, last: int, now: int) -> int | None:
    """The reminder that is due, in days before the end; `last` is the one before it, 0 for none. Of several that were
    missed only the one that is closest to the end is told."""
    due = [days for days in REMINDERS if now >= ends - days * DAY and (last == 0 or days < last)]
    return due[-1] if due and now < ends else None
