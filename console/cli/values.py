"""Values as people type them: durations, dates, numbers of seats, filters."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import click

from policies.text import parse_duration


class Duration(click.ParamType[timedelta]):
    """`30s`, `15m`, `12h` or `7d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as wrong:
            self.fail(f"{value!r} is not {wrong}", param, ctx)


class Date(click.ParamType[date]):
    """A UTC day, as in `2027-04-01`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date, as in 2027-04-01", param, ctx)


class Month(click.ParamType[date]):
    """A UTC month, as in `2027-04`: its first day."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is not a month, as in 2027-04", param, ctx)


DURATION: Final = Duration()
DATE: Final = Date()
MONTH: Final = Month()
SEATS: Final = click.IntRange(1, 1_000_000_000)
LICENSE: Final = click.Choice(["standard", "archived"])


def start_of(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """The first instant after a UTC day: what is valid through the day ends then (P5)."""
    return start_of(day) + timedelta(days=1)


FILTERS: Final = {
    "company": "A company's id.",
    "directory": "A directory's id.",
    "state": "active, disabled, deleted, purged or unknown.",
    "kind": "user, shared_mailbox, room, guest, resource or unknown.",
    "license": "standard, archived, or none for those without one.",
    "protection": "backed_up, archived, archive_waiting, not_running, expired, retained, purge_due or none.",
    "waiting": "The reason that an account waits for, as in insufficient_licenses.",
    "rule": "The rule that gave the license.",
    "group": "A group of the policy, as the file names it.",
    "domain": "The domain of the address.",
    "search": "A part of the address or name, or an id.",
}
"""What accounts can be filtered by, each also a flag."""

CHOICES: Final = {
    "state": ("active", "disabled", "deleted", "purged", "unknown"),
    "kind": ("user", "shared_mailbox", "room", "guest", "resource", "unknown"),
    "license": ("standard", "archived", "none"),
    "protection": (
        "backed_up", "archived", "archive_waiting", "not_running", "expired", "retained", "purge_due", "none",
    ),
    "waiting": (
        "insufficient_licenses", "rule_limit", "company_limit", "entitlement", "approval", "held", "kind_unknown",
        "rule_suspended",
    ),
}  # fmt: skip
"""The filters that have a closed set of values."""


def parse_where(text: str) -> dict[str, str]:
    """`key=value,…`: several are joined by commas, a value with a comma stands in quotes. Raises BadParameter."""
    found: dict[str, str] = {}
    at, more = 0, True
    while more:
        part = _PART.match(text, at)
        if part is None or not part[1] or not (part[2] or part[3]):
            raise click.BadParameter(f"expected key=value, several joined by commas, found {text[at:]!r}")
        key, value = part[1], part[2].replace('""', '"') if part[2] else part[3].strip()
        at, more = part.end(), part[4] == ","
        if key not in FILTERS:
            raise click.BadParameter(f"{key!r} is no filter, expected one of {', '.join(FILTERS)}{_near(key)}")
        if key in found:
            raise click.BadParameter(f"{key} is given twice")
        found[key] = value
    return checked(found)


def checked(filters: dict[str, str]) -> dict[str, str]:
    """The filters, if their values are ones that exist. Raises BadParameter."""
    for key, value in filters.items():
        if key in CHOICES and value not in CHOICES[key]:
            raise click.BadParameter(f"{key}: {value!r} is none of {', '.join(CHOICES[key])}")
    return filters


_PART: Final = re.compile(r'\s*([^=,"]*?)\s*=\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)')


def _near(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, FILTERS, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
