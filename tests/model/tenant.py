"""A customer's directory without a wire: what happens in it, and the connector that reads it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base import Capabilities, Edge, Found, GroupPage, MailboxAnswer, OrgUnit, Page, Seen, SeenGroup
from connectors.errors import NeedsPerson, Transient
from connectors.microsoft365 import CAPABILITIES
from policies.model import DELETED, FOUND, GONE, AccountId, Sighting

RESTORABLE_FOR = timedelta(days=30)


@dataclass
class Person:
    """A user, or a mailbox that is nobody's."""

    id: str
    name: str
    address: str
    mailbox: str = "user"
    enabled: bool = True
    gone: str | None = None
    deleted_at: datetime | None = None


@dataclass
class Group:
    """A group of people and groups, by their ids."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    gone: bool = False
    changed: int = 0


@dataclass
class Tenant:
    """A directory whose people are hired, leave and come back. It is a `connectors.base.Directory` as well."""

    id: str
    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    page: int = 3
    """Entries of a page: few, so that a walk can be stopped between two."""
    outage: str | None = None
    """Why nothing can be read: `out of reach`, or `secret expired`."""
    hides: int = 0
    """How many people listings leave out without a word."""
    _log: list[str] = field(default_factory=list)
    _ids: int = 0

    # --- what happens in it ---

    def hire(self, name: str, *, mailbox: str = "user") -> Person:
        """Somebody new. Whoever had the name before is somebody else, with the same address."""
        person = Person(self._new_id(), name, f"{name.lower()}@{self.id}.example", mailbox)
        self.people[person.id] = person
        return self._touched(person)

    def called(self, name: str) -> Person | None:
        """Whoever was hired last under a name, here or gone."""
        return next((person for person in reversed(self.people.values()) if person.name == name), None)

    def delete(self, person: Person, now: datetime) -> None:
        """Into the recycle bin."""
        person.gone, person.deleted_at = "deleted", now
        self._left(person)

    def restore(self, person: Person) -> None:
        person.gone = person.deleted_at = None
        self._left(person)

    def purge(self, person: Person) -> None:
        """For good, from the recycle bin or at once."""
        person.gone = "purged"
        self._left(person)

    def empty_bin(self, now: datetime) -> None:
        """Purge what has been in the recycle bin for 30 days."""
        for person in self.people.values():
            if person.gone == "deleted" and person.deleted_at and person.deleted_at + RESTORABLE_FOR <= now:
                self.purge(person)

    def enable(self, person: Person, *, enabled: bool) -> None:
        person.enabled = enabled
        self._touched(person)

    def rename(self, person: Person, name: str) -> None:
        person.name, person.address = name, f"{name.lower()}@{self.id}.example"
        self._touched(person)

    def convert(self, person: Person, mailbox: str) -> None:
        """Turn a mailbox into a shared one, or back; an admin blocks or allows its sign-in at the same time."""
        person.mailbox, person.enabled = mailbox, mailbox == "user"
        self._touched(person)

    def group(self, name: str) -> Group | None:
        """The group of this name that lives."""
        return next((group for group in self.groups.values() if group.name == name and not group.gone), None)

    def create_group(self, name: str, members: Iterable[str] = ()) -> Group:
        group = Group(self._new_id(), name, set(members))
        self.groups[group.id] = group
        return self._regrouped(group)

    def join(self, group: Group, member: str) -> None:
        group.members.add(member)
        self._regrouped(group)

    def leave(self, group: Group, member: str) -> None:
        group.members.discard(member)
        self._regrouped(group)

    def rename_group(self, group: Group, name: str) -> None:
        group.name = name
        self._regrouped(group)

    def delete_group(self, group: Group) -> None:
        group.gone = True
        self._regrouped(group)

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self.id}-{self._ids:04}"

    def _touched(self, person: Person) -> Person:
        self._log.append(person.id)
        return person

    def _regrouped(self, group: Group) -> Group:
        self._log.append("")
        group.changed = len(self._log)
        return group

    def _left(self, person: Person) -> None:
        self._touched(person)
        for group in self.groups.values():
            if person.id in group.members:
                self._regrouped(group)

    # --- what a connector reads ---

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def tenant(self) -> str:
        return self.id

    def pull(self, cursor: str | None, resume: str | None = None) -> Iterator[Page]:
        """As `Directory.pull`. `resume` is the number of entries told, then the place in the log that they are of."""
        self._reached()
        told, end = map(int, resume.split()) if resume else (0, len(self._log))
        ids = [p.id for p in self.people.values() if p.gone is None] if cursor is None else self._changed(int(cursor))
        if cursor is None and self.hides:
            ids = ids[: -self.hides]
        rows = [_seen(self.people[id]) for id in ids]
        while len(rows) - told > self.page:
            told += self.page
            yield Page(rows[told - self.page : told], f"{told} {end}", full=cursor is None, tenant=self.id)
        yield Page(rows[told:], cursor=str(end), full=cursor is None, tenant=self.id)

    def pull_groups(self, cursor: str | None, wanted: Collection[str]) -> Iterator[GroupPage]:
        """As `Directory.pull_groups`: whichever group changed is told whole."""
        self._reached()
        since, known = _groups_cursor(cursor)
        reached = self._with_nested(wanted)
        end = f"{len(self._log)} {' '.join(sorted(reached))}"
        told = [self.groups[id] for id in sorted(reached) if id not in known or self.groups[id].changed > since]
        for group in told:
            yield self._listed(group)
        yield GroupPage(cursor=end)

    def read_group(self, id: str) -> Iterator[GroupPage]:
        self._reached()
        yield self._listed(self.groups[id])

    def find_groups(self, refs: Sequence[str]) -> Iterator[Found]:
        self._reached()
        for ref in refs:
            found = [g for g in self.groups.values() if not g.gone and ref in (g.id, g.name)]
            yield Found(ref, tuple(SeenGroup(g.id, g.name) for g in found))

    def org_units(self) -> Iterator[OrgUnit]:
        return iter(())

    def look_up(self, ids: Sequence[AccountId]) -> Iterator[Sighting]:
        self._reached()
        for id in ids:
            person = self.people.get(id)
            seen = GONE if person is None else {None: FOUND, "deleted": DELETED, "purged": GONE}[person.gone]
            yield Sighting(id, seen)

    def count(self) -> int | None:
        return sum(person.gone is None for person in self.people.values())

    def mailboxes(self, ids: Sequence[AccountId]) -> Iterator[MailboxAnswer]:
        self._reached()
        for id in ids:
            if (person := self.people.get(id)) is not None and person.gone is None:
                yield MailboxAnswer(id, person.mailbox)

    def _reached(self) -> None:
        if self.outage == "out of reach":
            raise Transient("the directory is out of reach")
        if self.outage is not None:
            raise NeedsPerson("the secret has expired", remedy="make another one")

    def _changed(self, since: int) -> list[str]:
        return [id for id in dict.fromkeys(self._log[since:]) if id]

    def _with_nested(self, wanted: Collection[str]) -> set[str]:
        reached: set[str] = set()
        left = [id for id in wanted if id in self.groups]
        while left:
            id = left.pop()
            if id not in reached:
                reached.add(id)
                left += [member for member in self.groups[id].members if member in self.groups]
        return reached

    def _listed(self, group: Group) -> GroupPage:
        if group.gone:
            return GroupPage([SeenGroup(group.id, group.name, gone=True)])
        living = sorted(id for id in group.members if id in self.groups or self.people[id].gone is None)
        edges = [Edge(group.id, id, "group" if id in self.groups else "account") for id in living]
        return GroupPage([SeenGroup(group.id, group.name)], edges, [group.id])


def _seen(person: Person) -> Seen:
    if person.gone is not None:
        return Seen(person.id, gone=person.gone)
    return Seen(person.id, person.address, person.name, person.enabled, guest=False)


def _groups_cursor(cursor: str | None) -> tuple[int, set[str]]:
    since, *known = (cursor or "0").split()
    return int(since), set(known)
