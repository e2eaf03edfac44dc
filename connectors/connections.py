"""Connections: the exchange of one request for one whole answer over each.

A time-out of a socket is one of silence between two pieces, which whoever sends a byte a minute would never meet. So an
answer also has a time until which it has to be complete: status line, headers and body. What the bytes mean is
llhttp's to say, the parser of Node.js, as `httptools` has it.
"""

import contextlib
import select
import socket
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

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

    def __init__(self, problem: str, *, unsent: bool = False) -> None:
        super().__init__(problem)
        self.unsent = unsent
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
        self.began = elapsed()
        self._until = self.began + bounds.whole

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
        self._hides_what_came = not isinstance(wire, socket.socket)
        """TLS within TLS holds what it has read ahead."""
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
        if not self._ready.poll(0) and not self._hides_what_came:
            return True
        self._wire.settimeout(0)
        try:
            self._wire.recv(1)
        except ssl.SSLWantReadError:
            return True  # what came was TLS's own, such as a ticket for the next connection
        except OSError:
            return False
        finally:
            self._wire.settimeout(self._bounds.read)
        return False

    def exchange(self, request: bytes, until: Deadline, sent: Callable[[], object] | None = None) -> Answer:
        """Send a request, of which `sent` is told, and read its whole answer. Raises NoAnswer, OSError, and zlib.error
        for a damaged body."""
        status, headers = self._asked(request, until, sent)
        return Answer(status, headers, self._body(headers, until))

    def pass_on(self, request: bytes, until: Deadline) -> None:
        """Ask a proxy to lead on from here. Raises as `exchange` does, and NoAnswer where it refuses."""
        try:
            status, _ = self._asked(request, until)
        finally:
            self._leave()
        if not 200 <= status < 300:
            raise NoAnswer(f"the proxy refused with status {status}")

    def close(self) -> None:
        """Close it, whatever goes on."""
        self._wire.close()
        self._leave()

    def _leave(self) -> None:
        """Part from the parser, which knows this connection: else only a search for garbage would end the two."""
        vars(self).pop("_parser", None)

    # --- what is read ---

    def _asked(
        self, request: bytes, until: Deadline, sent: Callable[[], object] | None = None
    ) -> tuple[int, dict[str, str]]:
        self._incoming, size = _Incoming(), 0
        self._hurry(until)
        with contextlib.suppress(ConnectionError):  # who had enough of the request may have said why
            self._wire.sendall(request)
        if sent is not None:
            sent()
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
        size, beside = 1, 0
        while size:
            if incoming.pieces:
                pieces, incoming.pieces, beside = incoming.pieces, [], 0
                body.add(b"".join(pieces))
            if incoming.whole:
                break
            size = self._more(until, may_end=ends_with_the_connection)
            beside += size
            if beside > _PIECE + _LARGEST_HEAD:
                raise NoAnswer("the answer goes on with more headers than anybody needs")
        return body.whole()

    def _hurry(self, until: Deadline) -> None:
        """Let no silence last beyond the time until which the answer has to be complete."""
        left = until.left()
        if left < self._bounds.read:
            self._wire.settimeout(left)
            self._is_hurried = True
        elif self._is_hurried:
            self._wire.settimeout(self._bounds.read)
            self._is_hurried = False

    def _more(self, until: Deadline, *, may_end: bool = False) -> int:
        """Read what there is, and let it be parsed; returns how much, 0 at the end of a connection that may end."""
        self._hurry(until)
        try:
            data = self._wire.recv(_PIECE) or b""  # TLS within TLS says 0 at an end without goodbye
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
        if not self._told.headed:  # what follows a body in chunks is not looked at
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
        self._may_be_padded = False

    def add(self, piece: bytes) -> None:
        """Raises NoAnswer where it becomes too large, zlib.error where it is damaged."""
        if not self._is_zipped:
            self._keep(piece)
            return
        unzipped = b""
        while piece or len(unzipped) == _UNZIPPED:
            if self._may_be_padded and self._member is None and not (piece := piece.lstrip(b"\0")):
                return
            member = self._member = self._member or zlib.decompressobj(wbits=_GZIP)
            unzipped = member.decompress(piece, _UNZIPPED)
            self._keep(unzipped)
            piece = member.unconsumed_tail
            if member.eof:
                self._member, unzipped, piece = None, b"", member.unused_data
                self._may_be_padded = True  # with zeros, as between members of an archive

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
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
        named[key] = f"{named[key]}, {text}" if key in named else text
    return named
