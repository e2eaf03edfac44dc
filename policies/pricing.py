"""What an order is estimated to cost, and when the year ends that its seats are bought for (P5)."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from policies.text import Money

_CENT: Final = Decimal("0.01")


def estimate(price: Money | None, seats: int, term: str, starts: date, ends: date | None) -> Money | None:
    """The price of `seats` for a term; a yearly lot that ends at an anniversary costs the days that are left of that
    year. `ends` is the first day on which it is no longer valid. Rounded half up, once. None where no price is
    known."""
    if price is None:
        return None
    amount = price.amount * seats
    if term == "yearly" and ends is not None:
        year = ends - _a_year_before(ends)
        amount = amount * max(0, (ends - starts).days) / year.days
    return Money(amount.quantize(_CENT, ROUND_HALF_UP), price.currency)


def year_end(starts: date, anniversary: str | None, oldest_ends: date | None) -> date | None:
    """The first day on which a yearly lot that starts then is no longer valid: the pool's next anniversary, written
    as month and day; else that of its oldest yearly lot that renews, by the day on which this one is no longer valid.
    None where there is neither, so that it has a year of its own. What starts on the anniversary has a whole year."""
    if anniversary is not None:
        month, day = map(int, anniversary.split("-"))
    elif oldest_ends is not None:
        month, day = oldest_ends.month, oldest_ends.day
    else:
        return None
    this_year = _on(starts.year, month, day)
    return this_year if this_year > starts else _on(starts.year + 1, month, day)


def _a_year_before(day: date) -> date:
    return _on(day.year - 1, day.month, day.day)


def _on(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:  # the 29th of February
        return date(year, month, day - 1)
