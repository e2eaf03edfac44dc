"""`seatkeeper report`: what was used, for bills."""

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from console.cli.answers import flat
from console.cli.call import Call
from console.cli.groups import Group
from console.cli.tables import Column, table
from console.cli.values import MONTH

if TYPE_CHECKING:
    from store.usage import Usage

COLUMNS = (
    Column("COMPANY", gives=1), Column("LICENSE"), Column("HELD AS"), Column("PEAK", right=True),
    Column("LAST DAY", right=True), Column("DAYS", right=True),
)  # fmt: skip
CSV = (
    "month", "company", "license", "peak", "last_day", "seat_days", "entitlement.peak", "entitlement.last_day",
    "entitlement.days", "expired.peak", "expired.last_day", "expired.days",
)  # fmt: skip


@click.group(cls=Group, help="Reports.")
def report() -> None: ...


@report.command()
@click.option("--month", required=True, type=MONTH, help="The month, UTC: 2026-11.")
@click.option("--company", help="Only this company's.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
def usage(call: Call, month: date, company: str | None, as_csv: bool) -> None:
    """Who held how many licenses in a month: the most at once, how many at its end, and the sum of every day's most."""
    from worker.operations.reporting import usage as used

    if as_csv and call.as_json:
        raise click.UsageError("--csv and --json contradict each other")
    found = used(call.app, month, company)
    if as_csv:
        writer = csv.DictWriter(sys.stdout, CSV, lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat(row) for row in found)
    else:
        call.answer(found, lambda: _text(found))


def _text(found: "Sequence[Usage]") -> Iterator[str]:
    rows = [
        (row.company, row.license, way, f"{peak:,}", f"{last_day:,}", f"{days:,}")
        for row in found
        for way, peak, last_day, days in (
            ("seats", row.peak, row.last_day, row.seat_days),
            ("shared mailboxes", row.entitlement.peak, row.entitlement.last_day, row.entitlement.days),
            ("expired", row.expired.peak, row.expired.last_day, row.expired.days),
        )
        if peak
    ]
    if rows:
        yield from table(COLUMNS, rows)
    else:
        yield "Nothing was held in that month."
