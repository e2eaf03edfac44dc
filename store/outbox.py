"""The outbox: what is to leave the machine, written in the transaction that decided it (P2, Z7).

    put ──▶ claim ──▶ leave ──▶ (the request) ──▶ finish, or postpone and claim again
              │          └─ from here on it may have been heard: it is looked up before it is sent again,
              │             and never sent to another place
              └─ nobody else takes it for a while; after a crash, somebody does

`attempts` only grows, and tells a claim from every later one: who was overtaken changes nothing any more.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from store.times import span

if TYPE_CHECKING:
    from store.transaction import Transaction

ORDER = "order"
_COLUMNS = "key, idempotency_key, kind, company, subject, attempts, asked, sent_to"
_STILL_OURS = "key = :key AND attempts = :attempts AND done_at IS NULL"


class Outgoing(NamedTuple):
    """An entry that this process has claimed."""

    key: int
    idempotency_key: str
    kind: str
    company: int
    subject: str
    """The order's id."""
    attempts: int
    """How often it was claimed, this time included."""
    asked: bool
    """It may have left in an earlier attempt."""
    sent_to: str | None
    """Where it may have gone then."""


class Pause(NamedTuple):
    """Nothing is sent to a place before this instant, and what it said."""

    until: int
    why: str


class Outbox:
    """What is to leave, of every company."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def put(self, kind: str, idempotency_key: str, company: int, subject: str, now: int) -> None:
        """Write down that something is to leave, at once."""
        self._tx.execute(
            "INSERT INTO outbox (idempotency_key, kind, company, subject, due)"
            " VALUES (:idempotency_key, :kind, :company, :subject, :now)",
            {"idempotency_key": idempotency_key, "kind": kind, "company": company, "subject": subject, "now": now},
        )

    def is_empty(self) -> bool:
        """Whether nothing is to leave, now or later."""
        found = self._tx.execute("SELECT 1 FROM outbox WHERE done_at IS NULL LIMIT 1").scalar_one_or_none()
        return found is None

    def claim(self, kind: str, now: int, limit: int, for_: timedelta) -> list[Outgoing]:
        """Take entries that are due, the longest due first, for so long; those that others are about to take are
        passed over."""
        rows = self._tx.execute(
            "WITH due AS MATERIALIZED (SELECT key FROM outbox WHERE done_at IS NULL AND due <= :now AND kind = :kind"
            f" ORDER BY due, key LIMIT :limit{self._tx.dialect.skip_locked()})"
            " UPDATE outbox SET attempts = attempts + 1, due = :until WHERE key IN (SELECT key FROM due)"
            f" RETURNING {_COLUMNS}",
            {"now": now, "kind": kind, "limit": limit, "until": now + span(for_)},
        )
        return sorted(Outgoing._make(row)._replace(asked=bool(row.asked)) for row in rows)

    def leave(self, entry: Outgoing, place: str) -> bool:
        """Note where the entry goes, just before it leaves; False where it may not any more, because it was taken
        back or somebody else has it."""
        left = self._tx.execute(
            f"UPDATE outbox SET asked = true, sent_to = :place WHERE {_STILL_OURS}",
            {"key": entry.key, "attempts": entry.attempts, "place": place},
        )
        return left.rowcount == 1

    def postpone(self, entry: Outgoing, due: int, error: str | None = None, *, unsent: bool = False) -> bool:
        """Let it be taken again later. `unsent` says that nothing left in this attempt: then, unless an earlier one
        may have been heard, it can still be taken back. False where somebody else has the entry by now."""
        unheard = ", asked = false, sent_to = NULL" if unsent and not entry.asked else ""
        postponed = self._tx.execute(
            f"UPDATE outbox SET due = :due, error = :error{unheard} WHERE {_STILL_OURS}",
            {"key": entry.key, "attempts": entry.attempts, "due": due, "error": error},
        )
        return postponed.rowcount == 1

    def pause(self, place: str, until: int, why: str, now: int) -> None:
        """A place asked for patience: until then nothing is sent there, whatever it is (P7)."""
        self._tx.execute("DELETE FROM seller_pause WHERE until <= :now", {"now": now})
        self._tx.execute(
            "INSERT INTO seller_pause AS p (place, until, why) VALUES (:place, :until, :why) ON CONFLICT (place)"
            " DO UPDATE SET until = excluded.until, why = excluded.why WHERE p.until < excluded.until",
            {"place": place, "until": until, "why": why},
        )

    def paused(self, place: str, now: int) -> Pause | None:
        """Until when nothing is to be sent to a place, and why."""
        found = self._tx.execute(
            "SELECT until, why FROM seller_pause WHERE place = :place AND until > :now", {"place": place, "now": now}
        ).one_or_none()
        return None if found is None else Pause._make(found)

    def finish(self, idempotency_key: str, now: int, why: str | None = None) -> None:
        """Nothing of this is to leave any more, whoever has it; `why` where that is no success."""
        self._tx.execute(
            "UPDATE outbox SET done_at = :now, error = :why WHERE idempotency_key = :key AND done_at IS NULL",
            {"key": idempotency_key, "now": now, "why": why},
        )

    def recall(self, idempotency_key: str, now: int) -> bool:
        """Take an entry back; False if it may have left."""
        recalled = self._tx.execute(
            "UPDATE outbox SET done_at = :now, error = 'cancelled' WHERE idempotency_key = :key AND NOT asked"
            " AND done_at IS NULL",
            {"key": idempotency_key, "now": now},
        )
        return recalled.rowcount == 1

    def hasten(self, now: int, subject: str | None = None) -> None:
        """Let placed orders, or this one, be looked at now: a person asks. What a seller could not be asked about, or
        asked us to wait for, keeps its time unless it is named."""
        condition = "subject = :subject" if subject is not None else _CALMLY_PLACED
        self._tx.execute(
            f"UPDATE outbox SET due = :now WHERE done_at IS NULL AND due > :now AND kind = '{ORDER}' AND {condition}",
            {"now": now} | ({} if subject is None else {"subject": subject}),
        )


_CALMLY_PLACED = "error IS NULL AND subject IN (SELECT id FROM orders WHERE state = 'placed')"
