"""A customer's groups, and who is in them: users, other groups, the whole organization, strangers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.simulators.google_workspace.identifiers import of_groups, of_strangers
from connectors.simulators.google_workspace.schema import Record


class Member(NamedTuple):
    """One direct membership."""

    id: str
    role: str
    type: str
    """`USER`, `GROUP`, `CUSTOMER`, `EXTERNAL` …"""
    email: str | None = None
    """Of a stranger; everybody else's is looked up."""
    status: str | None = None
    foreign: bool = False
    """Of another organization."""


@dataclass(slots=True)
class Group:
    """A group. Its members stand in the order in which they joined, under numbers that are never used again."""

    id: str
    number: int
    email: str
    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    members: dict[int, Member] = field(default_factory=dict)
    joined: int = 0
    version: int = 0

    def join(self, member: Member) -> None:
        """Raises ValueError for somebody who is in it."""
        if self.place_of(member.id) is not None:
            raise ValueError(f"{member.id} is a member of {self.email} already")
        self.joined += 1
        self.members[self.joined] = member
        self.version += 1

    def leave(self, ident: str) -> None:
        """Raises LookupError for somebody who is not in it."""
        place = self.place_of(ident)
        if place is None:
            raise LookupError(f"{ident} is no member of {self.email}")
        del self.members[place]
        self.version += 1

    def place_of(self, ident: str) -> int | None:
        return next((place for place, member in self.members.items() if member.id == ident), None)


class Groups:
    """Groups by their ids, which they keep whatever they are called."""

    __slots__ = ("_ids", "_strangers", "_strangers_met", "_things")

    def __init__(self, customer: str) -> None:
        self._ids = of_groups(customer)
        self._strangers = of_strangers(customer)
        self._strangers_met = 0
        self._things: dict[str, Group] = {}

    def add(self, email: str, name: str, ident: str | None = None) -> Group:
        """Raises ValueError for an address or an id in use."""
        if self.find(email) is not None or ident in self._things:
            raise ValueError(f"there is a group {email} already")
        number = len(self._things)
        group = Group(ident or self._ids.of(number), number, email.lower(), name)
        self._things[group.id] = group
        return group

    def remove(self, group: Group) -> None:
        """Take a group away, out of every other one, too."""
        del self._things[group.id]
        self.forget(group.id)

    def forget(self, ident: str) -> None:
        """Take somebody who is gone out of every group."""
        for group in self._things.values():
            if group.place_of(ident) is not None:
                group.leave(ident)

    def of(self, ident: str) -> Group | None:
        return self._things.get(ident)

    def find(self, key: str) -> Group | None:
        """The group with this id, address or alias."""
        wanted = key.lower()
        if (group := self._things.get(key)) is not None:
            return group
        return next((one for one in self._things.values() if wanted in (one.email, *one.aliases)), None)

    def by_address(self) -> list[Group]:
        """Every group in the order of their addresses."""
        return sorted(self._things.values(), key=lambda group: group.email)

    def around(self, ident: str) -> Iterator[Group]:
        """The groups that somebody is directly in."""
        return (group for group in self._things.values() if group.place_of(ident) is not None)

    def reaches(self, start: str, wanted: str) -> bool:
        """Whether a group is another one, or contains it however deep."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            if (ident := waiting.pop()) == wanted:
                return True
            group = self._things.get(ident)
            if group is not None and ident not in seen:
                seen.add(ident)
                waiting += [member.id for member in group.members.values() if member.type == "GROUP"]
        return False

    def stranger(self) -> str:
        """The id of somebody of another organization."""
        self._strangers_met += 1
        return self._strangers.of(self._strangers_met)

    def foreign_group(self) -> str:
        """The id of a group of another organization."""
        return of_groups("elsewhere").of(int(self.stranger()[-9:]))

    def knows_foreign(self, ident: str) -> bool:
        """Whether one of the members is another organization's group with this id."""
        return any(
            member.foreign and member.type == "GROUP" and ident in (member.id, member.email)
            for group in self._things.values()
            for member in group.members.values()
        )

    def rename_domain(self, old: str, new: str) -> None:
        for group in self._things.values():
            local, _, domain = group.email.partition("@")
            if domain == old:
                group.email = f"{local}@{new}"


def shown(group: Group, count: int) -> Record:
    """A group as the API shows it; `count` is how many direct members it is said to have."""
    named: Mapping[str, object] = {"aliases": list(group.aliases)} if group.aliases else {}
    return {
        "kind": "admin#directory#group",
        "id": group.id,
        "etag": f'"{group.number:08x}/{group.version}"',
        "email": group.email,
        "name": group.name,
        "directMembersCount": str(count),
        "description": group.description,
        "adminCreated": True,
        **named,
        "nonEditableAliases": [f"{group.email}.test-google-a.com"],
    }
