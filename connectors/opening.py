"""How a connection is opened: public addresses alone, a proxy on the way, TLS."""

import base64
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from connectors.connections import Bounds, Connection, Deadline, Place
from connectors.errors import NeedsPerson
from connectors.public import must_be_public

PORTS = {"https": 443, "http": 80}


class Proxy(NamedTuple):
    """A proxy as a URL names it."""

    scheme: str
    host: str
    port: int
    identity: str | None
    """Name and password as a proxy wants to hear them, None where the URL has none."""


@lru_cache(maxsize=100)
def proxy_at(url: str) -> Proxy:
    """The proxy that a URL names; without a scheme it is one of plain HTTP. Raises NeedsPerson for one that is none,
    and repeats nothing of it: passwords stand there."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        usual, host = PORTS[parts.scheme], parts.hostname
        if not host:
            raise _no_proxy("it names no host")
        in_ascii(host)
        port = parts.port or usual
    except KeyError:
        raise _no_proxy("its scheme is neither http nor https") from None
    except ValueError:
        raise _no_proxy("its host or its port is none") from None
    named = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    identity = None if parts.username is None else base64.b64encode(named.encode()).decode()
    return Proxy(parts.scheme, host, port, identity)


@lru_cache(maxsize=1_000)
def in_ascii(host: str) -> str:
    """A host's name as name servers have it. Raises ValueError where it cannot be one."""
    name = host.encode("idna").decode()
    if not name:
        raise ValueError("no host")
    return name


def written(host: str, port: int) -> str:
    """Host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{in_ascii(host)}:{port}"


def _no_proxy(why: str) -> NeedsPerson:
    refused = NeedsPerson(f"the proxy in HTTPS_PROXY cannot be used: {why}", remedy="write it as http://host:port")
    refused.unsent = True
    return refused


def opened(place: Place, bounds: Bounds, until: Deadline, tls: Callable[[], ssl.SSLContext]) -> Connection:
    """A connection to a place, ready for a request. `tls` says whom to trust, which takes a moment, and is asked where
    it matters. Raises NoAnswer, OSError, and NeedsPerson where it would leave the public internet."""
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


def _reached(place: Place, bounds: Bounds, tls: Callable[[], ssl.SSLContext]) -> socket.socket:
    """A connection to the host, or to the proxy that leads to it."""
    proxy = proxy_at(place.proxy) if place.proxy else None
    host, port = (proxy.host, proxy.port) if proxy else (place.host, place.port)
    wire = socket.create_connection((host, port), bounds.connect)
    try:
        if place.public_only:
            must_be_public(wire, place.host)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _encrypted(wire, host, tls) if proxy and proxy.scheme == "https" else wire
    except BaseException:
        wire.close()
        raise


def _encrypted(wire: socket.socket, host: str, tls: Callable[[], ssl.SSLContext]) -> socket.socket:
    if not isinstance(wire, ssl.SSLSocket):
        return tls().wrap_socket(wire, server_hostname=host)
    from urllib3.util.ssltransport import SSLTransport  # TLS to a host, within TLS to the proxy

    return SSLTransport(wire, tls(), server_hostname=host)  # type: ignore[return-value]


def _connect(place: Place) -> bytes:
    """The request that asks a proxy to lead on, with the name and password of its URL."""
    there, identity = written(place.host, place.port), proxy_at(place.proxy).identity
    lines = [f"CONNECT {there} HTTP/1.1", f"Host: {there}"]
    if identity is not None:
        lines.append(f"Proxy-Authorization: Basic {identity}")
    return "\r\n".join([*lines, "", ""]).encode()
