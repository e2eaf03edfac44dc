"""What the organizational units that a policy names are bound to, as the store has it (G3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.deciding import placeless_rules
from policies.document import unit_refs
from store.units import UnitBinding

if TYPE_CHECKING:
    from policies.document import DirectoryEntry, Policy
    from store.directories import DirectoryRow
    from store.transaction import Transaction


@dataclass(frozen=True)
class Bound:
    """What the paths of a policy stand for, as the store has it."""

    ids: Mapping[str, str] | None
    """None where accounts carry paths."""
    stopped: Mapping[str, tuple[str, ...]]
    """The rules that cannot be evaluated, with the units that are missing (G3)."""
    bindings: Mapping[str, UnitBinding]


def bound_units(
    tx: "Transaction", row: "DirectoryRow", policy: "Policy", entry: "DirectoryEntry", *, by_id: bool
) -> Bound:
    """What the units of a policy come to in a directory; `by_id` says whether units have ids there.

    A path that no unit has here is no error for a rule if another of its directories has one: it then simply matches
    nobody here.
    """
    refs = unit_refs(policy, entry)
    if not refs or not by_id:
        return Bound(None, {}, {})
    known = tx.units.bindings(row.key)
    bindings = {ref: known.get(ref, UnitBinding(ref, None, "missing")) for ref in refs}
    ids = {ref: binding.unit_id for ref, binding in bindings.items() if binding.unit_id is not None}
    lost = {ref: binding.problem for ref, binding in bindings.items() if binding.problem is not None}
    elsewhere = tx.units.bound_in_company(row.company, row.key) if "missing" in lost.values() else {}
    elsewhere = {ref: having for ref, having in elsewhere.items() if lost.get(ref) == "missing"}
    return Bound(ids, placeless_rules(policy, entry, lost, elsewhere), bindings)
