"""A small HTTP/1.1 server on loopback that sends what a simulator answers, and breaks connections on order.

It parses requests itself: `http.server` hands headers to the e-mail parser, which costs more than most of the
answers. What a request means is left to whoever answers it.
"""

import contextlib
import enum
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import responses
from http.server import ThreadingHTTPServer
from io import BufferedIOBase
from typing import Self

from connectors.simulators.bodies import Body, gzipped, plain

_LONGEST_LINE = 65_536
_LARGEST_BODY = 64 * 1024 * 1024
_NOT_WORTH_COMPRESSING = 512  # bytes
_NOTICES_A_STOP_WITHIN = 0.02
_STOPS_WITHIN = 5.0


class Ending(enum.Enum):
    """What becomes of the connection with an answer."""

    KEEP = "keep"
    CUT = "cut"
    """Half of the promised body is sent, then the connection is closed."""
    BREAK = "break"
    """Half of the promised body is sent, then the connection is reset."""
    TRUNCATE = "truncate"
    """The body, compressed or not, ends in its middle, and the promised length says so."""
    RESET = "reset"
    """No answer; the connection is reset."""
    HANG = "hang"
    """No answer; the connection stays open until the other side gives up."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: header names in lower case, the target as on the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. The server adds the content's length, and compresses where the client accepts it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    ending: Ending = Ending.KEEP
    delay: float = 0.0
    """Seconds to wait before sending."""
    compressible: bool = True
    """Whether the server may compress it."""


Responder = Callable[[Request], Answer]


class Unreadable(Exception):
    """What came is no HTTP request."""


class LoopbackServer(ThreadingHTTPServer):
    """Serves on 127.0.0.1 in a thread of its own, from entering its `with` block to leaving it."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, respond: Responder, port: int = 0, latency: float = 0.0) -> None:
        self.respond = respond
        self.latency = latency
        """Seconds that every answer takes at least, as a stand-in for the way to the vendor."""
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._loop = threading.Thread(target=self.serve_forever, args=(_NOTICES_A_STOP_WITHIN,), daemon=True)
        super().__init__(("127.0.0.1", port), _Conversation)

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Answer nothing more, end every connection, and come back when all threads are done."""
        self.stopping.set()
        self.shutdown()
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=_STOPS_WITHIN)
        self._loop.join(_STOPS_WITHIN)
        self.server_close()

    def process_request(self, request: object, client_address: object) -> None:
        """Remember the connection before its thread starts, so that a stop finds every one."""
        assert isinstance(request, socket.socket)
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()


class _Conversation(socketserver.StreamRequestHandler):
    """One connection: a request, its answer, the next request."""

    disable_nagle_algorithm = True
    server: LoopbackServer

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            while not self.server.stopping.is_set() and self._exchange():
                pass

    def _exchange(self) -> bool:
        try:
            request = self._read()
        except Unreadable as problem:
            self._send(Answer(400, {"Content-Type": "text/plain"}, str(problem).encode()), zipped=False)
            return False
        if request is None:
            return False
        answer = self.server.respond(request)
        wait = self.server.latency + answer.delay
        if wait and self.server.stopping.wait(wait):
            return False
        return self._end(answer, request)

    def _read(self) -> Request | None:
        start = self.rfile.readline(_LONGEST_LINE + 1)
        if not start:
            return None
        words = start.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise Unreadable("this is no HTTP/1.1 request")
        headers = dict(_headers(self.rfile))
        if words[2] == "HTTP/1.0":
            headers.setdefault("connection", "close")
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(words[0], words[1], headers, _body(self.rfile, headers))

    def _end(self, answer: Answer, request: Request) -> bool:
        if answer.ending is Ending.RESET:
            self._reset()
            return False
        if answer.ending is Ending.HANG:
            while self.connection.recv(4096):
                pass
            return False
        self._send(answer, zipped=answer.compressible and "gzip" in request.headers.get("accept-encoding", ""))
        if answer.ending is Ending.BREAK:
            self._reset()
            return False
        return answer.ending is not Ending.CUT and request.headers.get("connection", "").lower() != "close"

    def _send(self, answer: Answer, *, zipped: bool) -> None:
        zipped = zipped and (not isinstance(answer.body, bytes) or len(answer.body) > _NOT_WORTH_COMPRESSING)
        body = gzipped(answer.body) if zipped else plain(answer.body)
        if answer.ending is Ending.TRUNCATE:
            body = body[: len(body) // 2]
        lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if zipped:
            lines += ["Content-Encoding: gzip", "Vary: Accept-Encoding"]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1")
        ends_early = answer.ending in (Ending.CUT, Ending.BREAK)
        self.connection.sendall(head + (body[: len(body) // 2] if ends_early else body))

    def _reset(self) -> None:
        """Close at once, unsent data thrown away: the other side reads a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()


def _headers(stream: BufferedIOBase) -> Iterator[tuple[str, str]]:
    while (line := stream.readline(_LONGEST_LINE + 1)) not in (b"\r\n", b"\n", b""):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(line) > _LONGEST_LINE:
            raise Unreadable("a header line cannot be read")
        yield name.strip().lower(), value.strip()


def _body(stream: BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "identity").lower() != "identity":
        return b"".join(_chunks(stream))
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _LARGEST_BODY:
        raise Unreadable(f"a body of {length} bytes is not read")
    return stream.read(int(length))


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := _chunk_size(stream.readline(_LONGEST_LINE)):
        yield stream.read(size)
        stream.readline(_LONGEST_LINE)
    dict(_headers(stream))


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise Unreadable("a chunk of the body has no size") from None
