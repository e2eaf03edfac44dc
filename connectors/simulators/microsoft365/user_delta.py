"""`GET /users/delta`: everybody in the first round, then whoever changed since."""

import msgspec
from msgspec.structs import replace

from connectors.simulators.bodies import Body, Packed
from connectors.simulators.microsoft365 import rounds
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.cursors import Cursor
from connectors.simulators.microsoft365.pages import Page, removed, render, selection
from connectors.simulators.microsoft365.schema import (
    OUTSIDE_THE_DIRECTORY,
    USER_DEFAULT,
    USER_PROPERTIES,
    Record,
    only,
)

_STREAM = "users"
_WORTH_PACKING = 50
Touched = list[tuple[int, frozenset[str] | None]]


def users_delta(call: Call) -> Body:
    """One page of a round. A page holds the changes of so many users, live or not: some are short, some are empty."""
    users = call.tenant.users
    select = call.query.selected(USER_PROPERTIES, OUTSIDE_THE_DIRECTORY)
    cursor = rounds.opening(call, _STREAM, select, users.log.position, users.count)
    if cursor.stream != _STREAM or cursor.since == cursor.until:
        return render(call, rounds.nothing_new(call, _STREAM, cursor))
    return render(call, _changes(call, cursor) if cursor.since is not None else _everybody(call, cursor))


def _everybody(call: Call, cursor: Cursor) -> Page:
    if cursor.ids:
        return _page(call, cursor, _some_of_all(call, cursor), cursor.extent)
    end = min(cursor.at + call.tenant.habits.page_size, cursor.extent)
    if end - cursor.at < _WORTH_PACKING:
        return _page(call, cursor, _born(call, cursor, end), end)
    version = call.tenant.users.version(cursor.at, end)
    key = (call.tenant, call.tenant.habits, cursor.select, cursor.at, end, version)
    packed = call.packed_pages.get(key, lambda: Packed(_born_json(call, cursor, end)))
    return _page(call, cursor, packed, end)


def _page(call: Call, cursor: Cursor, entries: list[Record] | Packed, reached: int) -> Page:
    following = rounds.page_link(call, _STREAM, replace(cursor, at=reached)) if reached < cursor.extent else None
    here, end = rounds.page_link(call, _STREAM, cursor), rounds.delta_link(call, _STREAM, cursor)
    return Page(entries, selection(_STREAM, cursor.select), here, following, end)


def _born(call: Call, cursor: Cursor, end: int) -> list[Record]:
    users, names = call.tenant.users, cursor.select or USER_DEFAULT
    tells_deleted = call.tenant.habits.tells_deleted_in_first_round
    everybody_lives = not users.deleted and not users.purged
    return [
        only(users.record(number), names)
        if everybody_lives or users.live(number)
        else removed(users.id(number), "changed")
        for number in range(cursor.at, end)
        if everybody_lives or users.live(number) or (tells_deleted and number in users.deleted)
    ]


def _born_json(call: Call, cursor: Cursor, end: int) -> bytes:
    untouched = call.tenant.users.json(cursor.at, end, cursor.select or USER_DEFAULT)
    return untouched or msgspec.json.encode(_born(call, cursor, end))


def _some_of_all(call: Call, cursor: Cursor) -> list[Record]:
    numbers = (call.tenant.users.number(ident) for ident in cursor.ids)
    born = (replace(cursor, at=number) for number in numbers if number is not None and number < cursor.extent)
    return [entry for place in born for entry in _born(call, place, place.at + 1)]


def _changes(call: Call, cursor: Cursor) -> Page:
    """A page of those whose selected properties changed, or who came, went or came back."""
    key = (call.tenant, _STREAM, cursor.since, cursor.until, cursor.select, cursor.ids)
    touched = call.rounds.get(key, lambda: _touched(call, cursor))
    assert isinstance(touched, list)
    end = cursor.at + call.tenant.habits.page_size
    entries = [_entry(call, cursor, number, changed) for number, changed in touched[cursor.at : end]]
    if call.minimal:
        call.answer_headers["Preference-Applied"] = "return=minimal"
    return _page(call, replace(cursor, extent=len(touched)), entries, min(end, len(touched)))


def _touched(call: Call, cursor: Cursor) -> Touched:
    users, tracked = call.tenant.users, frozenset(cursor.select or USER_PROPERTIES)
    wanted = {users.number(ident) for ident in cursor.ids}
    assert cursor.since is not None
    return [
        (number, changed)
        for number, changed in users.touched(cursor.since, cursor.until).items()
        if (changed is None or changed & tracked) and (not wanted or number in wanted)
    ]


def _entry(call: Call, cursor: Cursor, number: int, changed: frozenset[str] | None) -> Record:
    users, names = call.tenant.users, cursor.select or USER_DEFAULT
    if not users.live(number):
        return removed(users.id(number), "changed" if number in users.deleted else "deleted")
    if changed is not None and (call.minimal or call.tenant.habits.sparse):
        names = ("id", *(name for name in names if name in changed))
    return only(users.record(number), names)
