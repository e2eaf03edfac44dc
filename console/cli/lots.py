"""`seatkeeper lots`: the stock."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click
import msgspec

from console.cli.call import Call
from console.cli.groups import Group
from console.cli.tables import Column, table
from console.cli.values import DATE, SEATS
from console.cli.words import kinds_of

if TYPE_CHECKING:
    from store.lots import Listed
    from worker.operations.lots import Added

COLUMNS = (
    Column("LOT"), Column("POOL", gives=1), Column("LICENSE"), Column("SEATS", right=True), Column("HELD", right=True),
    Column("FREE", right=True), Column("TERM", drops=1), Column("STARTS", drops=3), Column("EXPIRES"),
    Column("RENEWS", drops=2), Column("REF", gives=2, least=6),
)  # fmt: skip


@click.group(cls=Group, help="Lots: quantities of one license that were bought together.")
def lots() -> None: ...


@lots.command("list")
@click.option("--company", help="Only what this company draws from.")
@click.option("--license", help="Only this license.")
def list_(call: Call, company: str | None, license: str | None) -> None:
    """List the lots, those of the global pool first."""
    from store.times import micros

    now = micros(call.app.clock())
    with call.app.store.read() as tx:
        pool = None if company is None else tx.directories.company(company).pool
        found = tx.lots.listing(now, pool=pool, license=license)
    call.answer(found, lambda: _table(found))


@lots.command()
@click.argument("license")
@click.argument("seats", type=SEATS)
@click.option("--company", help="Put it into this company's own pool.")
@click.option("--global", "to_global", is_flag=True, help="Put it into the global pool (the default).")
@click.option(
    "--term",
    type=click.Choice(["monthly", "yearly", "trial", "perpetual"]),
    help="yearly, if nothing is said; other kinds have the term of the catalog.",
)
@click.option("--starts", type=DATE, help="The first day (UTC); today if left out.")
@click.option("--expires", type=DATE, help="The last day (UTC); follows from the term if left out.")
@click.option("--no-renew", is_flag=True, help="Let it end without a renewal.")
@click.option("--ref", help="What it is called elsewhere: an invoice, a contract.")
def add(
    call: Call,
    license: str,
    seats: int,
    company: str | None,
    to_global: bool,
    term: str | None,
    starts: date | None,
    expires: date | None,
    no_renew: bool,
    ref: str | None,
) -> None:
    """Add a lot of SEATS of a LICENSE; whoever waits for them is served at once.

    A license is standard, archived, or another kind of the provider's catalog.
    """
    from worker.operations.lots import NewLot, add_lot

    if to_global and company is not None:
        raise click.UsageError("--company and --global contradict each other: a lot is in one pool")
    new = NewLot(license, seats, company, term, starts, expires, not no_renew, ref)
    added = add_lot(call.app, new, call.who)
    call.answer({**msgspec.to_builtins(added.lot), "served": added.tally.counts}, lambda: _of_added(added))


@lots.command()
@click.argument("key")
@click.option("--company", help="Whom the key is for; a key for nobody goes into this company's own pool.")
@click.option("--no-renew", is_flag=True, help="Let it end without a renewal.")
def activate(call: Call, key: str, company: str | None, no_renew: bool) -> None:
    """Add the lot of a license KEY, once; whoever waits for its seats is served at once.

    A key that names a company goes into that company's own pool, or into the global one if it draws from that; any
    other goes into the global pool, or into the own pool of --company.
    """
    from worker.operations.activating import activate as use

    added = use(call.app, key, call.who, company=company, renews=not no_renew)
    call.answer({**msgspec.to_builtins(added.lot), "served": added.tally.counts}, lambda: _of_added(added))


@lots.command()
@click.argument("id", metavar="LOT")
def renew(call: Call, id: str) -> None:
    """Order the renewal of LOT now, instead of ahead of its end."""
    from worker.operations.renewing import renew_lot

    order = renew_lot(call.app, id, call.who)
    told = {"id": order.id, "license": order.license, "seats": order.seats, "state": order.state}
    estimate = "" if order.estimate is None else f", {order.estimate}"
    call.answer(told, lambda: [f"{order.id}: {order.seats:,} {order.license} seats{estimate}: {order.because}."])


@lots.command()
@click.option("--expired", "which", flag_value="expired", help="All that ended.")
@click.option("--expired-renewing", "which", flag_value="renewing", help="Those that ended and were to be renewed.")
@click.option("--expired-unheld", "which", flag_value="unheld", help="Those that ended and of which no seat is held.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
def prune(call: Call, which: str | None, dry_run: bool) -> None:
    """Remove lots that ended from the stock. Who still holds a seat of one stays expired, and early in line."""
    from worker.operations.lots import prunable
    from worker.operations.lots import prune as remove

    if which is None:
        raise click.UsageError("say which: --expired, --expired-renewing or --expired-unheld")
    found = prunable(call.app, renewing=which == "renewing", unheld=which == "unheld")
    if found and not dry_run:
        call.agree(f"Remove {_of_ended(found)}?")
        found = remove(call.app, [lot.id for lot in found], call.who)
    call.answer({"removed": found, "dry_run": dry_run}, lambda: _pruned(found, dry_run))


def served_in_words(counts: dict[str, int]) -> str:
    """Who got the seats, as people read it."""
    told = kinds_of(counts)
    return f"Served from the waiting: {told}." if told else "Nobody was waiting for it."


def _of_added(added: "Added") -> Iterator[str]:
    lot = added.lot
    days = f"valid through {lot.expires}" if lot.expires else "without an end"
    if not added.begun:
        days = f"from {lot.starts}, {days}"
    yield f"Added {lot.id}: {lot.seats:,} {lot.license} seats ({lot.term}, {days}) in the {_pool(lot)} pool."
    yield served_in_words(added.tally.counts)
    yield f"{lot.free:,} of its seats are free."


def _of_ended(found: Sequence["Listed"]) -> str:
    held = sum(lot.held for lot in found)
    lots = f"{len(found):,} {'lot' if len(found) == 1 else 'lots'} that ended"
    return f"{lots}, with {held:,} seats held: their holders stay expired, and early in line" if held else lots


def _pruned(found: Sequence["Listed"], dry_run: bool) -> Iterator[str]:
    if not found:
        yield "There is nothing to remove."
        return
    yield f"{'Would remove' if dry_run else 'Removed'} {_of_ended(found)}."
    yield from _table(found)


def _pool(lot: "Listed") -> str:
    return "global" if lot.company is None else f"own ({lot.company})"


def _table(found: Iterable["Listed"]) -> Iterator[str]:
    rows = [
        (lot.id, _pool(lot), lot.license, f"{lot.seats:,}", f"{lot.held:,}", f"{lot.free:,}", lot.term, lot.starts,
         lot.expires or "never", "yes" if lot.renews else "no", lot.ref)
        for lot in found
    ]  # fmt: skip
    if rows:
        yield from table(COLUMNS, rows)
    else:
        yield "There are no lots yet. Add one: seatkeeper lots add standard 100"
