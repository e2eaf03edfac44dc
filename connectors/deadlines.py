"""Answers to the library that signs in: they have to be complete by a time, too, however slowly they drip.

A time-out of a socket is one of silence between two pieces. Whoever sends a byte a minute would never meet it.
"""

import io
import socket
import time
from http.client import HTTPResponse

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


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


def within(seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools of connections, by scheme, with answers that may take so long and no longer."""

    class Answer(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: object, **more: object) -> None:
            super().__init__(sock, *args, **more)  # type: ignore[arg-type]
            self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, seconds))

    def timed(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": Answer})
        return type(pool.__name__, (pool,), {"ConnectionCls": connection})

    return {"http": timed(HTTPConnectionPool), "https": timed(HTTPSConnectionPool)}
