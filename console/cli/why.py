"""`seatkeeper why`: the decision about one account, explained (G9)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from console.cli.call import Call
from console.cli.groups import Command
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from store.account_pages import AccountRow
    from worker.operations.explaining import Explained

PROTECTIONS = {
    "backed_up": "backed up daily",
    "archived": "archived: data is kept, no new backups are made",
    "archive_waiting": "waits to be archived: no backup can run any more, data is kept",
    "not_running": "keeps its license, but no backup can run any more",
    "expired": "its seat has expired: data is kept, no backups until there is another one",
    "retained": "has no license; data is kept until the clock ends",
    "purge_due": "its backups may be purged",
    "none": "not protected",
}


@click.command(cls=Command)
@click.argument("account")
def why(call: Call, account: str) -> None:
    """Explain what ACCOUNT holds and why: the rule that decides, the groups that count, what each other rule said.

    ACCOUNT is the directory's id, an address, or directory:address.
    """
    from worker.operations.explaining import explain

    explained = explain(call.app, account)
    call.answer(explained, lambda: _text(explained))


def _text(explained: "Explained") -> Iterator[str]:
    row, decision = explained.account, explained.decision
    yield f"{row.name or row.address or row.id} <{row.address or row.id}>"
    yield f"  {row.kind.replace('_', ' ')}, {row.state} in {row.directory} ({row.company})"
    yield f"  id {row.id}"
    yield ""
    yield f"Decision: {decision.text}"
    if decision.mark is not None:
        yield f"          {decision.mark}"
    yield f"Holds:    {_holds(row)}"
    yield f"Backups:  {PROTECTIONS.get(row.protection, row.protection)}"
    if row.retention_ends is not None:
        yield f"          data is kept until {moment(row.retention_ends)}"
    if row.waiting is not None:
        reason = row.waiting.reason.replace("_", " ")
        yield f"Waits:    for {row.waiting.for_} since {moment(row.waiting.since)}: {reason}"
    yield from _of_other_accounts(row)
    if explained.grace is not None:
        grace = explained.grace
        kind = grace.kind.replace("_", " ")
        yield f"Grace:    {kind} since {moment(grace.since)}; {grace.then} at {moment(grace.ends)}"
    yield f"Next run: {'will ' + explained.next if explained.next else 'has nothing to change'}"
    if explained.directory_state != "healthy":
        state = explained.directory_state.replace("_", " ")
        yield f"          ({row.directory} is {state}; `seatkeeper status` says more)"
    yield ""
    yield from _rules(explained)
    yield from _groups(explained)
    yield f"Policy: {explained.policy}"


def _holds(row: "AccountRow") -> str:
    if row.license is None:
        by_hand = " (decided by hand)" if row.source in ("manual", "pinned") else ""
        return f"nothing{by_hand}"
    on = f"a seat of {row.lot}" if row.through == "seat" else "the entitlement, without a seat"
    since = "" if row.since is None else f" since {moment(row.since)}"
    return f"{row.license} on {on}{since}, from {row.source}: {row.because}"


def _of_other_accounts(row: "AccountRow") -> Iterator[str]:
    if row.linked_to is not None:
        yield f"Linked:   the license of {row.linked_to} covers its backups"
    if row.possible_return_of is not None:
        yield f"Returned: perhaps; {row.possible_return_of} had this address and was deleted"
        yield f"          seatkeeper accounts link {row.id} {row.possible_return_of}"
    if row.legal_hold:
        yield "On hold:  for legal reasons its backups may not go"


def _rules(explained: "Explained") -> Iterator[str]:
    columns = (Column(""), Column("RULE", gives=1), Column("SAID", gives=2, least=24), Column("WHERE", drops=1))
    rows = [("→" if said.decides else " ", said.rule, said.said, said.mark) for said in explained.rules]
    yield "Rules, read top to bottom:"
    yield from (f"  {line}" for line in table(columns, rows, indent=2))
    yield ""


def _groups(explained: "Explained") -> Iterator[str]:
    if not explained.groups:
        return
    yield "Groups that the policy needs, and this account is in:"
    for group in explained.groups:
        name = group.name or group.id
        address = f" <{group.address}>" if group.address else ""
        through = f", through {group.through}" if group.through else ""
        yield f"  {name}{address}{through}{'' if group.named_as else ' (only leads to another)'}"
    yield ""
