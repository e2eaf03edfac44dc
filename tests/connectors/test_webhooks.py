"""Webhooks: signed, bounded, not redirected, and only to where they may go (Standard Webhooks)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.asking import Surroundings
from connectors.context import Context
from connectors.errors import NeedsPerson, Permanent, Transient
from connectors.http import HttpClient
from connectors.secrets import Secrets
from connectors.signing import SigningKey, verify
from connectors.simulators.serving import Answer, LoopbackServer, Request
from connectors.webhooks import BOUNDS, Webhook, open_webhook
from policies.credentials import EnvRef
from policies.document import WebhookReceiver
from tests.proves import proves

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
KEY = bytes(range(32))
SECRETS = {"HOOK": f"whsec_{base64.b64encode(KEY).decode()}", "PLAIN": "just a text", "BAD": "whsec_***"}
SECRETS["BOTH"] = f"{SECRETS['HOOK']}\n{SECRETS['PLAIN']}\n"
BODY = b'{"specversion":"1.0"}'


def opened(url: str, folder: Path, *, secret: str = "HOOK", allowed: str | None = None) -> Webhook:
    world = Surroundings(lambda: NOW, lambda _seconds: None, lambda: 0.5, lambda: False)
    host = url.split("/")[2] if allowed is None else allowed
    context = Context(Secrets(folder, SECRETS), allowed_hosts=frozenset({host}), world=world)
    return open_webhook(WebhookReceiver(url, EnvRef(secret)), context, HttpClient(BOUNDS, proxies={}))


@contextmanager
def a_receiver(answer: Callable[[Request], Answer]) -> Iterator[tuple[str, list[Request]]]:
    came: list[Request] = []

    def hear(request: Request) -> Answer:
        came.append(request)
        return answer(request)

    with LoopbackServer(hear) as server:
        yield f"{server.url}/hooks?tenant=7", came


@proves("A2")
@pytest.mark.parametrize(("secret", "key"), [("HOOK", KEY), ("PLAIN", b"just a text")])
def test_a_message_is_signed_as_the_specification_says(tmp_path: Path, secret: str, key: bytes) -> None:
    with a_receiver(lambda _request: Answer(202)) as (url, came):
        opened(url, tmp_path, secret=secret).post("contoso-7", BODY)
    [request] = came
    assert (request.method, request.target, request.body) == ("POST", "/hooks?tenant=7", BODY)
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("contoso-7", "1793610000")
    signed = hmac.new(key, b"contoso-7.1793610000." + BODY, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"


@proves("A2")
def test_while_a_secret_is_exchanged_a_message_is_signed_with_both(tmp_path: Path) -> None:
    """A receiver that knows either of them believes it."""
    with a_receiver(lambda _request: Answer(202)) as (url, came):
        opened(url, tmp_path, secret="BOTH").post("contoso-7", BODY)
    [request] = came
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    for key in (KEY, b"just a text"):
        assert verify([SigningKey(key)], request.headers, BODY, NOW) == "contoso-7"


@proves("A2")
@pytest.mark.parametrize(
    ("answer", "problem", "said"),
    [
        (Answer(500), Transient, "status 500"),
        (Answer(501), Transient, "status 501"),
        (Answer(425), Transient, "status 425"),
        (Answer(400), Permanent, "status 400"),
        (Answer(422), Permanent, "status 422"),
        (Answer(410), NeedsPerson, "status 410"),
        (Answer(307, {"Location": "/elsewhere"}), NeedsPerson, "status 307"),
        (Answer(200, {}, b"x" * (BOUNDS.largest + 1)), Transient, "larger than"),
    ],
)
def test_what_is_not_accepted_is_told_in_one_of_three_ways_once(
    tmp_path: Path, answer: Answer, problem: type[Exception], said: str
) -> None:
    with a_receiver(lambda _request: answer) as (url, came), pytest.raises(problem, match=said) as raised:
        opened(url, tmp_path).post("contoso-7", BODY)
    assert len(came) == 1 and "tenant=7" not in str(raised.value)


def test_a_receiver_that_asks_for_time_gets_it(tmp_path: Path) -> None:
    with a_receiver(lambda _request: Answer(429, {"Retry-After": "120"})) as (url, _), pytest.raises(Transient) as busy:
        opened(url, tmp_path).post("contoso-7", BODY)
    assert busy.value.retry_after == 120


@proves("A2")
@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1"])
def test_this_machine_is_told_only_if_the_provider_lists_it(tmp_path: Path, host: str) -> None:
    with pytest.raises(NeedsPerson, match="this machine") as refused:
        opened(f"https://{host}/hooks", tmp_path, allowed="other.example")
    assert refused.value.unsent and f"add {host} to allowed_hosts" in refused.value.remedy


def test_a_secret_that_is_none_leaves_nothing_behind(tmp_path: Path) -> None:
    with a_receiver(lambda _request: Answer(200)) as (url, came):
        for secret in ("BAD", "MISSING"):
            with pytest.raises(NeedsPerson) as refused:
                opened(url, tmp_path, secret=secret).post("contoso-7", BODY)
            assert refused.value.unsent and "whsec_***" not in str(refused.value)
    assert came == []
