"""Pages of lists and of delta rounds, as JSON with their links, and as wrong as was ordered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from connectors.simulators.bodies import Body, Packed, Stitched
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.schema import Record

NOBODY = "deadbeef-0000-4000-8000-00000000dead"
"""The id of an object that never was."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: what is in it, where it stands, and where it leads."""

    entries: Sequence[Record] | Packed
    context: str
    """The fragment of `@odata.context`."""
    here: str = ""
    """The link to this very page."""
    next: str | None = None
    end: str | None = None
    """The delta link of the round; None for plain lists, which just end."""
    count: int | None = None


def render(call: Call, page: Page) -> Body:
    """The page as it goes over the wire."""
    if call.fault and (shape := _SHAPES.get(call.fault.kind)):
        page = shape(page, call.fault)
    head: dict[str, object] = {"@odata.context": f"{call.root}/$metadata#{page.context}"}
    if page.count is not None:
        head["@odata.count"] = page.count
    if page.next is not None:
        head["@odata.nextLink"] = page.next
    elif page.end is not None:
        head["@odata.deltaLink"] = page.end
    before = msgspec.json.encode(head)[:-1] + b',"value":'
    if isinstance(page.entries, Packed):
        return Stitched(before, page.entries, b"}")
    return before + msgspec.json.encode(page.entries) + b"}"


def _entries(page: Page) -> list[Record]:
    if isinstance(page.entries, Packed):
        return msgspec.json.decode(page.entries.raw(), type=list[Record])
    return list(page.entries)


def _duplicate(page: Page, fault: Fault) -> Page:
    entries = _entries(page)
    return replace(page, entries=[*entries, *entries[: fault.entries]])


def _contradict(page: Page, fault: Fault) -> Page:
    entries = _entries(page)
    living = next((entry for entry in entries if "@removed" not in entry), None)
    return replace(page, entries=[*entries, removed(living["id"], fault.reason)]) if living else page


def _unknown_removed(page: Page, fault: Fault) -> Page:
    return replace(page, entries=[removed(NOBODY, fault.reason), *_entries(page)])


def _foreign_link(page: Page, fault: Fault) -> Page:
    return replace(page, next=_elsewhere(page.next, fault.host), end=_elsewhere(page.end, fault.host))


def _elsewhere(link: str | None, host: str) -> str | None:
    if link is None:
        return None
    return f"{host}/{link.split('/', 3)[3]}"


_SHAPES: dict[str, Callable[[Page, Fault], Page]] = {
    "empty_page": lambda page, _: replace(page, entries=(), next=page.here),
    "repeat_page": lambda page, _: replace(page, next=page.here),
    "duplicate": _duplicate,
    "foreign_link": _foreign_link,
    "short_list": lambda page, _: replace(page, next=None),
    "empty_list": lambda page, _: replace(page, entries=(), next=None, count=None if page.count is None else 0),
    "no_link": lambda page, _: replace(page, next=None, end=None),
    "contradict": _contradict,
    "unknown_removed": _unknown_removed,
}


def removed(ident: object, reason: str) -> Record:
    """How delta says that an object went: `changed` into the recycle bin, `deleted` for good."""
    return {"id": ident, "@removed": {"reason": reason}}


def selection(collection: str, select: tuple[str, ...] | None) -> str:
    """The context of a collection of which some properties were selected."""
    return f"{collection}({','.join(select)})" if select else collection
