"""Holding what a seller answers and nobody ordered: more seats, none, or seats that ended already (Z2, accident 25).

The hash covers the order and what was answered for it, so that an approval holds for this answer alone; where a
license key came with it that cannot be taken, also what is wrong with that.
"""

from store.holds import Holds
from store.order_rows import Order
from store.plan_rows import APPROVED, HELD, NOBODY, REJECTED, SUPERSEDED, SYSTEM, HeldPlan, digest

DELIVERY = "delivery"

_ACTION = ("plan", "account", "kind", "license", "rule", "because", "address", "id", "footing")


class Deliveries(Holds):
    """Answers of sellers that wait for a person."""

    def hold_delivery(
        self, order: Order, seats: int, last_day: str | None, why: str, now: int, *, key: str | None = None
    ) -> str:
        """Hold an answer for an order and return its hash. Nothing is written while the same is held, or was
        rejected; one that was held before is superseded."""
        found = self._delivery_hash(order, seats, last_day, key)
        latest = self._latest(found)
        if latest is not None and latest.state in (HELD, REJECTED):
            return found
        older = self._open_delivery(order)
        plan = self._save(order.company, None, DELIVERY, found, seats, why, None, None, older, now)
        self._tx.copy("plan_action", _ACTION, [(plan, NOBODY, DELIVERY, order.license, "", why, "", order.id, "")])
        return found

    def delivery_approved(
        self, order: Order, seats: int, last_day: str | None, *, key: str | None = None
    ) -> str | None:
        """Who approved this very answer, or None where nobody did."""
        latest = self._latest(self._delivery_hash(order, seats, last_day, key))
        return latest.decided_by if latest is not None and latest.state == APPROVED else None

    def withdraw_delivery(self, order: Order, now: int) -> None:
        """Close the hold of an answer that the seller does not give any more."""
        older = self._open_delivery(order)
        if older is not None:
            self._close(older.key, SUPERSEDED, SYSTEM, now)
            self._record(older, "plan.superseded", SYSTEM, SUPERSEDED, now, "the seller answers otherwise now")

    def order_of(self, plan: HeldPlan) -> str:
        """The order that a held answer is about."""
        id: str = self._tx.execute(
            "SELECT id FROM plan_action WHERE plan = :plan AND account = :nobody", {"plan": plan.key, "nobody": NOBODY}
        ).scalar_one()
        return id

    def _delivery_hash(self, order: Order, seats: int, last_day: str | None, key: str | None) -> str:
        answer = (DELIVERY, self._company_id(order.company), order.id, str(seats), last_day or "")
        return digest([answer if key is None else (*answer, key)])

    def _open_delivery(self, order: Order) -> HeldPlan | None:
        condition = (
            f"company = :company AND state = 'held' AND kind = '{DELIVERY}' AND EXISTS (SELECT 1 FROM plan_action AS a"
            " WHERE a.plan = plan.key AND a.id = :order)"
        )
        return next(iter(self._plans(condition, company=order.company, order=order.id)), None)
