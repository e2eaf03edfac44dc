"""`seatkeeper accounts`: who is there, and which license they have."""

import csv
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.cli.answers import encoded_rows
from console.cli.call import Call
from console.cli.groups import Group
from console.cli.tables import Column, table
from console.cli.values import CHOICES, FILTERS, checked, parse_where
from console.cli.words import kinds_of

if TYPE_CHECKING:
    from store.account_filters import AccountFilter
    from store.account_pages import AccountRow, Page
    from store.transaction import Transaction
    from worker.operations.linking import Linked

F = TypeVar("F", bound=Callable[..., Any])
PAGE = 50
"""Accounts that a person sees at once."""
CSV = (
    "company", "directory", "id", "address", "name", "kind", "state", "license", "through", "lot", "since", "source",
    "protection", "waiting_for", "waiting_since", "waiting_reason", "retention_ends", "because", "linked_to",
    "possible_return_of", "legal_hold",
)  # fmt: skip


def filtered(command: F) -> F:
    """Each filter as a flag, and all of them as --where."""
    for name, meaning in reversed(FILTERS.items()):
        kind = click.Choice(CHOICES[name]) if name in CHOICES else None
        shown = None if name in CHOICES else "TEXT"
        help = meaning if name not in CHOICES else None
        command = click.option(f"--{name}", type=kind, metavar=shown, help=help)(command)
    return click.option("--where", metavar="FILTER", help='The same in one: state=deleted,search="Winter, Ada".')(
        command
    )


@click.group(cls=Group, help="Accounts of all directories, with their licenses.")
def accounts() -> None: ...


@accounts.command("list")
@filtered
@click.option("--limit", type=click.IntRange(1), help="A page of so many.")
@click.option("--after", metavar="CURSOR", help="The page after: the cursor that was told, or its last directory:id.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
def list_(
    call: Call, where: str | None, limit: int | None, after: str | None, as_csv: bool, **flags: str | None
) -> None:
    """List accounts that fit all filters: all of them with --json or --csv, else a page."""
    from store.times import micros

    if as_csv and call.as_json:
        raise click.UsageError("--csv and --json contradict each other")
    filter = _filter(where, flags)
    now = micros(call.app.clock())
    with call.app.store.read() as tx:
        if (call.as_json or as_csv) and limit is None and after is None:
            _print(tx.views.every_account(filter, now), as_csv)
            return
        page = _page(tx, filter, now, limit or PAGE, after)
        if call.as_json or as_csv:
            _print(iter(page.rows), as_csv)
            if page.after is not None:
                print(f"next: --after {page.after}", file=sys.stderr)
            return
    for line in _text(page):
        print(line)


@accounts.command()
@click.argument("new")
@click.argument("old")
def link(call: Call, new: str, old: str) -> None:
    """Say that NEW is who OLD was: NEW's license covers OLD's backups, and OLD's seat is free.

    Refused unless NEW holds a license and OLD is gone from the directory.
    """
    from worker.operations.linking import link as link_accounts

    done = link_accounts(call.app, new, old, call.who)
    value = {"new": done.new, "old": done.old, "freed": done.freed, "served": done.served}
    call.answer(value, lambda: _of_link(done))


@accounts.command()
@click.argument("old")
def unlink(call: Call, old: str) -> None:
    """Part OLD from the account that it is linked to; it needs a seat of its own first (exit 4 if there is none)."""
    from worker.operations.linking import unlink as unlink_account

    done = unlink_account(call.app, old, call.who)
    name = done.old.address or done.old.id
    call.answer(
        {"old": done.old, "license": done.license},
        lambda: [f"{name} ({done.old.id}) is on its own again, with a license: {done.license}."],
    )


def _of_link(done: "Linked") -> Iterator[str]:
    new, old = done.new, done.old
    yield f"Linked: the license of {new.address or new.id} covers the backups of {old.address or old.id} ({old.id})."
    if done.freed is not None:
        yield f"Its {done.freed} seat is free."
    if told := kinds_of(done.served):
        yield f"Served from the waiting: {told}."


def _filter(where: str | None, flags: dict[str, str | None]) -> "AccountFilter":
    from store.account_filters import AccountFilter

    given = {name: value for name, value in flags.items() if value is not None}
    asked = parse_where(where) if where is not None else {}
    if both := sorted(given.keys() & asked.keys()):
        raise click.UsageError(f"{both[0]} is given both as a flag and in --where")
    return AccountFilter(**checked(given | asked))


def _page(tx: "Transaction", filter: "AccountFilter", now: int, limit: int, after: str | None) -> "Page":
    from store.account_pages import Place

    if after is not None and ":" in after:
        if filter.search is not None:
            raise click.UsageError("--after takes the cursor of the page before where there is a --search")
        last = tx.views.account_by_name(after)
        after = Place(0, last.directory, last.address, last.key).cursor
    return tx.views.accounts(filter, now, limit=limit, after=after, examine=None)


def _print(rows: "Iterator[AccountRow]", as_csv: bool) -> None:
    if not as_csv:
        sys.stdout.writelines(encoded_rows(rows))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV)
    writer.writerows(_cells(row) for row in rows)


def _cells(row: "AccountRow") -> list[str | None]:
    waiting = (None, None, None) if row.waiting is None else (row.waiting.for_, row.waiting.since, row.waiting.reason)
    return [
        row.company, row.directory, row.id, row.address, row.name, row.kind, row.state, row.license, row.through,
        row.lot, row.since, row.source, row.protection, *waiting, row.retention_ends, row.because, row.linked_to,
        row.possible_return_of, "true" if row.legal_hold else "false",
    ]  # fmt: skip


def _text(page: "Page") -> Iterator[str]:
    if not page.rows:
        yield "No account fits."
        return
    columns = (
        Column("ACCOUNT", gives=1, least=24), Column("DIRECTORY", gives=2, least=12, drops=3), Column("KIND", drops=4),
        Column("STATE"), Column("LICENSE"), Column("BACKUPS"), Column("WAITS FOR", gives=3, least=12, drops=1),
        Column("BECAUSE", gives=4, least=12, drops=2),
    )  # fmt: skip
    lines = [_line(row) for row in page.rows]
    told = [n for n, column in enumerate(columns) if column.title != "WAITS FOR" or any(line[n] for line in lines)]
    yield from table([columns[n] for n in told], ([line[n] for n in told] for line in lines))
    if page.after is not None:
        yield ""
        yield f"{len(page.rows)} shown; the next page: --after {page.after}"


def _line(row: "AccountRow") -> tuple[object, ...]:
    license = row.license if row.through != "entitlement" else f"{row.license} (free)"
    waiting = None if row.waiting is None else f"{row.waiting.for_}: {row.waiting.reason.replace('_', ' ')}"
    return (
        row.address or row.id, row.directory, row.kind.replace("_", " "), row.state, license,
        row.protection.replace("_", " "), waiting, _because(row),
    )  # fmt: skip


def _because(row: "AccountRow") -> str | None:
    if row.linked_to is not None:
        return f"linked to {row.linked_to}"
    if row.possible_return_of is not None:
        return f"{row.because or 'no license'}; perhaps {row.possible_return_of}, who came back"
    return row.because
