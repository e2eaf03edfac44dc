"""Organizational units by id: a path in a policy stands for the unit that it was first found for (G3).

Accounts tell the path of their unit, and a renamed unit changes the paths of everybody below it. So where units have
ids, all units are listed before the accounts are, and the mirror keeps the ids along an account's path instead. A path
that the listing does not have, as while a rename spreads, says nothing: the account stays where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.base import Directory, OrgUnit, Seen
from connectors.errors import NeedsPerson
from policies.document import unit_refs
from policies.model import GroupRef
from store.units import UnitBinding
from worker.operations.grouping import Resolved
from worker.operations.runs import Run
from worker.operations.unit_bindings import bound_units

if TYPE_CHECKING:
    from store.transaction import Transaction

WHY = {
    "missing": "matches no organizational unit",
    "gone": "was deleted",
    "refused": "cannot be looked up",
}
_new = tuple.__new__
_AT = Seen._fields.index("org_unit")
REMEDY = "name the organizational unit by the path that it has now, or leave it out of the rule"


@dataclass(frozen=True)
class Units:
    """What the policy's organizational units come to, as they were just listed."""

    bindings: Mapping[str, UnitBinding] = field(default_factory=dict)
    new: Sequence[UnitBinding] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """The ids along each path; the path is in lower case."""
    problem: str | None = None
    remedy: str | None = None

    @property
    def ids(self) -> dict[str, str]:
        """What each path stands for."""
        return {ref: known.unit_id for ref, known in self.bindings.items() if known.unit_id is not None}

    @property
    def lost(self) -> bool:
        """Some of them cannot be told."""
        return any(known.problem is not None for known in self.bindings.values())

    def place(self, seen: Seen) -> Seen:
        """The account with its place by ids."""
        if seen.org_unit is None or seen.org_unit == "/":
            return seen
        return _new(Seen, (*seen[:_AT], self.places.get(seen.org_unit.lower()), *seen[_AT + 1 :]))


def list_units(run: Run, directory: Directory) -> Units | None:
    """List the units that the policy needs; None where it needs none, or where units have no ids.

    A directory that refuses to show its units suspends the rules that need them, and no more (G3).
    """
    refs = unit_refs(run.in_force.policy, run.entry) if directory.capabilities.unit_ids else ()
    if not refs:
        return None
    with run.app.store.read() as tx:
        known = tx.units.bindings(run.directory.key)
    run.step("units")
    try:
        listed = list(directory.org_units())
    except NeedsPerson as refusal:
        if refusal.feature != "org_units":
            raise
        bindings = {ref: UnitBinding(ref, _id(known.get(ref)), "refused") for ref in refs}
        return Units(bindings, _changed(bindings, known), {}, refusal.problem, refusal.remedy)
    bindings = {ref: _bound(ref, known.get(ref), listed) for ref in refs}
    return Units(bindings, _changed(bindings, known), _places(listed))


def _id(known: UnitBinding | None) -> str | None:
    return None if known is None else known.unit_id


def _bound(ref: str, known: UnitBinding | None, listed: Sequence[OrgUnit]) -> UnitBinding:
    bound = _id(known)
    if bound is not None:
        return UnitBinding(ref, bound, None if any(unit.id == bound for unit in listed) else "gone")
    found = next((unit.id for unit in listed if unit.path.lower() == ref.lower()), None)
    return UnitBinding(ref, found, None if found else "missing")


def _changed(now: Mapping[str, UnitBinding], known: Mapping[str, UnitBinding]) -> list[UnitBinding]:
    return [binding for ref, binding in now.items() if known.get(ref) != binding]


def _places(listed: Sequence[OrgUnit]) -> dict[str, str]:
    """For each path the ids along it. A path through a unit that is not listed leads nowhere."""
    ids = {unit.path.lower(): unit.id for unit in listed}
    places: dict[str, str] = {}
    for path in sorted(ids, key=lambda path: path.count("/")):
        above = path.rpartition("/")[0]
        if not above or above in places:
            places[path] = f"{places.get(above, '')}/{ids[path]}"
    return places


def with_units(tx: "Transaction", run: Run, units: Units | None, names: Resolved) -> Resolved:
    """The same of a policy's groups and units together: which rules are suspended, and what to tell of it."""
    by_id = run.app.has_unit_ids(run.entry.kind)
    bound = bound_units(tx, run.directory, run.in_force.policy, run.entry, by_id=by_id)
    if not bound.bindings:
        return names
    stopped = {**names.suspended}
    for rule, lost in bound.stopped.items():
        stopped[rule] = (*stopped.get(rule, ()), *(GroupRef(unit) for unit in lost))
    told = [names.problem] if names.problem else []
    if bound.stopped and units is not None and units.problem is not None:
        told.append(f"organizational units cannot be read: {units.problem}")
    elif bound.stopped:
        told += [
            f"rule {rule!r} is suspended: the organizational unit {ref!r} {WHY[bound.bindings[ref].problem or '']}"
            for rule, lost in sorted(bound.stopped.items())
            for ref in lost
        ]
    remedy = names.remedy or (units.remedy if units is not None else None) or (REMEDY if bound.stopped else None)
    stand_for = sorted((ref, binding.unit_id or "", binding.problem or "") for ref, binding in bound.bindings.items())
    refused = "" if units is None else units.remedy or ""
    hash = f"{names.hash}{stand_for!r}{refused}"
    return replace(names, suspended=stopped, hash=hash, problem="; ".join(told) or None, remedy=remedy)
