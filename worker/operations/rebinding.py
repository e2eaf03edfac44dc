"""Binding a group's name to another group, which only a person may do: anybody may call a group anything (G3)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.base import SeenGroup
from policies.document import group_refs
from policies.model import GroupRef
from store.audit import Entry, json_text
from store.directories import DirectoryRow
from store.times import micros
from worker.errors import Usage
from worker.operations.policies import InForce, in_force

if TYPE_CHECKING:
    from worker.bootstrap import App


@dataclass(frozen=True)
class Rebound:
    """What a name stands for from now on."""

    directory: str
    ref: str
    group: SeenGroup
    before: str | None
    """The id of the group that it stood for."""


def rebind(app: "App", directory: str, ref: str, group_id: str, who: str) -> Rebound:
    """Let a group's name in the policy stand for the group with this id. The directory is asked whether there is one;
    its members are read by the next run, which plans everybody, and what comes of it counts against the limits.

    A run that is under way may not write any more: it has read the other group. Raises Usage for a name that no rule
    of the company has, and for an id that no group has.
    """
    with app.store.read() as tx:
        row = tx.directories.by_id(directory)
        policy = in_force(app, tx, row.company_id)
    group = _looked_up(app, row, policy, ref, group_id)
    now = micros(app.clock())
    with app.store.begin() as tx:
        tx.directories.interrupt(row.key)
        known = tx.groups.bindings(row.key).get(ref)
        before = None if known is None else known.group_id
        tx.groups.rebind(row.key, ref, group.id, now)
        tx.directories.ask(row.key, now)
        told = json_text(group=before), json_text(group=group.id)
        entry = Entry(who, "policy.rebound", ref, row.key, *told, f"{ref} stands for {group.name or group.id} now")
        tx.audit.append(row.company, [entry], now)
    return Rebound(directory, ref, group, before)


def _looked_up(app: "App", row: DirectoryRow, policy: InForce | None, ref: str, group_id: str) -> SeenGroup:
    entry = None if policy is None else policy.entry(row.id)
    if policy is None or entry is None:
        raise Usage(f"no policy in force has a directory {row.id}")
    refs = group_refs(policy.policy, entry)
    if GroupRef(ref) not in refs:
        raise Usage(f"no rule of {row.company_id} names a group {ref!r}; they name {', '.join(refs) or 'none'}")
    connector = app.open_directory(entry, policy.provider)
    if not connector.capabilities.groups:
        raise Usage(f"{row.id} has no groups: it is a directory of the kind {row.kind}")
    for found in connector.find_groups([group_id]):
        for group in found.groups:
            if group.id.lower() == group_id.lower():
                return group
    raise Usage(f"{row.id} has no group with the id {group_id}")
