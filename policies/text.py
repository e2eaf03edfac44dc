"""Durations, shares and money as policy files and people write them, both ways.

`15m`, `5%` and `120.00 USD` are read here and written here, so that what the product prints can be pasted back.
Each parser raises ValueError with what it expected; the caller knows the place.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

DURATION: Final = r"(0|[1-9][0-9]{0,9})[smhd]"
SHARE: Final = r"(100(\.0{1,3})?|[1-9]?[0-9](\.[0-9]{1,3})?)%"
MONEY: Final = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})? [A-Z]{3}"

EXPECTED_DURATION: Final = "a duration, as in 30s, 15m, 12h or 7d"
EXPECTED_SHARE: Final = "a share from 0% to 100%, as in 5%"
EXPECTED_MONEY: Final = "money, as in 120.00 USD"

LONGEST: Final = timedelta(days=36_500)

_SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in a currency named by its ISO 4217 code."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def parse_duration(text: str) -> timedelta:
    """A whole number of seconds, minutes, hours or days, of a hundred years at most."""
    if not re.fullmatch(DURATION, text):
        raise ValueError(EXPECTED_DURATION)
    seconds = int(text[:-1]) * _SECONDS[text[-1]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"a duration of at most {format_duration(LONGEST)}")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The duration in the largest unit that holds it without a rest: `7d`, `90m`; part of a second is dropped."""
    seconds = duration.days * 86_400 + duration.seconds
    if seconds == 0:
        return "0s"
    unit = next(unit for unit, size in _SECONDS.items() if seconds % size == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def parse_share(text: str) -> float:
    """A share of 1: `5%` is 0.05."""
    if not re.fullmatch(SHARE, text):
        raise ValueError(EXPECTED_SHARE)
    return float(Decimal(text[:-1]) / 100)


def format_share(share: float) -> str:
    """The share in percent with up to three decimals: 0.05 is `5%`."""
    percent = f"{Decimal(repr(share)) * 100:.3f}".rstrip("0").rstrip(".")
    return f"{percent}%"


def parse_money(text: str) -> Money:
    """An amount without thousands separators, one space, and a currency's code."""
    if not re.fullmatch(MONEY, text):
        raise ValueError(EXPECTED_MONEY)
    amount, _, currency = text.partition(" ")
    return Money(Decimal(amount), currency)


def format_money(money: Money) -> str:
    """The money as a policy file has it: `120.00 USD`."""
    return str(money)
