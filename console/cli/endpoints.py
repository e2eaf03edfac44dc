"""`seatkeeper endpoints`: what license kinds are assigned to that are not for accounts."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from console.cli.call import Call
from console.cli.groups import Group
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from store.endpoints import EndpointRow

KINDS = ("computer", "host", "socket", "administrator")
of_company = click.option("--company", help="Whose it is; needed where several companies could be meant.")


@click.group(
    cls=Group, help="Endpoints: computers, hosts, sockets, administrators that licenses are assigned to by hand."
)
def endpoints() -> None: ...


@endpoints.command("list")
@click.option("--company", help="Only this company's.")
@click.option("--license", help="Only those that hold this license.")
def list_(call: Call, company: str | None, license: str | None) -> None:
    """List endpoints, and what they hold."""
    from store.times import micros

    now = micros(call.app.clock())
    with call.app.store.read() as tx:
        key = None if company is None else tx.directories.company(company).key
        found = tx.endpoints.listing(now, company=key, license=license)
    call.answer(found, lambda: _table(found))


@endpoints.command()
@click.argument("name")
@of_company
@click.option("--kind", type=click.Choice(KINDS), help="What it is; then only licenses that are sold per that fit.")
def add(call: Call, name: str, company: str | None, kind: str | None) -> None:
    """Make the endpoint NAME known, so that a license can be assigned to it."""
    from worker.operations.endpoints import add_endpoint

    added = add_endpoint(call.app, name, call.who, company=company, kind=kind)
    call.answer(added, lambda: [f"Added {added.name} ({added.company})."])


@endpoints.command()
@click.argument("name")
@of_company
def remove(call: Call, name: str, company: str | None) -> None:
    """Forget the endpoint NAME, which must hold no license."""
    from worker.operations.endpoints import remove_endpoint

    remove_endpoint(call.app, name, call.who, company=company)
    call.answer({"removed": name}, lambda: [f"Removed {name}."])


def _table(found: Sequence["EndpointRow"]) -> Iterator[str]:
    columns = (
        Column("ENDPOINT", gives=1), Column("COMPANY", gives=2), Column("KIND", drops=2), Column("LICENSE"),
        Column("STATE"), Column("LOT", drops=1), Column("SINCE", drops=3),
    )  # fmt: skip
    rows = [
        (row.name, row.company, row.kind, row.license, row.state, row.lot,
         None if row.since is None else moment(row.since))
        for row in found
    ]  # fmt: skip
    if rows:
        yield from table(columns, rows)
    else:
        yield "There are no endpoints. Add one: seatkeeper endpoints add NAME"
