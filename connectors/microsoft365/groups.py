"""Groups and their direct members, by `groups/delta` over the groups that matter and all that are nested in them.

A stream takes at most 50 groups, so the groups are cut into chunks, each with a link of its own. Delta tells direct
memberships only; who is in what through nesting is worked out elsewhere. The walk goes:

    1. Groups that are wanted and not in a chunk yet are put into new ones. Chunks that hold few groups are left as they
       are: joined, they would list all of them again. Only where that spares many requests at every pass to come do
       those that fit together become one, which starts anew.
    2. Each chunk is walked from its link, or from its beginning. One whose link is dead begins anew.
    3. A group seen as a member joins a new chunk, walked in turn. No group is listed twice in one walk: what the first
       listing told could not be taken back by the second.

Each level of nesting makes a chunk of its own, and has its link from the walk that finds it: the next walk asks for
changes alone. A chunk is changed only by starting it anew. Groups that are no longer wanted stay until all is read
again.
"""

from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil

from connectors.asking import Refused
from connectors.base import Edge, GroupPage, SeenGroup
from connectors.errors import CursorExpired
from connectors.http import Request
from connectors.microsoft365 import requests, rounds
from connectors.microsoft365.cursors import Chunk, Stream
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.lists import pages
from connectors.microsoft365.wire import Group, GroupDeltaPage, Member, MemberPage, reader, said
from connectors.slices import slices
from connectors.verdicts import Meaning

NAME = "groups"
MOST_SPARE = 8
"""So many chunks more than the groups need are asked at every pass, rather than listing their groups again."""
_delta = reader(GroupDeltaPage)
_members = reader(MemberPage)
_group = reader(Group)
_IS = {"#microsoft.graph.user": "account", "#microsoft.graph.group": "group"}


def stream(graph: Graph) -> Stream:
    """The streams of a tenant's groups."""
    return Stream(NAME, requests.GROUP_SELECT, graph.root, graph.tokens.purpose.tenant)


def pull_groups(graph: Graph, cursor: str | None, wanted: Collection[str]) -> Iterator[GroupPage]:
    """Walk the groups, as `Directory.pull_groups` promises. Raises CursorExpired for a cursor of something else."""
    groups = stream(graph)
    chunks = arranged(groups.read(cursor).chunks if cursor else [], wanted)
    known = {id for chunk in chunks for id in chunk.ids}
    waiting, walked = deque(chunks), list[Chunk]()
    while waiting:
        round = _Round(graph, groups, waiting.popleft())
        yield from round.walk()
        walked.append(round.chunk)
        nested = sorted(round.nested - known)
        known.update(nested)
        waiting.extend(Chunk(list(ids)) for ids in slices(nested, requests.MOST_FILTERED))
    yield GroupPage(cursor=groups.cursor(chunks=walked))


def arranged(chunks: Sequence[Chunk], wanted: Collection[str]) -> list[Chunk]:
    """The chunks to walk, so that every wanted group is in one."""
    known = {id for chunk in chunks for id in chunk.ids}
    new = sorted({id.lower() for id in wanted} - known)
    ordered = [*chunks, *(Chunk(list(ids)) for ids in slices(new, requests.MOST_FILTERED))]
    needed = ceil((len(known) + len(new)) / requests.MOST_FILTERED)
    return ordered if len(ordered) <= needed + MOST_SPARE else _joined(ordered)


def _joined(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Chunks of which no two fit together."""
    joined: list[Chunk] = []
    for chunk in chunks:
        room = next((n for n, other in enumerate(joined) if _fit(other, chunk)), None)
        if room is None:
            joined.append(chunk)
        else:
            joined[room] = Chunk(sorted({*joined[room].ids, *chunk.ids}))
    return joined


def _fit(one: Chunk, other: Chunk) -> bool:
    return len(one.ids) + len(other.ids) <= requests.MOST_FILTERED


def read_group(graph: Graph, id: str) -> Iterator[GroupPage]:
    """All direct members of one group, as `Directory.read_group` promises."""
    try:
        for page in pages(graph, requests.members(graph.root.url, id), _members, NAME):
            yield GroupPage(edges=edges_of(id, page.value), whole=() if page.next_link else (id,))
    except Refused as refused:
        if refused.meaning is not Meaning.GONE:
            raise
        yield GroupPage(groups=(SeenGroup(id, gone=True),))


def edges_of(group: str, members: Sequence[Member]) -> list[Edge]:
    """Direct memberships of accounts and groups; devices, contacts and applications are nobody's business here."""
    return [
        Edge(group, member.id, _IS[member.type], member.removed is not None) for member in members if member.type in _IS
    ]


@dataclass
class _Round:
    """One walk over one chunk, and what it found out."""

    graph: Graph
    stream: Stream
    chunk: Chunk
    nested: set[str] = field(default_factory=set)
    """Groups that were seen as members."""
    told: set[str] = field(default_factory=set)
    """Groups that were told alive in this round, and with `removed` those that were told deleted."""
    removed: set[str] = field(default_factory=set)

    def walk(self) -> Iterator[GroupPage]:
        """The pages; after the last one `chunk` has the link of the next round."""
        if self.chunk.link:
            try:
                yield from self._walk(self.chunk.link)
                return
            except CursorExpired:
                if self.told or self.removed or self.nested:
                    raise
                self.chunk = Chunk(self.chunk.ids)
        yield from self._walk(requests.groups_delta(self.graph.root.url, self.chunk.ids))

    def _walk(self, first: Request | str) -> Iterator[GroupPage]:
        end = ""
        for page, step in rounds.walk(self.graph, self.stream, first, _delta):
            yield self._seen(page.value)
            end = step.end or ""
        gone = set(self.chunk.gone) | self.removed
        doubtful = self._doubtful()
        for id in sorted(doubtful):
            alive = yield from self._settle(id)
            gone = gone - {id} if alive else gone | {id}
        if not self.chunk.link:
            yield GroupPage(whole=sorted(self.told - doubtful))
        self.chunk = Chunk(self.chunk.ids, end, sorted(gone))

    def _seen(self, groups: Sequence[Group]) -> GroupPage:
        seen, edges = [], list[Edge]()
        for group in groups:
            if group.removed is not None:
                self.removed.add(group.id)
                seen.append(SeenGroup(group.id, gone=True))
            else:
                self.told.add(group.id)
                seen.append(_seen_group(group))
                edges.extend(edges_of(group.id, group.members))
        return self._noted(GroupPage(groups=seen, edges=edges))

    def _noted(self, page: GroupPage) -> GroupPage:
        self.nested.update(edge.member for edge in page.edges if edge.member_is == "group" and not edge.gone)
        return page

    def _doubtful(self) -> set[str]:
        """Groups that this round leaves open: told alive and deleted, in any order; told alive after they had been
        deleted, and perhaps without their members; and those that a first round did not tell at all."""
        unlisted = set() if self.chunk.link else set(self.chunk.ids) - self.told - self.removed
        return self.told & (self.removed | set(self.chunk.gone)) | unlisted

    def _settle(self, id: str) -> Generator[GroupPage, None, bool]:
        """Ask for a group by its id, and for all its members; tells whether it is there."""
        try:
            group = self.graph.ask(requests.group(self.graph.root.url, id), _group, NAME)
        except Refused as refused:
            if refused.meaning is not Meaning.GONE:
                raise
            yield GroupPage(groups=(SeenGroup(id, gone=True),))
            return False
        yield GroupPage(groups=(_seen_group(group),))
        for page in read_group(self.graph, id):
            yield self._noted(page)
        return True


def _seen_group(group: Group) -> SeenGroup:
    return SeenGroup(group.id, said(group.displayName), said(group.mail))
