"""Groups and their direct members, by our own walk: what is nested is listed group by group, each once.

Google's own expansion of nested groups has returned too few members, so it is not asked for. All users of the
organization can be one member; the store knows what that means (`EVERYBODY`). There is no delta: every walk is whole,
and hints can only say that none is needed.

A list of members that is shorter than the group's own count, or does not say what each of them is, is read once more;
where it stays so, the group is not told to be whole, so that nobody is taken to have left it. A group within a group
that we may not see, as one of another organization, is passed over.
"""

import logging
from collections import deque
from collections.abc import Collection, Iterator
from hashlib import sha256

import msgspec

from connectors.asking import Refused
from connectors.base import EVERYBODY, Edge, GroupPage, SeenGroup
from connectors.google_workspace.google import Google
from connectors.google_workspace.hints import Hints
from connectors.google_workspace.wire import GROUP_FIELDS, MEMBER_FIELDS, Group, Member, MemberPage, reader
from connectors.verdicts import Meaning

log = logging.getLogger(__name__)
NAME = "groups"
END = "walked"
"""The cursor of a walk: it says nothing, since the next one is whole again."""
_group = reader(Group)
_members = reader(MemberPage)
_IS = {"USER": "account", "GROUP": "group", "CUSTOMER": "everybody"}


class _Walked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cursor of a walk with hints."""

    wanted: str
    """A digest of the groups that it was for, and of whose they are."""
    began: int
    """In seconds since 1970."""
    heard: tuple[str, ...] = ()
    """The hints that were known by then."""


def pull_groups(
    google: Google, wanted: Collection[str], cursor: str | None = None, hints: Hints | None = None
) -> Iterator[GroupPage]:
    """Walk the groups, as `Directory.pull_groups` promises."""
    if hints is None:
        yield from _all(google, wanted)
        yield GroupPage(cursor=END)
        return
    last, digest = _read(cursor), _digest(google, wanted)
    if last is not None and last.wanted == digest and hints.tell_of_nothing(last.began, last.heard):
        yield GroupPage(cursor=cursor)
        return
    began, heard = hints.begin()
    short: set[str] = set()
    for page in _all(google, wanted):
        short |= {group.id for group in page.groups if not group.gone}
        short -= set(page.whole)
        yield page
    walked = _Walked(digest, began, heard)
    yield GroupPage(cursor=END if short else msgspec.json.encode(walked).decode())


def _digest(google: Google, wanted: Collection[str]) -> str:
    whose = (google.root.url, google.customer, google.admin, sorted(wanted))
    return sha256(repr(whose).encode()).hexdigest()[:32]


def _read(cursor: str | None) -> _Walked | None:
    """None where the next walk has to be whole: after none, one without hints, or one that found a group short."""
    try:
        return None if cursor is None else msgspec.json.decode(cursor, type=_Walked)
    except msgspec.DecodeError:
        return None


def _all(google: Google, wanted: Collection[str]) -> Iterator[GroupPage]:
    waiting, known = deque(sorted(wanted)), set(wanted)
    while waiting:
        id = waiting.popleft()
        for page in _walk(google, id, of_ours=id in wanted):
            nested = {edge.member for edge in page.edges if edge.member_is == "group"} - known
            waiting.extend(sorted(nested))
            known |= nested
            yield page


def read_group(google: Google, id: str) -> Iterator[GroupPage]:
    """All direct members of one group, as `Directory.read_group` promises."""
    try:
        for members, last in _listed(google, id, of_ours=True):
            yield GroupPage(edges=_edges(id, members), whole=(id,) if last else ())
    except Refused as refused:
        if refused.meaning is not Meaning.GONE:
            raise
        yield GroupPage(groups=(SeenGroup(id, gone=True),))


def _walk(google: Google, id: str, *, of_ours: bool) -> Iterator[GroupPage]:
    """One group with its members. `of_ours` is one that the policy names: if it is denied, or gone, that is told."""
    try:
        group = google.ask(google.request((NAME, id), {"fields": GROUP_FIELDS}), _group, NAME, of_one=not of_ours)
        yield GroupPage(groups=(seen(group),))
        yield from _believed(google, group, of_ours=of_ours)
    except Refused as refused:
        if of_ours and refused.meaning is Meaning.GONE:
            yield GroupPage(groups=(SeenGroup(id, gone=True),))
        elif of_ours or refused.meaning not in (Meaning.GONE, Meaning.DENIED):
            raise
        else:
            log.warning("a nested group is not to be seen, and passed over: %s", refused.problem)


def _believed(google: Google, group: Group, *, of_ours: bool) -> Iterator[GroupPage]:
    told = group.directMembersCount or ""
    counted = int(told) if told.isdecimal() else 0
    met: set[str] = set()
    untold: set[str] = set()
    """Members of whom it was not said what they are."""
    for _ in range(2):
        for members, _last in _listed(google, group.id, of_ours=of_ours):
            met.update(member.id for member in members if member.type)
            untold.update(member.id for member in members if not member.type)
            yield GroupPage(edges=_edges(group.id, members))
        if len(met) >= counted and met >= untold:
            yield GroupPage(whole=(group.id,))
            return
    log.warning("group %s lists %d of %d members; nobody is taken to have left it", group.id, len(met), counted)


def _listed(google: Google, id: str, *, of_ours: bool) -> Iterator[tuple[list[Member], bool]]:
    """The members page by page, and whether a page is the last."""
    query = {"maxResults": "200", "fields": MEMBER_FIELDS}
    for page in google.pages((NAME, id, "members"), query, _members, NAME, of_one=not of_ours):
        yield page.members, not page.nextPageToken


def _edges(group: str, members: list[Member]) -> list[Edge]:
    """Direct memberships. Users of other organizations are among them, and what is of a kind that we have not heard of:
    they are nobody whom we know. If we know one by its id all the same, it has not left."""
    return [
        Edge(group, EVERYBODY if member.type == "CUSTOMER" else member.id, _IS.get(member.type, "account"))
        for member in members
        if member.type
    ]


def seen(group: Group) -> SeenGroup:
    """A group as the rest of the product knows it."""
    return SeenGroup(group.id, group.name, None if group.email is None else group.email.lower())
