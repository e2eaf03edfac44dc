"""`activities.list` of the Reports API: what administrators did, for the application `admin`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from connectors.simulators.bodies import Body
from connectors.simulators.google_workspace import masks, pages, refusals
from connectors.simulators.google_workspace.audit import Event
from connectors.simulators.google_workspace.call import Call
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.pages import Page
from connectors.simulators.google_workspace.schema import Record

LARGEST_PAGE = 1000
_KEPT_FOR = timedelta(days=180)


def activities(call: Call) -> Body:
    """`GET /reports/v1/activity/users/{userKey}/applications/admin`, newest first."""
    if call.names["applicationName"] != "admin":
        raise refusals.not_played(f"activities of {call.names['applicationName']}")
    if "filters" in call.query:
        raise refusals.not_played("filters of activities")
    customer = call.customer(call.query.get("customerId", "my_customer"))
    with customer.lock:
        place, size = call.place(customer), call.number("maxResults", LARGEST_PAGE, LARGEST_PAGE)
        found = [event for event in _told(call, customer) if not place.at or event.number < place.at - 1]
        rows = [_row(customer, event) for event in found[:size]]
    mask = masks.below(call.mask, "items")
    page = Page(
        "admin#reports#activities", "items", [masks.masked(row, mask) for row in rows], place,
        replace(place, at=found[size - 1].number + 1) if len(found) > size else None,
    )  # fmt: skip
    return pages.render(call, page, f"activities/{place.at}")


def _row(customer: Customer, event: Event) -> Record:
    return event.shown(customer.id, f"admin@{customer.domain}", "100000000000000000001")


def _told(call: Call, customer: Customer) -> Iterator[Event]:
    """What is told by now of what was asked for."""
    habits = customer.habits
    begin = max(_time(call, "startTime") or call.now - _KEPT_FOR, call.now - _KEPT_FOR)
    end = min(_time(call, "endTime") or call.now, call.now)
    name, actor = call.query.get("eventName"), call.names["userKey"]
    for event in customer.audit.newest_first():
        late = event.at + timedelta(seconds=habits.audit_lag) > call.now
        lost = habits.audit_loses and event.number % habits.audit_loses == habits.audit_loses - 1
        if late or lost or not begin <= event.at <= end:
            continue
        if name in (None, event.name) and actor in ("all", f"admin@{customer.domain}"):
            yield event


def _time(call: Call, name: str) -> datetime | None:
    text = call.query.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise refusals.invalid(name) from None
    if at.tzinfo is None:
        raise refusals.invalid(name)
    return at
