"""Rows of an export as accounts.

The identity is Entra's object id where the export has one, else the address in lower case, which is not stable: a
renamed person is somebody new then. Every mailbox is taken for a user's, since no export tells (S6). Where a column
holds one of a few words, a word that is none of them says nothing.
"""

import re
from collections.abc import Callable, Iterator

from connectors.base import Seen
from connectors.file.rows import Row, Table

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORDS = {
    # Spreadsheets write truth in the language of whoever saved the file.
    "enabled": (
        {"true", "yes", "1", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar"},
        {"false", "no", "0", "falsch", "faux", "falso", "onwaar"},
    ),
    "status": (
        {"active", "allowed", "sign-in allowed", "enabled"},
        {"suspended", "archived", "blocked", "sign-in blocked", "disabled"},
    ),
}
_TEXTS = (
    "org_unit",
    "department",
    "job_title",
    "company",
    "office",
    "city",
    "state",
    "country",
    "employee_type",
    "cost_center",
)
"""The last columns of an account, in the order of `Seen`."""
Texts = Callable[[Row], str | None]


def accounts(table: Table) -> Iterator[Seen]:
    """The account of each row. Raises NeedsPerson for a row that names nobody."""
    identity, address, name = _identity(table), _first(table, "upn", "mail"), _name(table)
    enabled, guest, deleted = _enabled(table), _text(table, "user_type"), _text(table, "deleted")
    places = [table.places.get(column) for column in _TEXTS]
    for row in table:
        id, kind = identity(row), guest(row)
        if deleted(row):
            yield Seen(id, gone="deleted")
            continue
        is_guest = None if kind is None else kind.lower() == "guest"
        texts = [None if place is None else row.fields[place].strip() for place in places]
        yield Seen(id, address(row), name(row), enabled(row), is_guest, "user", *texts)


def has_stable_ids(table: Table) -> bool:
    """Whether the export has a column for Entra's object id."""
    return "id" in table.places


def _identity(table: Table) -> Callable[[Row], str]:
    own, address = _text(table, "id"), _first(table, "upn", "mail")

    def identity(row: Row) -> str:
        id = (own(row) or "").lower()
        if id and not _GUID.fullmatch(id):
            raise table.broken(row.line, f"{id[:40]!r} is no object id")
        named = id or (address(row) or "").lower()
        if not named:
            raise table.broken(row.line, "it has neither an object id nor an address")
        return named

    return identity


def _text(table: Table, column: str) -> Texts:
    """What stands in a column; None where the export has no such column."""
    place = table.places.get(column)
    return lambda row: None if place is None else row.fields[place].strip()


def _first(table: Table, *columns: str) -> Texts:
    """What stands in the first of these columns that is filled; None where the export has none of them."""
    texts = [_text(table, column) for column in columns if column in table.places]
    if not texts:
        return lambda _row: None
    return lambda row: next((text for read in texts if (text := read(row))), "")


def _name(table: Table) -> Texts:
    whole, first, last = (_text(table, column) for column in ("name", "first", "last"))
    if not {"name", "first", "last"} & table.places.keys():
        return lambda _row: None
    return lambda row: whole(row) or f"{first(row) or ''} {last(row) or ''}".strip()


def _enabled(table: Table) -> Callable[[Row], bool | None]:
    """Whether the account may sign in, from whichever column says so."""
    if "enabled" in table.places:
        return _either(table, "enabled", "enabled")
    if "blocked" in table.places:
        blocked = _either(table, "blocked", "enabled")
        return lambda row: None if (said := blocked(row)) is None else not said
    return _either(table, "status", "status")


def _either(table: Table, column: str, words: str) -> Callable[[Row], bool | None]:
    text, (yes, no) = _text(table, column), _WORDS[words]

    def said(row: Row) -> bool | None:
        word = (text(row) or "").lower()
        return True if word in yes else False if word in no else None

    return said
