"""What an answer of a vendor means for whoever asked: one table, as one pure function.

    answer                                                    verdict
    200 to 299                                                OK
    none, or one that was cut short                           RETRY
    408, 423, 429, 500, 502 to 599                            RETRY, after what Retry-After says
    a code that says that the cursor is dead; 410             RESYNC
    a code that says `too much` under another status          RETRY
    401                                                       SIGN_IN with a fresh token
    403                                                       DENIED
    404                                                       GONE
    anything else: 3xx, 400, 405, 409, 412, 501 …             BUG

Vendors differ in their codes only, so those are data (`Dialect`). Messages are never looked at: they change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import NamedTuple

APPLICATION = "application"
"""The scope of a pause that is for every directory of an application."""


class Meaning(Enum):
    """What to do about an answer."""

    OK = "ok"
    RETRY = "retry"
    SIGN_IN = "sign in"
    RESYNC = "resync"
    DENIED = "denied"
    GONE = "gone"
    BUG = "bug"


class Verdict(NamedTuple):
    """A meaning; for RETRY also how many seconds the vendor asks for, and whom it pauses."""

    meaning: Meaning
    after: float | None = None
    scope: str = "directory"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A vendor's own words: where error codes stand in a body, and which of them, in lower case, mean what."""

    codes: Callable[[bytes], tuple[str, ...]]
    """The error codes of a body as they are spelt, the most specific one last."""
    dead_cursor: frozenset[str] = frozenset()
    too_much: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long one request is tried within the process."""

    attempts: int = 6
    first: float = 1.0
    longest: float = 60.0
    """Seconds: no backoff is longer, and a vendor that asks for more is asked again by another run."""

    def backoff(self, attempt: int, random: float) -> float:
        """Seconds before the attempt after this one (1 is the first): doubling, a quarter more or less by chance."""
        step: float = min(self.longest, self.first * 2.0 ** (attempt - 1))
        return step * (0.75 + random / 2)


PATIENCE = Patience()
_BUSY = frozenset({408, 423, 429, 500, *range(502, 600)})


def judge(
    status: int | None, codes: tuple[str, ...], headers: Mapping[str, str], dialect: Dialect, now: datetime
) -> Verdict:
    """What an answer means; `status` is None where there was no whole answer. Headers are looked up in lower case."""
    if status is None:
        return Verdict(Meaning.RETRY)
    if 200 <= status < 300:
        return Verdict(Meaning.OK)
    known = {code.lower() for code in codes}
    if status < 500 and (status == 410 or known & dialect.dead_cursor):
        return Verdict(Meaning.RESYNC)
    if status in _BUSY or known & dialect.too_much:
        return Verdict(Meaning.RETRY, retry_after(headers.get("retry-after"), now), _scope(headers))
    return Verdict({401: Meaning.SIGN_IN, 403: Meaning.DENIED, 404: Meaning.GONE}.get(status, Meaning.BUG))


def is_too_often(status: int, codes: tuple[str, ...], dialect: Dialect) -> bool:
    """Whether an answer says that the vendor is asked too often."""
    return status == 429 or any(code.lower() in dialect.too_much for code in codes)


def retry_after(said: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None where it asks for nothing."""
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = _until(said, now)
    return seconds if 0 < seconds < float("inf") else None


def _until(said: str, now: datetime) -> float:
    try:
        then = parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    return (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds()


def _scope(headers: Mapping[str, str]) -> str:
    """Graph names whom it pauses: `Tenant_Application/…`, `Tenant/…`, or `Application/…`, every tenant of the app."""
    return APPLICATION if headers.get("x-ms-throttle-scope", "").startswith("Application/") else "directory"
