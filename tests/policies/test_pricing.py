"""What an order is estimated to cost."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.pricing import estimate
from policies.text import Money
from tests.proves import proves

PRICE = Money(Decimal("48.00"), "USD")
TODAY = date(2026, 10, 1)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


@proves("P5")
def test_a_price_is_per_seat_and_term() -> None:
    assert estimate(PRICE, 20, "monthly", TODAY, None) == usd("960.00")
    assert estimate(PRICE, 20, "yearly", TODAY, None) == usd("960.00")
    assert estimate(PRICE, 20, "perpetual", TODAY, None) == usd("960.00")


@proves("P5")
def test_without_a_price_there_is_no_estimate() -> None:
    assert estimate(None, 20, "yearly", TODAY, None) is None


@proves("P5")
@pytest.mark.parametrize(
    ("starts", "ends", "cost"),
    [
        (date(2026, 4, 1), date(2027, 4, 1), "48.00"),
        (date(2026, 10, 1), date(2027, 4, 1), "23.93"),  # 48 × 182 ÷ 365
        (date(2027, 3, 31), date(2027, 4, 1), "0.13"),
        (date(2027, 4, 1), date(2028, 4, 1), "48.00"),  # 366 of 366 days
        (date(2028, 2, 28), date(2028, 4, 1), "4.33"),  # 48 × 33 ÷ 366
        (date(2027, 2, 28), date(2028, 2, 29), "48.00"),
    ],
)
def test_a_yearly_lot_that_ends_at_an_anniversary_costs_the_days_left_of_that_year(
    starts: date, ends: date, cost: str
) -> None:
    assert estimate(PRICE, 1, "yearly", starts, ends) == usd(cost)


@proves("P5")
def test_an_order_is_rounded_once_and_half_up() -> None:
    third = usd("0.333")
    assert estimate(third, 3, "monthly", TODAY, None) == usd("1.00")
    assert estimate(usd("0.005"), 1, "monthly", TODAY, None) == usd("0.01")
    assert estimate(usd("0.015"), 1, "monthly", TODAY, None) == usd("0.02")
    assert estimate(usd("73.00"), 5, "yearly", date(2026, 3, 31), date(2026, 4, 1)) == usd("1.00")


@proves("P5")
@given(st.integers(1, 10_000), st.integers(1, 100_000), st.integers(0, 365))
def test_an_estimate_is_exact_to_half_a_cent(seats: int, cents: int, days_ago: int) -> None:
    ends = date(2027, 4, 1)
    cost = estimate(Money(Decimal(cents) / 100, "USD"), seats, "yearly", ends - timedelta(days=days_ago), ends)
    assert cost is not None and cost.currency == "USD"
    exactly = Decimal(cents) * seats * days_ago / 365
    assert abs(cost.amount * 100 - exactly) <= Decimal("0.5")


@proves("P5")
def test_a_price_is_estimated_in_its_own_currency() -> None:
    cost = estimate(Money(Decimal(10), "NOK"), 2, "monthly", TODAY, None)
    assert str(cost) == "20.00 NOK"
