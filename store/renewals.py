"""Renewals of lots: which are due, which are open, and what becomes of a lot because of its renewal (M3)."""

from typing import TYPE_CHECKING, Any, NamedTuple

from policies.renewing import KEPT
from store.audit import Entry, json_text
from store.lots import last_day
from store.times import rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

SYSTEM = "system"
_ENDS = "coalesce(l.term_ends_at, l.expires_at)"
_LOT = f"l.key, l.id, l.pool, l.license, l.seats, l.held, l.term, {_ENDS}, l.reminded, l.order_id"
_REOPENED = "(o.state IN ('rejected', 'cancelled', 'failed') AND o.shortage < 0)"
_OPEN = "o.state IN ('wanted', 'awaiting_approval', 'placed')"


class Renewable(NamedTuple):
    """A lot, as its renewal sees it."""

    key: int
    id: str
    pool: int
    license: str
    seats: int
    held: int
    term: str
    ends: int
    """The end of its own term, even where a placed renewal keeps it valid for longer."""
    reminded: int
    order_id: str | None
    order: str | None = None
    """The renewal that is open."""
    state: str | None = None
    by_itself: bool = False
    """Of a lot without a renewal: one is ordered when its time comes, if the policy wants that."""


class Renewals:
    """Renewals of every pool. The pool's row must be locked for whatever writes here."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def wanted(self, now: int, pool: int | None = None) -> list[Renewable]:
        """The lots that renew by themselves and whose renewal nobody has ordered, refused or rejected yet."""
        mine = "" if pool is None else " AND l.pool = :pool"
        return self._lots(
            f"l.renews AND NOT l.removed AND l.expires_at > :now{mine} AND NOT EXISTS (SELECT 1 FROM orders AS o"
            f" WHERE o.renews_lot = l.key AND NOT {_REOPENED}) ORDER BY l.expires_at, l.key",
            {"now": now} | ({} if pool is None else {"pool": pool}),
        )

    def is_ordered(self, lot: int) -> bool:
        """Whether a renewal of the lot is open or was fulfilled."""
        sql = f"SELECT count(*) FROM orders AS o WHERE o.renews_lot = :lot AND ({_OPEN} OR o.state = 'fulfilled')"
        return bool(self._tx.execute(sql, {"lot": lot}).scalar_one())

    def of(self, id: str) -> Renewable | None:
        """The lot of that id, if it has an end."""
        return next(iter(self._lots("l.id = :id AND l.expires_at IS NOT NULL", {"id": id})), None)

    def oldest_end(self, pool: int, now: int) -> int | None:
        """The end of the pool's oldest yearly lot that renews and has not ended: what is bought then ends when it does
        (P5)."""
        found: int | None = self._tx.execute(
            f"SELECT {_ENDS} FROM lot AS l WHERE l.pool = :pool AND l.renews AND l.term = 'yearly' AND NOT l.removed"
            " AND l.expires_at > :now ORDER BY l.starts_at, l.key LIMIT 1",
            {"pool": pool, "now": now},
        ).scalar()
        return found

    def pools(self) -> list[int]:
        """The pools in which a renewal is under way."""
        rows = self._tx.execute(
            f"SELECT o.pool FROM orders AS o WHERE o.renews_lot IS NOT NULL AND {_OPEN}"
            " UNION SELECT l.pool FROM lot AS l WHERE l.term_ends_at IS NOT NULL ORDER BY 1"
        )
        return [row[0] for row in rows]

    def open(self, pool: int) -> list[Renewable]:
        """The lots of the pool whose renewal is open, with that order."""
        rows = self._tx.execute(
            f"SELECT {_LOT}, o.id, o.state FROM orders AS o JOIN lot AS l ON l.key = o.renews_lot"
            f" WHERE o.pool = :pool AND {_OPEN} ORDER BY l.key",
            {"pool": pool},
        )
        return [Renewable(*row) for row in rows]

    def unrenewed(self, now: int, before: int, pool: int | None = None) -> list[Renewable]:
        """The lots that end before an instant, and of which no renewal is open or was fulfilled."""
        mine = "" if pool is None else " AND l.pool = :pool"
        rows = self._tx.execute(
            f"SELECT {_LOT}, l.renews AND NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.renews_lot = l.key"
            f" AND NOT {_REOPENED}) FROM lot AS l WHERE l.expires_at > :now AND l.expires_at <= :before{mine}"
            " AND l.term_ends_at IS NULL AND NOT l.removed AND NOT EXISTS (SELECT 1 FROM orders AS o WHERE"
            f" o.renews_lot = l.key AND ({_OPEN} OR o.state = 'fulfilled')) ORDER BY l.expires_at, l.key",
            {"now": now, "before": before} | ({} if pool is None else {"pool": pool}),
        )
        return [Renewable._make((*row[:-1], None, None, bool(row[-1]))) for row in rows]

    def remind(self, lot: Renewable, days: int, now: int) -> None:
        """Tell that a lot ends soon and its renewal is still open, or that it has none."""
        self._tx.execute("UPDATE lot SET reminded = :days WHERE key = :key", {"days": days, "key": lot.key})
        state = (lot.state or "").replace("_", " ")
        after = json_text(
            days=days, expires=last_day(lot.ends), license=lot.license, seats=lot.seats, held=lot.held,
            order=lot.order, state=lot.state,
        )  # fmt: skip
        renewal = "nothing renews it" if lot.order is None else f"its renewal {lot.order} is {state}"
        because = f"it ends on {last_day(lot.ends)}, and {renewal}"
        self._tx.audit.append(lot.pool, [Entry(SYSTEM, "lot.expiring", lot.id, None, None, after, because)], now)

    def follow(self, pool: int, now: int) -> None:
        """Keep lots valid whose renewal is placed; let those end whose renewal came to nothing, or has come. What is
        valid is listed, even if it was removed when it had ended (M5)."""
        kept = self._change(
            "term_ends_at = expires_at, expires_at = expires_at + :kept, ended = false, removed = false",
            "term_ends_at IS NULL AND expires_at + :kept > :now AND EXISTS (SELECT 1 FROM orders AS o"
            " WHERE o.renews_lot = lot.key AND o.state = 'placed')",
            {"pool": pool, "now": now, "kept": KEPT},
        )
        for key, id, expires_at in kept:
            self._tx.execute(
                "DELETE FROM waiting WHERE kind = 'exchange' AND account IN"
                " (SELECT account FROM assignment WHERE lot = :lot)",
                {"lot": key},
            )
            self._tx.usage.concerns_holders(key, now)
            self._record(pool, "lot.kept", id, expires_at, "its renewal is placed", now)
        ended = self._change(
            "expires_at = term_ends_at, term_ends_at = NULL",
            "term_ends_at IS NOT NULL AND ((term_ends_at <= :now AND EXISTS (SELECT 1 FROM orders AS o"
            " WHERE o.renews_lot = lot.key AND o.state = 'fulfilled')) OR NOT EXISTS (SELECT 1 FROM orders AS o"
            " WHERE o.renews_lot = lot.key AND o.state IN ('placed', 'fulfilled')))",
            {"pool": pool, "now": now},
        )
        for _, id, expires_at in ended:
            self._record(pool, "lot.ended", id, expires_at, "its renewal keeps it no longer", now)

    def _change(self, changes: str, condition: str, values: dict[str, Any]) -> list[tuple[int, str, int]]:
        rows = self._tx.execute(
            f"UPDATE lot SET {changes} WHERE pool = :pool AND {condition} RETURNING key, id, expires_at", values
        )
        return sorted((row[0], row[1], row[2]) for row in rows)

    def _record(self, pool: int, what: str, id: str, expires_at: int, because: str, now: int) -> None:
        after = json_text(valid_until=rfc3339(expires_at))
        self._tx.audit.append(pool, [Entry(SYSTEM, what, id, None, None, after, because)], now)

    def _lots(self, condition: str, values: dict[str, Any]) -> list[Renewable]:
        rows = self._tx.execute(f"SELECT {_LOT} FROM lot AS l WHERE {condition}", values)
        return [Renewable(*row) for row in rows]
