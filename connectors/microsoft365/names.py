"""Finding groups by what a policy calls them: immutable id, address or display name (G3)."""

import re
from collections.abc import Iterator, Sequence

from connectors.asking import Unreadable
from connectors.base import Found, SeenGroup
from connectors.errors import Permanent, Transient
from connectors.http import Request
from connectors.links import pinned
from connectors.microsoft365 import batches, requests
from connectors.microsoft365.batches import Reply
from connectors.microsoft365.graph import Graph, denied
from connectors.microsoft365.lists import pages
from connectors.microsoft365.wire import Group, GroupList, reader, said
from connectors.slices import slices
from connectors.verdicts import Meaning

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_found = reader(GroupList)


def find_groups(graph: Graph, refs: Sequence[str]) -> Iterator[Found]:
    """Every reference with the groups that it means, as `Directory.find_groups` promises."""
    for some in slices(refs, batches.MOST):
        asked = [_asked(graph, ref) for ref in some]
        for ref, request, reply in zip(some, asked, batches.ask(graph, asked, "groups"), strict=True):
            yield Found(ref, _groups(graph, ref, request, reply))


def _asked(graph: Graph, ref: str) -> Request:
    """An id means an id alone; an address may also be somebody's display name. Graph compares without case."""
    literal = "'" + ref.replace("'", "''") + "'"
    if _GUID.fullmatch(ref):
        return requests.groups_where(graph.root.url, f"id eq {literal}")
    by_name = f"displayName eq {literal}"
    return requests.groups_where(graph.root.url, f"mail eq {literal} or {by_name}" if "@" in ref else by_name)


def _groups(graph: Graph, ref: str, request: Request, reply: Reply) -> tuple[SeenGroup, ...]:
    match reply.meaning:
        case Meaning.OK:
            return tuple(_listed(graph, ref, request, reply.body))
        case Meaning.DENIED:
            raise denied("groups", "/".join(reply.codes) or "403")
        case Meaning.RETRY | Meaning.SIGN_IN | Meaning.RESYNC:
            raise Transient(f"looking up the group {ref!r} failed", feature="groups")
        case _:
            raise Permanent(f"looking up the group {ref!r} was refused: {'/'.join(reply.codes)}", feature="groups")


def _listed(graph: Graph, ref: str, request: Request, body: bytes) -> Iterator[SeenGroup]:
    try:
        page = _found(body)
    except Unreadable as problem:
        raise Transient(f"looking up the group {ref!r} failed: {problem}", feature="groups") from None
    yield from map(_seen, page.value)
    if page.next_link is not None:  # also a page without groups may have one
        following = request._replace(url=pinned(page.next_link, graph.root))
        for page in pages(graph, following, _found, "groups"):
            yield from map(_seen, page.value)


def _seen(group: Group) -> SeenGroup:
    return SeenGroup(group.id, said(group.displayName), said(group.mail))
