"""Who is in a group, directly and through others, as members are shown."""

from collections.abc import Iterator

from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.groups import Group, Member
from connectors.simulators.google_workspace.schema import Record

_KIND = "admin#directory#member"


def live_members(customer: Customer, group: Group) -> Iterator[tuple[int, Member]]:
    """The direct members in the order in which they joined, those aside who are deleted at present."""
    for place, member in group.members.items():
        if member.foreign or member.type != "USER" or _lives(customer, member.id):
            yield place, member


def row(customer: Customer, member: Member) -> Record:
    """A member as the API shows it. The whole organization has no address; strangers mostly have no status."""
    entry: Record = {"kind": _KIND, "etag": f'"member/{member.id}"', "id": member.id}
    email, status = _who(customer, member)
    if email is not None:
        entry["email"] = email
    entry |= {"role": member.role, "type": member.type}
    if status is not None:
        entry["status"] = status
    return entry


def derived(customer: Customer, group: Group) -> Iterator[Member]:
    """Everybody in a group, however deep: the groups between as well, and who is in two of them twice."""
    seen: set[str] = set()
    waiting = [group]
    while waiting:
        current = waiting.pop(0)
        if current.id in seen:
            continue
        seen.add(current.id)
        for _, member in live_members(customer, current):
            yield member
            if member.type == "GROUP" and (inner := customer.groups.of(member.id)) is not None:
                waiting.append(inner)
            elif member.type == "CUSTOMER":
                yield from _everybody(customer)


def _everybody(customer: Customer) -> Iterator[Member]:
    return (Member(customer.users.id(number), "MEMBER", "USER") for number in customer.users.live_numbers())


def _lives(customer: Customer, ident: str) -> bool:
    number = customer.users.number(ident)
    return number is not None and customer.users.live(number)


def _who(customer: Customer, member: Member) -> tuple[str | None, str | None]:
    """A member's address and status."""
    if member.foreign or member.type == "CUSTOMER":
        return member.email, member.status
    if (group := customer.groups.of(member.id)) is not None:
        return group.email, "ACTIVE"
    number = customer.users.number(member.id)
    if number is None:
        return member.email, member.status
    record = customer.users.record(number)
    status = "ARCHIVED" if record.get("archived") else "SUSPENDED" if record.get("suspended") else "ACTIVE"
    return str(record["primaryEmail"]), status
