"""Deciding: accounts are read a chunk at a time, and what should change is written down as proposals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.deciding import RuleBook, decide, rule_book
from policies.model import NO_GROUPS, GroupRef, Memberships, Through
from policies.planner import Context, Proposal, footing, make_plan
from store.groups import Closure
from store.proposals import Chunk
from worker.operations.runs import Run
from worker.operations.unit_bindings import bound_units

if TYPE_CHECKING:
    from store.transaction import Transaction

_SEAT = Through.SEAT.value
WHOLE_EVERY = 24 * 3_600 * 1_000_000
"""Microseconds between whole plans, so that no drift stays (Z12)."""


@dataclass(frozen=True)
class Basis:
    """What the verdicts of one run rest on."""

    book: RuleBook
    closure: Closure | None
    context: Context


def basis_of(tx: "Transaction", run: Run, suspended: Mapping[str, tuple[GroupRef, ...]]) -> Basis:
    """Rules, groups and time, as this run has them."""
    app, kind, policy = run.app, run.entry.kind, run.in_force.policy
    bound = {b.ref: b.group_id for b in tx.groups.bindings(run.directory.key).values() if b.group_id is not None}
    closure = tx.groups.closure(run.directory.key, bound) if bound else None
    units = bound_units(tx, run.directory, policy, run.entry, by_id=app.has_unit_ids(kind)).ids
    able = {"org_units": app.has_org_units(kind), "groups": app.has_groups(kind)}
    return Basis(
        rule_book(policy, run.entry, suspended, units=units, **able),
        closure,
        Context(policy, run.now),
    )


def due_whole(run: Run) -> bool:
    """Whether everybody is planned, and not only those who changed (Z12)."""
    row = run.directory
    return (
        run.whole
        or row.plan_whole
        or row.planned_policy != run.in_force.version
        or run.now - row.planned_whole_at >= WHOLE_EVERY
    )


def plan(
    tx: "Transaction", run: Run, basis: Basis, *, whole: bool, assign: Callable[[list[Proposal]], None] | None = None
) -> int:
    """Write down what should change; returns how many proposals there are.

    `assign` takes new licenses at once, where there are seats for everybody.
    """
    key = run.directory.key
    tx.proposals.drop(run.batch)
    if whole:
        tx.dialect.enlarge(tx.connection)
    else:
        tx.proposals.note_due(key, run.now)
        tx.plans.plan_held_again(key)  # a kind that is held stays held when the plan grows
    planned = proposed = 0
    read = tx.proposals.whole if whole else tx.proposals.changed
    for chunk in read(key, attributes=basis.book.reads_attributes):
        members = memberships_of(tx, basis, key, chunk)
        verdicts = decide(chunk.accounts, members, basis.book)
        proposals = list(make_plan(verdicts, chunk.holdings, basis.context))
        _set_footings(tx, basis, chunk, members, proposals)
        proposed += len(proposals)
        if assign is not None:
            assign([p for p in proposals if p.kind == "assign" and p.through == _SEAT])
            proposals = [p for p in proposals if p.kind != "assign" or p.through != _SEAT]
        if proposals:
            tx.proposals.add(run.batch, proposals)
        planned += len(chunk.accounts)
        run.progress("planning", planned)
    tx.proposals.planned(key)
    return proposed


def _set_footings(
    tx: "Transaction", basis: Basis, chunk: Chunk, members: Memberships, proposals: list[Proposal]
) -> None:
    """Removals can be rejected by a person; what they rest on is kept with them: the whole account, whatever rules
    look at."""
    removals = [n for n, p in enumerate(proposals) if p.kind in ("archive", "release")]
    if not removals:
        return
    if basis.book.reads_attributes:
        accounts = {account.key: account for account in chunk.accounts}
    else:
        accounts = tx.proposals.in_full([proposals[n].account for n in removals])
    for n in removals:
        p = proposals[n]
        rule = basis.context.rule(p.rule or None)
        groups = members.get(p.account, NO_GROUPS)
        proposals[n] = p._replace(footing=footing(accounts[p.account], groups, rule))


def memberships_of(tx: "Transaction", basis: Basis, directory: int, chunk: Chunk) -> Memberships:
    """The groups of the policy that these accounts are in."""
    if basis.closure is None:
        return {}
    return tx.groups.memberships(basis.closure, directory, {account.id: account.key for account in chunk.accounts})
