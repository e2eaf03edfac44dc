"""`seatkeeper licenses`: what people do about licenses."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.cli.by_hand import COMMANDS
from console.cli.call import Call
from console.cli.failures import DONE, FAILED
from console.cli.groups import Group
from console.cli.tables import Column, table

if TYPE_CHECKING:
    from worker.operations.importing import Imported


@click.group(cls=Group, help="Licenses of accounts, by hand.")
def licenses() -> None: ...


for command in COMMANDS:
    licenses.add_command(command)


@licenses.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be imported, and write nothing.")
def import_(call: Call, file: Path, dry_run: bool) -> int:
    """Give the accounts in FILE the licenses that they had before Seatkeeper came.

    A CSV with the columns directory,account,license and perhaps since. All of it or nothing: if a line matches no
    account, the lines are listed and the exit code is 1; if seats are short, it is 4.
    """
    from worker.operations.importing import import_licenses

    done = import_licenses(call.app, file, call.who, dry=dry_run)
    call.answer(_json(done, dry_run), lambda: _text(done, dry_run))
    return FAILED if done.unmatched else DONE


def _json(done: "Imported", dry: bool) -> dict[str, Any]:
    return {
        "imported": sum(done.imported.values()),
        "by_license": done.imported,
        "unchanged": done.unchanged,
        "ahead_of_first_read": done.ahead,
        "unmatched": [msgspec.to_builtins(line) for line in done.unmatched],
        "dry_run": dry,
    }


def _text(done: "Imported", dry: bool) -> Iterator[str]:
    if done.unmatched:
        columns = (Column("LINE", right=True), Column("DIRECTORY"), Column("ACCOUNT", gives=1), Column("WHY", gives=2))
        yield from table(columns, [(u.line, u.directory, u.account, u.why) for u in done.unmatched])
        yield ""
        yield f"{len(done.unmatched):,} lines cannot be imported. Nothing was written."
        return
    told = ", ".join(f"{number:,} {license}" for license, number in sorted(done.imported.items())) or "nothing"
    yield f"{'Would import' if dry else 'Imported'}: {told}."
    if done.unchanged:
        yield f"{done.unchanged:,} accounts hold these licenses already."
    if done.ahead:
        yield f"{done.ahead:,} of the accounts are not read yet; the first read of their directory looks for them."
