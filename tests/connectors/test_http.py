"""The one HTTP client: whole answers within bounds, or none."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.errors import Permanent
from connectors.http import Bounds, HttpClient, NoAnswer, Request
from connectors.simulators.serving import Answer, Ending
from tests.connectors.scripted import CUT, RESET, json, scripted
from tests.services.kept import nobody_listens


@pytest.fixture
def client() -> HttpClient:
    return HttpClient()


def get(url: str) -> Request:
    return Request("GET", url)


def test_an_answer_comes_whole_and_decompressed(client: HttpClient) -> None:
    with scripted(json({"value": ["x" * 300_000]}, X_Some="Header")) as server:
        answer = client.send(get(f"{server.url}/v1.0/users?$select=id&x=a%2Bb"))

    assert answer.status == 200
    assert len(answer.body) == 300_014
    assert answer.headers["x-some"] == "Header" and answer.headers["content-encoding"] == "gzip"
    request = server.asked[0]
    assert request.target == "/v1.0/users?$select=id&x=a%2Bb"
    assert request.headers["user-agent"].startswith("Seatkeeper")
    assert request.headers["accept-encoding"] == "gzip"


def test_every_request_has_an_id_of_its_own(client: HttpClient) -> None:
    with scripted(json({}), json({})) as server:
        client.send(get(server.url))
        client.send(get(server.url))

    first, second = (request.headers["client-request-id"] for request in server.asked)
    assert len(first) == 36 and first != second


def test_a_redirect_is_an_answer_and_is_not_followed(client: HttpClient) -> None:
    with scripted(Answer(302, {"Location": "/elsewhere"}, b"")) as server:
        assert client.send(get(server.url)).status == 302

    assert len(server.asked) == 1


def test_an_error_status_is_an_answer(client: HttpClient) -> None:
    with scripted(Answer(503, {"Content-Type": "text/html"}, b"<html>busy</html>")) as server:
        assert client.send(get(server.url)).body == b"<html>busy</html>"


@pytest.mark.parametrize("answer", [CUT, RESET], ids=["cut", "reset"])
def test_what_is_cut_short_is_no_answer(client: HttpClient, answer: Answer) -> None:
    with scripted(answer) as server, pytest.raises(NoAnswer, match="broke before the answer was complete"):
        client.send(get(f"{server.url}/?$skiptoken=s3cret"))


def test_a_compressed_body_that_is_damaged_is_no_answer(client: HttpClient) -> None:
    damaged = Answer(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08\x00 and no more")
    with scripted(damaged) as server, pytest.raises(NoAnswer, match="decompressed"):
        client.send(Request("GET", server.url, {"accept-encoding": "identity"}))


def test_a_body_beyond_the_bound_is_not_read_to_its_end() -> None:
    client = HttpClient(Bounds(largest=1_000_000))
    with scripted(json(["x" * 50_000_000])) as server, pytest.raises(NoAnswer, match="larger than 1000000 bytes"):
        client.send(get(server.url))


def test_silence_ends_at_the_time_out() -> None:
    client = HttpClient(Bounds(read=0.1))
    with scripted(Answer(200, {}, b"", Ending.HANG)) as server, pytest.raises(NoAnswer, match="did not answer in time"):
        client.send(get(server.url))


def test_an_answer_that_trickles_ends_at_the_deadline() -> None:
    ticks = iter([0.0, 6.0, 6.0])
    client = HttpClient(Bounds(whole=5), elapsed=lambda: next(ticks))
    with scripted(json(["x" * 300_000])) as server, pytest.raises(NoAnswer, match="not complete after 5 s"):
        client.send(get(server.url))


@pytest.mark.parametrize(
    "begins",
    [
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 OK\r\nX-Some: ",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 100 ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10;",
    ],
    ids=["status", "header", "continue", "body", "chunk"],
)
def test_who_drips_without_end_is_left_at_the_deadline(begins: bytes) -> None:
    """A byte at a time is never silence, so that no time-out of a socket would end it."""
    client = HttpClient(Bounds(whole=0.2))
    with dripping(begins) as url, pytest.raises(NoAnswer, match=r"not answer in time|not complete after"):
        client.send(get(url))


def test_headers_without_end_are_no_answer(client: HttpClient) -> None:
    with scripted(Answer(200, {f"X-{n}": "y" * 50 for n in range(500)})) as server, pytest.raises(NoAnswer):
        client.send(get(server.url))
    with scripted(Answer(200, {"X-Some": "y" * 100_000})) as server, pytest.raises(NoAnswer):
        client.send(get(server.url))


@contextmanager
def dripping(begins: bytes) -> Iterator[str]:
    """A server that begins an answer like this, and goes on with a byte every now and then until nobody listens."""
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        wire, _ = listener.accept()
        with wire, contextlib.suppress(OSError):
            wire.recv(65_536)
            wire.sendall(begins)
            while not over.wait(0.01):
                wire.sendall(b"0")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        thread.join(5)


def test_nobody_there_is_no_answer(client: HttpClient) -> None:
    with nobody_listens() as port, pytest.raises(NoAnswer, match="could not be reached"):
        client.send(get(f"http://127.0.0.1:{port}/"))


def test_a_host_that_does_not_speak_tls_is_no_answer(client: HttpClient) -> None:
    with scripted() as server, pytest.raises(NoAnswer) as failed:
        client.send(get(server.url.replace("http://", "https://") + "/?$skiptoken=s3cret"))

    assert "s3cret" not in str(failed.value)


def test_connections_are_used_again_after_answers_of_any_kind(client: HttpClient) -> None:
    with scripted(json({}), Answer(503, {}, b"<html>"), json({})) as server:
        idle = []
        for _ in range(3):
            client.send(get(server.url))
            idle.append(list(client._idle._since))

    assert len(idle[0]) == 1 and idle[0] == idle[1] == idle[2]


def test_a_proxy_of_the_environment_is_used_except_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with scripted(Answer(403, {}, b""), json({"from": "itself"})) as server:
        monkeypatch.setenv("https_proxy", server.url)
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "login.contoso.example")
        client = HttpClient()
        with pytest.raises(NoAnswer, match="the proxy refused"):
            client.send(get("https://graph.contoso.example/v1.0/users?$skiptoken=s3cret"))
        client.send(get(f"{server.url}/direct"))

    assert server.targets == ["graph.contoso.example:443", "/direct"]
    assert client._proxy("https", "login.contoso.example", 443) == ""


@pytest.mark.parametrize("url", ["http://graph.microsoft.com/v1.0", "ftp://graph.microsoft.com", "graph.microsoft.com"])
def test_nothing_is_sent_unencrypted_to_another_machine(client: HttpClient, url: str) -> None:
    with pytest.raises(Permanent, match="not encrypted"):
        client.send(get(url))


def test_nothing_but_this_client_sends() -> None:
    """Other modules may not open connections of their own; azure-identity's transport is the one exception, which
    `deadlines.py` bounds, and `public.py` looks at the addresses of this client's connections."""
    package = Path(__file__).parents[2] / "connectors"
    ours = [module for module in package.rglob("*.py") if "simulators" not in module.parts]
    clients = {"import urllib3", "import requests", "import socket", "import http.client"}
    sending = {module.name for module in ours if clients & set(module.read_text().splitlines())}

    assert sending == {"http.py", "connections.py", "public.py", "deadlines.py", "entra.py", "opening.py"}
