"""`GET /groups/{id}/members` and `/transitiveMembers`: who is in a group, directly or through all nesting."""

from array import array
from collections.abc import Callable, Sequence
from itertools import islice

from msgspec.structs import replace

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.groups import Groups, Ref, Thing
from connectors.simulators.microsoft365.listing import (
    DEFAULT_PAGE,
    LARGEST_PAGE,
    count_text,
    list_link,
    place_of,
)
from connectors.simulators.microsoft365.objects import directory_object, is_live, live_group, typed_id
from connectors.simulators.microsoft365.pages import Page, render, selection
from connectors.simulators.microsoft365.permissions import READ_HIDDEN_MEMBERS
from connectors.simulators.microsoft365.schema import GROUP_PROPERTIES, USER_PROPERTIES

Among = Callable[[Thing, Groups], Sequence[Ref]]


def direct(group: Thing, _groups: Groups) -> Sequence[Ref]:
    """The direct members, in order of joining."""
    return array("q", group.members)


def transitive(group: Thing, groups: Groups) -> Sequence[Ref]:
    """Everybody and everything below the group, each once."""
    return groups.closure(group)


def members(among: Among) -> Callable[[Call], Body]:
    """What answers a list of members."""
    return lambda call: render(call, _page(call, among))


def count(among: Among) -> Callable[[Call], Body]:
    """What answers the number of members."""
    return lambda call: count_text(call, _total(call, _refs(call, among, call.tenant.groups.log.position)))


def _page(call: Call, among: Among) -> Page:
    for option in ("$filter", "$search", "$expand", "$orderby"):
        if option in call.query:
            raise refusals.not_played(f"{option} on members")
    place = place_of(call) or replace(call.cursor(call.path), until=call.tenant.groups.log.position)
    refs, top = _refs(call, among, place.until), call.query.top(DEFAULT_PAGE, LARGEST_PAGE)
    select = call.query.selected(USER_PROPERTIES | GROUP_PROPERTIES)
    ahead = ((at, refs[at]) for at in range(place.at, len(refs)))
    shown = list(islice(((at, ref) for at, ref in ahead if _shown(call, ref)), top + 1))
    following = list_link(call, replace(place, at=shown[top][0])) if len(shown) > top else None
    entries = [directory_object(call, ref, select) for _, ref in shown[:top]]
    total = _total(call, refs) if _advanced(call) else None
    return Page(entries, selection(_collection(call), select), list_link(call, place), following, count=total)


def _refs(call: Call, among: Among, position: int) -> Sequence[Ref]:
    """The members as they were at this position of the log, while that is remembered; else as they are.

    So a listing neither skips nor repeats anybody because somebody left the group between two pages.
    """
    group = live_group(call)
    if group.hidden and call.permissions.isdisjoint(READ_HIDDEN_MEMBERS):
        raise refusals.denied()
    if _cast(call) and not call.path.endswith("/$count") and not _advanced(call):
        raise refusals.unsupported(
            "Request with only OData cast is not supported. Add the header ConsistencyLevel: eventual and $count=true."
        )
    key = (call.tenant, among, group.number, position)
    refs = call.rounds.get(key, lambda: among(group, call.tenant.groups))
    assert isinstance(refs, Sequence | array)
    return refs


def _total(call: Call, refs: Sequence[Ref]) -> int:
    return sum(1 for ref in refs if _shown(call, ref))


def _shown(call: Call, ref: Ref) -> bool:
    cast = _cast(call)
    return is_live(call.tenant, ref) and (not cast or typed_id(call.tenant, ref)["@odata.type"] == f"#{cast}")


def _cast(call: Call) -> str | None:
    return next((part for part in call.path.split("/") if part.startswith("microsoft.graph.")), None)


def _collection(call: Call) -> str:
    cast = _cast(call)
    return f"{cast.rpartition('.')[2]}s" if cast else "directoryObjects"


def _advanced(call: Call) -> bool:
    return call.eventual and call.query.get("$count").lower() == "true"
