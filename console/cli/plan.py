"""`seatkeeper plan`: what a safety limit holds until a person decides (Z1)."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from console.cli.call import Call
from console.cli.failures import DONE, HELD
from console.cli.groups import Group
from console.cli.tables import Column, moment, table
from console.cli.words import actions_of

if TYPE_CHECKING:
    from store.plans import PlanAction, PlanRow
    from worker.operations.runs import RunResult

ALL = 1_000_000_000
SHOWN = 50
SHORT = 19
"""Signs of a hash that a person sees, and may give: `sha256:` and twelve digits."""


@click.group(cls=Group, help="Held plans, by their hash or the first digits of it.")
def plan() -> None: ...


@plan.command("list")
@click.option("--all", "all_", is_flag=True, help="Decided and superseded ones too.")
@click.option("--company", help="Only this company's.")
def list_(call: Call, all_: bool, company: str | None) -> None:
    """List the plans that wait for a person."""
    with call.app.store.read() as tx:
        key = None if company is None else tx.directories.company(company).key
        found = tx.plans.listing(all_, company=key)
    call.answer(found, lambda: _table(found))


@plan.command()
@click.argument("hash")
def show(call: Call, hash: str) -> None:
    """Show what the plan HASH would do, and to whom."""
    with call.app.store.read() as tx:
        held = tx.plans.find(hash)
        row = tx.plans.shown(held)
        actions = tx.plans.actions(held.hash, ALL if call.as_json else SHOWN)
    call.answer({**msgspec.to_builtins(row), "actions": actions}, lambda: _of_plan(row, actions))


@plan.command()
@click.argument("hash")
def approve(call: Call, hash: str) -> int:
    """Let the plan HASH go ahead: applied at once, and waited for.

    Refused (exit 1) if one of its actions is no longer what would be done; newer ones stay held under their own hash.
    """
    from worker.operations.approving import approve as approve_plan

    result = approve_plan(call.app, hash, call.who)
    held = [] if result is None else result.held
    call.answer({"approved": hash, "result": result}, lambda: _of_approval(hash, result))
    return HELD if held else DONE


@plan.command()
@click.argument("hash")
def reject(call: Call, hash: str) -> None:
    """Refuse the plan HASH: none of it is proposed again until what it rests on changes."""
    from worker.operations.approving import reject as reject_plan

    reject_plan(call.app, hash, call.who)
    call.answer(
        {"rejected": hash},
        lambda: [f"Rejected {hash}. `seatkeeper plan reopen {hash}` lets it be proposed again."],
    )


@plan.command()
@click.argument("hash")
def reopen(call: Call, hash: str) -> None:
    """Let what was rejected as HASH be proposed again, from the next run on."""
    from worker.operations.approving import reopen as reopen_plan

    reopen_plan(call.app, hash, call.who)
    call.answer({"reopened": hash}, lambda: [f"Reopened {hash}: the next run may propose it again."])


def _table(found: Iterable["PlanRow"]) -> Iterator[str]:
    columns = (
        Column("HASH"), Column("COMPANY", gives=1), Column("DIRECTORY", gives=1), Column("KIND"),
        Column("TOTAL", right=True), Column("STATE"), Column("SINCE", drops=1),
        Column("WHY", gives=2, least=20, drops=2),
    )  # fmt: skip
    rows = [
        (
            row.hash[:SHORT],
            row.company,
            row.directory,
            row.kind,
            f"{row.total:,}",
            row.state,
            moment(row.since),
            row.why,
        )
        for row in found
    ]
    if not rows:
        yield "No plan waits for a person."
        return
    yield from table(columns, rows)
    yield ""
    yield "Look: seatkeeper plan show HASH. Decide: seatkeeper plan approve HASH, or plan reject HASH."


def _of_plan(row: "PlanRow", actions: Iterable["PlanAction"]) -> Iterator[str]:
    yield f"{row.hash}"
    yield f"{row.total:,} × {row.kind} of {row.directory or row.company}, {row.state} since {moment(row.since)}"
    yield f"Why: {row.why}"
    if row.decided_by is not None:
        yield f"Decided by {row.decided_by}."
    yield ""
    columns = (
        Column("ACTION"), Column("FROM"), Column("TO"), Column("ACCOUNT", gives=1, least=20),
        Column("BECAUSE", gives=2, least=16),
    )  # fmt: skip
    rows = [
        (a.kind, a.held_license, a.license, None if a.account is None else a.account.address or a.account.id, a.because)
        for a in actions
    ]
    yield from table(columns, rows)
    if row.total > len(rows) >= SHOWN:  # an order of many seats is one action
        yield f"… and {row.total - len(rows):,} more (--json has all)"
    if row.state == "held":
        yield ""
        yield f"seatkeeper plan approve {row.hash[:SHORT]}   or   seatkeeper plan reject {row.hash[:SHORT]}"


def _of_approval(hash: str, result: "RunResult | None") -> Iterator[str]:
    if result is None:
        yield f"Approved {hash}: it goes ahead."
        return
    yield f"Approved {hash}: {actions_of(result)}."
    for held in result.held:
        newer = f"{held.total:,} × {held.kind}, newer than what you saw"
        yield f"  Held now: {newer}: seatkeeper plan show {held.hash[:SHORT]}"
