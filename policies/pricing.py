"""What an order is estimated to cost (P5)."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from policies.text import Money

_CENT: Final = Decimal("0.01")


def estimate(price: Money | None, seats: int, term: str, starts: date, ends: date | None) -> Money | None:
    """The price of `seats` for a term; a yearly lot that ends at an anniversary costs the days that are left of that
    year. Rounded half up, once. None where no price is known."""
    if price is None:
        return None
    amount = price.amount * seats
    if term == "yearly" and ends is not None:
        year = ends - _a_year_before(ends)
        amount = amount * (ends - starts).days / year.days
    return Money(amount.quantize(_CENT, ROUND_HALF_UP), price.currency)


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year - 1, day=28)
