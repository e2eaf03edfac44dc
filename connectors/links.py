"""Which hosts a connector talks to: its root, links that lead back there, and what of a URL may be shown."""

import ipaddress
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from connectors.errors import NeedsPerson, Permanent

_PORTS = {"https": 443, "http": 80}


class Root(NamedTuple):
    """The place that all requests of a directory go to; `path` is '' or begins with a slash and ends without one."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        port = "" if _PORTS.get(self.scheme) == self.port else f":{self.port}"
        return f"{self.scheme}://{self._written}{port}{self.path}"

    def is_among(self, hosts: Iterable[str]) -> bool:
        """Whether the place is named by one of these, each `host` or `host:port`."""
        return not {self._written, f"{self._written}:{self.port}"}.isdisjoint(host.lower() for host in hosts)

    @property
    def _written(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def leads_to(self, link: str) -> bool:
        """Whether a link stays at this root: the same scheme, host and port, and no user name in it."""
        if link.startswith(f"{self.url}/"):
            return True
        try:
            other = _root(urlsplit(link))
        except ValueError:
            return False
        return other is not None and other[:3] == self[:3]


@lru_cache(maxsize=1_000)
def root(url: str) -> Root:
    """The root that a URL names. Raises NeedsPerson for one that is none, or plain http beyond loopback."""
    try:
        found = _root(urlsplit(url))
    except ValueError:
        found = None
    if found is None:
        raise NeedsPerson(
            f"{redacted(url)} is no address to ask", remedy="write it as https://host or https://host:port"
        )
    if found.scheme == "http" and not is_loopback(found.host):
        raise NeedsPerson(f"{found.url} is not encrypted", remedy="plain http is for loopback alone; use https")
    return found


def pinned(link: str, home: Root) -> str:
    """The link, unchanged. Raises Permanent where it leads away from home, so that no token follows it there."""
    if not home.leads_to(link):
        raise Permanent(f"an answer of {home.url} links to {redacted(link)}, which is not followed")
    return link


def permitted(url: str, vendor_hosts: Collection[str], allowed: Iterable[str]) -> Root:
    """The root of an override: loopback, one of the vendor's own hosts, or one that the provider allows by name."""
    place = root(url)
    if is_loopback(place.host) or (place.host in vendor_hosts and place.port == 443):
        return place
    if place.is_among(allowed):
        return place
    raise NeedsPerson(
        f"{place.host} is neither the vendor's own host nor loopback",
        remedy=f"add {place.host} to allowed_hosts in provider.yaml, if it is meant",
    )


@lru_cache(maxsize=1_000)
def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redacted(url: str) -> str:
    """A URL as it may stand in a log: links carry tokens in their query, and nothing else of it is worth reading."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an unreadable address"
    place = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return place + parts.path + ("?…" if parts.query else "")


def _root(parts: SplitResult) -> Root | None:
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc or "\\" in parts.netloc:
        return None
    return Root(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path.rstrip("/"))
