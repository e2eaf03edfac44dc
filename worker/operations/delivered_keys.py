"""License keys in what sellers answer: verified before the answer is believed, and each used once (M6, P8)."""

from typing import TYPE_CHECKING

from connectors.base import Receipt, Refusal
from policies.license_keys import BadKey, LicenseKey
from store.lots import day_after
from store.order_rows import FULFILLED, Order
from worker.operations.activating import read_signed
from worker.operations.policies import InForce

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App


def key_in(app: "App", in_force: InForce | None, said: Receipt | Refusal) -> LicenseKey | BadKey | None:
    """The license key that came with the seats of an order, or what is wrong with it; None where none came, or where
    the provider's file names no public key, so that the seats are taken on the seller's word alone.

    Raises NeedsPerson where the public key cannot be read.
    """
    if in_force is None or not isinstance(said, Receipt) or said.state != FULFILLED or said.license_key is None:
        return None
    try:
        return read_signed(app, said.license_key, in_force.provider)
    except BadKey as problem:
        return problem


def unfit(
    tx: "Transaction", order: Order, company: str, said: Receipt, key: LicenseKey | BadKey | None, begins: int
) -> str | None:
    """Why a key cannot be what the order brought; None where it can, or where there is none."""
    if key is None:
        return None
    if isinstance(key, BadKey):
        return f"the seller's answer has a license key, and {key}"
    name = f"the license key {key.id} of the seller's answer"
    if key.license != order.license or key.seats != said.seats:
        return f"{name} is for {key.seats:,} {key.license} seats, and the answer for {said.seats:,} of {order.license}"
    if key.company not in (None, company):
        return f"{name} is for {key.company}, and {company} ordered"
    if key.expires is not None and day_after(key.expires) <= begins:
        return f"{name} ends on {key.expires}, before its seats begin"
    lot = tx.license_keys.lot_of(key.id)
    if lot is not None and (lot.order_id is not None or lot.pool != order.pool):
        return f"{name} was activated before, as {lot.id}"
    return None
