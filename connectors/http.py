"""The project's one HTTP client: whole answers within bounds, and nothing of them that could give a secret away.

It sends one request and reads one answer. A request that is for the public internet alone goes nowhere else, whatever
a name is made to stand for. Whether an answer is worth another attempt is decided in `asking`, what it
means in `verdicts`. Redirects are answers, not followed. Errors and log lines never hold a header or a query.
"""

import random
import re
import socket
import ssl
import time
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import UUID
from weakref import finalize

from connectors.connections import Answer, Bounds, Connection, Deadline, NoAnswer, Place, opened
from connectors.errors import Permanent
from connectors.links import is_loopback, redacted

__all__ = ["Answer", "Bounds", "HttpClient", "NoAnswer", "Request", "product"]
_PORTS = {"https": 443, "http": 80}
_AS_IT_STANDS = re.compile(r"[!-~]+")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class Request(NamedTuple):
    """What to send. The URL is sent as it stands."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    public_only: bool = False
    """Refuse addresses that are not public: loopback, private, link-local and the like."""


def product() -> str:
    """The name under which vendors see us, as in `Seatkeeper/0.1.0`."""
    try:
        return f"Seatkeeper/{version('seatkeeper')}"
    except PackageNotFoundError:
        return "Seatkeeper"


@dataclass
class HttpClient:
    """One per process, for all threads and all tenants: they share its connections."""

    bounds: Bounds = field(default_factory=Bounds)
    connections: int = 128
    """How many idle connections are kept to one place; there may be more in use."""
    elapsed: Callable[[], float] = time.monotonic
    proxies: Mapping[str, str] = field(default_factory=getproxies)
    """By scheme, as HTTP_PROXY and HTTPS_PROXY name them; NO_PROXY has exceptions. Loopback is always one."""
    _idle: defaultdict[Place, deque[Connection]] = field(default_factory=lambda: defaultdict(deque))
    """The one that was used last is the last. Nobody waits for one, so that no lock is needed."""
    _product: str = field(default_factory=product)

    def send(self, request: Request) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Raises NoAnswer, and Permanent for plain http to any other machine: what is sent are tokens. Raises NeedsPerson
        where a request that is for the public internet alone would go elsewhere.
        """
        parts = urlsplit(request.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise Permanent(f"{redacted(request.url)} is not encrypted, and nothing is sent to it")
        try:
            message, place = self._message(request, parts), self._place(parts, public_only=request.public_only)
        except ValueError:
            raise Permanent(
                f"{redacted(request.url)} or a header for it has characters that neither can have"
            ) from None
        until = Deadline(self.bounds, self.elapsed)
        connection = self._waiting(place) or self._opened(place, until)
        try:
            answer = connection.exchange(message, until)
        except (OSError, zlib.error) as broken:
            connection.close()
            raise NoAnswer(_sentence(broken)) from None
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable and len(self._idle[place]) < self.connections:
            self._idle[place].append(connection)
        else:
            connection.close()
        return answer

    def __post_init__(self) -> None:
        finalize(self, _close, self._idle)

    def close(self) -> None:
        """Close the idle connections."""
        _close(self._idle)

    def _message(self, request: Request, parts: SplitResult) -> bytes:
        """The request as it is sent. Raises ValueError for what cannot be."""
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not _AS_IT_STANDS.fullmatch(target):
            target = quote(target, safe=_PRINTABLE)
        host = parts.netloc.rpartition("@")[2]
        headers = {
            "host": host if host.isascii() else host.encode("idna").decode(),
            "user-agent": self._product,
            "accept-encoding": "gzip",
            "client-request-id": str(UUID(int=random.getrandbits(128), version=4)),
            **request.headers,
        }
        body = request.body or b""
        if body or request.method not in _WITHOUT_BODY:
            headers["content-length"] = str(len(body))
        return _head(f"{request.method} {target} HTTP/1.1", headers.items()).encode("latin-1") + body

    def _waiting(self, place: Place) -> Connection | None:
        """An idle connection that the other side has not closed meanwhile."""
        while (connection := self._last(place)) is not None:
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def _last(self, place: Place) -> Connection | None:
        try:
            return self._idle[place].pop()
        except IndexError:
            return None

    def _opened(self, place: Place, until: Deadline) -> Connection:
        try:
            return opened(place, self.bounds, until, self._tls)
        except NoAnswer as problem:
            problem.unsent = True
            raise
        except OSError as problem:
            unreached = NoAnswer(_unreached(problem))
            unreached.unsent = True
            raise unreached from None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _place(self, parts: SplitResult, *, public_only: bool = False) -> Place:
        """Where no proxy is on the way, names are resolved here: only then can an address be looked at. Raises
        ValueError for a port that is none."""
        proxy = self._proxy(parts)
        port = parts.port or _PORTS[parts.scheme]
        return Place(parts.scheme, parts.hostname or "", port, proxy, public_only and not proxy)

    def _proxy(self, parts: SplitResult) -> str:
        """The proxy to a URL, or ''."""
        if not self.proxies:
            return ""
        host, proxy = parts.hostname or "", self.proxies.get(parts.scheme, "")
        return "" if not proxy or is_loopback(host) or proxy_bypass(host) else proxy


def _close(idle: Mapping[Place, deque[Connection]]) -> None:
    for waiting in list(idle.values()):
        while waiting:
            waiting.pop().close()


_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})


def _head(first: str, headers: Iterable[tuple[str, str]]) -> str:
    """The head of a request. Raises ValueError for what would be more lines than it has headers."""
    lines = [first, *(f"{name}: {value}" for name, value in headers), "", ""]
    text = "\r\n".join(lines)
    if not text.count("\r") == text.count("\n") == len(lines) - 1 or "\0" in text:
        raise ValueError("a header has a line break")
    return text


def _unreached(problem: OSError) -> str:
    """Why there was no connection, in our words."""
    if isinstance(problem, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(problem, ssl.SSLError):
        return "the TLS connection failed"
    return "it could not be reached in time" if isinstance(problem, TimeoutError) else "it could not be reached"


def _sentence(problem: Exception) -> str:
    """Why there was no whole answer, in our words."""
    if isinstance(problem, TimeoutError):
        return "it did not answer in time"
    if isinstance(problem, zlib.error):
        return "the answer could not be decompressed"
    if isinstance(problem, ssl.SSLError):
        return "the TLS connection failed"
    return "the connection broke before the answer was complete"
