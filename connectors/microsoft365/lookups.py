"""Looking accounts up by id: the evidence of D4, without which nobody is taken for deleted.

getByIds finds it                                           found
else the recycle bin has it                                 deleted
else neither, and getByIds, asked again, finds it           found: it was restored in between
else neither                                                gone
else there was no answer for it                             unknown
"""

from collections.abc import Iterator, Sequence

from connectors.microsoft365 import batches, requests
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.lists import pages
from connectors.microsoft365.wire import MemberPage, reader
from connectors.slices import slices
from connectors.verdicts import Meaning
from policies.model import DELETED, FOUND, GONE, UNKNOWN, AccountId, Sighting

_list = reader(MemberPage)
_BIN = {Meaning.OK: DELETED, Meaning.GONE: GONE}


def look_up(graph: Graph, ids: Sequence[AccountId]) -> Iterator[Sighting]:
    """What became of each account, as `Directory.look_up` promises."""
    for some in slices(ids, requests.MOST_BY_ID):
        yield from _look_up(graph, some)


def _look_up(graph: Graph, ids: Sequence[AccountId]) -> Iterator[Sighting]:
    alive = _living(graph, ids)
    seen = {id: FOUND for id in ids if id.lower() in alive}
    for some in slices([id for id in ids if id not in seen], batches.MOST):
        replies = batches.ask(graph, [requests.deleted_item(graph.root.url, id) for id in some], "deleted")
        seen |= {id: _BIN.get(reply.meaning, UNKNOWN) for id, reply in zip(some, replies, strict=True)}
    gone = [id for id in ids if seen[id] == GONE]
    restored = _living(graph, gone) if gone else frozenset()
    return (Sighting(id, FOUND if id.lower() in restored else seen[id]) for id in ids)


def _living(graph: Graph, ids: Sequence[AccountId]) -> frozenset[str]:
    """Those among the ids that are live users."""
    found = pages(graph, requests.users_by_id(graph.root.url, ids), _list, "users")
    return frozenset(user.id.lower() for page in found for user in page.value)
