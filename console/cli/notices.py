"""`seatkeeper notices`: what is told before backups go, and who has taken note (R1)."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from console.cli.call import Call
from console.cli.groups import Group
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from store.notices import NoticeRow

COLUMNS = (
    Column("NOTICE"), Column("COMPANY", gives=1), Column("ENDS"), Column("DAYS", right=True), Column("SENT", drops=2),
    Column("ACCEPTED", drops=3), Column("ACCOUNTS", gives=2, least=16),
)  # fmt: skip
NAMED = 3
"""Accounts that a person sees of each; --json has all."""


@click.group(cls=Group, help="Notices: no backups go before each was accepted and its days have passed.")
def notices() -> None: ...


@notices.command("list")
@click.option("--company", help="Only this company's.")
@click.option("--all", "all_", is_flag=True, help="Those that were accepted, too.")
def list_(call: Call, company: str | None, all_: bool) -> None:
    """List the notices that wait for an answer, with the accounts whose backups would go."""
    with call.app.store.read() as tx:
        key = None if company is None else tx.directories.company(company).key
        found = tx.notices.listing(company=key, all_=all_)
    call.answer(found, lambda: _table(found))


@notices.command()
@click.argument("ids", metavar="ID…", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every notice that waits for an answer.")
def ack(call: Call, ids: tuple[str, ...], all_: bool) -> None:
    """Take note of the notices ID…: from now on their days pass, and then the backups may go."""
    from worker.operations.retaining import acknowledge

    if bool(ids) == all_:
        raise click.UsageError("say which notices, or --all")
    if all_:
        with call.app.store.read() as tx:
            ids = tuple(notice.id for notice in tx.notices.listing())
    accepted = acknowledge(call.app, ids, call.who)
    call.answer({"accepted": accepted}, lambda: [f"{len(accepted):,} notices accepted."])


def _table(found: Sequence["NoticeRow"]) -> Iterator[str]:
    rows = [
        (n.id, n.company, n.ends, str(n.days), moment(n.sent), "no" if n.accepted is None else moment(n.accepted),
         _named(n))
        for n in found
    ]  # fmt: skip
    if rows:
        yield from table(COLUMNS, rows)
    else:
        yield "No notice waits for an answer."


def _named(notice: "NoticeRow") -> str:
    names = [f"{a.address or a.id}{' (linked)' if a.linked_to else ''}" for a in notice.accounts]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
