"""`GET /groups/delta`: groups with parts of their members, spread over pages, then the edges that changed."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import rounds
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.cursors import Cursor
from connectors.simulators.microsoft365.groups import Ref, Thing, Touch
from connectors.simulators.microsoft365.objects import typed_id
from connectors.simulators.microsoft365.pages import Page, removed, render, selection
from connectors.simulators.microsoft365.schema import GROUP_DEFAULT, GROUP_PROPERTIES, Record, only

_STREAM = "groups"


class Part(NamedTuple):
    """A group with some of its edges: as much of it as one page takes at once."""

    group: Thing
    edges: list[tuple[Ref, bool]]
    touch: Touch | None = None
    """What changed, in a later round."""


def groups_delta(call: Call) -> Body:
    """One page of a round. A group with many members comes again and again, with other groups in between."""
    groups = call.tenant.groups
    select = call.query.selected(GROUP_PROPERTIES)
    if select and "members" in call.query.get("$expand").lower():
        select = (*select, "members")
    cursor = rounds.opening(call, _STREAM, select, groups.log.position, len(groups.things))
    if cursor.stream != _STREAM or cursor.since == cursor.until:
        return render(call, rounds.nothing_new(call, _STREAM, cursor))
    return render(call, _changes(call, cursor) if cursor.since is not None else _everything(call, cursor))


def _everything(call: Call, cursor: Cursor) -> Page:
    """A page of the first round. Each lap over the groups tells the next part of every group's members."""
    entries: list[Record] = []
    room = call.tenant.habits.page_size
    for place, entry, weight in _laps(call, cursor):
        if entries and weight > room:
            return _page(call, cursor, entries, place)
        entries.append(entry)
        room -= weight
    return _page(call, cursor, entries, None)


def _laps(call: Call, cursor: Cursor) -> Iterator[tuple[Cursor, Record, int]]:
    """What is left of a first round, group by group and lap by lap, with each entry's place and its weight."""
    things = [thing for thing in call.tenant.groups.things[: cursor.extent] if _wanted(cursor, thing)]
    step = _part_size(call)
    longest = max((thing.members.places for thing in things), default=0) if _wants_members(cursor) else 0
    for lap in range(cursor.lap, max(1, -(-longest // step))):
        for thing in things:
            passed = lap == cursor.lap and thing.number < cursor.at
            if passed or (lap and thing.members.places <= lap * step):
                continue
            place = replace(cursor, at=thing.number, lap=lap)
            if thing.live:
                refs = thing.members.between(lap * step, (lap + 1) * step) if longest else []
                yield place, _entry(call, cursor, Part(thing, [(ref, False) for ref in refs])), 1 + len(refs)
            elif lap == 0 and thing.deleted_at and call.tenant.habits.tells_deleted_in_first_round:
                yield place, removed(thing.id, "changed"), 1


def _changes(call: Call, cursor: Cursor) -> Page:
    key = (call.tenant, _STREAM, cursor.since, cursor.until, cursor.select, cursor.ids)
    parts = call.rounds.get(key, lambda: list(_parts(call, cursor)))
    assert isinstance(parts, list)
    entries: list[Record] = []
    room = call.tenant.habits.page_size
    for number, part in enumerate(islice(parts, cursor.at, None), start=cursor.at):
        weight = 1 + len(part.edges)
        if entries and weight > room:
            return _page(call, cursor, entries, replace(cursor, at=number))
        entries.append(_entry(call, cursor, part))
        room -= weight
    return _page(call, cursor, entries, None)


def _parts(call: Call, cursor: Cursor) -> Iterator[Part]:
    """The groups that changed, long lists of edges in parts, all first parts before all second ones."""
    groups, size = call.tenant.groups, _part_size(call)
    tracked = frozenset(cursor.select or GROUP_PROPERTIES)
    assert cursor.since is not None
    waiting = [
        (groups.things[number], touch)
        for number, touch in groups.touched(cursor.since, cursor.until).items()
        if _wanted(cursor, groups.things[number])
    ]
    start = 0
    while waiting:
        for thing, touch in waiting:
            edges = list(touch.edges.items()) if _wants_members(cursor) and thing.live else []
            told = touch.properties is None or touch.properties & tracked
            if edges[start:] or (told and not start):
                yield Part(thing, edges[start : start + size], touch)
        start += size
        waiting = [(thing, touch) for thing, touch in waiting if len(touch.edges) > start]


def _page(call: Call, cursor: Cursor, entries: list[Record], following: Cursor | None) -> Page:
    return Page(
        entries,
        selection(_STREAM, cursor.select),
        rounds.page_link(call, _STREAM, cursor),
        rounds.page_link(call, _STREAM, following) if following else None,
        rounds.delta_link(call, _STREAM, cursor),
    )


def _entry(call: Call, cursor: Cursor, part: Part) -> Record:
    group, touch = part.group, part.touch
    if not group.live:
        return removed(group.id, "deleted" if group.purged else "changed")
    names = tuple(name for name in cursor.select or GROUP_DEFAULT if name != "members")
    if touch and touch.properties is not None and (call.minimal or call.tenant.habits.sparse):
        names = ("id", *(name for name in names if name in touch.properties))
    entry = only(group.record, names)
    if part.edges:
        entry["members@delta"] = [_edge(call, ref, gone) for ref, gone in part.edges]
    return entry


def _edge(call: Call, ref: Ref, gone: bool) -> Record:
    edge = typed_id(call.tenant, ref)
    return {**edge, "@removed": {"reason": "deleted"}} if gone else edge


def _wanted(cursor: Cursor, thing: Thing) -> bool:
    return thing.type == "group" and (not cursor.ids or thing.id in cursor.ids)


def _wants_members(cursor: Cursor) -> bool:
    return cursor.select is None or "members" in cursor.select


def _part_size(call: Call) -> int:
    return max(1, call.tenant.habits.page_size // 2)
