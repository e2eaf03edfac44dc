"""When a complete listing is not believed: those absent are alive, unconfirmed, or the count does not fit (Z2, D4)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a listing is held, and whom it would have lost."""

    why: str
    accounts: tuple[str, ...]


def judge_absence(known: int, absent: Sequence[str], *, alive: int, confirmed: int) -> Absence | None:
    """Hold the read if one of those absent is alive, or if more than 5 and more than 10 % of the known accounts are
    absent without a look-up that confirms it."""
    if alive:
        return Absence("an account that the listing left out is alive: the listing was not complete", tuple(absent))
    unconfirmed = len(absent) - confirmed
    if unconfirmed > 5 and unconfirmed * 10 > known:
        return Absence(
            f"{unconfirmed} of {known} accounts are missing from the listing and could not be looked up", tuple(absent)
        )
    return None


def judge_count(listed: int, counted: int) -> bool:
    """Whether a listing differs from the directory's own count by more than 20 and 1 %."""
    off = abs(listed - counted)
    return off > 20 and off * 100 > max(listed, counted)


def group_shrank(before: int, after: int) -> bool:
    """Whether a group reads empty, or lost more than 5 and half its members: then it is read again."""
    if before == 0:
        return False
    return after == 0 or (before - after > 5 and after * 2 < before)
