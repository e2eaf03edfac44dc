"""`seatkeeper audit`: the record of every change, and the proof that it is whole (A1)."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.answers import encoded_rows
from console.cli.call import Call
from console.cli.failures import DONE, FAILED
from console.cli.groups import Command
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from store.audit import Break, Head, Recorded
    from store.transaction import Transaction

SHOWN = 30
PAGE = 1_000


@click.command(cls=Command)
@click.option("--verify", is_flag=True, help="Recompute every chain of hashes, and name what does not hold (exit 1).")
@click.option("--company", help="Only this company's; `provider` is the provider's own.")
@click.option("--subject", help="Only this account's, lot's, order's … id.")
@click.option("--after", type=click.IntRange(0), help="Entries after this number of the company's chain.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
def audit(
    call: Call, verify: bool, company: str | None, subject: str | None, after: int | None, limit: int | None
) -> int:
    """Show the record: all of it with --json, else the latest entries of each company."""
    with call.app.store.read() as tx:
        companies = _companies(tx, company)
        if verify:
            one = None if company is None else companies[0][0]
            return _verified(call, list(tx.audit.verify(one)), tx.audit.heads(one), len(companies))
        if call.as_json:
            sys.stdout.writelines(encoded_rows(_entries(tx, companies, subject, after or 0, limit)))
            return DONE
        found = [entry for key, _ in companies for entry in _latest(tx, key, subject, after, limit or SHOWN)]
    for line in _table(sorted(found, key=lambda entry: (entry.at, entry.company, entry.n))[-(limit or SHOWN) :]):
        print(line)
    return DONE


def _companies(tx: "Transaction", company: str | None) -> list[tuple[int, str]]:
    """Keys and ids; the provider's chain first."""
    rows = [tx.directories.company_by_key(0), *tx.directories.companies()]
    if company is not None:
        rows = [tx.directories.company(company)]
    return [(row.key, row.id) for row in rows]


def _entries(
    tx: "Transaction", companies: list[tuple[int, str]], subject: str | None, after: int, limit: int | None
) -> "Iterator[Recorded]":
    left = limit
    for key, _ in companies:
        n = after
        while left is None or left > 0:
            page = tx.audit.entries(key, after=n, limit=PAGE if left is None else min(PAGE, left), subject=subject)
            yield from page
            if not page:
                break
            n = page[-1].n
            left = None if left is None else left - len(page)


def _latest(tx: "Transaction", key: int, subject: str | None, after: int | None, limit: int) -> "list[Recorded]":
    if after is not None:
        return tx.audit.entries(key, after=after, limit=limit, subject=subject)
    return tx.audit.latest(key, limit=limit, subject=subject)


def _verified(call: Call, breaks: "list[Break]", heads: "list[Head]", companies: int) -> int:
    value = {
        "chains": companies,
        "breaks": [{"company": b.company, "n": b.n, "why": b.why} for b in breaks],
        "heads": [{"company": h.company, "n": h.n, "hash": h.hash} for h in heads],
    }
    call.answer(value, lambda: _of_breaks(breaks, companies))
    return FAILED if breaks else DONE


def _of_breaks(breaks: "list[Break]", companies: int) -> Iterator[str]:
    for broken in breaks:
        yield f"{broken.company}: entry {broken.n} is {broken.why}"
    if not breaks:
        yield f"{companies} chain{'s' if companies != 1 else ''} verified; every entry is as it was written."


def _table(entries: "list[Recorded]") -> Iterator[str]:
    if not entries:
        yield "Nothing is recorded yet."
        return
    columns = (
        Column("WHEN"), Column("COMPANY", gives=1, drops=2), Column("N", right=True, drops=3),
        Column("WHO", gives=2, least=12), Column("WHAT"), Column("SUBJECT", gives=3, least=12),
        Column("BECAUSE", gives=4, least=16, drops=1),
    )  # fmt: skip
    rows = [(moment(e.at), e.company, e.n, e.who, e.what, e.subject, e.because) for e in entries]
    yield from table(columns, rows)
