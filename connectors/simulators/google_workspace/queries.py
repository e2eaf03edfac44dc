"""The `query` parameter of `users.list`: clauses side by side, all of which have to hold."""

import re
from collections.abc import Callable

from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.schema import Record

Condition = Callable[[Record], bool]
_CLAUSE = re.compile(r"\s*([\w.]+)\s*(:|=)\s*(?:'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"|(\S+))")
_FLAGS = {
    "isSuspended": "suspended",
    "isArchived": "archived",
    "isAdmin": "isAdmin",
    "isDelegatedAdmin": "isDelegatedAdmin",
    "isEnrolledIn2Sv": "isEnrolledIn2Sv",
    "isEnforcedIn2Sv": "isEnforcedIn2Sv",
}


def compile_query(text: str, customer: Customer) -> Condition:
    """What users have to be. Raises Refusal (400) for what cannot be read, or is not played."""
    conditions, rest = [], text
    while rest.strip():
        match = _CLAUSE.match(rest)
        if match is None:
            raise refusals.invalid("query")
        value = next((group for group in match.groups()[2:] if group is not None), "")
        conditions.append(_clause(match[1], match[2], re.sub(r"\\(.)", r"\1", value), customer))
        rest = rest[match.end() :]
    return lambda record: all(holds(record) for holds in conditions)


def _clause(field: str, operator: str, value: str, customer: Customer) -> Condition:
    if field in _FLAGS:
        wanted = value.lower() == "true"
        return lambda record: bool(record.get(_FLAGS[field])) is wanted
    if field == "email":
        return _text(lambda record: _addresses(record), operator, value)
    if field in ("givenName", "familyName", "name"):
        return _text(lambda record: _names(record, field), operator, value)
    if field == "orgUnitPath":
        return _in_unit(value, customer)
    raise refusals.not_played(f"{field} in a query")


def _text(texts: Callable[[Record], list[str]], operator: str, value: str) -> Condition:
    wanted = value.casefold()
    if operator == "=":
        return lambda record: any(text.casefold() == wanted for text in texts(record))
    if wanted.endswith("*"):
        return lambda record: any(text.casefold().startswith(wanted[:-1]) for text in texts(record))
    return lambda record: any(wanted in text.casefold() for text in texts(record))


def _addresses(record: Record) -> list[str]:
    aliases = record.get("aliases")
    return [str(record["primaryEmail"]), *(map(str, aliases) if isinstance(aliases, list) else ())]


def _names(record: Record, field: str) -> list[str]:
    name = record.get("name")
    fields = ("givenName", "familyName", "fullName") if field == "name" else (field,)
    return [str(name.get(one, "")) for one in fields] if isinstance(name, dict) else []


def _in_unit(path: str, customer: Customer) -> Condition:
    """In the unit or anywhere below it."""
    unit = customer.units.find(path)
    if unit is None or not path.startswith("/"):
        raise refusals.invalid("INVALID_OU_ID")
    own = customer.units.path(unit)
    below = own.rstrip("/") + "/"
    return lambda record: record.get("orgUnitPath") == own or str(record.get("orgUnitPath")).startswith(below)
