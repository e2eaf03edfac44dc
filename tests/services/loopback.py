"""Keeps the tests on this machine: no connection, no listener and no look-up of a name beyond loopback."""

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIES = {  # what Python's sockets announce before they do it, and where the address stands in it
    "socket.connect": 1,
    "socket.bind": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


class BeyondLoopback(Exception):
    """Something asked for a place beyond loopback, which no test may depend on."""


class Guard:
    """An audit hook of the interpreter, so that no library can be overlooked; hooks stay, so there is one."""

    def __init__(self) -> None:
        self.forbidden: list[str] | None = None  # what was refused so far, while somebody minds
        sys.addaudithook(self._audit)

    @contextmanager
    def minding(self) -> Iterator[list[str]]:
        """Refuse, and list, whatever goes beyond loopback while the block runs."""
        before, self.forbidden = self.forbidden, []
        try:
            yield self.forbidden
        finally:
            self.forbidden = before

    def _audit(self, event: str, details: tuple[object, ...]) -> None:
        position = TRIES.get(event)
        if position is None or self.forbidden is None or stays(details[position]):
            return
        self.forbidden.append(f"{event} {details[position]!r}")
        raise BeyondLoopback(self.forbidden[-1])


def stays(address: object) -> bool:
    """Whether an address (as sockets take it) or a host is on loopback; Unix sockets and unaddressed sends are."""
    if isinstance(address, tuple):
        return not address or not isinstance(address[0], str) or _is_loopback(address[0])
    if isinstance(address, bytes):
        return _is_loopback(address.decode(errors="replace"))
    return not isinstance(address, str) or address.startswith(("/", "\0")) or _is_loopback(address)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in {"localhost", socket.gethostname()}
