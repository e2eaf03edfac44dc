"""What leads to the public internet alone, whatever a name is made to stand for.

The address is looked at once the connection stands and before anything is sent over it, so that a name which answers
otherwise a moment later, or from another server, changes nothing.
"""

import ipaddress
import socket

from connectors.errors import NeedsPerson

_EVERYBODY = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is routed between networks (RFC 4291, 2.4)."""
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 as networks without it have it (RFC 6052): the last 32 bits are the address."""


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by everybody: not loopback, private, link-local, shared or multicast, nor
    IPv6 that stands for IPv4 which is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if (inner := _inner(found)) is not None:
            found = inner
        elif found not in _EVERYBODY:
            return False
    return found.is_global and not found.is_multicast


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def must_be_public(connected: socket.socket, host: str) -> None:
    """Close a connection that leads elsewhere, and raise NeedsPerson."""
    address = str(connected.getpeername()[0])
    if is_public(address):
        return
    connected.close()
    written = f"[{host}]" if ":" in host else host
    refused = NeedsPerson(
        f"{host} leads to {address}, which is not a public address",
        remedy=f"add {written} to allowed_hosts in provider.yaml, if it is meant",
    )
    refused.unsent = True
    raise refused
