"""Connections that lead to the public internet alone, whatever a name is made to stand for.

The address is looked at once the connection stands and before anything is sent over it, so that a name which answers
otherwise a moment later, or from another server, changes nothing.
"""

import ipaddress
import socket

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connectors.errors import NeedsPerson


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by everybody: not loopback, private, link-local, shared or multicast."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = inner or found
    return found.is_global and not found.is_multicast


def _checked(connected: socket.socket, host: str) -> socket.socket:
    address = str(connected.getpeername()[0])
    if is_public(address):
        return connected
    connected.close()
    refused = NeedsPerson(
        f"{host} leads to {address}, which is not a public address",
        remedy=f"add {host} to allowed_hosts in provider.yaml, if it is meant",
    )
    refused.unsent = True
    raise refused


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


PUBLIC_ONLY: dict[str, type[HTTPConnectionPool]] = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
"""The pools of a `PoolManager`, by scheme."""
