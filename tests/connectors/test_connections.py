"""One request and its answer over a real connection, whatever the other side makes of HTTP."""

import contextlib
import datetime
import gc
import gzip
import socket
import ssl
import threading
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from connectors.connections import Answer, Bounds, Connection, Deadline, NoAnswer
from connectors.errors import Permanent
from connectors.http import HttpClient, Request
from tests.services.waiting import PATIENCE

BOUNDS = Bounds()
ASKED = b"GET / HTTP/1.1\r\nHost: graph.contoso.example\r\n\r\n"
ZIPPED = gzip.compress(b'{"value": [' + b"0, " * 5_000 + b"0]}", mtime=0)
PLAIN = gzip.decompress(ZIPPED)
CHUNKED = b"".join(b"%x\r\n%s\r\n" % (len(ZIPPED[n : n + 7]), ZIPPED[n : n + 7]) for n in range(0, len(ZIPPED), 7))
TWICE = gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:])
OK = b"HTTP/1.1 200 OK\r\n"
KNOWN = OK + b"Content-Length: %d\r\n\r\n%s"
WHOLE = {
    "of a known length": KNOWN % (len(PLAIN), PLAIN),
    "in chunks": OK + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n%s0\r\n\r\n" % CHUNKED,
    "with a trailer": OK
    + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n%s0;a=b\r\nContent-Encoding: br\r\n\r\n" % CHUNKED,
    "padded": OK + b"Content-Encoding: gzip \t\r\nContent-Length: %d\r\n\r\n%s" % (len(TWICE) + 9, TWICE + bytes(9)),
    "of two members": OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(TWICE), TWICE),
    "after hints": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    + KNOWN % (len(PLAIN), PLAIN),
}


def exchanged(pieces: Sequence[bytes], *, ends: bool = False) -> tuple[Answer, Connection]:
    """What is made of an answer that comes in these pieces, after which the connection may end."""
    ours, theirs = socket.socketpair()
    with theirs, closing(Connection(ours, BOUNDS)) as connection:
        for piece in pieces:
            theirs.sendall(piece)
        if ends:
            theirs.shutdown(socket.SHUT_WR)
        answer = connection.exchange(ASKED, Deadline(BOUNDS))
        assert theirs.recv(65_536) == ASKED
    return answer, connection


@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=40),
)
def test_an_answer_is_the_same_however_it_is_cut(kind: str, lengths: list[int]) -> None:
    """The pieces come one by one, each when the one before it was read, as slow networks have them."""
    ours, theirs = socket.socketpair()
    answer: list[Answer] = []
    with theirs, closing(Connection(ours, BOUNDS)) as connection:
        reads = threading.Thread(target=lambda: answer.append(connection.exchange(ASKED, Deadline(BOUNDS))))
        reads.start()
        place = 0
        for length in [*lengths, len(WHOLE[kind])]:
            theirs.sendall(WHOLE[kind][place : place + length])
            place += length
        reads.join(PATIENCE)
        assert connection.is_reusable and connection.is_quiet()

    assert (answer[0].status, answer[0].body) == (200, PLAIN)
    assert answer[0].headers.get("content-encoding") in (None, "gzip")


def test_headers_have_names_in_lower_case_and_repeated_ones_are_one() -> None:
    answer, _ = exchanged([b"HTTP/1.1 204 No Content\r\nX-Some: a\r\nx-some: b\r\nEMPTY:\r\n\r\n"])

    assert answer == Answer(204, {"x-some": "a, b", "empty": ""}, b"")


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    answer, connection = exchanged([b"HTTP/1.0 200 OK\r\n\r\n", b"hel", b"lo"], ends=True)

    assert answer.body == b"hello" and not connection.is_reusable


@pytest.mark.parametrize(
    "more",
    [b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno", b"garbage", b"HTTP/1.1 200"],
    ids=["answer", "no", "half"],
)
def test_what_follows_an_answer_is_no_part_of_it_and_ends_the_connection(more: bytes) -> None:
    answer, connection = exchanged([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" + more])

    assert (answer.status, answer.body) == (200, b"hello") and not connection.is_reusable


def test_a_connection_that_the_other_side_will_close_is_not_used_again() -> None:
    answer, connection = exchanged([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"])

    assert answer.body == b"hello" and not connection.is_reusable


@pytest.mark.parametrize(
    ("pieces", "says"),
    [
        (b"", "broke before"),
        (b"HTTP/1.1 200 O", "broke before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "broke before"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "broke before"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", "no answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello", "no answer in HTTP"),
        (b"220 smtp.contoso.example\r\n", "no answer in HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "no answer in HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000, "more headers than"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Some: y\r\n" * 101 + b"\r\n", "more headers than"),
    ],
)
def test_anything_less_is_no_answer(pieces: bytes, says: str) -> None:
    with pytest.raises(NoAnswer, match=says):
        exchanged([pieces], ends=True)


@pytest.mark.parametrize(
    "endless", [b"X-Some: y\r\n" * 1_000, b"X-Some: " + b"y" * 10_000], ids=["many headers", "one header"]
)
def test_what_follows_a_body_in_chunks_fills_no_memory(endless: bytes) -> None:
    ours, theirs = socket.socketpair()

    def send() -> None:
        with contextlib.suppress(OSError):
            theirs.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n" + endless)
            while True:
                theirs.sendall(endless[8:] if len(endless) == 10_008 else endless)

    with theirs, closing(Connection(ours, BOUNDS)) as connection:
        sends = threading.Thread(target=send)
        sends.start()
        with pytest.raises(NoAnswer, match="more headers than"):
            connection.exchange(ASKED, Deadline(BOUNDS))
        connection.close()
        sends.join(PATIENCE)


def test_a_body_in_tiny_chunks_takes_no_more_memory_than_it_is_long() -> None:
    chunks = b"2\r\nhi\r\n" * 8_000
    ours, theirs = socket.socketpair()
    with theirs, closing(Connection(ours, BOUNDS)) as connection:
        theirs.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        answer: list[Answer] = []
        reads = threading.Thread(target=lambda: answer.append(connection.exchange(ASKED, Deadline(BOUNDS))))
        tracemalloc.start()
        reads.start()
        for _ in range(40):
            theirs.sendall(chunks)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        theirs.sendall(b"0\r\n\r\n")
        reads.join(PATIENCE)

    assert len(answer[0].body) == 41 * 16_000
    assert most < 3_000_000


def test_a_body_that_would_fill_the_memory_is_refused_as_it_is_decompressed() -> None:
    bomb = gzip.compress(bytes(30_000_000), 9)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    ours, theirs = socket.socketpair()
    with theirs, closing(Connection(ours, Bounds(largest=500_000))) as connection:
        theirs.sendall(head + bomb[:30_000])
        with pytest.raises(NoAnswer, match="larger than 500000 bytes"):
            connection.exchange(ASKED, Deadline(BOUNDS))


def test_what_was_compressed_and_cut_short_is_no_answer() -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + ZIPPED[:20]) as (url, _):
        client = HttpClient(BOUNDS)
        with pytest.raises(NoAnswer, match="could not be decompressed"):
            client.send(Request("GET", url))


def test_a_connection_that_was_closed_meanwhile_is_replaced() -> None:
    with serving(WHOLE["of a known length"]) as (url, asked):
        client = HttpClient(BOUNDS)
        client.send(Request("GET", url))
        [idle] = client._idle._since
        while idle.is_quiet():
            pass
        assert client.send(Request("GET", url)).body == PLAIN
        client.close()

    assert len(asked) == 2 and not len(client._idle)


def test_who_has_had_enough_of_a_request_may_say_so_and_close() -> None:
    """The rest of the request meets a connection that is closed."""
    with serving(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno") as (url, _):
        client = HttpClient(BOUNDS)
        answer = client.send(Request("POST", url, body=bytes(20_000_000)))
        assert (answer.status, answer.body) == (413, b"no")
        assert client.send(Request("GET", url)).status == 413
        client.close()


def test_who_does_not_read_a_request_is_left_at_the_deadline() -> None:
    bounds = Bounds(read=30, whole=0.2)
    ours, theirs = socket.socketpair()
    began = monotonic()
    with theirs, closing(Connection(ours, bounds)) as connection, pytest.raises((NoAnswer, TimeoutError)):
        connection.exchange(bytes(20_000_000), Deadline(bounds))

    assert monotonic() - began < 10


def alive() -> list[object]:
    """Connections and problems with them that somebody knows, or that nobody has looked for."""
    return [one for one in gc.get_objects() if isinstance(one, Connection | NoAnswer)]


def test_what_failed_leaves_nothing_that_only_a_search_for_garbage_would_end() -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
    gc.collect()
    before = alive()
    gc.disable()
    try:
        with serving(broken) as (url, _):
            client = HttpClient(BOUNDS)
            for _ in range(5):
                with contextlib.suppress(NoAnswer):
                    client.send(Request("GET", url))
        for _ in range(5):
            with contextlib.suppress(NoAnswer):
                client.send(Request("GET", url))
        left = [one for one in alive() if not any(one is other for other in before)]
    finally:
        gc.enable()

    assert left == []


@pytest.mark.parametrize(
    "url",
    [
        "https:///orders",
        "https://[::1/",
        "https://a..contoso.example/",
        f"https://{'a' * 64}.example/",
        "https://.contoso.example/",
        "https://\u2100.example/",
        "https://contoso.example:99999/",
    ],
)
def test_an_address_that_is_none_is_called_so(url: str) -> None:
    with pytest.raises(Permanent):
        HttpClient(BOUNDS, proxies={}).send(Request("GET", url))


def test_a_header_of_the_caller_takes_the_place_of_ours() -> None:
    with serving(WHOLE["of a known length"]) as (url, asked):
        HttpClient(BOUNDS).send(Request("POST", url, {"Content-Length": "1", "User-Agent": "x", "HOST": "y"}, b"two"))

    heads = asked[0].lower().partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    assert {b"content-length: 3", b"user-agent: x", b"host: y"} <= set(heads)
    assert len({head.partition(b":")[0] for head in heads}) == len(heads)


@pytest.mark.parametrize("value", ["a\r\nX-Other: b", "a\nb", "a\rb", "a\0b", "\u2603"])
def test_a_header_is_one_line(value: str) -> None:
    with pytest.raises(Permanent, match="characters that neither can have"):
        HttpClient(BOUNDS).send(Request("GET", "http://127.0.0.1:9/?$skiptoken=s3cret", {"authorization": value}))


def test_what_cannot_stand_in_a_request_is_written_so_that_it_can() -> None:
    with serving(WHOLE["of a known length"]) as (url, asked):
        HttpClient(BOUNDS).send(Request("GET", f"{url}/a b\u00e9?$filter=id eq 'x%2B'"))

    assert asked[0].startswith(b"GET /a%20b%C3%A9?$filter=id%20eq%20'x%2B' HTTP/1.1\r\n")


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_body_is_sent_with_its_length_and_no_body_without(method: str) -> None:
    with serving(WHOLE["of a known length"]) as (url, asked):
        HttpClient(BOUNDS).send(Request(method, url, body=None if method != "POST" else b""))

    assert (b"content-length: 0" in asked[0]) is (method == "POST")


# --- TLS, and proxies on the way ---


def test_who_is_not_who_they_say_they_are_hears_nothing(certificate: Path) -> None:
    with serving(WHOLE["of a known length"], tls=certificate) as (url, asked):
        client = HttpClient(BOUNDS)
        with pytest.raises(NoAnswer, match="TLS connection failed") as refused:
            client.send(Request("GET", url))

    assert refused.value.unsent and asked == []


@pytest.mark.parametrize("proxy", ["http", "https"])
def test_a_proxy_leads_to_hosts_that_are_spoken_to_in_secret(
    certificate: Path, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    told: list[bytes] = []
    with ExitStack() as stack:
        url, asked = stack.enter_context(serving(WHOLE["of a known length"], tls=certificate))
        secret = certificate if proxy == "https" else None
        way = stack.enter_context(leading_to(url, told, secret))
        client = HttpClient(BOUNDS, proxies={"https": f"{proxy}://keeper:s%40fe@{way}"})
        stack.callback(client.close)
        there = url.replace("127.0.0.1", "graph.contoso.example")
        answer = client.send(Request("GET", f"{there}/v1.0/users", {"authorization": "Bearer s3cret"}))

    assert answer.body == PLAIN and b"authorization: Bearer s3cret" in asked[0]
    assert told[0].startswith(b"CONNECT graph.contoso.example:") and b"s3cret" not in told[0]
    assert b"Proxy-Authorization: Basic " + b64encode(b"keeper:s@fe") in told[0]


def test_connections_over_tls_are_used_again_though_tls_has_words_of_its_own(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when TLS 1.3 sends tickets for other connections after an answer. Here it asks who we are, which Python's
    servers can do at any time."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    handshakes = 0

    def serve(wire: socket.socket) -> None:
        nonlocal handshakes
        assert isinstance(wire, ssl.SSLSocket)
        handshakes += 1
        while wire.recv(65_536):
            wire.sendall(WHOLE["of a known length"])
            wire.verify_client_post_handshake()
            wire.do_handshake()

    with _listening(serve, certificate) as port:
        client = HttpClient(BOUNDS)
        client._tls.post_handshake_auth = True
        for _ in range(3):
            assert client.send(Request("GET", f"https://127.0.0.1:{port}/")).body == PLAIN
            [idle] = client._idle._since
            assert idle._ready.poll(PATIENCE * 1_000) and idle.is_quiet()
        client.close()

    assert handshakes == 1


def test_a_goodbye_over_tls_ends_a_connection(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    over = threading.Event()

    def serve(wire: socket.socket) -> None:
        wire.recv(65_536)
        wire.sendall(WHOLE["of a known length"])
        wire.settimeout(0)
        with contextlib.suppress(OSError):
            wire.unwrap()  # type: ignore[attr-defined]
        over.wait(PATIENCE)

    with _listening(serve, certificate) as port:
        client = HttpClient(BOUNDS)
        client.send(Request("GET", f"https://127.0.0.1:{port}/"))
        [idle] = client._idle._since
        assert idle._ready.poll(PATIENCE * 1_000) and not idle.is_quiet()
        over.set()
        client.close()


@contextmanager
def serving(answer: bytes, tls: Path | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives this answer to whatever it is asked, and closes the connection. Yields its URL, and what it
    was asked."""
    asked: list[bytes] = []

    def serve(wire: socket.socket) -> None:
        asked.append(wire.recv(65_536))
        wire.sendall(answer)

    with _listening(serve, tls) as port:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}", asked


@contextmanager
def leading_to(url: str, told: list[bytes], tls: Path | None) -> Iterator[str]:
    """A proxy that leads to one place, whatever it is asked for; yields where it is."""
    port = int(url.rpartition(":")[2])

    def serve(wire: socket.socket) -> None:
        told.append(wire.recv(65_536))
        with socket.create_connection(("127.0.0.1", port)) as there:
            wire.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pass, args=(there, wire), daemon=True)
            back.start()
            _pass(wire, there)

    with _listening(serve, tls) as listens:
        yield f"127.0.0.1:{listens}"


def _pass(one: socket.socket, other: socket.socket) -> None:
    try:
        while piece := one.recv(65_536):
            other.sendall(piece)
    except OSError:
        return


@contextmanager
def _listening(serve: Callable[[socket.socket], None], tls: Path | None) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls is not None:
        context.load_cert_chain(tls)
        context.verify_mode, context.post_handshake_auth = ssl.CERT_OPTIONAL, True  # asked for later, if at all

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                plain, _ = listener.accept()
                with plain if tls is None else context.wrap_socket(plain, server_side=True) as wire:
                    serve(wire)
            except ssl.SSLError:
                plain.close()
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "graph.contoso.example")])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName("graph.contoso.example")]
    names.append(x509.IPAddress(ip_address("127.0.0.1")))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = built.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(pem)
    return path
