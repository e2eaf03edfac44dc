"""`seatkeeper orders`: purchases, and what people decide about them."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.cli.call import Call
from console.cli.failures import DONE, HELD
from console.cli.groups import Group
from console.cli.lots import served_in_words
from console.cli.tables import Column, moment, table
from console.cli.values import DATE, SEATS

if TYPE_CHECKING:
    from store.orders import Order, OrderRow
    from worker.operations.ordering import Delivered

OPEN = ("wanted", "awaiting_approval", "placed")
STATES = (*OPEN, "fulfilled", "failed", "cancelled", "rejected")


@click.group(cls=Group, help="Orders: wanted, (awaiting approval), placed, fulfilled.")
def orders() -> None: ...


@orders.command("list")
@click.option("--company", help="Only this company's.")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; may be repeated.")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not ended.")
def list_(call: Call, company: str | None, states: tuple[str, ...], only_open: bool) -> None:
    """List orders, newest first."""
    with call.app.store.read() as tx:
        key = None if company is None else tx.directories.company(company).key
        found = tx.orders.listing(company=key, states=(*states, *(OPEN if only_open else ())))
    call.answer(found, lambda: _table(found))


@orders.command()
@click.argument("license")
@click.argument("seats", type=SEATS)
@click.option("--company", help="For this company, at its seller; else for the global pool, by hand.")
def add(call: Call, license: str, seats: int, company: str | None) -> int:
    """Order SEATS of a LICENSE of any kind that the provider sells. What is short is ordered without this.

    A large order waits for approval all the same (exit 3).
    """
    from worker.operations.ordering import want_order

    order = want_order(call.app, license, seats, call.who, company=company)
    _answer(call, order)
    return HELD if order.state == "awaiting_approval" else DONE


@orders.command()
@click.argument("id")
def approve(call: Call, id: str) -> None:
    """Let the order ID go ahead."""
    from worker.operations.ordering import approve_order

    _answer(call, approve_order(call.app, id, call.who))


@orders.command()
@click.argument("id")
def reject(call: Call, id: str) -> None:
    """Refuse the order ID; it is not made again until more is short than then."""
    from worker.operations.ordering import reject_order

    _answer(call, reject_order(call.app, id, call.who))


@orders.command()
@click.argument("id")
def cancel(call: Call, id: str) -> None:
    """Take back the order ID, if it was not sent yet or a person was to fulfill it."""
    from worker.operations.ordering import cancel_order

    call.agree(f"Cancel {id}?")
    _answer(call, cancel_order(call.app, id, call.who))


@orders.command()
@click.argument("id")
def reopen(call: Call, id: str) -> None:
    """Let what was rejected, cancelled or refused as ID be ordered again."""
    from worker.operations.ordering import reopen_order

    reopen_order(call.app, id, call.who)
    call.answer({"reopened": id}, lambda: [f"Reopened {id}: the next run may order it again."])


@orders.command()
@click.argument("id")
@click.option("--seats", type=SEATS, help="How many came, if fewer than ordered.")
@click.option("--expires", type=DATE, help="The last day of the lot (UTC); follows from the term if left out.")
@click.option("--ref", help="What it is called elsewhere: an invoice, a contract.")
def fulfill(call: Call, id: str, seats: int | None, expires: date | None, ref: str | None) -> None:
    """The seats of the order ID are there: make their lot, and serve whoever waits for them."""
    from worker.operations.ordering import fulfill_order

    delivered = fulfill_order(call.app, id, call.who, seats=seats, expires=expires, ref=ref)
    call.answer(_delivered(id, delivered), lambda: _of_delivery(id, delivered))


def _answer(call: Call, order: "Order") -> None:
    state = order.state.replace("_", " ")
    told = {
        "id": order.id, "license": order.license, "seats": order.seats, "state": order.state,
        "estimate": order.estimate,
    }  # fmt: skip
    estimate = "" if order.estimate is None else f", estimated at {order.estimate}"
    call.answer(told, lambda: [f"{order.id}: {order.seats:,} {order.license} seats{estimate}, {state} now."])


def _delivered(id: str, delivered: "Delivered") -> dict[str, Any]:
    return {
        "id": id,
        "state": "fulfilled",
        "lot": msgspec.to_builtins(delivered.lot),
        "served": delivered.tally.counts,
        "estimate": delivered.estimate,
        "delivered_estimate": delivered.delivered_estimate,
    }


def _of_delivery(id: str, delivered: "Delivered") -> Iterator[str]:
    lot = delivered.lot
    until = f"valid through {lot.expires}" if lot.expires else "without an end"
    yield f"Fulfilled {id}: {lot.id} with {lot.seats:,} {lot.license} seats, {until}."
    if delivered.delivered_estimate is not None:
        before = f"; the order was estimated at {delivered.estimate}" if delivered.estimate is not None else ""
        yield f"What came is estimated at {delivered.delivered_estimate}{before}."
    yield served_in_words(delivered.tally.counts)


def _table(found: Sequence["OrderRow"]) -> Iterator[str]:
    columns = (
        Column("ORDER"), Column("COMPANY", gives=1), Column("LICENSE"), Column("SEATS", right=True), Column("STATE"),
        Column("ESTIMATE", right=True, drops=2), Column("CREATED", drops=3),
        Column("BECAUSE", gives=2, least=12, drops=1),
    )  # fmt: skip
    rows = [
        (row.id, row.company, row.license, f"{row.seats:,}", row.state.replace("_", " "), row.estimate,
         moment(row.created), row.because)
        for row in found
    ]  # fmt: skip
    if rows:
        yield from table(columns, rows)
        yield from (f"{row.id}: {row.problem}" for row in found if row.problem is not None)
    else:
        yield "There are no orders."
