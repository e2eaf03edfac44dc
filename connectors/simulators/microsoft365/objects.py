"""Directory objects of any type, one by one: as members, by their ids, and by themselves."""

import re
from collections.abc import Iterable

import msgspec

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.groups import Ref, Thing
from connectors.simulators.microsoft365.mailboxes import settings_of
from connectors.simulators.microsoft365.pages import Page, render, selection
from connectors.simulators.microsoft365.permissions import READ_GROUPS, READ_MAILBOXES, READ_USERS
from connectors.simulators.microsoft365.schema import (
    GROUP_DEFAULT,
    GROUP_PROPERTIES,
    USER_DEFAULT,
    USER_PROPERTIES,
    Record,
    every,
)
from connectors.simulators.microsoft365.tenant import Tenant

_MOST_IDS = 1000
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GROUP_READABLE = tuple(name for name in GROUP_DEFAULT if name != "members")


def typed_id(tenant: Tenant, ref: Ref) -> Record:
    """The least that is told of a member: its type and its id."""
    if ref >= 0:
        return {"@odata.type": "#microsoft.graph.user", "id": tenant.users.id(ref)}
    thing = tenant.groups.of(ref)
    return {"@odata.type": f"#microsoft.graph.{thing.type}", "id": thing.id}


def is_live(tenant: Tenant, ref: Ref) -> bool:
    """Whether lists show the object: those in the recycle bin are hidden."""
    return tenant.users.live(ref) if ref >= 0 else tenant.groups.of(ref).live


def directory_object(call: Call, ref: Ref, select: tuple[str, ...] | None) -> Record:
    """An object among others of other types. What the app may not read of its type is null."""
    entry = typed_id(call.tenant, ref)
    known, default, readers = _type(entry)
    names = tuple(name for name in select or default if name in known and name != "id")
    readable = not call.permissions.isdisjoint(readers)
    record = _record(call.tenant, ref) if readable else {}
    return entry | every(record, names)


def user(call: Call) -> Body:
    """`GET /users/{id}`, by id or sign-in name."""
    number = live_user(call)
    asked = call.query.selected(USER_PROPERTIES | {"mailboxSettings"})
    entry = every(call.tenant.users.record(number), asked or USER_DEFAULT)
    if asked and "mailboxSettings" in asked:
        if call.permissions.isdisjoint(READ_MAILBOXES):
            raise refusals.access_denied()
        entry["mailboxSettings"] = settings_of(call, number)
    return one(call, "users", asked, entry)


def group(call: Call) -> Body:
    """`GET /groups/{id}`."""
    _refuse_expand(call)
    asked = call.query.selected(GROUP_PROPERTIES - {"members", "owners"})
    return one(call, "groups", asked, every(live_group(call).record, asked or _GROUP_READABLE))


def get_by_ids(call: Call) -> Body:
    """`POST /directoryObjects/getByIds`: the live ones among up to 1,000 ids."""
    asked = _asked(call)
    refs = [ref for ident in asked.ids if (ref := _ref(call.tenant, ident)) is not None and is_live(call.tenant, ref)]
    select = call.query.selected(USER_PROPERTIES | GROUP_PROPERTIES)
    entries = [directory_object(call, ref, select) for ref in refs if asked.wants(typed_id(call.tenant, ref))]
    return render(call, Page(entries, selection("directoryObjects", select)))


def live_user(call: Call) -> int:
    """The number of the user whom the path names. Raises Refusal (404) where nobody alive is meant."""
    ident = call.ids[0]
    users = call.tenant.users
    number = users.find(ident) if "@" in ident else users.number(ident)
    if number is None or not users.live(number):
        raise refusals.not_found(ident)
    return number


def live_group(call: Call) -> Thing:
    """The group that the path names. Raises Refusal (404) where there is none, or it is deleted."""
    thing = call.tenant.groups.find(call.ids[0])
    if thing is None or thing.type != "group" or not thing.live:
        raise refusals.not_found(call.ids[0])
    return thing


def one(call: Call, collection: str, select: tuple[str, ...] | None, entry: Record) -> bytes:
    """A single object's JSON."""
    context = f"{call.root}/$metadata#{selection(collection, select)}/$entity"
    return msgspec.json.encode({"@odata.context": context, **entry})


class _Asked(msgspec.Struct):
    """The body of getByIds."""

    ids: list[str]
    types: list[str] = msgspec.field(default_factory=list)

    def wants(self, entry: Record) -> bool:
        name = str(entry["@odata.type"]).rpartition(".")[2].lower()
        wanted = {kind.lower() for kind in self.types}
        return not wanted or bool(wanted & {name, "directoryobject"})


def _asked(call: Call) -> _Asked:
    try:
        asked = msgspec.json.decode(call.body, type=_Asked)
    except msgspec.DecodeError as problem:
        raise refusals.Refusal(400, "BadRequest", f"Unable to read JSON request payload. {problem}") from None
    if len(asked.ids) > _MOST_IDS:
        raise refusals.Refusal(
            400, "Request_BadRequest", f"Too many ids: {len(asked.ids)}, the maximum is {_MOST_IDS}."
        )
    for ident in asked.ids:
        if not _GUID.fullmatch(ident):
            raise refusals.Refusal(400, "Request_BadRequest", f"Invalid object identifier '{ident}'.")
    return asked


def _ref(tenant: Tenant, ident: str) -> Ref | None:
    thing = tenant.groups.find(ident)
    return thing.ref if thing is not None else tenant.users.number(ident)


def _record(tenant: Tenant, ref: Ref) -> Record:
    return tenant.users.record(ref) if ref >= 0 else tenant.groups.of(ref).record


def _type(entry: Record) -> tuple[frozenset[str], Iterable[str], frozenset[str]]:
    if entry["@odata.type"] == "#microsoft.graph.user":
        return USER_PROPERTIES, USER_DEFAULT, READ_USERS
    if entry["@odata.type"] == "#microsoft.graph.group":
        return GROUP_PROPERTIES, _GROUP_READABLE, READ_GROUPS
    return frozenset({"displayName"}), ("displayName",), frozenset()


def _refuse_expand(call: Call) -> None:
    if "$expand" in call.query:
        raise refusals.not_played(f"$expand={call.query.get('$expand')} here")
