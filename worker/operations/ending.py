"""When a lot ends: on the day that is said, else on the one that its term comes to (P5)."""

import calendar
from datetime import date, timedelta

from worker.errors import Usage

MONTHS = {"monthly": 1, "yearly": 12}
TRIAL = timedelta(days=30)
DAY = timedelta(days=1)


def last_day_of(term: str, starts: date, expires: date | None) -> date | None:
    """The last day of a lot: the one that is said, else what the term comes to; None never ends.

    Raises Usage where the days contradict each other or the term.
    """
    if term == "perpetual":
        if expires is not None:
            raise Usage("a perpetual lot has no end: leave --expires out, or choose another --term")
        return None
    if expires is None:
        return starts + TRIAL - DAY if term == "trial" else _later(starts, MONTHS[term])
    if expires < starts:
        raise Usage(f"the lot would end on {expires}, before it starts on {starts}")
    return expires


def _later(day: date, months: int) -> date:
    """The day before the same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)) - DAY
