"""What leads to the public internet alone, whatever a name is made to stand for.

The address is looked at once the connection stands and before anything is sent over it, so that a name which answers
otherwise a moment later, or from another server, changes nothing.
"""

import ipaddress
import socket

from connectors.errors import NeedsPerson


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by everybody: not loopback, private, link-local, shared or multicast."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = inner or found
    return found.is_global and not found.is_multicast


def must_be_public(connected: socket.socket, host: str) -> None:
    """Close a connection that leads elsewhere, and raise NeedsPerson."""
    address = str(connected.getpeername()[0])
    if is_public(address):
        return
    connected.close()
    refused = NeedsPerson(
        f"{host} leads to {address}, which is not a public address",
        remedy=f"add {host} to allowed_hosts in provider.yaml, if it is meant",
    )
    refused.unsent = True
    raise refused
