"""How everything stands, and what needs a person first."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.orders import AWAITING, PLACED, WANTED, OrderRow
from store.overview import Setting, Status
from store.processes import Process
from store.times import micros
from store.versions import Broken

if TYPE_CHECKING:
    from store.plans import PlanRow
    from store.transaction import Transaction
    from worker.bootstrap import App

_WORDS = ("shared_mailboxes", "trial_entitles")
"""What a policy must say for its entitlement not to be the default: the others need not be read for it."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of everything, with what people must decide about."""

    status: Status
    broken: list[Broken]
    held: "list[PlanRow]"
    orders: list[OrderRow]
    """The newest of those that are open."""
    refused: list[OrderRow]
    """The newest that a seller refused, for which nothing is bought for their companies (P7)."""
    running: list[Process]
    """What runs unattended."""
    stuck: list[str]
    """Directories that should have been run long ago, though something runs."""


def overview(app: "App") -> Overview:
    """Everything from counters and short lists; nothing grows with the number of accounts."""
    now = micros(app.clock())
    with app.store.read() as tx:
        refused = tx.orders.refusals(SHOWN)
        running = tx.processes.running(now)
        return Overview(
            tx.views.status(now, settings(app, tx)),
            tx.versions.problems(),
            tx.plans.listing(),
            tx.orders.listing(states=(AWAITING, PLACED, WANTED), limit=SHOWN),
            tx.orders.listing(ids=refused) if refused else [],
            running,
            tx.views.stuck(now) if running else [],
        )


def settings(app: "App", tx: "Transaction") -> dict[str, Setting]:
    """How many shared mailboxes licenses bring, for the companies whose policy says so (S1)."""
    found = {}
    for version in tx.versions.all_in_force():
        if any(word in f"{version.text}\n{version.provider_text or ''}" for word in _WORDS):
            from worker.operations.policies import parsed  # reading policies takes a while; most of them need not be

            licenses = parsed(version, app.kinds).policy.licenses
            found[version.company] = Setting(licenses.shared_mailboxes, licenses.trial_entitles)
    return found
