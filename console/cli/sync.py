"""`seatkeeper sync`: read directories and bring licenses in step, now."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from console.cli.call import Call
from console.cli.failures import DONE, FAILED, HELD
from console.cli.groups import Command
from console.cli.tables import Column, table
from console.cli.values import DURATION
from console.cli.words import OUTCOMES, actions_of

if TYPE_CHECKING:
    from policies.errors import Problem
    from worker.operations.on_demand import Synced
    from worker.operations.runs import RunResult

SHOWN = 20
"""Actions that a person sees of each directory."""


@click.command(cls=Command)
@click.argument("directories", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Show the very plan that a real run would apply, and apply nothing.")
@click.option("--full", is_flag=True, help="Read and plan everybody, not only what changed.")
@click.option("--no-wait", is_flag=True, help="Ask for the passes and do not wait for them.")
@click.option("--timeout", type=DURATION, default="10m", show_default=True, help="How long to wait for others.")
def sync(call: Call, directories: tuple[str, ...], dry_run: bool, full: bool, no_wait: bool, timeout: timedelta) -> int:
    """Run a pass over DIRECTORIES, or over all of them, and wait for its end.

    The policy folder is read first. Where a daemon runs, it does all of that, and its end is waited for.

    Exits 1 if a directory failed or stayed busy, else 3 if a hold stands in the way.
    """
    from console.cli.progress import shown
    from worker.collecting import collect_seldom
    from worker.operations.on_demand import Wanted, queue, sync_by_daemon

    if no_wait and dry_run:
        raise click.UsageError("--no-wait and --dry-run contradict each other: a dry run is shown when it ends")
    collect_seldom()
    with shown() as progress:
        wanted = Wanted(directories, full, dry_run, timeout, progress)
        synced = queue(call.app, wanted) if no_wait else sync_by_daemon(call.app, wanted)
    call.answer(_json(synced), lambda: _text(synced))
    return exit_code(synced.results)


def exit_code(results: Iterable["RunResult"]) -> int:
    """Of several directories: failed or busy before held, held before done. A suspended rule is a failure (G3)."""
    codes = {_code(result) for result in results}
    return FAILED if FAILED in codes else HELD if HELD in codes else DONE


def _code(result: "RunResult") -> int:
    if result.outcome in ("failed", "busy"):
        return FAILED
    if result.held or result.outcome in ("held", "partly_held"):
        return HELD
    return FAILED if result.error is not None else DONE


def _json(synced: "Synced") -> list[dict[str, Any]]:
    import msgspec

    from console.cli.policy import told

    errors = {"policy_errors": [told(problem) for problem in synced.problems]} if synced.problems else {}
    return [{**msgspec.to_builtins(result), **errors} for result in synced.results]


def _text(synced: "Synced") -> Iterator[str]:
    if synced.problems:
        yield from _of_problems(synced.problems)
    if not synced.results:
        yield "No directory is read: no policy file names one that is not retired; `seatkeeper status` lists them."
    for result in synced.results:
        yield from _of_result(result)
    for order in synced.orders:
        state = order.state.replace("_", " ")
        yield f"{order.id} of {order.company}: {order.seats:,} {order.license} seats, {state}"
        if order.problem is not None:
            yield f"  {order.problem}"


def _of_problems(problems: Sequence["Problem"]) -> Iterator[str]:
    yield "The policy files have problems; the last good versions are in force:"
    for problem in problems:
        yield f"  {problem}"
    yield ""


def _of_result(result: "RunResult") -> Iterator[str]:
    yield f"{result.directory}: {OUTCOMES.get(result.outcome, result.outcome)}"
    if result.run is not None and result.outcome != "failed":
        yield f"  {result.seen:,} accounts read ({result.mode}), {result.changed:,} changes in the directory"
    if result.error is not None:
        yield f"  {result.error}"
    if result.warning is not None:
        yield f"  {result.warning}"
    if result.remedy is not None:
        yield f"  What to do: {result.remedy}"
    if result.actions:
        yield f"  {actions_of(result)}"
        yield from (f"    {line}" for line in _actions(result))
    for held in result.held:
        yield f"  Held: {held.total:,} × {held.kind}. Look: seatkeeper plan show {held.hash}"


def _actions(result: "RunResult") -> Iterator[str]:
    columns = (
        Column("ACTION"), Column("LICENSE"), Column("ACCOUNT", gives=1, least=20), Column("BECAUSE", gives=2, least=16),
    )  # fmt: skip
    rows = (
        (action.kind, action.license, None if action.account is None else action.account.address, action.because)
        for action in result.actions[:SHOWN]
    )
    yield from table(columns, rows, indent=4)
    if result.actions_total > SHOWN:
        yield f"… and {result.actions_total - SHOWN:,} more (--json has the first 1,000)"
