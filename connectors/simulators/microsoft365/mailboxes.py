"""`GET /users/{id}/mailboxSettings`: what kind of mailbox a user has, where Exchange tells it."""

import msgspec

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.pages import selection
from connectors.simulators.microsoft365.schema import Record

_SETTINGS = frozenset({
    "archiveFolder", "automaticRepliesSetting", "dateFormat", "delegateMeetingMessageDeliveryOptions", "language",
    "timeFormat", "timeZone", "userPurpose", "workingHours",
})  # fmt: skip


def mailbox_settings(call: Call) -> Body:
    """All settings, or those that are selected."""
    settings = settings_of(call, _owner(call))
    select = [name for name in call.query.selected(_SETTINGS) or () if name != "id"]
    shown = {name: settings.get(name) for name in select} if select else settings
    context = selection(f"users('{call.ids[0]}')/mailboxSettings", tuple(select) or None)
    return _encoded(call, context, shown)


def user_purpose(call: Call) -> Body:
    """The kind alone."""
    kind = _kind(call, _owner(call))
    return _encoded(call, f"users('{call.ids[0]}')/mailboxSettings/userPurpose", {"value": kind})


def settings_of(call: Call, number: int) -> Record:
    """The settings of one mailbox. Raises Refusal where there is none, or Exchange keeps it from the app."""
    kind = _kind(call, number)
    return {
        "archiveFolder": None,
        "timeZone": "W. Europe Standard Time",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": {"value": kind} if call.tenant.habits.purpose_as_object else kind,
        "language": {"locale": "en-US", "displayName": "English (United States)"},
    }


def _owner(call: Call) -> int:
    ident = call.ids[0]
    users = call.tenant.users
    number = users.find(ident) if "@" in ident else users.number(ident)
    if number is None or number in users.purged:
        raise refusals.Refusal(404, "ErrorInvalidUser", f"The requested user '{ident}' is invalid.")
    return number


def _kind(call: Call, number: int) -> str:
    kind = call.tenant.mailbox(number) if call.tenant.users.live(number) else "none"
    if kind == "none":
        raise refusals.Refusal(
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        )
    if kind == "denied":
        raise refusals.access_denied()
    return kind


def _encoded(call: Call, context: str, value: Record) -> bytes:
    return msgspec.json.encode({"@odata.context": f"{call.root}/$metadata#{context}", **value})
