"""Finding groups by what a policy calls them: immutable id, address or display name (G3)."""

import re
from collections.abc import Iterator, Sequence

from connectors.asking import Unreadable
from connectors.base import Found, SeenGroup
from connectors.errors import Permanent, Transient
from connectors.http import Request
from connectors.microsoft365 import batches, requests
from connectors.microsoft365.batches import Reply
from connectors.microsoft365.graph import Graph, denied
from connectors.microsoft365.wire import GroupList, reader, said
from connectors.slices import slices
from connectors.verdicts import Meaning

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_found = reader(GroupList)


def find_groups(graph: Graph, refs: Sequence[str]) -> Iterator[Found]:
    """Every reference with the groups that it means, as `Directory.find_groups` promises."""
    for some in slices(refs, batches.MOST):
        replies = batches.ask(graph, [_asked(graph, ref) for ref in some], "groups")
        for ref, reply in zip(some, replies, strict=True):
            yield Found(ref, _groups(ref, reply))


def _asked(graph: Graph, ref: str) -> Request:
    """An id means an id alone; an address may also be somebody's display name. Graph compares without case."""
    literal = "'" + ref.replace("'", "''") + "'"
    if _GUID.fullmatch(ref):
        return requests.groups_where(graph.root.url, f"id eq {literal}")
    by_name = f"displayName eq {literal}"
    return requests.groups_where(graph.root.url, f"mail eq {literal} or {by_name}" if "@" in ref else by_name)


def _groups(ref: str, reply: Reply) -> tuple[SeenGroup, ...]:
    match reply.meaning:
        case Meaning.OK:
            return _listed(ref, reply.body)
        case Meaning.DENIED:
            raise denied("groups", "/".join(reply.codes) or "403")
        case Meaning.RETRY | Meaning.SIGN_IN | Meaning.RESYNC:
            raise Transient(f"looking up the group {ref!r} failed", feature="groups")
        case _:
            raise Permanent(f"looking up the group {ref!r} was refused: {'/'.join(reply.codes)}", feature="groups")


def _listed(ref: str, body: bytes) -> tuple[SeenGroup, ...]:
    try:
        groups = _found(body).value
    except Unreadable as problem:
        raise Transient(f"looking up the group {ref!r} failed: {problem}", feature="groups") from None
    return tuple(SeenGroup(group.id, said(group.displayName), said(group.mail)) for group in groups)
