"""`GET /users`, `/groups` and the recycle bin: plain lists, with `$select`, `$filter`, `$top` and `$count`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote

from msgspec.structs import replace

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.cursors import Cursor
from connectors.simulators.microsoft365.filters import Filter, compile_filter
from connectors.simulators.microsoft365.objects import one
from connectors.simulators.microsoft365.pages import Page, render, selection
from connectors.simulators.microsoft365.schema import (
    GROUP_DEFAULT,
    GROUP_PROPERTIES,
    OUTSIDE_THE_DIRECTORY,
    USER_DEFAULT,
    USER_PROPERTIES,
    Record,
    every,
)
from connectors.simulators.microsoft365.tenant import Tenant

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
Numbered = Iterator[tuple[int, Record]]


@dataclass(frozen=True, slots=True)
class Collection:
    """A list of one type: what its objects have, and who is in it from a number on."""

    name: str
    known: frozenset[str]
    default: tuple[str, ...]
    from_number: Callable[[Tenant, int], Numbered]
    size: Callable[[Tenant], int]
    elsewhere: frozenset[str] = frozenset()


def _users(tenant: Tenant, start: int) -> Numbered:
    return ((number, tenant.users.record(number)) for number in tenant.users.live_numbers(start))


def _groups(tenant: Tenant, start: int) -> Numbered:
    return ((group.number, group.record) for group in tenant.groups.live_groups() if group.number >= start)


def _deleted_users(tenant: Tenant, start: int) -> Numbered:
    return ((number, tenant.users.record(number)) for number in sorted(tenant.users.deleted) if number >= start)


def _deleted_groups(tenant: Tenant, start: int) -> Numbered:
    return ((number, _dead_group(tenant, number)) for number in sorted(tenant.groups.deleted) if number >= start)


def _dead_group(tenant: Tenant, number: int) -> Record:
    deleted_at = tenant.groups.deleted[number]
    return {**tenant.groups.things[number].record, "deletedDateTime": deleted_at.strftime("%Y-%m-%dT%H:%M:%SZ")}


_GROUPS_KNOWN = GROUP_PROPERTIES - {"members", "owners"}
USERS = Collection(
    "users", USER_PROPERTIES, USER_DEFAULT, _users, lambda tenant: tenant.users.live_count, OUTSIDE_THE_DIRECTORY
)
GROUPS = Collection(
    "groups", _GROUPS_KNOWN, GROUP_DEFAULT, _groups, lambda tenant: sum(1 for _ in tenant.groups.live_groups())
)
DELETED_USERS = Collection(
    "users",
    USER_PROPERTIES,
    (*USER_DEFAULT, "deletedDateTime"),
    _deleted_users,
    lambda tenant: len(tenant.users.deleted),
)
DELETED_GROUPS = Collection(
    "groups", _GROUPS_KNOWN, GROUP_DEFAULT, _deleted_groups, lambda tenant: len(tenant.groups.deleted)
)


def list_of(collection: Collection) -> Callable[[Call], Body]:
    """What answers `GET` on a collection."""
    return lambda call: render(call, _page(call, collection))


def count_of(collection: Collection) -> Callable[[Call], Body]:
    """What answers `GET …/$count`, as plain text."""
    return lambda call: count_text(call, _count(call, collection))


def deleted_item(call: Call) -> Body:
    """`GET /directory/deletedItems/{id}`."""
    tenant, ident = call.tenant, call.ids[0]
    number = tenant.users.number(ident)
    if number is not None and number in tenant.users.deleted:
        asked = call.query.selected(USER_PROPERTIES)
        record = every(tenant.users.record(number), asked or DELETED_USERS.default)
        return one(call, "directoryObjects", asked, {"@odata.type": "#microsoft.graph.user", **record})
    group = tenant.groups.find(ident)
    if group is not None and group.number in tenant.groups.deleted:
        asked = call.query.selected(_GROUPS_KNOWN)
        record = every(_dead_group(tenant, group.number), asked or GROUP_DEFAULT)
        return one(call, "directoryObjects", asked, {"@odata.type": "#microsoft.graph.group", **record})
    raise refusals.not_found(ident)


def untyped_deleted_items(call: Call) -> Body:
    """`GET /directory/deletedItems` without the cast that says of what."""
    raise refusals.unsupported("The recycle bin is listed one type at a time: add microsoft.graph.user or .group.")


def count_text(call: Call, count: int) -> bytes:
    """A count by itself. Raises Refusal where the client does not accept the index that counts."""
    if not call.eventual:
        raise refusals.Refusal(400, "Request_BadRequest", "$count is not currently supported.")
    call.answer_headers["Content-Type"] = "text/plain;charset=utf-8"
    fault = call.meets("short_count")
    return str(max(0, count - fault.entries) if fault else count).encode()


def list_link(call: Call, place: Cursor) -> str:
    """The link to a place of a list: the same query, with a token."""
    kept = [part for part in call.query.text.split("&") if part and not unquote(part).lower().startswith("$skiptoken")]
    return f"{call.root}{call.path}?{'&'.join([*kept, f'$skiptoken={call.sealer.token(place)}'])}"


def place_of(call: Call) -> Cursor | None:
    """Where in the list this request goes on; None at its beginning. Raises Refusal for a token of another list."""
    if not call.query.token:
        return None
    cursor = call.sealer.read(call.query.token)
    if cursor.tenant != call.tenant.id or cursor.stream != call.path or call.meets("malformed"):
        raise refusals.malformed_token()
    if call.meets("expired"):
        raise refusals.expired_page_token()
    if call.meets("page_lost"):
        raise refusals.lost_page_token()
    return cursor


def _page(call: Call, collection: Collection) -> Page:
    place, condition = place_of(call) or call.cursor(call.path), _filter(call, collection)
    select = call.query.selected(collection.known, collection.elsewhere)
    top = call.query.top(DEFAULT_PAGE, LARGEST_PAGE)
    found = list(islice(_matching(call, collection, condition, place.at), top + 1))
    entries = [every(record, select or collection.default) for _, record in found[:top]]
    following = list_link(call, replace(place, at=found[top][0])) if len(found) > top else None
    counted = _count(call, collection) if call.eventual and call.query.get("$count").lower() == "true" else None
    return Page(entries, selection(collection.name, select), list_link(call, place), following, count=counted)


def _matching(call: Call, collection: Collection, condition: Filter, start: int) -> Numbered:
    everyone = collection.from_number(call.tenant, start)
    return ((number, record) for number, record in everyone if condition.matches(record))


def _count(call: Call, collection: Collection) -> int:
    condition = _filter(call, collection)
    if not call.query.get("$filter"):
        return collection.size(call.tenant)
    return sum(1 for _ in _matching(call, collection, condition, 0))


def _filter(call: Call, collection: Collection) -> Filter:
    for option in ("$search", "$expand", "$orderby"):
        if option in call.query:
            raise refusals.not_played(f"{option} on {call.path}")
    condition = compile_filter(call.query.get("$filter"), collection.known)
    if condition.advanced and not (call.eventual and call.query.get("$count").lower() == "true"):
        raise refusals.unsupported("Unsupported or invalid query filter clause specified for the requested property.")
    return condition
