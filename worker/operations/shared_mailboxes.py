"""Shared mailboxes by declaration, for directories that have none of their own (S6).

What an account's address and unit say is known as it is read; who is in a declared group, once the groups are. Nothing
is taken for a user's mailbox while a group or unit of the declaration cannot be told.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from connectors.base import Directory, Seen
from policies.document import SharedMailboxes
from worker.operations.grouping import Grouped
from worker.operations.pulling import Pulled, Reading
from worker.operations.runs import Run
from worker.operations.units import Units

if TYPE_CHECKING:
    from store.transaction import Transaction


def reading(run: Run, directory: Directory, units: Units | None) -> Reading:
    """How the accounts of a page are read: their units by id, and what is declared to be a shared mailbox."""
    declared = run.entry.shared_mailboxes_are
    if declared is not None and units is not None:
        declared = declared.placed(units.ids)
    later = declared is not None and (_by_groups(declared, directory) or _lost(declared, units))

    def told(accounts: Sequence[Seen]) -> Sequence[Seen]:
        if units is not None:
            accounts = [units.place(seen) for seen in accounts]
        return accounts if declared is None else [_declared(seen, declared, later=later) for seen in accounts]

    return Reading(told, _name(declared, units, later=later))


def _name(declared: SharedMailboxes | None, units: Units | None, *, later: bool) -> str:
    """One name for all that the reading of an account depends on, beside where units are just now."""
    if declared is None and units is None:
        return ""
    stand_for = [] if declared is None else sorted((declared.ids or {}).items())
    placed = "" if units is None else "placed" if units.problem is None else "not placed"
    return sha256(repr((declared, stand_for, placed, later)).encode()).hexdigest()[:32]


def _declared(seen: Seen, declared: SharedMailboxes, *, later: bool) -> Seen:
    if seen.gone is not None or seen.address is None:
        return seen
    if declared.cover(seen.address, seen.org_unit or ""):
        return seen._replace(mailbox="shared")
    unplaced = seen.org_unit is None and bool(declared.org_units)
    return seen._replace(mailbox=None) if later or unplaced else seen


def _by_groups(declared: SharedMailboxes, directory: Directory) -> bool:
    return bool(declared.groups) and directory.capabilities.groups


def _lost(declared: SharedMailboxes, units: Units | None) -> bool:
    return units is not None and any(
        units.bindings[unit].problem is not None for unit in declared.org_units if unit in units.bindings
    )


def decide_by_groups(
    tx: "Transaction", run: Run, directory: Directory, pulled: Pulled, grouped: Grouped | None, units: Units | None
) -> int:
    """After the merge: mailboxes of those in declared groups are shared, and of all that were left open users', unless
    a group may have more members than it listed. Returns how many changed."""
    declared = run.entry.shared_mailboxes_are
    if declared is None or not _by_groups(declared, directory) or not pulled.full:
        return 0
    if grouped is None or grouped.problem is not None or _lost(declared, units):
        return 0
    key = run.directory.key
    bound = [grouped.bindings[ref].group_id for ref in declared.groups if ref in grouped.bindings]
    gone = set(tx.groups.gone(key))
    if len(bound) < len(declared.groups) or any(id is None or id in gone for id in bound):
        return 0
    stand_for = [id for id in bound if id is not None]
    members = tx.groups.members_of(key, stand_for)
    kinds = {account: "shared" for account, mailbox in members.items() if mailbox != "shared"}
    if grouped.whole_of(tx.groups.below(key, stand_for)):
        left = tx.mirror.open_mailboxes(key, pulled.walk.batch)
        kinds |= {account: "user" for account in left if account not in members}
    tx.mirror.learn_mailboxes(key, kinds)
    return len(kinds)
