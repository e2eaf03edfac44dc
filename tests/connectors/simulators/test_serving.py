"""The server below the simulators: HTTP/1.1 as clients speak it."""

import http.client
import socket
import threading

import pytest

from connectors.simulators.serving import Answer, LoopbackServer, Request
from tests.services.waiting import until

CHUNKED = b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


def echo(request: Request) -> Answer:
    if request.target == "/wait":
        return Answer(200, {}, b"late", delay=30)
    body = f"{request.method} {request.target} {request.headers.get('x-thing', '')} ".encode() + request.body
    return Answer(200, {"Content-Type": "text/plain"}, body)


def say(server: LoopbackServer, sent: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=60) as connection:
        connection.sendall(sent)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def test_a_connection_is_kept_for_the_next_request() -> None:
    with LoopbackServer(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        bodies = []
        for number in range(3):
            connection.request("POST", f"/{number}", body=b"b", headers={"X-Thing": "t"})
            bodies.append(connection.getresponse().read())
            first = connection.sock.getsockname()
        assert connection.sock.getsockname() == first
        connection.close()

    assert bodies == [b"POST /0 t b", b"POST /1 t b", b"POST /2 t b"]


@pytest.mark.parametrize(
    "sent, told",
    [
        (b"GET /a HTTP/1.0\r\n\r\n", b"GET /a"),
        (b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", b"GET /a"),
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"POST /c  abcde"),
        (
            b"POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
            b"100 Continue",
        ),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400 Bad Request"),
        (CHUNKED + b"zz\r\n", b"400 Bad Request"),
    ],
)
def test_what_comes_is_read_as_http(sent: bytes, told: bytes) -> None:
    with LoopbackServer(echo) as server:
        assert told in say(server, sent)


def test_a_stop_does_not_wait_for_the_slow_and_the_idle() -> None:
    asked = threading.Event()

    def answer(request: Request) -> Answer:
        if request.target == "/wait":
            asked.set()
        return echo(request)

    with LoopbackServer(answer) as server:
        idle = socket.create_connection(("127.0.0.1", server.server_port))
        slow = socket.create_connection(("127.0.0.1", server.server_port))
        slow.sendall(b"GET /wait HTTP/1.1\r\n\r\n")
        idle.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert idle.recv(10) and asked.wait(60)

    assert slow.recv(10) == b""
    idle.close()
    slow.close()
    until(lambda: not [thread for thread in threading.enumerate() if "process_request" in thread.name])


def test_a_port_that_is_taken_is_an_error() -> None:
    with LoopbackServer(echo) as server, pytest.raises(OSError, match="in use"):
        LoopbackServer(echo, server.server_port)


def test_a_server_that_never_served_can_be_closed() -> None:
    LoopbackServer(echo).server_close()
