"""What an order is estimated to cost."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.pricing import estimate, year_end
from policies.text import Money
from tests.proves import proves

PRICE = Money(Decimal("48.00"), "USD")
TODAY = date(2026, 10, 1)


DAYS = st.dates(date(2024, 1, 1), date(2040, 12, 31))
ANNIVERSARIES = st.dates(date(2025, 1, 1), date(2025, 12, 31)).map(lambda day: day.strftime("%m-%d"))
PRICES = st.integers(0, 100_000).map(lambda cents: Money(Decimal(cents) / 100, "USD"))


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


@proves("P5")
@pytest.mark.parametrize(
    ("starts", "anniversary", "oldest_ends", "ends"),
    [
        (date(2026, 10, 1), "04-01", None, date(2027, 4, 1)),
        (date(2027, 3, 31), "04-01", None, date(2027, 4, 1)),
        (date(2027, 4, 1), "04-01", None, date(2028, 4, 1)),  # what starts on the anniversary has a whole year
        (date(2026, 10, 1), "04-01", date(2027, 1, 1), date(2027, 4, 1)),  # what is said comes first
        (date(2026, 10, 1), None, date(2027, 1, 1), date(2027, 1, 1)),
        (date(2026, 10, 1), None, date(2029, 1, 1), date(2027, 1, 1)),  # a yearly lot has a year at most
        (date(2027, 1, 5), None, date(2027, 1, 1), date(2028, 1, 1)),  # it was kept past its end
        (date(2026, 10, 1), None, date(2028, 2, 29), date(2027, 2, 28)),
        (date(2027, 10, 1), None, date(2028, 2, 29), date(2028, 2, 29)),
        (date(2026, 10, 1), None, None, None),
    ],
)
def test_a_yearly_lot_ends_at_the_next_anniversary(
    starts: date, anniversary: str | None, oldest_ends: date | None, ends: date | None
) -> None:
    assert year_end(starts, anniversary, oldest_ends) == ends


@proves("P5")
@given(DAYS, ANNIVERSARIES)
def test_an_anniversary_is_never_further_away_than_a_year(starts: date, anniversary: str) -> None:
    ends = year_end(starts, anniversary, None)
    assert ends is not None and ends.strftime("%m-%d") == anniversary
    assert 1 <= (ends - starts).days <= 366


@proves("P5")
@given(PRICES, st.integers(0, 10_000), st.integers(0, 100), DAYS, DAYS)
def test_an_estimate_is_never_negative_and_more_seats_never_cost_less(
    price: Money, seats: int, more: int, starts: date, ends: date
) -> None:
    fewer = estimate(price, seats, "yearly", starts, ends)
    larger = estimate(price, seats + more, "yearly", starts, ends)
    assert fewer is not None and larger is not None
    assert 0 <= fewer.amount <= larger.amount


@proves("P5")
@given(PRICES, st.integers(1, 10_000), DAYS, ANNIVERSARIES)
def test_what_is_left_of_a_year_never_costs_more_than_a_year(
    price: Money, seats: int, starts: date, anniversary: str
) -> None:
    left = estimate(price, seats, "yearly", starts, year_end(starts, anniversary, None))
    whole = estimate(price, seats, "yearly", starts, None)
    assert left is not None and whole is not None
    assert left.amount <= whole.amount
    if starts.strftime("%m-%d") == anniversary:
        assert left == whole


@proves("P5")
@given(PRICES, st.integers(1, 1_000), DAYS, ANNIVERSARIES)
def test_an_order_is_rounded_once_and_not_once_a_seat(price: Money, seats: int, starts: date, anniversary: str) -> None:
    ends = year_end(starts, anniversary, None)
    one, all_ = (estimate(price, number, "yearly", starts, ends) for number in (1, seats))
    assert one is not None and all_ is not None
    assert abs(all_.amount - one.amount * seats) <= Decimal("0.005") * (seats + 1)
