"""Applying what one person asked for by hand, a limit held, and a person approved (Z1)."""

from typing import TYPE_CHECKING

from policies.model import License, Limited
from store.errors import Conflict
from store.plans import HeldPlan
from store.times import micros
from worker.errors import Insufficient
from worker.operations.by_hand import carry_out, let_go, work_out
from worker.operations.handing import Intent, Part
from worker.operations.pools import open_pools
from worker.operations.runs import REPORTED, AccountName, Action, RunResult

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

ALL = 1_000_000_000


def is_by_hand(plan: HeldPlan) -> bool:
    """Whether a person asked for what is held, and no run proposes it."""
    return plan.run is None and plan.directory is not None and plan.kind in (Limited.ARCHIVE, Limited.UNASSIGN)


def apply_held(app: "App", plan: HeldPlan, who: str) -> RunResult:
    """Do what was asked for, whatever the limit says. Refused with Conflict if an account does not hold any more what
    it held then, with Insufficient if there are too few seats, and with UnderLegalHold; then it stays held."""
    assert plan.directory is not None  # that is what makes it one by hand
    with app.store.begin() as tx:
        tx.directories.touch([plan.directory])
        directory = tx.directories.by_key(plan.directory)
        open_pools(app, tx, [directory.pool], micros(app.clock()))
        [part] = work_out(app, tx, {plan.company: _intents(tx, plan)}, who)
        if part.left_out:
            raise _insufficient(part)
        tx.plans.approve(plan, who, part.now)
        carry_out(app, tx, [part], approved=True)
    let_go(app, [part], who)
    return _told(directory.id, [settled.intent for settled in part.settled])


def _intents(tx: "Transaction", plan: HeldPlan) -> list[Intent]:
    subjects = {subject.id: subject for subject in tx.by_hand.subjects(tx.plans.accounts(plan))}
    wanted: list[Intent] = []
    for action in tx.plans.actions(plan.hash, ALL):
        subject = None if action.account is None else subjects.get(action.account.id)
        if subject is not None and subject.license == action.held_license and subject.linked_to is None:
            wanted.append(Intent(subject, action.kind, action.license, action.because))
    if gone := plan.total - len(wanted):
        raise Conflict(f"{gone} of the {plan.total} accounts have changed since; ask for it again")
    return wanted


def _insufficient(part: Part) -> Insufficient:
    """Only archiving and what goes with it needs stock among what is held."""
    reasons = sorted({reason for _, reason in part.left_out})
    free = part.wanted - len(part.left_out)
    return Insufficient(License.ARCHIVED.value, wanted=part.wanted, free=free, because=reasons)


def _told(directory: str, intents: list[Intent]) -> RunResult:
    result = RunResult(directory, None, "applied")
    result.actions = [_action(intent) for intent in intents[:REPORTED]]
    result.actions_total = len(intents)
    return result


def _action(intent: Intent) -> Action:
    subject = intent.subject
    return Action(intent.kind, AccountName(subject.id, subject.address), intent.license, intent.because)
