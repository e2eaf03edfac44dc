"""Orders as rows: what the store has of them, and what people and scripts are shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store.audit import json_text
from store.errors import NotFound
from store.times import rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

WANTED, AWAITING, PLACED, FULFILLED = "wanted", "awaiting_approval", "placed", "fulfilled"
FAILED, CANCELLED, REJECTED = "failed", "cancelled", "rejected"
OPEN = f"('{WANTED}', '{AWAITING}', '{PLACED}')"
REOPENED = -1
"""The shortage of an order whose refusal stands no more."""


class Order(NamedTuple):
    """An order as the store has it."""

    key: int
    id: str
    company: int
    pool: int
    license: str
    seats: int
    state: str
    term: str
    estimate: str | None
    idempotency_key: str
    seller: str
    seller_ref: str | None
    because: str
    shortage: int
    renews_lot: int | None
    created_at: int
    decided_by: str | None
    changed_at: int


class OrderRow(msgspec.Struct, frozen=True):
    """An order as `orders list --json` shows it."""

    id: str
    company: str
    license: str
    seats: int
    state: str
    estimate: str | None
    idempotency_key: str
    seller_ref: str | None
    because: str
    term: str
    seller: str
    created: str
    decided_by: str | None
    problem: str | None
    """Why an open order has not come further, and what to do about it; why the seller refused a failed one."""


class OrderTable:
    """The orders themselves, under `store.orders`."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def by_id(self, id: str) -> Order:
        """Raises NotFound."""
        found = self._orders("id = :id", id=id)
        if not found:
            raise NotFound(f"there is no order {id}; `seatkeeper orders list` shows them")
        return found[0]

    def by_idempotency_key(self, key: str) -> Order | None:
        """The order of this idempotency key, if it is one of ours."""
        return next(iter(self._orders("idempotency_key = :key", key=key)), None)

    def listing(
        self,
        *,
        company: int | None = None,
        states: Sequence[str] = (),
        ids: Sequence[str] = (),
        limit: int | None = None,
        before: str | None = None,
    ) -> list[OrderRow]:
        """Orders, newest first, from the one after the order `before` (its id)."""
        values: dict[str, Any] = {}
        conditions = []
        if company is not None:
            conditions.append("o.company = :company")
            values["company"] = company
        if states:
            conditions.append(self._tx.dialect.among("o.state", "states"))
            values["states"] = self._tx.dialect.listed(list(states))
        if ids:
            conditions.append(self._tx.dialect.among("o.id", "ids"))
            values["ids"] = self._tx.dialect.listed(list(ids))
        if before is not None:
            conditions.append("o.key < :before")
            values["before"] = self.by_id(before).key
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        upto = "" if limit is None else " LIMIT :limit"
        rows = self._tx.execute(
            "SELECT o.id, c.id AS company, o.license, o.seats, o.state, o.estimate, o.idempotency_key, o.seller_ref,"
            " o.because, o.term, o.seller, o.created_at, o.decided_by, b.error FROM orders AS o JOIN company AS c"
            " ON c.key = o.company LEFT JOIN outbox AS b ON b.idempotency_key = o.idempotency_key"
            f" AND (b.done_at IS NULL OR o.state = '{FAILED}'){where} ORDER BY o.key DESC{upto}",
            values | ({} if limit is None else {"limit": limit}),
        )
        return [
            OrderRow(
                row.id, row.company, row.license, row.seats, row.state, row.estimate, row.idempotency_key,
                row.seller_ref, row.because, row.term, row.seller, rfc3339(row.created_at) or "", row.decided_by,
                row.error,
            )
            for row in rows
        ]  # fmt: skip

    def _orders(self, condition: str, **values: Any) -> list[Order]:
        rows = self._tx.execute(f"SELECT {', '.join(Order._fields)} FROM orders WHERE {condition}", values)
        return [Order._make(row) for row in rows]


def told(order: Order, **more: Any) -> str:
    """An order as the audit has it."""
    return json_text(
        license=order.license,
        seats=order.seats,
        state=order.state,
        term=order.term,
        seller=order.seller,
        estimate=order.estimate,
        seller_ref=order.seller_ref,
        **more,
    )
