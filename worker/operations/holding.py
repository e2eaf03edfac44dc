"""Holds: what a safety limit stopped, written down for a person to approve or reject by its hash (Z1)."""

from typing import TYPE_CHECKING

from policies.judging import Verdict
from worker.operations.runs import Run

if TYPE_CHECKING:
    from store.transaction import Transaction


def hold(tx: "Transaction", run: Run, verdict: Verdict, approved: frozenset[int]) -> None:
    """Take a kind out of the run, whole but for what was approved or let into the line before, and save it for a
    person."""
    kind = verdict.kind.value
    actions = [p for p in tx.proposals.of_kind(run.batch, kind, new=True) if p.account not in approved]
    tx.plans.hold(
        company=run.directory.company,
        directory=run.directory.key,
        kind=kind,
        actions=actions,
        why=verdict.why,
        run=run.id,
        policy=run.in_force.version,
        now=run.now,
    )
    tx.proposals.remove(run.batch, kind, [action.account for action in actions])


def withdraw_rejected(tx: "Transaction", run: Run) -> None:
    """What a person rejected is not proposed again until the account, its memberships or its rule change."""
    for kind, accounts in tx.plans.rejected(run.directory.key, run.batch).items():
        tx.proposals.remove(run.batch, kind, accounts)
