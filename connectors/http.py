"""The project's one HTTP client: whole answers within bounds, and nothing of them that could give a secret away.

It sends one request and reads one answer. A request that is for the public internet alone goes nowhere else, whatever
a name is made to stand for. Whether an answer is worth another attempt is decided in `asking`, what it
means in `verdicts`. Redirects are answers, not followed. Errors and log lines never hold a header or a query.
"""

import contextlib
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import UUID

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import BaseHTTPResponse

from connectors.deadlines import within
from connectors.errors import Permanent
from connectors.links import is_loopback, redacted
from connectors.public import PUBLIC_ONLY

_PIECE = 1 << 16


class Request(NamedTuple):
    """What to send. The URL is sent as it stands."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    public_only: bool = False
    """Refuse addresses that are not public: loopback, private, link-local and the like."""


class Answer(NamedTuple):
    """A whole answer: decompressed, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """There was no whole answer: no connection, a time-out, a body that was cut short or is too large."""

    unsent = False
    """There was not even a connection, so that the other side cannot have heard of the request."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one attempt may take, in seconds, and how large its decompressed body may be, in bytes."""

    connect: float = 10.0
    read: float = 100.0
    """Between two pieces of an answer."""
    whole: float = 300.0
    largest: int = 64 * 1024 * 1024


def product() -> str:
    """The name under which vendors see us, as in `Seatkeeper/0.1.0`."""
    try:
        return f"Seatkeeper/{version('seatkeeper')}"
    except PackageNotFoundError:
        return "Seatkeeper"


@dataclass(slots=True)
class HttpClient:
    """One per process, for all threads and all tenants: they share its connections."""

    bounds: Bounds = Bounds()
    connections: int = 128
    """How many idle connections are kept to one host; there may be more in use."""
    elapsed: Callable[[], float] = time.monotonic
    proxies: Mapping[str, str] = field(default_factory=getproxies)
    """By scheme, as HTTP_PROXY and HTTPS_PROXY name them; NO_PROXY has exceptions. Loopback is always one."""
    _pools: dict[str, urllib3.PoolManager] = field(default_factory=dict)
    """By proxy; '' for none."""
    _public: urllib3.PoolManager = field(init=False)
    """For what may not leave the public internet, where no proxy resolves the names and has rules of its own."""
    _product: str = field(default_factory=product)
    _silence: urllib3.Timeout = field(init=False)

    def __post_init__(self) -> None:
        self._silence = urllib3.Timeout(connect=self.bounds.connect, read=self.bounds.read)
        self._public = urllib3.PoolManager(maxsize=self.connections)
        self._public.pool_classes_by_scheme = within(self.bounds.whole, PUBLIC_ONLY)

    def send(self, request: Request) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Raises NoAnswer, and Permanent for plain http to any other machine: what is sent are tokens. Raises NeedsPerson
        where a request that is for the public internet alone would go elsewhere.
        """
        parts = urlsplit(request.url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise Permanent(f"{redacted(request.url)} is not encrypted, and nothing is sent to it")
        until = self.elapsed() + self.bounds.whole
        headers = {
            "user-agent": self._product,
            "accept-encoding": "gzip",
            "client-request-id": str(UUID(int=random.getrandbits(128), version=4)),
            **request.headers,
        }
        try:
            response = self._pool(parts, public_only=request.public_only).urlopen(
                request.method,
                request.url,
                body=request.body,
                headers=headers,
                timeout=self._silence,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            body = self._read(response, until)
        except (HTTPError, OSError) as problem:
            unanswered = NoAnswer(_sentence(problem))
            unanswered.unsent = isinstance(problem, _UNSENT)
            raise unanswered from None
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def close(self) -> None:
        """Close the idle connections."""
        for pool in (self._public, *self._pools.values()):
            pool.clear()

    def _read(self, response: BaseHTTPResponse, until: float) -> bytes:
        """The body, in the pieces in which it arrives. The connection is kept only if it was read to its end."""
        with contextlib.ExitStack() as unless_whole:
            unless_whole.callback(response.close)
            pieces, size = [], 0
            while piece := response.read1(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > self.bounds.largest:
                    raise NoAnswer(f"the answer is larger than {self.bounds.largest} bytes")
                if self.elapsed() > until:
                    raise NoAnswer(f"the answer was not complete after {self.bounds.whole:g} s")
            unless_whole.pop_all()
        response.release_conn()
        return b"".join(pieces)

    def _pool(self, parts: SplitResult, *, public_only: bool = False) -> urllib3.PoolManager:
        proxy = self._proxy(parts)
        if public_only and not proxy:
            return self._public
        pool = self._pools.get(proxy)
        if pool is None:
            many = self.connections
            fresh = urllib3.ProxyManager(proxy, maxsize=many) if proxy else urllib3.PoolManager(maxsize=many)
            fresh.pool_classes_by_scheme = within(self.bounds.whole)
            pool = self._pools.setdefault(proxy, fresh)
        return pool

    def _proxy(self, parts: SplitResult) -> str:
        """The proxy to a URL, or ''."""
        if not self.proxies:
            return ""
        host, proxy = parts.hostname or "", self.proxies.get(parts.scheme, "")
        return "" if not proxy or is_loopback(host) or proxy_bypass(host) else proxy


_UNSENT = (NameResolutionError, ConnectTimeoutError, NewConnectionError)
_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (NameResolutionError, "its name cannot be resolved"),
    (ConnectTimeoutError, "it could not be reached in time"),
    (NewConnectionError, "it could not be reached"),
    (ProxyError, "the proxy refused"),
    (ReadTimeoutError, "it did not answer in time"),
    (SSLError, "the TLS connection failed"),
    (ssl.SSLError, "the TLS connection failed"),
    (DecodeError, "the answer could not be decompressed"),
)


def _sentence(problem: Exception) -> str:
    """What happened, in our words: those of the libraries quote URLs with their queries."""
    for kind, sentence in _SENTENCES:
        if isinstance(problem, kind):
            return sentence
    return "the connection broke before the answer was complete"
