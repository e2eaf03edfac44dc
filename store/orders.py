"""Orders: written down under an idempotency key before anything leaves the machine (P2), and who decided what (P3).

    wanted ──────────────▶ placed ──▶ fulfilled        with the manual seller `placed` at once
      ▲   ╲                  │
      │    ╲──▶ failed       ▼
    awaiting_approval ──▶ rejected, cancelled

An order to send has a row in the outbox. Renewals (`renews_lot`) are orders that no cap and no shortage counts (M3).
"""

from collections.abc import Sequence
from secrets import token_hex
from typing import TYPE_CHECKING

from store.audit import Entry
from store.errors import Conflict
from store.order_rows import AWAITING as AWAITING
from store.order_rows import CANCELLED, FAILED, FULFILLED, REJECTED, REOPENED, OrderTable, told
from store.order_rows import PLACED as PLACED
from store.order_rows import WANTED as WANTED
from store.order_rows import Order as Order
from store.order_rows import OrderRow as OrderRow
from store.ordered import ANY_SHORTAGE as ANY_SHORTAGE
from store.ordered import Ordered
from store.outbox import ORDER

if TYPE_CHECKING:
    from store.lots import LotRow

ENDED = (FULFILLED, FAILED, CANCELLED, REJECTED)
"""Nothing of such an order is to leave any more."""
MANUAL = "manual"
"""The seller that is a person, who marks orders as fulfilled (P8)."""
SYSTEM = "system"


class Orders(OrderTable, Ordered):
    """Purchases of every company."""

    def want(
        self,
        *,
        company: int,
        pool: int,
        license: str,
        seats: int,
        term: str,
        seller: str,
        estimate: str | None,
        because: str,
        shortage: int,
        awaits_approval: bool,
        now: int,
        renews_lot: int | None = None,
        approved_by: str | None = None,
        wanted_by: str = SYSTEM,
    ) -> Order:
        """Write an order down: it waits for a person, or is sent after this transaction, or is `placed` with the
        manual seller. `approved_by` is who approved a held purchase: the safety limit does not count it again;
        `wanted_by` is who asked for it, if anybody did."""
        state = AWAITING if awaits_approval else PLACED if seller == MANUAL else WANTED
        key = self._tx.execute(
            "INSERT INTO orders (id, company, pool, license, seats, state, term, estimate, idempotency_key, seller,"
            " because, shortage, renews_lot, created_at, decided_by, changed_at) VALUES (:id, :company, :pool,"
            " :license, :seats, :state, :term, :estimate, :idempotency_key, :seller, :because, :shortage,"
            " :renews_lot, :now, :approved_by, :now) RETURNING key",
            {
                "id": f"order-{token_hex(6)}", "company": company, "pool": pool, "license": license, "seats": seats,
                "state": state, "term": term, "estimate": estimate, "idempotency_key": token_hex(16), "seller": seller,
                "because": because, "shortage": shortage, "renews_lot": renews_lot, "approved_by": approved_by,
                "now": now,
            },
        ).scalar_one()  # fmt: skip
        [order] = self._orders("key = :key", key=key)
        who = approved_by or wanted_by
        first = order._replace(state=AWAITING if awaits_approval else WANTED)
        self._tx.audit.append(company, [Entry(who, "order.wanted", order.id, None, None, told(first), because)], now)
        self._send(order, first, who, now)
        return order

    def _send(self, order: Order, before: Order, who: str, now: int) -> None:
        """What follows from the order's state: a row in the outbox, or, with the manual seller, that it is placed."""
        if order.state == WANTED:
            self._tx.outbox.put(ORDER, order.idempotency_key, order.company, order.id, now)
        elif order.state == PLACED:
            entry = Entry(who, "order.placed", order.id, None, told(before), told(order), "a person fulfills it")
            self._tx.audit.append(order.company, [entry], now)

    # --- what people decide; each raises NotFound, and Conflict where the order's state does not allow it ---

    def approve(self, id: str, who: str, now: int) -> Order:
        """A person lets an order go ahead (P3)."""
        order = self._locked(id, "approve", (AWAITING,))
        changed = self._change(order, PLACED if order.seller == MANUAL else WANTED, who, now)
        approved = order._replace(state=WANTED)
        self._record(order, approved, "order.approved", who, now)
        self._send(changed, approved, who, now)
        return changed

    def reject(self, id: str, who: str, now: int) -> Order:
        """A person refuses an order; it is not made again until the shortage exceeds what was short then (P3)."""
        order = self._locked(id, "reject", (AWAITING,))
        return self._decided(order, REJECTED, "order.rejected", who, now)

    def cancel(self, id: str, who: str, now: int) -> Order:
        """A person takes back an order that has not been sent, or that a person was to fulfill. Like a rejected one
        it is not made again until the shortage grows."""
        order = self._locked(id, "cancel", (AWAITING, WANTED, *((PLACED,) if self._is_manual(id) else ())))
        if order.state == WANTED and not self._tx.outbox.recall(order.idempotency_key, now):
            raise Conflict(f"{order.id} may have reached the seller already; it cannot be cancelled any more")
        return self._decided(order, CANCELLED, "order.cancelled", who, now)

    def reopen(self, id: str, who: str, now: int) -> Order:
        """Let what was rejected, cancelled or refused be ordered again, from the next run on. The order itself stays
        as it is; the company's directories are planned for the purchase to be looked at."""
        company = self.by_id(id).company
        # Directories are locked before pools, as in every run.
        self._tx.execute("UPDATE directory SET plan_some = true WHERE company = :company", {"company": company})
        order = self._locked(id, "reopen", (REJECTED, CANCELLED, FAILED))
        self._tx.execute(
            "UPDATE orders SET shortage = :reopened WHERE key = :key", {"reopened": REOPENED, "key": order.key}
        )
        self._record(order, order, "order.reopened", who, now)
        return order._replace(shortage=REOPENED)

    def fulfill(
        self,
        id: str,
        who: str,
        now: int,
        *,
        expires_at: int | None,
        seats: int | None = None,
        starts_at: int | None = None,
        ref: str | None = None,
        more: bool = False,
        estimate: str | None = None,
        term: str | None = None,
        lot: "LotRow | None" = None,
    ) -> "LotRow":
        """The seats are there (P4): makes their lot. `seats` is at most what was ordered, unless a person took `more`;
        what is missing is a new shortage. `expires_at` is the first instant at which the lot is no longer valid, None
        is never; `estimate` is of what came, by its seats and days (P5). A `lot` that came already, by a license key
        that a person was quicker with, is the order's from now on, and no other is made (M6)."""
        order = self._locked(id, "fulfill", (WANTED, PLACED))
        number = order.seats if seats is None else seats
        if number < 1 or (number > order.seats and not more):
            raise Conflict(f"{order.id} is for {order.seats} seats; it cannot be fulfilled with {number}")
        self._tx.audit.open((order.pool, order.company))
        lot = (
            self._tx.lots.came_of(lot, order.id)
            if lot is not None
            else self._tx.lots.add(
                pool=order.pool,
                license=order.license,
                seats=number,
                term=term or order.term,
                starts_at=self.begins(order, now) if starts_at is None else starts_at,
                expires_at=expires_at,
                who=who,
                because=f"{order.id}: {order.because}",
                ref=ref or order.seller_ref,
                order_id=order.id,
                now=now,
            )
        )
        changed = self._change(order, FULFILLED, None, now, ref=ref)
        after = told(changed, lot=lot.id, got=number, delivered_estimate=estimate)
        entry = Entry(who, "order.fulfilled", order.id, None, told(order), after, None)
        self._tx.audit.append(order.company, [entry], now)
        return lot

    def begins(self, order: Order, now: int) -> int:
        """When the lot of an order begins: now, or at the end of the lot that it renews (M3)."""
        ends: int | None = self._tx.execute(
            "SELECT coalesce(term_ends_at, expires_at) FROM lot WHERE key = :lot", {"lot": order.renews_lot}
        ).scalar()
        return now if ends is None else ends

    # --- what sellers answer ---

    def placed(self, id: str, ref: str | None, now: int) -> Order:
        """The seller has the order; told again, nothing changes."""
        order = self._locked(id, "place", (WANTED, PLACED))
        if order.state == PLACED:
            return order
        changed = self._change(order, PLACED, None, now, ref=ref)
        self._record(order, changed, "order.placed", SYSTEM, now)
        return changed

    def failed(self, id: str, why: str, now: int) -> Order:
        """The seller refused the order for good (P7); told again, nothing changes."""
        order = self._locked(id, "fail", (WANTED, PLACED, FAILED))
        if order.state == FAILED:
            return order
        self._tx.outbox.finish(order.idempotency_key, now, why)
        changed = self._change(order, FAILED, None, now)
        entry = Entry(SYSTEM, "order.failed", order.id, None, told(order), told(changed), why)
        self._tx.audit.append(order.company, [entry], now)
        return changed

    def ended_empty(self, id: str, who: str, why: str, now: int) -> Order:
        """The seller ended the order without a seat, and a person took that for true: like a cancelled one it is not
        made again until the shortage grows."""
        order = self._locked(id, "end", (WANTED, PLACED))
        changed = self._change(order, CANCELLED, who, now)
        entry = Entry(who, "order.cancelled", order.id, None, told(order), told(changed), why)
        self._tx.audit.append(order.company, [entry], now)
        return changed

    # --- below ---

    def _locked(self, id: str, verb: str, allowed: Sequence[str]) -> Order:
        """The order, with its pool's row and its own locked, in that order, until the transaction ends."""
        lock = self._tx.dialect.for_update()
        pool = self.by_id(id).pool
        self._tx.execute(f"SELECT key FROM company WHERE key = :pool{lock}", {"pool": pool})
        [order] = self._orders(f"id = :id{lock}", id=id)
        if order.state not in allowed:
            by = "" if order.decided_by is None else f" by {order.decided_by}"
            raise Conflict(f"{order.id} is {order.state.replace('_', ' ')}{by}; there is nothing to {verb}")
        return order

    def _is_manual(self, id: str) -> bool:
        return self.by_id(id).seller == MANUAL

    def _decided(self, order: Order, state: str, what: str, who: str, now: int) -> Order:
        changed = self._change(order, state, who, now)
        self._record(order, changed, what, who, now)
        return changed

    def _change(self, order: Order, state: str, who: str | None, now: int, ref: str | None = None) -> Order:
        self._tx.execute(
            "UPDATE orders SET state = :state, decided_by = coalesce(:who, decided_by), changed_at = :now,"
            " seller_ref = coalesce(:ref, seller_ref) WHERE key = :key",
            {"state": state, "who": who, "now": now, "ref": ref, "key": order.key},
        )
        if state in ENDED:
            self._tx.outbox.finish(order.idempotency_key, now)
        return order._replace(
            state=state, decided_by=who or order.decided_by, changed_at=now, seller_ref=ref or order.seller_ref
        )

    def _record(self, before: Order, after: Order, what: str, who: str, now: int) -> None:
        entry = Entry(who, what, after.id, None, told(before), told(after), after.because)
        self._tx.audit.append(after.company, [entry], now)
