"""`seatkeeper doctor`: everything that the installation depends on, tried, with the remedy for what fails."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.call import Call
from console.cli.failures import DONE, FAILED
from console.cli.groups import Command
from console.cli.logs import to_standard_error

if TYPE_CHECKING:
    from worker.operations.doctoring import Diagnosis
    from worker.operations.examining import Checked


@click.command(cls=Command)
def doctor(call: Call) -> int:
    """Try every dependency, credential and permission, and say what to do about what fails (exit 1). Nothing is
    changed."""
    from worker.operations.doctoring import diagnose

    to_standard_error()
    found = diagnose(call.settings)
    call.answer({"well": found.well, "settings": found.settings, "checks": found.checks}, lambda: _text(found))
    return DONE if found.well else FAILED


def _text(found: "Diagnosis") -> Iterator[str]:
    yield "Settings"
    width = max(map(len, found.settings))
    yield from (f"  {name:{width}}  {'–' if value is None else value}" for name, value in found.settings.items())
    yield ""
    for check in found.checks:
        yield from _lines(check)
    wrong = sum(not check.ok for check in found.checks)
    yield ""
    yield f"{wrong} of {len(found.checks)} things need somebody." if wrong else "Everything works."


def _lines(check: "Checked") -> Iterator[str]:
    name = check.what if check.of is None else f"{check.of}: {check.what}"
    if check.ok:
        yield f"ok    {name}" + (f": {check.detail}" if check.detail else "")
        return
    yield f"WRONG {name}: {check.problem}"
    if check.remedy:
        yield f"      → {check.remedy}"
