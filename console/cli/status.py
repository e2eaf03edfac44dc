"""`seatkeeper status`: what needs a person first, then how everything stands."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.cli.call import Call
from console.cli.failures import DONE, FAILED, HELD, INSUFFICIENT
from console.cli.groups import Command
from console.cli.tables import Column, moment, table

if TYPE_CHECKING:
    from store.overview import Status
    from worker.operations.status import Overview

DIRECTORIES = 50
"""Directories that a person sees; those with problems come first."""
SHOWN = 20
"""Stuck directories that a person sees."""


@click.command(cls=Command)
@click.option("--check", is_flag=True, help="Exit 1 for a failing directory, 3 for a hold, 4 for a shortage.")
def status(call: Call, check: bool) -> int:
    """Show pools, directories, waiting, holds, orders and lots that end within 30 days."""
    from worker.operations.status import overview

    found = overview(call.app)
    call.answer(_json(found), lambda: _text(found))
    return exit_code(found.status) if check else DONE


def exit_code(status: "Status") -> int:
    """What `--check` exits with."""
    if any(directory.state == "failing" for directory in status.directories):
        return FAILED
    if status.holds:
        return HELD
    return INSUFFICIENT if status.short else DONE


def _json(found: "Overview") -> dict[str, Any]:
    return {
        **msgspec.to_builtins(found.status),
        "stuck": found.stuck,
        "processes": [{"name": p.name, "role": p.role, "version": p.version} for p in found.running],
        "policy_problems": [{"file": b.file, "company": b.company, "since": b.since} for b in found.broken],
    }


def _text(found: "Overview") -> Iterator[str]:
    needs = list(_needs(found))
    yield "What needs a person:" if needs else "Nothing needs a person."
    yield from needs
    yield ""
    yield from _pools(found.status)
    yield from _directories(found.status)


def _needs(found: "Overview") -> Iterator[str]:
    for directory in found.status.directories:
        if directory.problem is not None:
            yield f"- {directory.id} ({directory.company}): {directory.problem}"
            if directory.remedy is not None:
                yield f"    What to do: {directory.remedy}"
    for id in found.stuck[:SHOWN]:
        yield f"- {id} has been due for long, and nobody runs it: does a worker live, and does it keep up?"
    for broken in found.broken:
        yield f"- {broken.file} is broken; its last good version is in force: seatkeeper policy check"
    for plan in found.held:
        yield f"- {plan.total:,} × {plan.kind} of {plan.directory or plan.company} held since {moment(plan.since)}"
        yield f"    {plan.why}"
        yield f"    seatkeeper plan show {plan.hash[:19]}"
    for order in found.orders:
        if order.state == "awaiting_approval":
            yield f"- {order.id} ({order.company}): {order.seats:,} {order.license} seats await approval"
            yield f"    because: {order.because}; estimate: {order.estimate or 'unknown'}"
            yield f"    seatkeeper orders approve {order.id}"
        elif order.state == "placed" and order.seller == "manual":
            estimate = "" if order.estimate is None else f", for an estimated {order.estimate}"
            yield f"- {order.id} ({order.company}): {order.seats:,} {order.license} seats are ordered by hand{estimate}"
            yield f"    when they are there: seatkeeper orders fulfill {order.id}"
        elif order.problem is not None:
            yield f"- {order.id} ({order.company}): {order.seats:,} {order.license} seats, {order.state}"
            yield f"    {order.problem}"
    for order in found.refused:
        why = "" if order.problem is None else f": {order.problem}"
        yield f"- {order.id} ({order.company}): the seller refused {order.seats:,} {order.license} seats{why}"
        yield f"    nothing is bought for {order.company} until: seatkeeper orders reopen {order.id}"
    yield from _waiting(found.status)
    if found.status.notices:
        yield f"- {found.status.notices:,} notices wait for an answer; nothing that they name becomes purge_due before"
        yield "    seatkeeper notices list"
    for company in found.status.told_nobody:
        yield f"- nobody is told before backups of {company} go: name somebody under `notify` in its policy"
    for receiver in found.status.receivers:
        if receiver.problem is not None:
            yield f"- {receiver.receiver}: {receiver.problem}"
            if receiver.remedy is not None:
                yield f"    What to do: {receiver.remedy}"
            if receiver.next_attempt is not None:
                since = moment(receiver.failing_since or "")
                yield f"    nothing further is told to it since {since}; next attempt {moment(receiver.next_attempt)}"
    for lot in found.status.lots_ending:
        renewal = "renews" if lot.renews else "does not renew"
        yield f"- {lot.id} ends on {lot.expires}: {lot.held:,} of {lot.seats:,} {lot.license} seats held; it {renewal}"


def _waiting(status: "Status") -> Iterator[str]:
    if status.waiting:
        reasons = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in sorted(status.waiting_for.items()))
        yield f"- {status.waiting:,} accounts wait: {reasons}"
        yield "    seatkeeper accounts list --waiting REASON"
    for entitlement in status.entitlements:
        if entitlement.over:
            numbers = f"{entitlement.used:,} of {entitlement.entitled:,}"
            yield f"- {entitlement.company} is over-entitled: {numbers} {entitlement.license} shared mailboxes"


def _pools(status: "Status") -> Iterator[str]:
    columns = (
        Column("POOL", gives=1), Column("LICENSE"), Column("SEATS", right=True), Column("HELD", right=True),
        Column("FREE", right=True), Column("EXPIRED", right=True), Column("ON ORDER", right=True),
    )  # fmt: skip
    rows = [
        (p.company or p.pool, p.license, *(f"{n:,}" for n in (p.seats, p.held, p.free, p.expired, p.on_order)))
        for p in status.pools
    ]
    yield from table(columns, rows)
    yield ""
    yield from _entitlements(status)


def _entitlements(status: "Status") -> Iterator[str]:
    columns = (
        Column("COMPANY", gives=1), Column("SHARED MAILBOXES"), Column("ENTITLED", right=True),
        Column("USED", right=True),
    )  # fmt: skip
    rows = [
        (e.company, e.license, "any number" if e.entitled is None else f"{e.entitled:,}", f"{e.used:,}")
        for e in status.entitlements
        if e.used
    ]
    if rows:
        yield from table(columns, rows)
        yield ""


def _directories(status: "Status") -> Iterator[str]:
    if not status.directories:
        yield "No directory is connected yet: seatkeeper init writes a policy to start from."
        return
    columns = (
        Column("DIRECTORY", gives=1), Column("COMPANY", gives=2, drops=1), Column("STATE"), Column("LAST SUCCESS"),
    )  # fmt: skip
    rows = [
        (d.id, d.company, d.state.replace("_", " "), None if d.last_success is None else moment(d.last_success))
        for d in status.directories[:DIRECTORIES]
    ]
    yield from table(columns, rows)
    if len(status.directories) > DIRECTORIES:
        yield f"… and {len(status.directories) - DIRECTORIES:,} more (--json has all)"
