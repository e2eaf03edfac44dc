"""`seatkeeper policy`: check the files, print their schema, and show what a change would do."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.answers import encoded
from console.cli.call import Call
from console.cli.failures import DONE, WRONG
from console.cli.groups import Group

if TYPE_CHECKING:
    from policies.errors import Problem
    from worker.operations.checking import Checked


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
