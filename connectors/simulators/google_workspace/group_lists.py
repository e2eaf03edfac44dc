"""`groups.list` and `groups.get`."""

import re
from collections.abc import Callable

from msgspec.structs import replace

from connectors.simulators.bodies import Body
from connectors.simulators.google_workspace import masks, pages, refusals
from connectors.simulators.google_workspace.call import Call
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.groups import Group, shown
from connectors.simulators.google_workspace.membership import live_members
from connectors.simulators.google_workspace.pages import Page
from connectors.simulators.google_workspace.schema import Record
from connectors.simulators.google_workspace.single import one

LARGEST_PAGE = 200
_CLAUSE = re.compile(r"(email|name|memberKey)\s*([:=])\s*['\"]?([^'\"]*?)(\*?)['\"]?")


def groups(call: Call) -> Body:
    """`GET /groups`."""
    if "userKey" in call.query and "customer" in call.query:
        raise refusals.bad_request()
    call.choice("orderBy", "email")
    customer = _customer(call)
    with customer.lock:
        found = [group for group in customer.groups.by_address() if _condition(call, customer)(group)]
        if call.choice("sortOrder", "ASCENDING", "DESCENDING") == "DESCENDING":
            return _page(call, customer, found[::-1], descending=True)
        return _page(call, customer, found, descending=False)


def group(call: Call) -> Body:
    """`GET /groups/{groupKey}`, by id, address or alias."""
    customer, found = group_of(call)
    with customer.lock:
        return one(call, _shown(call, customer, found))


def group_of(call: Call) -> tuple[Customer, Group]:
    """The group that the path names, and whose it is. Raises Refusal: 403 for another organization's."""
    key = call.names["groupKey"]
    for customer in call.visible():
        if (found := customer.groups.find(key)) is not None:
            return customer, found
    if any(_is_foreign(customer, key) for customer in call.customers):
        raise refusals.forbidden()
    raise refusals.not_found("groupKey")


def _is_foreign(customer: Customer, key: str) -> bool:
    """Whether a key is that of a group that somebody else has."""
    return customer.groups.find(key) is not None or customer.groups.knows_foreign(key)


def _customer(call: Call) -> Customer:
    if domain := call.query.get("domain"):
        return call.customer_of_domain(domain)
    if ident := call.query.get("customer"):
        return call.customer(ident)
    if "userKey" in call.query:
        return call.visible()[0]
    raise refusals.bad_request()


def _condition(call: Call, customer: Customer) -> Callable[[Group], bool]:
    wanted = [_clause(customer, call.query["query"])] if call.query.get("query") else []
    if domain := call.query.get("domain"):
        wanted.append(lambda group: group.email.endswith(f"@{domain.lower()}"))
    if key := call.query.get("userKey"):
        wanted.append(_holding(customer, key))
    return lambda group: all(holds(group) for holds in wanted)


def _clause(customer: Customer, text: str) -> Callable[[Group], bool]:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        raise refusals.not_played(f"the query {text} for groups")
    field, _, value, star = match.groups()
    if field == "memberKey":
        return _holding(customer, value)
    wanted = value.casefold()
    return lambda group: _fits(group.email if field == "email" else group.name, wanted, begins=bool(star))


def _fits(text: str, wanted: str, *, begins: bool) -> bool:
    return text.casefold().startswith(wanted) if begins else text.casefold() == wanted


def _holding(customer: Customer, key: str) -> Callable[[Group], bool]:
    ident = key
    if "@" in key:
        number, inner = customer.users.find(key), customer.groups.find(key)
        ident = inner.id if inner else customer.users.id(number) if number is not None else ""
        if not ident:
            raise refusals.not_found("userKey")
    return lambda group: group.place_of(ident) is not None


def _page(call: Call, customer: Customer, found: list[Group], *, descending: bool) -> Body:
    place, size = call.place(customer), call.number("maxResults", LARGEST_PAGE, LARGEST_PAGE)
    if place.after:
        found = [group for group in found if group.email != place.after and (group.email < place.after) is descending]
    some, mask = found[:size], masks.below(call.mask, "groups")
    leads_on = len(some) == size and (customer.habits.empty_last_page or len(found) > size)
    rows = [masks.masked(_shown(call, customer, group), mask) for group in some]
    page = Page(
        "admin#directory#groups", "groups", rows, place,
        replace(place, after=some[-1].email) if leads_on else None,
        lambda entries: replace(place, after=some[-1 - entries].email if entries < len(some) else place.after),
    )  # fmt: skip
    return pages.render(call, page, f"groups/{place.after}")


def _shown(call: Call, customer: Customer, group: Group) -> Record:
    fault = call.meets("wrong_count")
    count = sum(1 for _ in live_members(customer, group))
    return shown(group, count + (fault.entries if fault else 0))
