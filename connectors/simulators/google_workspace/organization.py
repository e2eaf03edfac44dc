"""Organizational units, domains, and what the customer says of itself."""

from connectors.simulators.bodies import Body
from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.call import MY_CUSTOMER, Call
from connectors.simulators.google_workspace.customer import Customer, Domain
from connectors.simulators.google_workspace.people import instant
from connectors.simulators.google_workspace.schema import Record
from connectors.simulators.google_workspace.single import one
from connectors.simulators.google_workspace.units import Unit


def units(call: Call) -> Body:
    """`GET /customer/{customerId}/orgunits`: all at once, by default those right below the root alone."""
    customer = call.customer(call.names["customerId"])
    with customer.lock:
        top = customer.units.find(call.query.get("orgUnitPath", "/"))
        if top is None:
            raise refusals.invalid("INVALID_OU_ID")
        which = call.choice("type", "children", "all", "allIncludingParent")
        found = customer.units.children(top) if which == "children" else customer.units.below(top)
        own = [customer.units.unit(top)] if which == "allIncludingParent" else []
        return _listed(call, "orgUnits", "organizationUnits", [_unit(customer, unit) for unit in (*own, *found)])


def unit(call: Call) -> Body:
    """`GET /customer/{customerId}/orgunits/{orgUnitPath}`, by path or id."""
    customer = call.customer(call.names["customerId"])
    with customer.lock:
        found = customer.units.find(call.names["orgUnitPath"])
        if found is None:
            raise refusals.Refusal(404, "notFound", "Org unit not found")
        return one(call, _unit(customer, customer.units.unit(found)))


def domains(call: Call) -> Body:
    """`GET /customer/{customer}/domains`."""
    customer = call.customer(call.names["customer"])
    return _listed(call, "domains", "domains", [_domain(customer, each) for each in customer.domains.values()])


def domain(call: Call) -> Body:
    """`GET /customer/{customer}/domains/{domainName}`."""
    customer = call.customer(call.names["customer"])
    found = customer.domains.get(call.names["domainName"].lower())
    if found is None:
        raise refusals.domain_not_found()
    return one(call, _domain(customer, found))


def customer(call: Call) -> Body:
    """`GET /customers/{customerKey}`."""
    key = call.names["customerKey"]
    found = call.customer_of_domain(key) if "." in key and key != MY_CUSTOMER else call.customer(key)
    return one(call, {
        "kind": "admin#directory#customer",
        "etag": f'"customer/{found.id}"',
        "id": found.id,
        "customerDomain": found.domain,
        "alternateEmail": "admin@elsewhere.example",
        "customerCreationTime": instant(found.created_at),
        "language": "en",
        "postalAddress": {"organizationName": found.name, "countryCode": "NL"},
    })  # fmt: skip


def _listed(call: Call, kind: str, key: str, rows: list[Record]) -> bytes:
    """A list that comes at once; the key for its entries is missing where there are none."""
    if call.meets("empty_list"):
        rows = []
    if fault := call.meets("lost_rows"):
        rows = rows[: -fault.entries]
    head: Record = {"kind": f"admin#directory#{kind}", "etag": f'"{kind}/{len(rows)}"'}
    return one(call, {**head, key: rows} if rows else head)


def _unit(customer: Customer, found: Unit) -> Record:
    record: Record = {
        "kind": "admin#directory#orgUnit",
        "etag": f'"unit/{found.id}"',
        "name": found.name,
        "description": found.description,
        "orgUnitPath": customer.units.path(found.id),
        "orgUnitId": found.id,
        "blockInheritance": False,
    }
    if found.parent is not None:
        record |= {"parentOrgUnitPath": customer.units.path(found.parent), "parentOrgUnitId": found.parent}
    return record


def _domain(customer: Customer, found: Domain) -> Record:
    created = str(int(found.created.timestamp() * 1000))
    aliases = [
        {
            "kind": "admin#directory#domainAlias",
            "etag": f'"alias/{name}"',
            "domainAliasName": name,
            "parentDomainName": found.name,
            "verified": True,
            "creationTime": created,
        }
        for name in found.aliases
    ]
    return {
        "kind": "admin#directory#domain",
        "etag": f'"domain/{found.name}"',
        "domainName": found.name,
        "isPrimary": found.name == customer.domain,
        "verified": True,
        "creationTime": created,
        **({"domainAliases": aliases} if aliases else {}),
    }
