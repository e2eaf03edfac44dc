"""License keys that were activated: each brings one lot, whoever brings it, how often and where (M6)."""

from typing import TYPE_CHECKING

from store.errors import Conflict
from store.lots import LotRow
from store.times import instant

if TYPE_CHECKING:
    from store.transaction import Transaction


class LicenseKeys:
    """The keys that are used up."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def lot_of(self, id: str) -> LotRow | None:
        """The lot that a key brought, or None where it was not activated yet."""
        found = self._tx.execute(
            "SELECT l.id FROM license_key AS k JOIN lot AS l ON l.key = k.lot WHERE k.id = :id", {"id": id}
        ).scalar_one_or_none()
        return None if found is None else self._tx.lots.by_id(found)

    def use_up(self, id: str, lot: LotRow, who: str, now: int) -> None:
        """A key brought this lot, and brings no other. Raises Conflict where it did before."""
        used = self._tx.execute(
            "INSERT INTO license_key (id, lot, at, who) VALUES (:id, :lot, :now, :who) ON CONFLICT (id) DO NOTHING",
            {"id": id, "lot": lot.key, "now": now, "who": who},
        )
        if used.rowcount != 1:
            raise self._used(id)

    def _used(self, id: str) -> Conflict:
        lot, at, who = self._tx.execute(
            "SELECT l.id, k.at, k.who FROM license_key AS k JOIN lot AS l ON l.key = k.lot WHERE k.id = :id", {"id": id}
        ).one()
        return Conflict(
            f"the license key {id} was activated on {instant(at).date()} by {who}, as {lot}; a key brings one lot"
        )
