"""The receiver that a company's policy names, as it has it now: what stands in the store is not enough to reach it."""

from typing import TYPE_CHECKING, NamedTuple

from policies.document import Receiver
from worker.operations.policies import in_force, parsed
from worker.operations.subscribing import PROVIDER, address_of

if TYPE_CHECKING:
    from policies.provider import Provider
    from store.transaction import Transaction
    from worker.bootstrap import App


class Named(NamedTuple):
    """A receiver, and what the provider's file says beside the policy that names it."""

    receiver: Receiver
    provider: "Provider"


def named(app: "App", tx: "Transaction", company: int, company_id: str, id: str) -> Named | None:
    """The receiver of that id; None where the policy names it no more."""
    if company == PROVIDER:
        version = tx.versions.newest_in_force()
        policy = None if version is None else parsed(version, app.kinds)
        some = () if policy is None else policy.provider.defaults.notify
    else:
        policy = in_force(app, tx, company_id)
        some = () if policy is None else policy.policy.notify
    found = next((one for one in some if address_of(one).id == id), None)
    return None if found is None or policy is None else Named(found, policy.provider)
