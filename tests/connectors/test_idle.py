"""Connections that wait: few, not for long, and each for its own place."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from connectors.connections import Bounds, Connection, Place
from connectors.idle import LONGEST, Idle

GRAPH = Place("https", "graph.contoso.example", 443)
BOUNDS = Bounds()


class Ends:
    """Connections, and their other ends."""

    def __init__(self) -> None:
        self.theirs: list[socket.socket] = []

    def connection(self) -> Connection:
        ours, theirs = socket.socketpair()
        self.theirs.append(theirs)
        return Connection(ours, BOUNDS)

    def closed(self) -> list[bool]:
        """Which of ours are closed."""
        return [_is_ended(theirs) for theirs in self.theirs]


def _is_ended(theirs: socket.socket) -> bool:
    theirs.settimeout(0)
    try:
        return theirs.recv(1) == b""
    except BlockingIOError:
        return False


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    for theirs in made.theirs:
        theirs.close()


def test_the_one_that_was_used_last_is_taken_first(ends: Ends) -> None:
    with closing(Idle(3)) as idle:
        first, second = ends.connection(), ends.connection()
        idle.put(GRAPH, first, 1)
        idle.put(GRAPH, second, 2)
        assert idle.take(GRAPH._replace(public_only=True), 3) is None
        assert [idle.take(GRAPH, 3), idle.take(GRAPH, 3), idle.take(GRAPH, 3)] == [second, first, None]
        idle.put(GRAPH, first, 4)
        idle.put(GRAPH, second, 4)

    assert ends.closed() == [True, True]


def test_however_many_places_there_are_no_more_wait_than_may(ends: Ends) -> None:
    """Each tenant has receivers of its own, and each waiting connection is a file that the process has open."""
    with closing(Idle(3)) as idle:
        for n in range(9):
            idle.put(Place("https", f"receiver-{n}.example", 443), ends.connection(), n)
        assert ends.closed() == [True] * 6 + [False] * 3
        assert len(idle) == len(idle._waiting) == 3


def test_none_waits_for_longer_than_what_is_between_remembers(ends: Ends) -> None:
    with closing(Idle(3)) as idle:
        idle.put(GRAPH, ends.connection(), 0)
        idle.put(GRAPH, late := ends.connection(), 1)
        assert idle.take(GRAPH, LONGEST + 0.5) is late
        assert ends.closed() == [True, False]
        late.close()


def test_one_that_the_other_side_left_is_closed(ends: Ends) -> None:
    with closing(Idle(3)) as idle:
        idle.put(GRAPH, ends.connection(), 0)
        ends.theirs[0].shutdown(socket.SHUT_WR)
        assert idle.take(GRAPH, 1) is None

    assert ends.closed() == [True]


def test_no_two_threads_have_the_same_one(ends: Ends) -> None:
    idle, had, twice = Idle(8), set[Connection](), []

    def work() -> None:
        for _ in range(500):
            if (connection := idle.take(GRAPH, 0)) is not None:
                twice.extend([connection] if connection in had else [])
                had.add(connection)
                had.discard(connection)
                idle.put(GRAPH, connection, 0)

    for _ in range(8):
        idle.put(GRAPH, ends.connection(), 0)
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert twice == [] and len(idle) == 8
    idle.close()
    assert all(ends.closed())
