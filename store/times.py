"""Instants as the store keeps them: microseconds since 1970, UTC, the same integer on both databases."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """An aware instant as the store keeps it."""
    return (at - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime:
    """An instant out of the store."""
    return _EPOCH + at * _MICROSECOND


def instant_or_none(at: int | None) -> datetime | None:
    return None if at is None else instant(at)


def span(of: timedelta) -> int:
    """A duration in the store's unit."""
    return of // _MICROSECOND


def rfc3339(at: int | None) -> str | None:
    """An instant as programs read it: RFC 3339, UTC, to the second."""
    return None if at is None else instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")
