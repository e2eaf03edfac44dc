"""Which tenant answers (Z11), and how many users it says it has."""

import msgspec

from connectors.asking import Unreadable
from connectors.errors import Permanent
from connectors.microsoft365 import requests
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.wire import reader


class _Organization(msgspec.Struct):
    id: str


class _Organizations(msgspec.Struct):
    value: list[_Organization]


_organizations = reader(_Organizations)


def reported(graph: Graph) -> str:
    """The tenant's id: the one that the token is for, since Graph answers a token with its own tenant and no other.

    Where a token cannot be read, the tenant is asked, which needs a permission that we do not otherwise need.
    """
    named = graph.tokens.tenant()
    if named is not None:
        return named.lower()
    found = graph.ask(requests.organization(graph.root.url), _organizations, "users").value
    if len(found) != 1:
        raise Permanent(f"Graph names {len(found)} organizations where it documents one")
    return found[0].id.lower()


def count(graph: Graph) -> int:
    """How many users live in the tenant, guests included. The index that counts may lag."""
    return graph.ask(requests.user_count(graph.root.url), _number, "users")


def _number(body: bytes) -> int:
    try:
        return int(body.decode("utf-8-sig"))
    except ValueError:
        raise Unreadable("the count is no number") from None
