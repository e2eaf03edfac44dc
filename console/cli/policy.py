"""`seatkeeper policy`: check the files, print their schema, and show what a change would do."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.answers import encoded
from console.cli.call import Call
from console.cli.failures import DONE, WRONG
from console.cli.groups import Group
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from policies.errors import Problem
    from worker.operations.checking import Checked
    from worker.operations.diffing import Difference

SHOWN = 50
"""Changes that a person sees."""
EFFECTS = {
    "gain": "would gain a license",
    "lose": "would lose theirs",
    "move": "would move to another one",
    "reason": "would keep theirs for another reason",
    "wait": "would wait",
    "stay": "would stay as they are, and would not under the policy in force",
}


@click.group(cls=Group, help="Policy files: one a company, in SEATKEEPER_POLICY_DIR.")
def policy() -> None: ...


@policy.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(call: Call, files: tuple[Path, ...]) -> int:
    """Report everything that is wrong with the policy files, or with FILES of the folder.

    Needs no database. Exits 2 if anything is wrong.
    """
    from worker.operations.checking import check as check_files

    checked = check_files(call.settings.policy_dir, files)
    call.answer([told(problem) for problem in checked.problems], lambda: _lines(checked))
    return WRONG if checked.problems else DONE


@policy.command()
@click.option("--provider", is_flag=True, help="The schema of provider.yaml.")
def schema(call: Call, provider: bool) -> None:
    """Print a JSON Schema of the policy files, for editors."""
    from worker.operations.checking import schema as schema_of

    print(encoded(schema_of(of_provider=provider)))


@policy.command()
def diff(call: Call) -> int:
    """Show who would gain, lose or move by the files as they are now, against what is in force.

    Decides over what was last read of the directories; writes nothing. Exits 2 if a file is broken.
    """
    from worker.operations.diffing import difference

    found = difference(call.app)
    value = {
        "policy_errors": [told(problem) for problem in found.problems],
        "counts": found.counts,
        "changes": found.changes,
        "changes_total": found.total,
        "held": found.held,
        "notes": found.notes,
    }
    call.answer(value, lambda: _of_difference(found))
    return WRONG if found.problems else DONE


@policy.command()
@click.argument("directory")
@click.argument("ref")
@click.argument("group_id")
def rebind(call: Call, directory: str, ref: str, group_id: str) -> None:
    """Let the group that rules name as REF be the one with GROUP_ID in DIRECTORY, from the next run on.

    Who gains or loses a license by it is decided then, within the limits.
    """
    from worker.operations.rebinding import rebind as rebind_group

    done = rebind_group(call.app, directory, ref, group_id, call.who)
    name = done.group.name or done.group.address or done.group.id
    call.answer(
        {"directory": directory, "ref": ref, "group": done.group.id, "name": name, "before": done.before},
        lambda: [f"{ref!r} in {directory} is {name} ({done.group.id}) now. To see what follows: sync {directory}"],
    )


def told(problem: "Problem") -> dict[str, Any]:
    """A problem as `policy check --json` shows it."""
    return {
        "file": problem.mark.file,
        "line": problem.mark.line,
        "column": problem.mark.column,
        "message": problem.message,
        "found": problem.found,
        "expected": problem.expected,
        "nearest": problem.nearest,
    }


def _lines(checked: "Checked") -> Iterator[str]:
    for problem in checked.problems:
        yield problem.with_caret()
    found, files = len(checked.problems), f"{checked.files} file{'s' if checked.files != 1 else ''}"
    if found:
        yield f"\n{found} problem{'s' if found != 1 else ''} in {files}. The last good versions stay in force."
    else:
        yield f"{files} checked, nothing wrong."


def _of_difference(found: "Difference") -> Iterator[str]:
    for problem in found.problems:
        yield problem.with_caret()
    yield from found.notes
    for effect, words in EFFECTS.items():
        if number := found.counts.get(effect):
            yield f"{number:,} {words}"
    for held in found.held:
        yield f"{held.company}: {held.kind} would be held for approval: {held.why}"
    if not found.total and not found.notes and not found.problems:
        yield "The files come to the same as what is in force."
    if found.changes:
        yield ""
        yield from _of_changes(found)


def _of_changes(found: "Difference") -> Iterator[str]:
    columns = (
        Column("EFFECT"), Column("HELD"), Column("THEN"), Column("WHEN", drops=1), Column("ACCOUNT", gives=1, least=20),
        Column("BECAUSE", gives=2, least=16),
    )  # fmt: skip
    rows = [
        (c.effect, c.held, c.license, moment(c.when) if c.when else "at once", c.address or c.account, c.because)
        for c in found.changes[:SHOWN]
    ]
    yield from table(columns, rows)
    if found.total > len(rows):
        yield f"… and {found.total - len(rows):,} more (--json has the first 1,000)"
