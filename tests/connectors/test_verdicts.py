"""The table of what answers mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors.microsoft365.wire import DIALECT
from connectors.verdicts import Dialect, Meaning, Patience, Verdict, judge, retry_after

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
GOOGLE_LIKE = Dialect(lambda _body: (), too_much=frozenset({"userratelimitexceeded", "quotaexceeded"}))
OK, RETRY, SIGN_IN, RESYNC = Meaning.OK, Meaning.RETRY, Meaning.SIGN_IN, Meaning.RESYNC
DENIED, GONE, BUG = Meaning.DENIED, Meaning.GONE, Meaning.BUG


@pytest.mark.parametrize(
    "status, code, meaning",
    [
        (200, None, OK),
        (202, None, OK),
        (204, None, OK),
        (None, None, RETRY),
        (302, None, BUG),
        (304, None, BUG),
        (400, "Request_BadRequest", BUG),
        (400, "BadRequest", BUG),
        (400, "syncStateNotFound", RESYNC),
        (400, "SyncStateNotFound", RESYNC),
        (400, "resyncRequired", RESYNC),
        (404, "syncStateNotFound", RESYNC),
        (404, "resyncChangesApplyDifferences", RESYNC),
        (410, "resyncRequired", RESYNC),
        (410, None, RESYNC),
        (401, "InvalidAuthenticationToken", SIGN_IN),
        (403, "Authorization_RequestDenied", DENIED),
        (403, "ErrorAccessDenied", DENIED),
        (404, "Request_ResourceNotFound", GONE),
        (404, "MailboxNotEnabledForRESTAPI", GONE),
        (405, None, BUG),
        (408, None, RETRY),
        (409, None, BUG),
        (412, None, BUG),
        (423, "locked", RETRY),
        (429, "TooManyRequests", RETRY),
        (429, "activityLimitReached", RETRY),
        (500, "InternalServerError", RETRY),
        (501, "NotImplemented", BUG),
        (502, None, RETRY),
        (503, "ServiceNotAvailable", RETRY),
        (504, None, RETRY),
        (509, None, RETRY),
        (520, None, RETRY),
    ],
)
def test_every_answer_has_one_meaning(status: int | None, code: str | None, meaning: Meaning) -> None:
    assert judge(status, (code,) if code else (), {}, DIALECT, NOW).meaning is meaning


def test_the_most_specific_code_may_be_an_inner_one() -> None:
    assert judge(400, ("BadRequest", "syncStateNotFound"), {}, DIALECT, NOW).meaning is RESYNC


def test_a_vendor_may_say_too_much_under_a_status_that_means_something_else() -> None:
    assert judge(403, ("userRateLimitExceeded",), {}, GOOGLE_LIKE, NOW) == Verdict(RETRY)
    assert judge(403, ("forbidden",), {}, GOOGLE_LIKE, NOW) == Verdict(DENIED)


@pytest.mark.parametrize(
    "said, seconds",
    [
        ("10", 10.0),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=600), usegmt=True), 600.0),
        (format_datetime(NOW - timedelta(seconds=5), usegmt=True), None),
        ("0", None),
        ("-3", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(said: str | None, seconds: float | None) -> None:
    assert retry_after(said, NOW) == seconds


@pytest.mark.parametrize(
    "scope, whom",
    [
        ("Tenant_Application/Read/9a3d526c/0785ef7c", "directory"),
        ("Tenant/Read/0785ef7c", "directory"),
        ("Application/ReadWrite/9a3d526c", "application"),
        (None, "directory"),
    ],
)
def test_a_throttle_says_whom_it_pauses(scope: str | None, whom: str) -> None:
    headers = {"retry-after": "10"} | ({"x-ms-throttle-scope": scope} if scope else {})

    assert judge(429, ("TooManyRequests",), headers, DIALECT, NOW) == Verdict(RETRY, 10.0, whom)


def test_backoff_doubles_up_to_a_minute_and_leaves_a_quarter_to_chance() -> None:
    patience = Patience()

    assert [patience.backoff(attempt, 0.5) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (patience.backoff(3, 0.0), patience.backoff(3, 1.0)) == (3.0, 5.0)
