"""`seatkeeper licenses assign · deactivate --endpoint`: license kinds that are assigned to endpoints by hand (M7)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from console.cli.call import Call
from console.cli.failures import DONE, HELD, INSUFFICIENT
from worker.errors import Insufficient

if TYPE_CHECKING:
    from store.endpoints import EndpointRow
    from worker.operations.endpoints import EndpointsDone


def assign_to_endpoints(
    call: Call, names: Sequence[str], license: str, company: str | None, as_many_as_fit: bool
) -> int:
    """Give endpoints a license, and tell what became of it."""
    from worker.operations.endpoints import EndpointsDone, assign_to

    try:
        done = assign_to(call.app, names, license, call.who, company=company, as_many_as_fit=as_many_as_fit)
    except Insufficient as refused:
        if not call.as_json:
            raise
        empty = EndpointsDone(wanted=refused.wanted, free=refused.free)
        call.answer({**_json(empty), "error": {"code": refused.code, "message": str(refused)}}, list)
        return INSUFFICIENT
    call.answer(_json(done), lambda: _text(done, license))
    return DONE


def take_from_endpoints(call: Call, names: Sequence[str], company: str | None) -> int:
    """Take what endpoints hold, after asking, and tell what became of it."""
    from worker.operations.endpoints import take_from

    call.agree(f"Deactivate the licenses of {', '.join(names)}? Their seats are free for others then.")
    done = take_from(call.app, names, call.who, company=company)
    call.answer(_json(done), lambda: _text(done, ""))
    return HELD if done.held else DONE


def _json(done: "EndpointsDone") -> dict[str, Any]:
    return {
        "wanted": done.wanted,
        "free": done.free,
        "short": done.short,
        "assigned": done.assigned,
        "left_out": done.left_out,
        "deactivated": done.deactivated,
        "unchanged": done.unchanged,
        "held": done.held,
    }


def _text(done: "EndpointsDone", license: str) -> Iterator[str]:
    for held in done.held:
        yield f"Held: {held.total:,} × {held.kind}, beyond the limit. Nothing was done; a person must approve it:"
        yield f"  seatkeeper plan show {held.hash[:19]}"
    if done.assigned:
        yield f"Assigned {license} to {_names(done.assigned)}."
    if done.deactivated:
        yield f"Deactivated {_names(done.deactivated)}."
    if done.unchanged:
        yield f"{done.unchanged:,} as wanted already."
    if done.left_out:
        yield f"Left out, {done.wanted:,} wanted and {done.free:,} free: {_names(done.left_out)}."


def _names(endpoints: "Sequence[EndpointRow]") -> str:
    return ", ".join(endpoint.name for endpoint in endpoints)
