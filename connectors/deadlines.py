"""Connections whose answers have to be complete by a time: status line, headers and body, however slowly they drip.

A time-out of a socket is one of silence between two pieces. Whoever sends a byte a minute would never meet it.
"""

import io
import socket
import time
from collections import deque
from collections.abc import Mapping
from http.client import HTTPResponse
from queue import Empty, Full

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

USUAL: dict[str, type[HTTPConnectionPool]] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
"""urllib3's own pools, by scheme."""


class _Until(io.RawIOBase):
    """What comes over a socket, and no more of it once the time is over."""

    def __init__(self, raw: io.RawIOBase, wire: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._wire = wire
        self._silence = wire.gettimeout()
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int | None:  # type: ignore[override]
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not complete in time")
        self._wire.settimeout(left if self._silence is None else min(left, self._silence))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Idle:
    """The idle connections of a pool, the one that was used last on top. Nobody waits for one, so that no lock is
    needed: sixty threads that hand connections over under the lock of a `LifoQueue` stand in line for it."""

    def __init__(self, maxsize: int) -> None:
        self._most = maxsize
        self._connections: deque[object] = deque()

    def get(self, block: bool = True, timeout: float | None = None) -> object:
        """The connection on top. Raises queue.Empty where there is none, whatever is said of waiting."""
        try:
            return self._connections.pop()
        except IndexError:
            raise Empty from None

    def put(self, connection: object, block: bool = True, timeout: float | None = None) -> None:
        """Put a connection on top. Raises queue.Full where as many are kept already."""
        if len(self._connections) >= self._most:
            raise Full
        self._connections.append(connection)

    def qsize(self) -> int:
        """How many are kept."""
        return len(self._connections)


def within(
    seconds: float, pools: Mapping[str, type[HTTPConnectionPool]] = USUAL
) -> dict[str, type[HTTPConnectionPool]]:
    """These pools of connections, by scheme, with answers that may take so long and no longer."""

    class Answer(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: object, **more: object) -> None:
            super().__init__(sock, *args, **more)  # type: ignore[arg-type]
            self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, seconds))

    def timed(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": Answer})
        return type(pool.__name__, (pool,), {"ConnectionCls": connection, "QueueCls": Idle})

    return {scheme: timed(pool) for scheme, pool in pools.items()}
