"""No test gets beyond loopback, not even one that does not notice."""

import contextlib
import socket

import pytest

from tests.conftest import GUARD
from tests.services.loopback import BeyondLoopback, stays

ELSEWHERE = "192.0.2.1"  # an address that RFC 5737 keeps for documentation


def test_a_connection_beyond_loopback_is_refused_and_remembered() -> None:
    with GUARD.minding() as refused, socket.socket() as wire:
        with contextlib.suppress(Exception):
            wire.connect((ELSEWHERE, 443))
        assert refused == [f"socket.connect ('{ELSEWHERE}', 443)"]


def test_a_name_is_not_looked_up() -> None:
    with GUARD.minding(), pytest.raises(BeyondLoopback, match=r"contoso\.example"):
        socket.create_connection(("contoso.example", 443))


def test_a_listener_that_others_could_reach_is_refused() -> None:
    with GUARD.minding(), socket.socket() as wire, pytest.raises(BeyondLoopback):
        wire.bind(("0.0.0.0", 0))


def test_loopback_is_open() -> None:
    with socket.create_server(("localhost", 0)) as listener, socket.create_connection(listener.getsockname()) as wire:
        assert wire.getpeername() == listener.getsockname()


@pytest.mark.parametrize(
    ("address", "here"),
    [
        (("127.0.0.1", 80), True),
        (("::1", 80, 0, 0), True),
        ("localhost", True),
        ("/run/seatkeeper.sock", True),
        (None, True),
        ((ELSEWHERE, 80), False),
        (("", 80), False),
        (("::", 80, 0, 0), False),
        ("login.example", False),
        (b"login.example", False),
    ],
)
def test_what_counts_as_loopback(address: object, here: bool) -> None:
    assert stays(address) is here
