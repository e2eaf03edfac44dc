"""`users.list` and `users.get`: everybody who lives, everybody who was deleted lately, and one by one."""

from collections.abc import Sequence
from itertools import islice

from msgspec.structs import replace

from connectors.simulators.bodies import Body, Packed
from connectors.simulators.google_workspace import masks, pages, refusals
from connectors.simulators.google_workspace.call import Call, Place
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.pages import Page
from connectors.simulators.google_workspace.people import Shape
from connectors.simulators.google_workspace.queries import Condition, compile_query
from connectors.simulators.google_workspace.schema import Record
from connectors.simulators.google_workspace.single import encoded

DEFAULT_PAGE, LARGEST_PAGE = 100, 500
_KIND = "admin#directory#users"


def users(call: Call) -> Body:
    """`GET /users`."""
    customer = _customer(call)
    with customer.lock:
        customer.settle(call.now)
        if call.says("showDeleted"):
            return _deleted(call, customer)
        order = (
            call.choice("orderBy", "email", "familyName", "givenName"),
            call.choice("sortOrder", "ASCENDING", "DESCENDING"),
        )
        if order == ("email", "ASCENDING") and "query" not in call.query:
            return _by_address(call, customer)
        return _sorted(call, customer, *order)


def user(call: Call) -> Body:
    """`GET /users/{userKey}`, by id, address or alias."""
    key, shape = call.names["userKey"], shape_of(call, masked=call.mask)
    for customer in call.visible():
        with customer.lock:
            customer.settle(call.now)
            number = customer.users.find(key) if "@" in key else customer.users.number(key)
            if number is None or number in customer.users.purged:
                continue
            if number in customer.users.deleted:
                raise refusals.deleted()
            return encoded(shape.shown(customer.users.record(number)))
    raise refusals.not_found("userKey")


def shape_of(call: Call, masked: masks.Mask | None) -> Shape:
    """Which part of a user the request asks for."""
    projection = call.choice("projection", "basic", "full", "custom", "BASIC", "FULL", "CUSTOM").lower()
    public = call.choice("viewType", "admin_view", "domain_public") == "domain_public"
    custom = call.query.get("customFieldMask", "") if projection == "custom" else ""
    if projection == "custom" and not custom:
        raise refusals.bad_request()
    schemas = None if projection == "full" else frozenset(name for name in custom.split(",") if name)
    key = repr((call.query.get("fields", ""), projection, public, custom))
    return Shape(key, masked, public, schemas)


def _customer(call: Call) -> Customer:
    if domain := call.query.get("domain"):
        return call.customer_of_domain(domain)
    if ident := call.query.get("customer"):
        return call.customer(ident)
    raise refusals.bad_request()


def _by_address(call: Call, customer: Customer) -> Body:
    place, size = call.place(customer), call.number("maxResults", DEFAULT_PAGE, LARGEST_PAGE)
    found = _numbers(call, customer, place.after, size)
    addresses = customer.users.address
    last = _leads_on(customer, found, size) and addresses(found[-1])
    page = Page(
        _KIND, "users", _entries(call, customer, found), place,
        replace(place, after=last) if last else None,
        lambda entries: replace(place, after=addresses(found[-1 - entries]) if entries < len(found) else place.after),
    )  # fmt: skip
    return pages.render(call, page, f"users/{customer.users.version}/{place.after}")


def _numbers(call: Call, customer: Customer, after: str, size: int) -> Sequence[int]:
    users, domain = customer.users, call.query.get("domain")
    if domain is None or len(customer.domains) == 1:
        return users.after(after, size)
    ending = f"@{domain.lower()}"
    return list(islice((number for address, number in users.by_address(after) if address.endswith(ending)), size))


def _leads_on(customer: Customer, found: Sequence[int], size: int) -> bool:
    """Whether a page is told to have a successor: each full one, unless this customer's Google looks ahead."""
    if len(found) < size:
        return False
    return customer.habits.empty_last_page or bool(customer.users.after(customer.users.address(found[-1]), 1))


def _entries(call: Call, customer: Customer, found: Sequence[int]) -> Sequence[Record] | Packed:
    shape = shape_of(call, masks.below(call.mask, "users"))
    if not found or not masks.names(call.mask, "users"):
        return ()
    if call.meets("without_admin"):
        found = [number for number in found if customer.users.id(number) != call.grant.subject]
        return [shape.shown(customer.users.record(number)) for number in found]
    if isinstance(found, range):
        key = customer.id, shape.key, found, customer.users.stamp(found.start, found.stop)
        return call.packed.get(key, lambda: Packed(customer.users.json(found, shape)))
    return Packed(customer.users.json(found, shape))


def _sorted(call: Call, customer: Customer, order: str, direction: str) -> Body:
    condition = compile_query(call.query.get("query", ""), customer)
    records = _matching(call, customer, condition)
    if order != "email":
        records.sort(key=lambda record: _name(record, order))
    if direction == "DESCENDING":
        records.reverse()
    return _offset_page(call, customer, records, DEFAULT_PAGE, LARGEST_PAGE)


def _matching(call: Call, customer: Customer, condition: Condition) -> list[Record]:
    domain = call.query.get("domain")
    return [
        record
        for address, number in customer.users.by_address()
        if (domain is None or address.endswith(f"@{domain.lower()}"))
        and condition(record := customer.users.record(number))
    ]


def _name(record: Record, part: str) -> str:
    name = record.get("name")
    return str(name.get(part, "")).casefold() if isinstance(name, dict) else ""


def _deleted(call: Call, customer: Customer) -> Body:
    gone = sorted((deletion.address, number) for number, deletion in customer.users.deleted.items())
    records = [customer.users.gone(number) for _, number in gone]
    if fault := call.meets("also_deleted"):
        living = [number for _, number in islice(customer.users.by_address(), fault.entries)]
        records += [_as_if_deleted(call, customer, number) for number in living]
    return _offset_page(call, customer, records, DEFAULT_PAGE, LARGEST_PAGE)


def _as_if_deleted(call: Call, customer: Customer, number: int) -> Record:
    record = customer.users.record(number)
    kept = {name: record[name] for name in ("kind", "id", "etag", "primaryEmail", "customerId")}
    return {**kept, "deletionTime": call.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")}


def _offset_page(call: Call, customer: Customer, records: Sequence[Record], default: int, largest: int) -> Body:
    place, size = call.place(customer), call.number("maxResults", default, largest)
    shape, end = shape_of(call, masks.below(call.mask, "users")), place.at + size
    found = records[place.at : end]
    leads_on = len(found) == size and (customer.habits.empty_last_page or len(records) > end)
    page = Page(
        _KIND, "users", [shape.shown(record) for record in found], place,
        replace(place, at=end) if leads_on else None,
        lambda entries: _back(place, end - entries),
    )  # fmt: skip
    return pages.render(call, page, f"users/{customer.users.version}/{place.at}")


def _back(place: Place, at: int) -> Place:
    return replace(place, at=max(place.at, at))
