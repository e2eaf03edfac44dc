"""The rules as they stand over the mirror, for whoever asks between two runs; nothing is read from a directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.deciding import RuleBook, rule_book, suspended_rules
from policies.document import DirectoryEntry, Policy, group_refs
from policies.model import GroupRef
from store.ancestry import Ancestry
from store.directories import DirectoryRow
from worker.operations.unit_bindings import bound_units

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App


@dataclass(frozen=True, slots=True)
class Standing:
    """A policy's rules for one directory, with the groups that its names stand for there."""

    book: RuleBook
    bound: dict[str, str]
    groupless: Mapping[str, tuple[GroupRef, ...]]
    """Rules that name groups to which nothing in the mirror answers, with these names; they are suspended (G3)."""
    placeless: Mapping[str, tuple[str, ...]]
    """The same for organizational units."""


def standing(app: "App", tx: "Transaction", row: DirectoryRow, policy: Policy, entry: DirectoryEntry) -> Standing:
    """The rules of a policy over the mirror of a directory as it is now.

    A name is what it was once bound to; one that is new in a file is looked up among the groups that the mirror has.
    """
    refs = group_refs(policy)
    bindings = tx.groups.bindings(row.key) if refs else {}
    gone = frozenset(tx.groups.gone(row.key)) if refs else frozenset()
    bound = {ref: known.group_id for ref, known in bindings.items() if known.group_id is not None}
    bound |= Ancestry(tx).known(row.key, [ref for ref in refs if ref not in bindings])
    lost = [ref for ref in refs if ref not in bound or bound[ref] in gone]
    elsewhere = tx.groups.bound_in_company(row.company, row.key, [ref for ref in lost if ref not in bound])
    stopped = suspended_rules(policy, lost, elsewhere, entry)
    units = bound_units(tx, row, policy, entry, by_id=app.has_unit_ids(entry.kind))
    suspended = {name: (*stopped.get(name, ()), *units.stopped.get(name, ())) for name in (*stopped, *units.stopped)}
    org_units, groups = app.has_org_units(entry.kind), app.has_groups(entry.kind)
    book = rule_book(policy, entry, suspended, org_units=org_units, groups=groups, units=units.ids)
    return Standing(book, {ref: bound[ref] for ref in refs if ref in bound}, stopped, units.stopped)
