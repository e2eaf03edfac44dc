"""`seatkeeper feed`: what happened, from any point on (A2)."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.answers import encoded_rows
from console.cli.call import Call
from console.cli.groups import Command
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from store.audit import Event

SHOWN = 1_000


@click.command(cls=Command)
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Events after this number.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=SHOWN, show_default=True, help="At most so many.")
@click.option("--company", help="Only this company's.")
def feed(call: Call, after: int, limit: int, company: str | None) -> None:
    """Show events in their order; go on with --after the last one's number."""
    with call.app.store.read() as tx:
        key = None if company is None else tx.directories.company(company).key
        events = tx.audit.feed(after, limit, company=key)
    if call.as_json:
        sys.stdout.writelines(encoded_rows(events))
        return
    for line in _table(events):
        print(line)


def _table(events: "list[Event]") -> Iterator[str]:
    if not events:
        yield "Nothing has happened since."
        return
    columns = (
        Column("N", right=True), Column("WHEN"), Column("TYPE"), Column("COMPANY", gives=1),
        Column("SUBJECT", gives=2, least=12), Column("BECAUSE", gives=3, least=16, drops=1),
    )  # fmt: skip
    rows = [
        (e.n, moment(e.at), e.type.removeprefix("seatkeeper."), e.company, e.data.get("subject"), e.data.get("because"))
        for e in events
    ]
    yield from table(columns, rows)
