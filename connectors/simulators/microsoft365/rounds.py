"""What every delta stream has in common: how a round begins, goes on and ends, and when a cursor is dead."""

from datetime import timedelta

from msgspec.structs import replace

from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.cursors import Cursor
from connectors.simulators.microsoft365.filters import only_ids
from connectors.simulators.microsoft365.pages import Page

CURSORS_LIVE = timedelta(days=7)
_LINK_OPTIONS = {"$skiptoken", "$deltatoken"}
_NOT_FOR_DELTA = ("$orderby", "$search", "$skip")


def opening(call: Call, stream: str, select: tuple[str, ...] | None, position: int, extent: int) -> Cursor:
    """Where this request stands: at the beginning of a round, or inside one.

    `position` is the end of the stream's log and `extent` the number of its objects, now. Raises Refusal where the
    token cannot be gone on from. The cursor may belong to another stream: Graph accepts that, and answers nothing.
    """
    token = call.query.token
    if token in ("", "latest"):
        _refuse_options(call, _NOT_FOR_DELTA)
        ids = only_ids(call.query.get("$filter"))
        fresh = replace(call.cursor(stream), select=select, ids=ids, until=position, extent=extent)
        return replace(fresh, at=extent, extent=extent, since=position) if token == "latest" else fresh
    cursor = read(call, stream, "skip" if call.query.get("$skiptoken") else "delta")
    if cursor.kind == "skip" or cursor.stream != stream:
        return cursor
    return replace(cursor, kind="skip", since=_since(call, cursor), until=position, at=0, issued=_now(call))


def read(call: Call, stream: str, kind: str) -> Cursor:
    """The cursor of this request's link. Raises Refusal where it is dead, damaged or another tenant's."""
    cursor = call.sealer.read(call.query.token)
    _refuse_options(call, tuple(set(call.query.options) - _LINK_OPTIONS))
    if call.meets("resync"):
        raise refusals.resync(f"{call.root}/{stream}/delta?$deltatoken=")
    if call.meets("malformed") or cursor.tenant != call.tenant.id or cursor.kind != kind:
        raise refusals.malformed_token()
    if call.meets("page_lost"):
        raise refusals.lost_page_token()
    if call.meets("expired") or _now(call) - cursor.issued > CURSORS_LIVE.total_seconds():
        raise refusals.expired_token() if kind == "delta" or call.meets("expired") else refusals.expired_page_token()
    return cursor


def page_link(call: Call, stream: str, cursor: Cursor) -> str:
    """The link to the page that a cursor stands at."""
    token = call.sealer.token(replace(cursor, issued=_now(call)))
    return f"{call.root}/{stream}/delta?$skiptoken={token}"


def delta_link(call: Call, stream: str, cursor: Cursor) -> str:
    """The link from which the next round goes on."""
    ended = Cursor("delta", cursor.stream, cursor.tenant, _now(call), cursor.select, cursor.ids, until=cursor.until)
    return f"{call.root}/{stream}/delta?$deltatoken={call.sealer.token(ended)}"


def nothing_new(call: Call, stream: str, cursor: Cursor) -> Page:
    """An empty round: what `latest` answers, and any cursor of another stream."""
    return Page((), stream, page_link(call, stream, cursor), end=delta_link(call, stream, cursor))


def _since(call: Call, cursor: Cursor) -> int:
    fault = call.meets("replay")
    return max(0, cursor.until - fault.entries) if fault else cursor.until


def _refuse_options(call: Call, names: tuple[str, ...]) -> None:
    given = sorted(name for name in names if name in call.query)
    if given:
        raise refusals.unsupported(f"The query option {given[0]} is not supported here.")


def _now(call: Call) -> int:
    return int(call.now.timestamp())
