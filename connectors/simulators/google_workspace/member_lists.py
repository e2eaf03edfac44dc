"""`members.list`, `members.get` and `hasMember`."""

from itertools import islice

import msgspec
from msgspec.structs import replace

from connectors.simulators.bodies import Body
from connectors.simulators.google_workspace import masks, pages, refusals
from connectors.simulators.google_workspace.call import Call, Place
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.group_lists import group_of
from connectors.simulators.google_workspace.groups import Group, Member
from connectors.simulators.google_workspace.membership import derived, live_members, row
from connectors.simulators.google_workspace.pages import Page
from connectors.simulators.google_workspace.single import one

LARGEST_PAGE = 200
_ROLES = frozenset({"OWNER", "MANAGER", "MEMBER"})


def members(call: Call) -> Body:
    """`GET /groups/{groupKey}/members`."""
    customer, group = group_of(call)
    with customer.lock:
        customer.settle(call.now)
        place, size = call.place(customer), call.number("maxResults", LARGEST_PAGE, LARGEST_PAGE)
        roles = frozenset(call.query.get("roles", ",".join(_ROLES)).split(","))
        if not roles <= _ROLES:
            raise refusals.bad_parameter("roles", call.query["roles"])
        found = _found(call, customer, group, place)
        some = list(islice(((at, member) for at, member in found if member.role in roles), size + 1))
        return _page(call, customer, group, place, some[:size], more=len(some) > size)


def member(call: Call) -> Body:
    """`GET /groups/{groupKey}/members/{memberKey}`, by id or address."""
    customer, group = group_of(call)
    with customer.lock:
        ident = _ident(customer, call.names["memberKey"])
        for _, one_of_them in live_members(customer, group):
            if ident in (one_of_them.id, one_of_them.email):
                return one(call, row(customer, one_of_them))
    raise refusals.not_found("memberKey")


def has_member(call: Call) -> Body:
    """`GET /groups/{groupKey}/hasMember/{memberKey}`: through other groups, too."""
    customer, group = group_of(call)
    with customer.lock:
        ident = _ident(customer, call.names["memberKey"])
        if customer.users.number(ident) is None and customer.groups.of(ident) is None:
            raise refusals.invalid("memberKey")
        found = any(one_of_them.id == ident for one_of_them in derived(customer, group))
        return msgspec.json.encode({"isMember": found})


def _ident(customer: Customer, key: str) -> str:
    if "@" not in key:
        return key
    group, number = customer.groups.find(key), customer.users.find(key)
    return group.id if group else customer.users.id(number) if number is not None else key


def _found(call: Call, customer: Customer, group: Group, place: Place) -> list[tuple[int, Member]]:
    """Members after a place, each with its own place: when it joined, or how many came before it."""
    if call.says("includeDerivedMembership"):
        return list(islice(enumerate(derived(customer, group), 1), place.at, None))
    return [(at, one_of_them) for at, one_of_them in live_members(customer, group) if at > place.at]


def _page(
    call: Call, customer: Customer, group: Group, place: Place, some: list[tuple[int, Member]], *, more: bool
) -> Body:
    mask, size = masks.below(call.mask, "members"), call.number("maxResults", LARGEST_PAGE, LARGEST_PAGE)
    shown = [one_of_them for _, one_of_them in some]
    if call.meets("circle"):
        shown = [Member(group.id, "MEMBER", "GROUP"), *shown]
    leads_on = more or (len(some) == size and customer.habits.empty_last_page)
    page = Page(
        "admin#directory#members", "members", [masks.masked(row(customer, each), mask) for each in shown], place,
        replace(place, at=some[-1][0]) if leads_on else None,
        lambda entries: replace(place, at=some[-1 - entries][0] if entries < len(some) else place.at),
    )  # fmt: skip
    return pages.render(call, page, f"members/{group.version}/{place.at}")
