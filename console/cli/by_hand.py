"""What people do about licenses by hand: `seatkeeper licenses assign · archive · deactivate · follow · pin · unpin`."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.cli.call import Call
from console.cli.failures import DONE, HELD, INSUFFICIENT
from console.cli.groups import Command
from console.cli.tables import Column, table
from console.cli.values import LICENSE, parse_where
from console.cli.words import kinds_of

if TYPE_CHECKING:
    from worker.errors import Insufficient
    from worker.operations.by_hand import Done, LeftOut, Preview, Touched
    from worker.operations.requests import Request
    from worker.operations.selecting import Meant

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 20
"""Accounts that a person sees."""


def meant(command: F) -> F:
    """The accounts that a command is for: by their names, or by a filter."""
    where = click.option("--where", metavar="FILTER", help="Everybody whom it fits: state=deleted,domain=a.example.")
    return click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)(where(command))


def to_endpoints(command: F) -> F:
    """The endpoints that a command is for, in the place of accounts (M7)."""
    company = click.option("--company", help="Whose endpoint it is, where several companies have one of that name.")
    return click.option("--endpoint", "endpoints", multiple=True, help="An endpoint; may be repeated.")(
        company(command)
    )


as_fits = click.option("--as-many-as-fit", is_flag=True, help="By address, as far as there are seats; name the rest.")


@click.command(cls=Command)
@meant
@click.option("--license", default="standard", show_default=True)
@as_fits
@to_endpoints
def assign(
    call: Call,
    accounts: tuple[str, ...],
    where: str | None,
    license: str,
    as_many_as_fit: bool,
    endpoints: tuple[str, ...],
    company: str | None,
) -> int:
    """Give ACCOUNTs, or all that match a filter, a license; rules take it no more.

    More than is free is refused whole (exit 4), unless as many as fit are asked for: by address. Licenses of other
    kinds than standard and archived are given to endpoints.
    """
    if _are_endpoints(accounts, where, endpoints, company):
        from console.cli.on_endpoints import assign_to_endpoints

        return assign_to_endpoints(call, endpoints, license, company, as_many_as_fit)
    LICENSE.convert(license, None, click.get_current_context())
    return _do(call, _request("assign", accounts, where, license=license, as_many_as_fit=as_many_as_fit))


@click.command(cls=Command)
@meant
@as_fits
def archive(call: Call, accounts: tuple[str, ...], where: str | None, as_many_as_fit: bool) -> int:
    """Turn standard licenses into archived ones: backups end, those that exist are kept.

    Needs archived seats: more than are free is refused whole (exit 4), unless as many as fit are asked for.
    """
    return _ask_and_do(call, _request("archive", accounts, where, as_many_as_fit=as_many_as_fit), _of_archiving)


@click.command(cls=Command)
@meant
@to_endpoints
def deactivate(
    call: Call, accounts: tuple[str, ...], where: str | None, endpoints: tuple[str, ...], company: str | None
) -> int:
    """Take licenses; rules give these accounts no other.

    After a standard license data is kept for the company's retention; after an archived one it is not kept at all.
    """
    if _are_endpoints(accounts, where, endpoints, company):
        from console.cli.on_endpoints import take_from_endpoints

        return take_from_endpoints(call, endpoints, company)
    return _ask_and_do(call, _request("deactivate", accounts, where), _of_deactivating)


@click.command(cls=Command)
@meant
def follow(call: Call, accounts: tuple[str, ...], where: str | None) -> int:
    """Hand accounts back to the rules, which decide about them at the next run."""
    return _do(call, _request("follow", accounts, where))


@click.command(cls=Command)
@meant
def pin(call: Call, accounts: tuple[str, ...], where: str | None) -> int:
    """Keep what accounts hold as it is, even when they are deleted in the directory."""
    return _do(call, _request("pin", accounts, where))


@click.command(cls=Command)
@meant
def unpin(call: Call, accounts: tuple[str, ...], where: str | None) -> int:
    """Let a deletion archive accounts again; rules still do not decide about them (`follow` lets them)."""
    return _do(call, _request("unpin", accounts, where))


COMMANDS = (assign, archive, deactivate, follow, pin, unpin)


def accounts_meant(accounts: tuple[str, ...], where: str | None) -> "Meant":
    """Accounts by their names, or all that match a filter: one of the two. Raises UsageError."""
    from store.account_filters import AccountFilter
    from worker.operations.selecting import Meant

    if bool(accounts) is (where is not None):
        raise click.UsageError("name accounts, or say --where FILTER" + (": not both" if accounts else ""))
    return Meant(accounts, None if where is None else AccountFilter(**parse_where(where)))


def _are_endpoints(
    accounts: tuple[str, ...], where: str | None, endpoints: tuple[str, ...], company: str | None
) -> bool:
    """Whether a command is for endpoints. Raises UsageError where it is for both."""
    if endpoints and (accounts or where is not None):
        raise click.UsageError("name accounts, or endpoints: not both")
    if company is not None and not endpoints:
        raise click.UsageError("--company says whose an --endpoint is; of accounts: --where company=…")
    return bool(endpoints)


def _request(verb: str, accounts: tuple[str, ...], where: str | None, **more: Any) -> "Request":
    from worker.operations.requests import Request, Verb

    return Request(Verb(verb), accounts_meant(accounts, where), **more)


def _ask_and_do(call: Call, request: "Request", question: "Callable[[Preview], str]") -> int:
    """Say what it means, and ask; what has changed meanwhile is not done."""
    from dataclasses import replace

    from worker.operations.by_hand import preview

    found = preview(call.app, request)
    if found.seen:
        call.agree(question(found))
    return _do(call, replace(request, seen=found.seen))


def _do(call: Call, request: "Request") -> int:
    from worker.operations.by_hand import by_hand

    done = by_hand(call.app, request, call.who)
    refusal = _refusal(done, request) if done.refused else None
    if refusal is not None and not call.as_json:
        raise refusal
    call.answer(_json(done, refusal), lambda: _text(done, request))
    if refusal is not None:
        return INSUFFICIENT
    return HELD if done.held else DONE


# --- what it means ---


def _of_archiving(found: "Preview") -> str:
    number = found.holding("standard")
    return f"Archive {_accounts(number)}: no backups are made any more, those that exist are kept."


def _of_deactivating(found: "Preview") -> str:
    from policies.text import format_duration

    kept = " or ".join(format_duration(retention) for retention in found.retention) or "the retention"
    parts = [f"Deactivate {_accounts(len(found.seen))}."]
    if standard := found.holding("standard"):
        parts.append(f"{standard:,} standard: backups end, and what exists is kept for {kept}.")
    if archived := found.holding("archived"):
        parts.append(f"{archived:,} archived: their backups are NOT kept, and may be deleted at once.")
    if found.linked:
        is_linked = "that is linked" if found.linked == 1 else "that are linked"
        parts.append(f"Nor are those of {_accounts(found.linked)} {is_linked} to them.")
    return " ".join(parts)


def _accounts(number: int) -> str:
    return f"{number:,} account{'' if number == 1 else 's'}"


# --- what became of it ---


def _json(done: "Done", refusal: "Insufficient | None") -> dict[str, Any]:
    value: dict[str, Any] = {
        "wanted": done.wanted,
        "free": done.free,
        "short": done.short,
        "assigned": done.assigned,
        "left_out": done.left_out,
        "deactivated": done.deactivated,
        "marked": done.marked,
        "unchanged": done.unchanged,
        "passed_over": done.passed_over,
        "held": done.held,
        "served": done.served,
    }
    if refusal is not None:
        value["error"] = {"code": refusal.code, "message": str(refusal)}
    return value


def _refusal(done: "Done", request: "Request") -> "Insufficient":
    from worker.errors import Insufficient

    license = "archived" if request.verb == "archive" else request.license
    return Insufficient(license, wanted=done.wanted, free=done.free, because=done.refused)


def _text(done: "Done", request: "Request") -> Iterator[str]:
    for held in done.held:
        yield f"Held: {held.total:,} × {held.kind}, beyond the limit. Nothing was done; a person must approve it:"
        yield f"  seatkeeper plan show {held.hash[:19]}"
    if not done.held:
        yield from _of_changes(done, request)
    if done.passed_over:
        yield f"{_accounts(len(done.passed_over))} that match are passed over:"
        yield from _listed(done.passed_over)


def _of_changes(done: "Done", request: "Request") -> Iterator[str]:
    from worker.operations.requests import PARTICIPLES

    changed = [*done.assigned, *done.deactivated]
    license = f" {request.license}" if request.verb == "assign" else ""
    yield f"{_accounts(len(changed) + done.marked)} {PARTICIPLES[request.verb]}{license}{_names(changed)}."
    if done.marked and changed:
        yield f"{done.marked:,} of them held it already, and keep it whatever rules say."
    if done.unchanged:
        yield f"{_accounts(done.unchanged)} as wanted already."
    if done.left_out:
        yield f"{_accounts(len(done.left_out))} left out, {done.wanted:,} wanted and {done.free:,} free:"
        yield from _listed(done.left_out)
    if told := kinds_of(done.served):
        yield f"Served from the waiting with what came free: {told}."


def _names(changed: "list[Touched]") -> str:
    if not changed:
        return ""
    more = f" and {len(changed) - SHOWN:,} more" if len(changed) > SHOWN else ""
    return f": {', '.join(account.address or account.id for account in changed[:SHOWN])}{more}"


def _listed(accounts: "list[LeftOut]") -> Iterator[str]:
    columns = (Column("ACCOUNT", gives=2, least=20), Column("DIRECTORY", gives=1, drops=1), Column("WHY", gives=1))
    rows = [(a.address or a.id, a.directory, a.reason.replace("_", " ")) for a in accounts[:SHOWN]]
    yield from (f"  {line}" for line in table(columns, rows, indent=2))
    if len(accounts) > SHOWN:
        yield f"  … and {len(accounts) - SHOWN:,} more (--json has all)"
