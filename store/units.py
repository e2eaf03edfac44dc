"""Organizational units that policies name, in directories whose units have ids (G3)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from store.groups import by_ref

if TYPE_CHECKING:
    from store.transaction import Transaction


class UnitBinding(NamedTuple):
    """What a path of a policy stands for in one directory."""

    ref: str
    unit_id: str | None
    problem: str | None
    """missing, gone, or refused where the directory did not show its units; None where all is well."""


class Units:
    """Paths of policies and the ids that they are bound to."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def bindings(self, directory: int) -> dict[str, UnitBinding]:
        """What each path was resolved to so far."""
        rows = self._tx.execute(
            "SELECT ref, unit_id, problem FROM unit_ref WHERE directory = :directory ORDER BY ref",
            {"directory": directory},
        )
        return {row[0]: UnitBinding(row[0], row[1], row[2]) for row in rows}

    def bound_in_company(self, company: int, but: int) -> dict[str, frozenset[str]]:
        """For the paths that are bound to a living unit in other directories of the company, the ids of those
        directories (G3)."""
        rows = self._tx.execute(
            "SELECT r.ref, d.id FROM unit_ref AS r JOIN directory AS d ON d.key = r.directory"
            " WHERE d.company = :company AND d.key <> :but AND r.unit_id IS NOT NULL AND r.problem IS NULL",
            {"company": company, "but": but},
        )
        return by_ref(rows)

    def bind(self, directory: int, bindings: Iterable[UnitBinding], now: int) -> None:
        """Record what paths stand for; a bound id is kept, whatever its path becomes."""
        self._tx.execute_many(
            "INSERT INTO unit_ref (directory, ref, unit_id, problem, at)"
            " VALUES (:directory, :ref, :unit_id, :problem, :now) ON CONFLICT (directory, ref) DO UPDATE SET"
            " unit_id = coalesce(unit_ref.unit_id, excluded.unit_id), problem = excluded.problem, at = excluded.at",
            [{"directory": directory, "now": now, **binding._asdict()} for binding in bindings],
        )
