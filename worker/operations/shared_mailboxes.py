"""Shared mailboxes by declaration, for directories that have none of their own (S6).

What an account's address and unit say is known as it is read; who is in a declared group, once the groups are. Nothing
is taken for a user's mailbox while a group or unit of the declaration cannot be told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from connectors.base import Directory, Seen
from policies.document import SharedMailboxes
from store.groups import Binding
from worker.operations.grouping import Grouped, Resolved, resolved, why_lost
from worker.operations.pulling import Pulled, Reading
from worker.operations.runs import Run
from worker.operations.unit_bindings import bound_units
from worker.operations.units import WHY, Units, with_units

if TYPE_CHECKING:
    from store.transaction import Transaction

FROM_THE_BEGINNING = ""
"""A cursor that no directory has given: it is read whole."""
REMEDY = "correct `shared_mailboxes_are` of the directory, or set its `unknown_mailboxes: user`"


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
    a group may have more members than it listed. Returns how many changed.

    Where everybody's kind could be told by now, and not everybody was read, the next run reads everybody."""
    declared = run.entry.shared_mailboxes_are
    if declared is None or not _by_groups(declared, directory):
        return 0
    if grouped is None or grouped.problem is not None or _lost(declared, units):
        return 0
    key = run.directory.key
    bound = [grouped.bindings[ref].group_id for ref in declared.groups if ref in grouped.bindings]
    gone = set(tx.groups.gone(key))
    if len(bound) < len(declared.groups) or any(id is None or id in gone for id in bound):
        return 0
    stand_for = [id for id in bound if id is not None]
    whole = grouped.whole_of(tx.groups.below(key, stand_for))
    if not pulled.full:
        if whole and tx.mirror.has_open_mailboxes(key):
            pulled.cursor = FROM_THE_BEGINNING
        return 0
    members = tx.groups.members_of(key, stand_for)
    kinds = {account: "shared" for account, mailbox in members.items() if mailbox != "shared"}
    if whole:
        left = tx.mirror.open_mailboxes(key, pulled.walk.batch)
        kinds |= {account: "user" for account in left if account not in members}
    tx.mirror.learn_mailboxes(key, kinds)
    return len(kinds)


def names_of(tx: "Transaction", run: Run, grouped: Grouped | None, units: Units | None) -> Resolved:
    """What the policy's groups and units come to, and what is to be told of them: also where nothing but kinds of
    mailboxes depends on them, since new accounts wait then."""
    names = with_units(tx, run, units, resolved(tx, run, grouped))
    known = names.problem or ""
    told = [(why, remedy) for why, remedy in _untold(tx, run, grouped, units) if why not in known]
    if not told or run.entry.unknown_mailboxes is not None:
        return names
    problem, remedy = (_joined(each) for each in zip((names.problem, names.remedy), *told, strict=True))
    return replace(names, hash=f"{names.hash}{told!r}", problem=problem, remedy=remedy)


def _joined(told: Iterable[str | None]) -> str | None:
    return "; ".join(dict.fromkeys(text for text in told if text)) or None


def _untold(
    tx: "Transaction", run: Run, grouped: Grouped | None, units: Units | None
) -> Iterator[tuple[str, str | None]]:
    """What of the declaration cannot be told, and what to do about it."""
    declared = run.entry.shared_mailboxes_are
    if declared is None:
        return
    if grouped is not None and grouped.problem is not None and declared.groups:
        yield f"groups cannot be read: {grouped.problem}", grouped.remedy
    elif grouped is not None:
        for ref, why in _lost_groups(tx, run, grouped, declared):
            yield f"shared mailboxes cannot be told: the group {ref!r} {why}", REMEDY
    by_id = run.app.has_unit_ids(run.entry.kind)
    bindings = bound_units(tx, run.directory, run.in_force.policy, run.entry, by_id=by_id).bindings
    lost = [unit for unit in declared.org_units if unit in bindings and bindings[unit].problem is not None]
    if lost and units is not None and units.problem is not None:
        yield f"organizational units cannot be read: {units.problem}", units.remedy
    else:
        for unit in lost:
            why = WHY[bindings[unit].problem or ""]
            yield f"shared mailboxes cannot be told: the organizational unit {unit!r} {why}", REMEDY


def _lost_groups(tx: "Transaction", run: Run, grouped: Grouped, declared: SharedMailboxes) -> Iterator[tuple[str, str]]:
    gone = set(tx.groups.gone(run.directory.key))
    for ref in declared.groups:
        found = grouped.bindings.get(ref, Binding(ref, None, "missing"))
        if found.group_id is None or found.group_id in gone:
            yield ref, why_lost(found)
        elif not grouped.whole_of(tx.groups.below(run.directory.key, [found.group_id])):
            yield ref, "lists fewer members than it counts, or one within it does"
