"""A person's answer to a hold (Z1): approving plans again first, and applies what was reviewed."""

from typing import TYPE_CHECKING

from policies.model import Limited
from store.deliveries import DELIVERY
from store.errors import Conflict
from store.plans import HeldPlan
from store.retentions import PURGE
from worker.errors import Busy
from worker.operations.endpoints import is_of_endpoints, take_held
from worker.operations.hand_approving import apply_held, is_by_hand
from worker.operations.ordering import order_held
from worker.operations.retaining import approve_purge
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync
from worker.relay import relay_once

if TYPE_CHECKING:
    from worker.bootstrap import App

READ = "read"


def approve(app: "App", hash: str, who: str) -> RunResult | None:
    """Approve a hold and apply it at once.

    Refused with Conflict if one of its very actions is no longer proposed. Newer ones stay held under their own hash.
    Returns the run's result, or None where nothing had to run (a purchase, what a seller delivered, licenses of
    endpoints).
    """
    with app.store.read() as tx:
        plan = tx.plans.held(hash)
    if plan.kind == Limited.PURCHASE:
        order_held(app, plan, who)
        return None
    if plan.kind == DELIVERY:
        _believe_seller(app, plan, who)
        return None
    if plan.kind == PURGE:
        approve_purge(app, plan, who)
        return None
    if plan.kind == READ:
        return _approve_read(app, plan, who)
    if is_of_endpoints(plan):
        take_held(app, plan, who)
        return None
    if is_by_hand(plan):
        return apply_held(app, plan, who)
    result = sync(app, _directory(app, plan), Asked(approving=plan, who=who))
    if result.outcome == "busy":
        raise Busy("a run over this directory is under way; try again when it has ended")
    if result.outcome == "failed":
        raise Conflict(result.error or "the plan could not be applied")
    return result


def reject(app: "App", hash: str, who: str) -> None:
    """Reject a hold: its actions are not proposed again until what they rest on changes."""
    from store.times import micros

    with app.store.begin() as tx:
        tx.plans.reject(tx.plans.held(hash), who, micros(app.clock()))


def reopen(app: "App", hash: str, who: str) -> None:
    """Let what was rejected be proposed again."""
    from store.times import micros

    with app.store.begin() as tx:
        tx.plans.reopen(hash, who, micros(app.clock()))


def _believe_seller(app: "App", plan: HeldPlan, who: str) -> None:
    """Take a seller's answer for true: it is asked again at once, and what it says is applied if it is the same."""
    from store.times import micros

    with app.store.begin() as tx:
        tx.plans.approve(plan, who, micros(app.clock()))
        tx.outbox.hasten(micros(app.clock()), tx.plans.order_of(plan))
    relay_once(app, app.clock())


def _approve_read(app: "App", plan: HeldPlan, who: str) -> RunResult:
    """Believe a reading: the next whole read that leaves out the very same accounts is merged (Z2)."""
    from store.times import micros

    with app.store.begin() as tx:
        tx.plans.approve(plan, who, micros(app.clock()))
    return sync(app, _directory(app, plan), Asked(full=True))


def _directory(app: "App", plan: HeldPlan) -> str:
    if plan.directory is None:
        raise Conflict(f"the plan {plan.hash} is of no directory")
    with app.store.read() as tx:
        return tx.directories.by_key(plan.directory).id
