"""Durations, shares and money, read and written."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.text import (
    Money,
    format_duration,
    format_money,
    format_share,
    parse_duration,
    parse_money,
    parse_share,
)


@pytest.mark.parametrize(
    "written, duration",
    [
        ("0s", timedelta(0)),
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("36500d", timedelta(days=36_500)),
    ],
)
def test_a_duration_reads_as_it_is_written(written: str, duration: timedelta) -> None:
    assert parse_duration(written) == duration
    assert format_duration(duration) == written


@pytest.mark.parametrize("written", ["", "7", "d", "-7d", "7 d", "7D", "07d", "1.5h", "1h30m", "36501d", "\u0667d"])
def test_no_other_text_is_a_duration(written: str) -> None:
    with pytest.raises(ValueError, match="a duration"):
        parse_duration(written)


@given(st.integers(0, 36_500 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_duration_written_is_read_back(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    "written, share", [("5%", 0.05), ("0%", 0.0), ("100%", 1.0), ("2.5%", 0.025), ("0.125%", 0.00125)]
)
def test_a_share_reads_as_it_is_written(written: str, share: float) -> None:
    assert parse_share(written) == share
    assert format_share(share) == written


@pytest.mark.parametrize("written", ["", "5", "%", "101%", "100.1%", "-5%", "5 %", "0.05", "5%%"])
def test_no_other_text_is_a_share(written: str) -> None:
    with pytest.raises(ValueError, match="a share"):
        parse_share(written)


@given(st.integers(0, 100_000).map(lambda thousandths: thousandths / 100_000))
def test_a_share_written_is_read_back(share: float) -> None:
    assert parse_share(format_share(share)) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize(
    "written, money",
    [
        ("120.00 USD", Money(Decimal("120.00"), "USD")),
        ("0 EUR", Money(Decimal(0), "EUR")),
        ("0.0125 JPY", Money(Decimal("0.0125"), "JPY")),
    ],
)
def test_money_reads_as_it_is_written(written: str, money: Money) -> None:
    assert parse_money(written) == money
    assert format_money(money) == written


@pytest.mark.parametrize("written", ["", "120", "USD", "120 usd", "1,200.00 USD", "$120", "-1.00 USD", "1e3 USD"])
def test_no_other_text_is_money(written: str) -> None:
    with pytest.raises(ValueError, match="money"):
        parse_money(written)
