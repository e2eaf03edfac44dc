"""How patiently a vendor is asked."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime

import msgspec
import pytest

from connectors.asking import Asker, Refused, Unreadable
from connectors.errors import Transient
from connectors.http import HttpClient, Request
from connectors.microsoft365.wire import DIALECT
from connectors.simulators.serving import Answer
from connectors.verdicts import Meaning
from tests.connectors.scripted import CUT, RESET, Script, error, json, scripted
from tests.connectors.world import World
from tests.proves import proves

OKAY = json({"value": 1})


class Signing:
    """Gives one token after the other, and remembers with which challenges it was asked."""

    def __init__(self) -> None:
        self.challenges: list[str | None] = []

    def __call__(self, challenge: str | None) -> Mapping[str, str]:
        self.challenges.append(challenge)
        return {"authorization": f"Bearer token-{sum(given is not None for given in self.challenges)}"}


def read(body: bytes) -> int:
    try:
        return int(msgspec.json.decode(body)["value"])
    except (msgspec.DecodeError, KeyError):
        raise Unreadable("no value") from None


def ask(server: Script, world: World, sign: Signing | None = None) -> int:
    asker = Asker(HttpClient(), DIALECT, world.surroundings())
    request = Request("GET", f"{server.url}/v1.0/users/delta?$deltatoken=s3cret")
    return asker.ask(request, sign or Signing(), read)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(500, {}, b""),
        Answer(502, {"Content-Type": "text/html"}, b"<html>502</html>"),
        error(503, "ServiceNotAvailable"),
        error(429, "TooManyRequests"),
        RESET,
        CUT,
        Answer(200, {}, b'{"value": [1, 2'),
        json({"no": "value"}),
        Answer(200, {}, b'{"other": ' + b"[" * 200_000),
        Answer(500, {}, b'{"error": ' + b"[" * 200_000),
    ],
    ids=["500", "502", "503", "429", "reset", "cut", "cut-json", "no-value", "nested", "error-nested"],
)
def test_what_may_pass_is_asked_again_after_growing_waits(trouble: Answer) -> None:
    world = World()
    with scripted(trouble, trouble, OKAY) as server:
        assert ask(server, world) == 1

    assert len(server.asked) == 3
    assert world.waited == 1 + 2


def test_patience_ends_after_six_attempts() -> None:
    world = World()
    with scripted(*[error(503, "ServiceNotAvailable")] * 6, OKAY) as server, pytest.raises(Transient) as failed:
        ask(server, world)

    assert len(server.asked) == 6
    assert world.waited == 1 + 2 + 4 + 8 + 16
    assert failed.value.retry_after is None


def test_a_wait_that_the_vendor_asks_for_is_kept_whether_in_seconds_or_as_a_date() -> None:
    world = World()
    later = format_datetime(world.now + timedelta(seconds=30 + 7), usegmt=True)
    with scripted(error(429, "TooManyRequests", Retry_After="7"), error(503, "x", Retry_After=later), OKAY) as server:
        ask(server, world)

    assert world.waited == pytest.approx(7 * 1.05 + (37 - 7 * 1.05) * 1.05, abs=1)
    assert min(world.slept) >= 0


def test_no_wait_is_shorter_than_what_the_vendor_asks_for() -> None:
    world = World()
    with scripted(error(429, "TooManyRequests", Retry_After="20"), OKAY) as server:
        ask(server, world)

    assert world.waited >= 20


@proves("Z9")
def test_a_long_throttle_blocks_no_worker_but_is_handed_back_with_its_time_and_scope() -> None:
    world = World()
    throttled = error(429, "TooManyRequests", Retry_After="600", x_ms_throttle_scope="Application/Read/app")
    with scripted(throttled, OKAY) as server, pytest.raises(Transient) as failed:
        ask(server, world)

    assert (failed.value.retry_after, failed.value.scope) == (600.0, "application")
    assert world.slept == []


@pytest.mark.parametrize(
    "answer, meaning",
    [
        (error(400, "Request_BadRequest"), Meaning.BUG),
        (error(403, "Authorization_RequestDenied"), Meaning.DENIED),
        (error(404, "Request_ResourceNotFound"), Meaning.GONE),
        (error(410, "resyncRequired"), Meaning.RESYNC),
        (error(501, "NotImplemented"), Meaning.BUG),
        (Answer(302, {"Location": "/"}, b""), Meaning.BUG),
    ],
)
def test_what_cannot_pass_is_asked_once(answer: Answer, meaning: Meaning) -> None:
    world = World()
    with scripted(answer, OKAY) as server, pytest.raises(Refused) as refused:
        ask(server, world)

    assert refused.value.meaning is meaning
    assert (len(server.asked), world.slept) == (1, [])


def test_a_refused_token_is_renewed_once_and_at_once() -> None:
    world, sign = World(), Signing()
    with scripted(error(401, "InvalidAuthenticationToken", WWW_Authenticate="Bearer x"), OKAY) as server:
        assert ask(server, world, sign) == 1

    assert sign.challenges == [None, "Bearer x"]
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer token-0", "Bearer token-1"]
    assert world.slept == []


def test_a_token_that_is_refused_twice_is_given_up() -> None:
    refusals = [error(401, "InvalidAuthenticationToken")] * 2
    with scripted(*refusals, OKAY) as server, pytest.raises(Refused) as refused:
        ask(server, World())

    assert refused.value.meaning is Meaning.SIGN_IN
    assert len(server.asked) == 2


def test_a_token_is_asked_for_at_every_attempt() -> None:
    sign = Signing()
    with scripted(error(503, "x"), error(503, "x"), OKAY) as server:
        ask(server, World(), sign)

    assert sign.challenges == [None, None, None]


@proves("Z10")
def test_a_stop_takes_effect_before_the_next_request() -> None:
    world = World()
    world.stopped = True
    with scripted(OKAY) as server, pytest.raises(Transient, match="stopped"):
        ask(server, world)

    assert server.asked == []


@proves("Z10")
def test_a_stop_ends_a_wait_within_a_second() -> None:
    world = World()

    def stop(_by: timedelta) -> None:
        world.stopped = len(world.slept) >= 3

    world.passes = stop
    with (
        scripted(error(503, "x", Retry_After="55"), OKAY) as server,
        pytest.raises(Transient, match="stopped"),
    ):
        ask(server, world)

    assert world.waited == 3 and len(server.asked) == 1


def test_neither_errors_nor_logs_hold_a_token_a_query_or_the_vendors_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [error(503, "ServiceNotAvailable", request_id="0b8a")] * 6
    with scripted(*answers) as server, pytest.raises(Transient) as failed:
        ask(server, World())

    for text in (str(failed.value), *(record.getMessage() for record in caplog.records if "connectors" in record.name)):
        assert "s3cret" not in text and "token-" not in text and "Not for us" not in text
    assert "status 503, code ServiceNotAvailable, request-id 0b8a" in str(failed.value)
