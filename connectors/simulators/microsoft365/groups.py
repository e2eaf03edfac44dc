"""The groups of a tenant, and whatever else may be a member: edges as they stand, and as they changed."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from connectors.simulators.microsoft365.changes import ChangeLog
from connectors.simulators.microsoft365.identifiers import Identifiers
from connectors.simulators.microsoft365.schema import Record

Ref = int
"""A member: a user by its number, anything else by the complement of its own (-1, -2 …)."""
_NOBODY = -(1 << 62)
NOTHING: frozenset[str] = frozenset()


class Members:
    """Direct members in order of joining. Places are never used again, so that a listing can go on where it stopped."""

    __slots__ = ("_joined", "_places")

    def __init__(self) -> None:
        self._joined = array("q")
        self._places: dict[Ref, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, ref: Ref) -> bool:
        return ref in self._places

    def __iter__(self) -> Iterator[Ref]:
        return iter(self._places)

    @property
    def places(self) -> int:
        """How many places there are, those of former members included."""
        return len(self._joined)

    def between(self, start: int, end: int) -> list[Ref]:
        """The members in these places."""
        return [ref for ref in self._joined[start:end] if ref != _NOBODY]

    def add(self, ref: Ref) -> bool:
        """Take a member in; False where it is one already."""
        if ref in self._places:
            return False
        self._places[ref] = len(self._joined)
        self._joined.append(ref)
        return True

    def remove(self, ref: Ref) -> bool:
        """Take a member out; False where it is none."""
        place = self._places.pop(ref, None)
        if place is None:
            return False
        self._joined[place] = _NOBODY
        return True


@dataclass(slots=True, eq=False)
class Thing:
    """A directory object that is no user: `type` is its name in Graph, without the namespace."""

    number: int
    type: str
    record: Record
    deleted_at: datetime | None = None
    """When it was put into the recycle bin, while it lies there."""
    purged: bool = False
    members: Members = field(default_factory=Members)

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def ref(self) -> Ref:
        return ~self.number

    @property
    def live(self) -> bool:
        return self.deleted_at is None and not self.purged

    @property
    def restorable(self) -> bool:
        """Microsoft 365 groups go to the recycle bin; security groups are gone at once."""
        types = self.record.get("groupTypes")
        return isinstance(types, list) and "Unified" in types

    @property
    def hidden(self) -> bool:
        return self.record.get("visibility") == "HiddenMembership"


class GroupChange(NamedTuple):
    """A group was touched: properties changed, or (None) it came, went or came back; or one edge did."""

    number: int
    properties: frozenset[str] | None = NOTHING
    member: Ref | None = None
    removed: bool = False


@dataclass(slots=True)
class Touch:
    """All that changed about one group between two positions of the log; `edges` says who was removed."""

    properties: frozenset[str] | None = NOTHING
    edges: dict[Ref, bool] = field(default_factory=dict)


class Groups:
    """Every thing has a number in order of creation; users are known here by their refs only."""

    __slots__ = ("_ids", "_natural", "deleted", "log", "things")

    def __init__(self, tenant: str) -> None:
        self._natural = Identifiers(tenant, "groups")
        self._ids: dict[str, int] = {}
        self.things: list[Thing] = []
        self.deleted: dict[int, datetime] = {}
        """Those in the recycle bin, in the order of their deletion."""
        self.log: ChangeLog[GroupChange] = ChangeLog()

    def of(self, ref: Ref) -> Thing:
        return self.things[~ref]

    def find(self, ident: str) -> Thing | None:
        """The thing with this id, whether it lives or not."""
        number = self._ids.get(ident.lower())
        return None if number is None else self.things[number]

    def live_groups(self) -> Iterator[Thing]:
        return (thing for thing in self.things if thing.type == "group" and thing.live)

    def add(self, kind: str, record: Record, ident: str | None = None) -> Thing:
        """Take in a new thing. Raises ValueError when the id is taken."""
        number = len(self.things)
        ident = (ident or self._natural.of(number)).lower()
        if ident in self._ids:
            raise ValueError(f"the id {ident} is taken")
        thing = Thing(number, kind, {"id": ident, **record})
        self._ids[ident] = number
        self.things.append(thing)
        if kind == "group":
            self.log.append(GroupChange(number, None))
        return thing

    def change(self, group: Thing, values: Record) -> None:
        new = {name: value for name, value in values.items() if group.record.get(name) != value}
        if new:
            group.record = {**group.record, **new}
            self.log.append(GroupChange(group.number, frozenset(new)))

    def join(self, group: Thing, ref: Ref) -> None:
        if group.members.add(ref):
            self.log.append(GroupChange(group.number, member=ref))

    def leave(self, group: Thing, ref: Ref) -> None:
        if group.members.remove(ref):
            self.log.append(GroupChange(group.number, member=ref, removed=True))

    def delete(self, group: Thing, at: datetime) -> None:
        """Delete a group: into the recycle bin if its kind can be restored, else for good."""
        if not group.restorable:
            self.purge(group)
            return
        group.deleted_at = self.deleted[group.number] = at
        self.log.append(GroupChange(group.number, None))

    def restore(self, group: Thing) -> None:
        """Bring a group back; it appears as newly created, with its members."""
        del self.deleted[group.number]
        group.deleted_at = None
        self.log.append(GroupChange(group.number, None))
        for ref in group.members:
            self.log.append(GroupChange(group.number, member=ref))

    def purge(self, group: Thing) -> None:
        """Take a group out for good; it also leaves the groups that it was nested in."""
        self.deleted.pop(group.number, None)
        group.deleted_at, group.purged, group.members = None, True, Members()
        self.log.append(GroupChange(group.number, None))
        self.forget(group.ref)

    def forget(self, ref: Ref, *, silently: bool = False) -> None:
        """End every membership of an object that is gone for good; `silently` without telling the groups' delta."""
        for group in self.things:
            if ref in group.members and not silently:
                self.leave(group, ref)
            else:
                group.members.remove(ref)

    def touched(self, since: int, until: int) -> dict[int, Touch]:
        """Which groups were touched between two positions of the log, each once, with the last word on each edge."""
        touched: dict[int, Touch] = {}
        for number, properties, member, removed in self.log.between(since, until):
            touch = touched.setdefault(number, Touch())
            if member is not None:
                touch.edges[member] = removed
            elif properties is None or touch.properties is None:
                touch.properties = None
            else:
                touch.properties |= properties
        return touched

    def closure(self, group: Thing) -> Sequence[Ref]:
        """Everything below a group through all nesting, each once, nearest first; groups may contain each other."""
        found: dict[Ref, None] = {}
        waiting = [group]
        for current in waiting:
            for ref in current.members:
                if ref in found or ref == group.ref:
                    continue
                found[ref] = None
                if ref < 0 and self.of(ref).live:
                    waiting.append(self.of(ref))
        return array("q", found)
