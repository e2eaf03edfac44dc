"""Pages of lists as JSON, with the token of the next one, and as wrong as was ordered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from connectors.simulators.bodies import Body, Packed, Stitched
from connectors.simulators.google_workspace import masks
from connectors.simulators.google_workspace.call import Call, Place
from connectors.simulators.google_workspace.faults import Fault
from connectors.simulators.google_workspace.schema import Record

NOBODY = "999999999999999999999"
"""The id of a customer or user that never was."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: what is in it as far as the mask lets it, where it stands, and where it leads."""

    kind: str
    key: str
    """Under which its entries stand, where there are any."""
    entries: Sequence[Record] | Packed
    here: Place
    next: Place | None = None
    back: Callable[[int], Place] | None = None
    """The place so many entries before the end of this page."""


def render(call: Call, page: Page, etag: str) -> Body:
    """The page as it goes over the wire."""
    if call.fault and (shape := _SHAPES.get(call.fault.kind)):
        page = shape(page, call.fault)
    head: Record = {"kind": page.kind, "etag": f'"{etag}"'}
    head = {name: value for name, value in head.items() if masks.names(call.mask, name)}
    tail: Record = {}
    if page.next is not None and masks.names(call.mask, "nextPageToken"):
        tail["nextPageToken"] = call.token(page.next)
    if isinstance(page.entries, Packed) and masks.names(call.mask, page.key):
        return _stitched(head, page.key, page.entries, tail)
    if page.entries and masks.names(call.mask, page.key):
        head[page.key] = entries_of(page)
    return msgspec.json.encode({**head, **tail})


def entries_of(page: Page) -> list[Record]:
    """What is in a page."""
    if isinstance(page.entries, Packed):
        return msgspec.json.decode(page.entries.raw(), type=list[Record])
    return list(page.entries)


def _stitched(head: Record, key: str, entries: Packed, tail: Record) -> Stitched:
    before = msgspec.json.encode(head)[:-1] + (b"," if head else b"") + f'"{key}":'.encode()
    after = b"," + msgspec.json.encode(tail)[1:] if tail else b"}"
    return Stitched(before, entries, after)


def _overlap(page: Page, fault: Fault) -> Page:
    return replace(page, next=page.back(fault.entries)) if page.next and page.back else page


def _duplicate(page: Page, fault: Fault) -> Page:
    entries = entries_of(page)
    return replace(page, entries=[*entries, *entries[: fault.entries]])


def _lost_rows(page: Page, fault: Fault) -> Page:
    return replace(page, entries=entries_of(page)[: -fault.entries])


def _altered(alter: Callable[[Record], Record]) -> Callable[[Page, Fault], Page]:
    return lambda page, _: replace(page, entries=[alter(entry) for entry in entries_of(page)])


def _without(*names: str) -> Callable[[Record], Record]:
    return lambda entry: {name: value for name, value in entry.items() if name not in names}


def _unknown_keys(entry: Record) -> Record:
    news: Record = {"telepathyEnabled": True, "habitat": {"planet": "C"}}
    for name in ("suspensionReason", "type", "status", "role"):
        if name in entry:
            news[name] = "NEVER_HEARD_OF"
    return {**entry, **news}


_SHAPES: dict[str, Callable[[Page, Fault], Page]] = {
    "short_list": lambda page, _: replace(page, next=None),
    "empty_list": lambda page, _: replace(page, entries=(), next=None),
    "no_key": lambda page, _: replace(page, entries=(), next=page.here),
    "repeat_token": lambda page, _: replace(page, next=page.here),
    "overlap": _overlap,
    "duplicate": _duplicate,
    "lost_rows": _lost_rows,
    "wrong_customer": _altered(lambda entry: {**entry, "customerId": "C0nobody"}),
    "without_flags": _altered(_without("suspended", "archived")),
    "without_types": _altered(_without("type")),
    "unknown_keys": _altered(_unknown_keys),
}
