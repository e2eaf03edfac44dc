"""Connections that wait for another request: a bounded number, whichever places they lead to, and none for long."""

from collections import OrderedDict, deque
from threading import Lock

from connectors.connections import Connection, Place

LONGEST = 90.0
"""Seconds. What is between (a NAT, a load balancer) forgets a quiet connection after some minutes and tells neither
side, so that a request over it would be met with silence."""


class Idle:
    """Of a place, the one that was used last is taken first. For all threads."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._waiting: dict[Place, deque[Connection]] = {}
        self._since: OrderedDict[Connection, tuple[float, Place]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def take(self, place: Place, now: float) -> Connection | None:
        """One that the other side has not closed meanwhile."""
        while (connection := self._last(place, now)) is not None:
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def put(self, place: Place, connection: Connection, now: float) -> None:
        """Keep one, and rather let the one go that was not used for longest."""
        with self._lock:
            self._since[connection] = now, place
            self._waiting.setdefault(place, deque()).append(connection)
            if len(self._since) > self._most:
                self._end_oldest()

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            while self._since:
                self._end_oldest()

    def _last(self, place: Place, now: float) -> Connection | None:
        with self._lock:
            while self._since and next(iter(self._since.values()))[0] < now - LONGEST:
                self._end_oldest()
            waiting = self._waiting.get(place)
            if waiting is None:
                return None
            connection = waiting.pop()
            self._forget(connection)
            return connection

    def _end_oldest(self) -> None:
        oldest, (_, place) = next(iter(self._since.items()))
        self._waiting[place].popleft()
        self._forget(oldest)
        oldest.close()

    def _forget(self, connection: Connection) -> None:
        _, place = self._since.pop(connection)
        if not self._waiting[place]:
            del self._waiting[place]
