"""What safety limits count: removals of the last 24 hours, and how many licenses there were to begin with (Z1)."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from policies.judging import Recent

if TYPE_CHECKING:
    from store.transaction import Transaction

DAY = 24 * 3_600 * 1_000_000
APPROVED_NOW = (
    "plan AS p JOIN plan_action AS a ON a.plan = p.key WHERE p.company = h.company AND p.state = 'approved'"
    " AND p.kind = :kind AND a.account = h.account AND p.decided_at >= h.since"
)
"""A person's approval of what becomes of the very license that is held: one of an earlier license is spent."""


class Counted:
    """Removals and movements, per company and license."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def recent(self, company: int, kind: str, license: str, now: int) -> Recent:
        """What counts against a limit already: changes of the last 24 hours, and licenses held then or now if more."""
        values = {"company": company, "kind": kind, "license": license, "since": now - DAY}
        done, held, change = self._tx.execute(
            "SELECT (SELECT coalesce(sum(n), 0) FROM removal WHERE company = :company AND kind = :kind"
            " AND license = :license AND at > :since), (SELECT coalesce(sum(held), 0) FROM holding_count"
            " WHERE company = :company AND license = :license), (SELECT coalesce(sum(change), 0) FROM movement"
            " WHERE company = :company AND license = :license AND at > :since)",
            values,
        ).one()
        return Recent(int(done), max(int(held), int(held) - int(change)))

    def approved(self, company: int, kind: str, accounts: Collection[int]) -> frozenset[int]:
        """Those of these accounts whose license a person let go by approving a hold; limits do not count them again.
        To be asked before the license changes."""
        rows = self._tx.execute(
            f"SELECT h.account FROM assignment AS h WHERE {self._tx.dialect.among('h.account', 'accounts')}"
            f" AND h.company = :company AND EXISTS (SELECT 1 FROM {APPROVED_NOW})",
            {"company": company, "kind": kind, "accounts": self._tx.dialect.listed(sorted(accounts))},
        )
        return frozenset(row[0] for row in rows)

    def done_to_kinds(self, company: int, kind: str, automated: Collection[str], now: int) -> int:
        """How many changes of the last 24 hours count that were of other license kinds than these (M7)."""
        found = self._tx.execute(
            "SELECT coalesce(sum(n), 0) FROM removal WHERE company = :company AND kind = :kind AND at > :since"
            f" AND NOT {self._tx.dialect.among('license', 'automated')}",
            {
                "company": company, "kind": kind, "since": now - DAY,
                "automated": self._tx.dialect.listed(sorted(automated)),
            },
        )  # fmt: skip
        return int(found.scalar_one())

    def note_removals(self, company: int, kind: str, license: str, n: int, now: int) -> None:
        """Remember removals that limits will count; those that a person approved are not to be told here."""
        self._tx.execute(
            "INSERT INTO removal (company, kind, license, at, n) VALUES (:company, :kind, :license, :now, :n)",
            {"company": company, "kind": kind, "license": license, "now": now, "n": n},
        )

    def note_movement(self, company: int, license: str, change: int, now: int) -> None:
        """Remember by how much the licenses held changed."""
        self._tx.execute(
            "INSERT INTO movement (company, license, at, change) VALUES (:company, :license, :now, :change)",
            {"company": company, "license": license, "now": now, "change": change},
        )
