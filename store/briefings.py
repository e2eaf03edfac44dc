"""What a pass has to know before it begins, of many directories at once: an idle one needs nothing else.

Read after the lease was taken, so that nobody but people changes it meanwhile; whatever they change is looked at again
in the transaction that plans.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from store.directories import DirectoryRow
from store.groups import Binding
from store.plans import PlanRow
from store.staging import Walk

if TYPE_CHECKING:
    from store.transaction import Transaction


class Briefing(NamedTuple):
    """How a directory stands when a pass over it begins."""

    row: DirectoryRow
    walk: Walk | None
    """The walk that an earlier worker did not finish."""
    bindings: dict[str, Binding]
    """What the names of groups were resolved to so far."""
    gone: frozenset[str]
    """Ids of known groups that the directory no longer has."""
    holds: tuple[PlanRow, ...]
    """What of its company waits for a person, in this directory or in all."""


def briefings(tx: "Transaction", keys: Sequence[int]) -> dict[int, Briefing]:
    """The briefings of these directories, by key."""
    keys = sorted(keys)
    rows = tx.directories.by_keys(keys)
    walks, bindings = tx.staging.all_under_way(keys), tx.groups.all_bindings(keys)
    gone = tx.groups.all_gone(keys)
    held = tx.plans.held_of(sorted({row.company for row in rows}))
    return {
        row.key: Briefing(
            row, walks.get(row.key), bindings.get(row.key, {}), gone.get(row.key, frozenset()),
            tuple(plan for plan in held.get(row.company_id, ()) if plan.directory in (None, row.id)),
        )
        for row in rows
    }  # fmt: skip
