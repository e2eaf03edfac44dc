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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]
from weakref import finalize

from connectors.connections import Answer, Bounds, Connection, Deadline, NoAnswer, Place
from connectors.errors import Permanent
from connectors.idle import Idle
from connectors.links import is_loopback, redacted
from connectors.opening import PORTS, in_ascii, opened, written

__all__ = ["Answer", "Bounds", "HttpClient", "NoAnswer", "Request", "product"]
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
    sent: Callable[[], object] | None = None
    """Told when it has left."""


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
    """How many idle connections are kept, to all places together; there may be more in use."""
    elapsed: Callable[[], float] = time.monotonic
    proxies: Mapping[str, str] = field(default_factory=getproxies)
    """By scheme, as HTTP_PROXY and HTTPS_PROXY name them; NO_PROXY has exceptions. Loopback is always one."""
    _idle: Idle = field(init=False)
    _product: str = field(default_factory=product)

    def send(self, request: Request) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Raises NoAnswer, and Permanent for plain http to any other machine: what is sent are tokens. Raises NeedsPerson
        where a request that is for the public internet alone would go elsewhere.
        """
        try:
            parts = urlsplit(request.url)
        except ValueError:
            raise Permanent(f"{redacted(request.url)} is not one to send anything to") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise Permanent(f"{redacted(request.url)} is not encrypted, and nothing is sent to it")
        try:
            message, place = self._message(request, parts), self._place(parts, public_only=request.public_only)
        except ValueError:
            raise Permanent(
                f"{redacted(request.url)} or a header for it has characters that neither can have"
            ) from None
        until = Deadline(self.bounds, self.elapsed)
        connection = self._idle.take(place, until.began) or self._opened(place, until)
        try:
            answer = connection.exchange(message, until, request.sent)
        except (OSError, zlib.error) as broken:
            connection.close()
            raise NoAnswer(_sentence(broken)) from None
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            self._idle.put(place, connection, self.elapsed())
        else:
            connection.close()
        return answer

    def __post_init__(self) -> None:
        self._idle = Idle(self.connections)
        finalize(self, self._idle.close)

    def close(self) -> None:
        """Close the idle connections."""
        self._idle.close()

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
            "client-request-id": _request_id(),
            **{name.lower(): value for name, value in request.headers.items()},
        }
        body = request.body or b""
        if body or request.method not in _WITHOUT_BODY:
            headers["content-length"] = str(len(body))
        return _head(f"{request.method} {target} HTTP/1.1", headers.items()).encode("latin-1") + body

    def _opened(self, place: Place, until: Deadline) -> Connection:
        try:
            return opened(place, self.bounds, until, lambda: self._tls)
        except NoAnswer as problem:
            problem.unsent = True
            raise
        except OSError as problem:
            raise NoAnswer(_unreached(problem), unsent=True) from None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _place(self, parts: SplitResult, *, public_only: bool = False) -> Place:
        """Where no proxy is on the way, names are resolved here: only then can an address be looked at. Raises
        ValueError for a host or a port that is none."""
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        in_ascii(host)
        proxy = self._proxy(parts.scheme, host, port)
        return Place(parts.scheme, host, port, proxy, public_only and not proxy)

    def _proxy(self, scheme: str, host: str, port: int) -> str:
        """The URL of the proxy on the way, or ''."""
        proxy = self.proxies.get(scheme, "") if self.proxies else ""
        if not proxy or is_loopback(host):
            return ""
        return (
            "" if any(proxy_bypass_environment(there, self.proxies) for there in (host, written(host, port))) else proxy
        )


def _request_id() -> str:
    """A random UUID (RFC 9562, version 4), as text at once: an object of it takes as long as the rest of a head."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


_WITHOUT_BODY = frozenset({"GET", "DELETE"})


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
