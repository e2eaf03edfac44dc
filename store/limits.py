"""What safety limits count: removals of the last 24 hours, and how many licenses there were to begin with (Z1)."""

from typing import TYPE_CHECKING

from policies.judging import Recent

if TYPE_CHECKING:
    from store.transaction import Transaction

DAY = 24 * 3_600 * 1_000_000


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
