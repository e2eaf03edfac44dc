"""`seatkeeper company` and `seatkeeper directory`: retiring what is gone for good (Z11)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from console.cli.call import Call
from console.cli.groups import Group

if TYPE_CHECKING:
    from worker.operations.retiring import Retired


@click.group(cls=Group, help="Companies, by their id in the policy files.")
def company() -> None: ...


@click.group(cls=Group, help="Directories, by their id in the policy files.")
def directory() -> None: ...


@company.command("retire")
@click.argument("id")
def retire_company(call: Call, id: str) -> None:
    """Say that the company ID is gone for good: nothing of it is read, and no policy file brings it back.

    Its licenses stay as they are until somebody deactivates them.
    """
    from worker.operations.retiring import retire_company as retire

    call.agree(f"Retire the company {id} with all its directories? There is no way back.")
    done = retire(call.app, id, call.who)
    call.answer(_json(done), lambda: _text(done, f"company={id}"))


@directory.command("retire")
@click.argument("id")
def retire_directory(call: Call, id: str) -> None:
    """Say that the directory ID is gone for good: it is read no more, and no policy file brings it back.

    Its licenses stay as they are until somebody deactivates them.
    """
    from worker.operations.retiring import retire_directory as retire

    call.agree(f"Retire the directory {id}? There is no way back.")
    done = retire(call.app, id, call.who)
    call.answer(_json(done), lambda: _text(done, f"directory={id}"))


def _json(done: "Retired") -> dict[str, Any]:
    return {"retired": done.id, "directories": done.directories, "licenses_held": done.held}


def _text(done: "Retired", filter: str) -> Iterator[str]:
    directories = f" ({', '.join(done.directories)})" if done.directories and done.directories != (done.id,) else ""
    yield f"Retired {done.id}{directories}."
    if done.held:
        held = " and ".join(f"{number:,} {license}" for license, number in done.held.items())
        yield f"Its accounts still hold {held} licenses. To give them back:"
        yield f"  seatkeeper licenses deactivate --where {filter}"
