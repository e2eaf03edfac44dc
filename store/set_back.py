"""Instants that were written by a clock that was ahead, once it has been set right: nobody waits for them to come (Z9).

What is due is due at once, and what somebody holds runs out as if it had been taken now. Either is safe at any moment:
what is done too early is found to be done already, and fences guard what is held.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from store.times import span

if TYPE_CHECKING:
    from store.transaction import Transaction

_STATEMENTS = (
    "UPDATE directory SET due_at = :now WHERE due_at > :now + every AND state IN ('healthy', 'never_run')",
    "UPDATE directory SET lease_until = :now + :lease WHERE lease_until > :now + :lease",
    "UPDATE duty SET due_at = :now WHERE due_at > :now",
    "UPDATE duty SET until = :now + :lease WHERE until > :now + :lease",
    "UPDATE outbox SET due = :now WHERE done_at IS NULL AND error IS NULL AND due > :now + :claim",
    "UPDATE receiver SET due = :now WHERE due > :now AND failures = 0",
    "UPDATE receiver SET lease_until = :now + :claim WHERE lease_until > :now + :claim",
)


def set_back(tx: "Transaction", now: int, lease: timedelta, claim: timedelta) -> int:
    """Bring back what lies further ahead than it can at `now`, and return how many rows that were. Directories that
    fail, and what a vendor asked us to wait for, keep their time."""
    values = {"now": now, "lease": span(lease), "claim": span(claim)}
    return sum(tx.execute(statement, values).rowcount for statement in _STATEMENTS)
