"""Connections: how one is opened (TLS, a proxy on the way, public addresses alone), and the exchange of one request for
one whole answer over it.

A time-out of a socket is one of silence between two pieces, which whoever sends a byte a minute would never meet. So an
answer also has a time until which it has to be complete: status line, headers and body. What the bytes mean is
llhttp's to say, the parser of Node.js, as `httptools` has it.
"""

import base64
import select
import socket
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from connectors.public import must_be_public

_PIECE = 1 << 16
_LARGEST_HEAD = 1 << 16
_MOST_HEADERS = 100
_UNZIPPED = 1 << 20
_GZIP = 31
"""zlib's word for a stream with gzip's head and checksum."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one attempt may take, in seconds, and how large its decompressed body may be, in bytes."""

    connect: float = 10.0
    read: float = 100.0
    """Between two pieces of an answer."""
    whole: float = 300.0
    largest: int = 64 * 1024 * 1024


class Answer(NamedTuple):
    """A whole answer: decompressed, header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswer(Exception):
    """There was no whole answer: no connection, a time-out, a body that was cut short or is too large."""

    unsent = False
    """There was not even a connection, so that the other side cannot have heard of the request."""


class Place(NamedTuple):
    """Where a connection leads, and how: connections to one place are as good as each other."""

    scheme: str
    host: str
    port: int
    proxy: str = ""
    """The URL of the proxy on the way, or ''."""
    public_only: bool = False


class Deadline:
    """Until when an answer has to be complete."""

    def __init__(self, bounds: Bounds, elapsed: Callable[[], float] = monotonic) -> None:
        self._whole, self._elapsed = bounds.whole, elapsed
        self._until = elapsed() + bounds.whole

    def left(self) -> float:
        """The seconds that are left. Raises NoAnswer where there are none."""
        left = self._until - self._elapsed()
        if left <= 0:
            raise NoAnswer(f"the answer was not complete after {self._whole:g} s")
        return left


@dataclass(slots=True)
class _Incoming:
    """An answer as far as it has come."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    headed: bool = False
    whole: bool = False
    keeps: bool = False
    """Whether the connection is good for another one."""


class Connection:
    """A connection over which one request at a time is sent; not for two threads at once."""

    def __init__(self, wire: socket.socket, bounds: Bounds) -> None:
        wire.settimeout(bounds.read)
        self._wire, self._bounds = wire, bounds
        self._is_hurried = False
        self._ready = select.poll()
        self._ready.register(wire, select.POLLIN)
        self._parser = HttpResponseParser(self)
        self._incoming = self._told = _Incoming()

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow: the last answer came whole, and the other side keeps the connection."""
        return self._incoming.keeps

    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer; the other side's goodbye would have."""
        return not self._ready.poll(0)

    def exchange(self, request: bytes, until: Deadline) -> Answer:
        """Send a request and read its whole answer. Raises NoAnswer, OSError, and zlib.error for a damaged body."""
        status, headers = self._asked(request, until)
        return Answer(status, headers, self._body(headers, until))

    def pass_on(self, request: bytes, until: Deadline) -> None:
        """Ask a proxy to lead on from here. Raises as `exchange` does, and NoAnswer where it refuses."""
        status, _ = self._asked(request, until)
        if not 200 <= status < 300:
            raise NoAnswer("the proxy refused")

    def close(self) -> None:
        """Close it, whatever goes on."""
        self._wire.close()

    # --- what is read ---

    def _asked(self, request: bytes, until: Deadline) -> tuple[int, dict[str, str]]:
        self._incoming, size = _Incoming(), 0
        if self._is_hurried:
            self._wire.settimeout(self._bounds.read)
            self._is_hurried = False
        self._wire.sendall(request)
        while not self._incoming.headed:
            size += self._more(until)
            if size > _LARGEST_HEAD and not self._incoming.headed:
                break
        headers = self._incoming.headers
        length = size if size <= _LARGEST_HEAD else sum(len(name) + len(value) for name, value in headers)
        if not self._incoming.headed or len(headers) > _MOST_HEADERS or length > _LARGEST_HEAD:
            raise NoAnswer("the answer begins with more headers than anybody needs")
        return self._incoming.status, _named(headers)

    def _body(self, headers: dict[str, str], until: Deadline) -> bytes:
        incoming, body = self._incoming, _Body(headers.get("content-encoding", ""), self._bounds.largest)
        ends_with_the_connection = not headers.keys() & {"content-length", "transfer-encoding"}
        goes_on = True
        while goes_on:
            pieces, incoming.pieces = incoming.pieces, []
            for piece in pieces:
                body.add(piece)
            goes_on = not incoming.whole and self._more(until, may_end=ends_with_the_connection) > 0
        return body.whole()

    def _more(self, until: Deadline, *, may_end: bool = False) -> int:
        """Read what there is, and let it be parsed; returns how much, 0 at the end of a connection that may end."""
        left = until.left()
        if left < self._bounds.read:
            self._wire.settimeout(left)
            self._is_hurried = True
        try:
            data = self._wire.recv(_PIECE)
        except TimeoutError:
            until.left()
            raise
        if not data and not may_end:
            raise NoAnswer("the connection broke before the answer was complete")
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._incoming.keeps = False
            if not self._incoming.whole:
                raise NoAnswer("what came is no answer in HTTP") from None
        return len(data)

    # --- what the parser tells ---

    def on_message_begin(self) -> None:
        """Something that follows the answer is nobody's, and ends the connection."""
        if self._incoming.whole:
            self._incoming.keeps = False
        self._told = _Incoming() if self._incoming.whole else self._incoming

    def on_header(self, name: bytes, value: bytes) -> None:
        self._told.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._told.status = self._parser.get_status_code()
        self._told.headed = self._told.status >= 200  # 1xx says that the answer is still to come

    def on_body(self, piece: bytes) -> None:
        self._told.pieces.append(piece)

    def on_message_complete(self) -> None:
        if self._told.headed:
            self._told.whole, self._told.keeps = True, self._parser.should_keep_alive()
        else:
            self._told.headers.clear()


class _Body:
    """A body as it is decompressed, which is no larger than allowed at any time."""

    def __init__(self, encoding: str, largest: int) -> None:
        self._largest, self._size = largest, 0
        self._pieces: list[bytes] = []
        self._is_zipped = encoding.lower() in ("gzip", "x-gzip")
        self._member: zlib._Decompress | None = None

    def add(self, piece: bytes) -> None:
        """Raises NoAnswer where it becomes too large, zlib.error where it is damaged."""
        if not self._is_zipped:
            self._keep(piece)
            return
        unzipped = b""
        while piece or len(unzipped) == _UNZIPPED:
            member = self._member = self._member or zlib.decompressobj(wbits=_GZIP)
            unzipped = member.decompress(piece, _UNZIPPED)
            self._keep(unzipped)
            piece = member.unconsumed_tail
            if member.eof:
                self._member, unzipped, piece = None, b"", member.unused_data

    def whole(self) -> bytes:
        """All of it. Raises zlib.error where it was cut short."""
        if self._member is not None:
            raise zlib.error("cut short")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._largest:
            raise NoAnswer(f"the answer is larger than {self._largest} bytes")
        self._pieces.append(piece)


def _named(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        named[key] = f"{named[key]}, {text}" if key in named else text
    return named


# --- opening ---


def opened(place: Place, bounds: Bounds, until: Deadline, tls: ssl.SSLContext) -> Connection:
    """A connection to a place, ready for a request. Raises NoAnswer, OSError, and NeedsPerson where it would leave
    the public internet."""
    wire = _reached(place, bounds, tls)
    try:
        if place.proxy:
            Connection(wire, bounds).pass_on(_connect(place), until)
        if place.scheme == "https":
            wire = _encrypted(wire, place.host, tls)
        return Connection(wire, bounds)
    except BaseException:
        wire.close()
        raise


def _reached(place: Place, bounds: Bounds, tls: ssl.SSLContext) -> socket.socket:
    """A connection to the host, or to the proxy that leads to it."""
    proxy = urlsplit(place.proxy if "//" in place.proxy else f"http://{place.proxy}")
    host, port = (proxy.hostname or "", proxy.port or 80) if place.proxy else (place.host, place.port)
    wire = socket.create_connection((host, port), bounds.connect)
    if place.public_only:
        must_be_public(wire, place.host)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _encrypted(wire, host, tls) if place.proxy and proxy.scheme == "https" else wire


def _encrypted(wire: socket.socket, host: str, tls: ssl.SSLContext) -> socket.socket:
    if not isinstance(wire, ssl.SSLSocket):
        return tls.wrap_socket(wire, server_hostname=host)
    from urllib3.util.ssltransport import SSLTransport  # TLS to a host, within TLS to the proxy

    return SSLTransport(wire, tls, server_hostname=host)  # type: ignore[return-value]


def _connect(place: Place) -> bytes:
    """The request that asks a proxy to lead on, with the name and password of its URL."""
    there, proxy = f"{place.host}:{place.port}", urlsplit(place.proxy)
    lines = [f"CONNECT {there} HTTP/1.1", f"Host: {there}"]
    if proxy.username is not None:
        named = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(named.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()
