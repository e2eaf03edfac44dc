"""What goes with time, so that an installation that idles does not grow (Z12).

The audit, the feed, orders, lots and what people decided stay for good.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from store.times import span

if TYPE_CHECKING:
    from store.transaction import Transaction

KEPT = span(timedelta(days=30))
COUNTED = span(timedelta(days=31))
"""Limits look back for 24 hours; what they counted is kept so that a person can see how a hold came about."""
MOST = 5_000
"""Rows of a table that go in one transaction."""


class Tidied(NamedTuple):
    """How many rows went."""

    staged: int
    runs: int
    counts: int
    actions: int


def tidy(tx: "Transaction", now: int, most: int = MOST) -> Tidied:
    """Remove staging that no walk can go on with, runs that ended 30 days ago, counts that no limit looks at any
    more, and the actions of plans that others have replaced for as long: `most` rows of a table, and one walk's staging
    of a kind, so that the transaction is short. Whoever wants all gone repeats it until nothing goes."""
    return Tidied(_staged(tx, now), _runs(tx, now, most), _counts(tx, now, most), _actions(tx, now, most))


def _staged(tx: "Transaction", now: int) -> int:
    tx.execute(
        "DELETE FROM pull WHERE started_at < :before AND directory IN"
        " (SELECT key FROM directory WHERE lease_until <= :now)",
        {"before": now - KEPT, "now": now},
    )
    return sum(_abandoned(tx, table) for table in ("stage", "stage_edge", "proposal"))


def _abandoned(tx: "Transaction", table: str) -> int:
    """A batch is a directory and a fence (`worker.operations.runs`): once the fence has grown, only an interrupted
    walk that is still known in `pull` can be taken up again."""
    batch = tx.execute(
        f"SELECT b.batch FROM (SELECT DISTINCT batch FROM {table}) AS b"
        " LEFT JOIN directory AS d ON d.key = b.batch >> 32"
        " WHERE (d.key IS NULL OR (b.batch & 4294967295) < d.fence) AND b.batch NOT IN (SELECT batch FROM pull)"
        " ORDER BY b.batch LIMIT 1"
    ).scalar()
    return 0 if batch is None else tx.execute(f"DELETE FROM {table} WHERE batch = :batch", {"batch": batch}).rowcount


def _runs(tx: "Transaction", now: int, most: int) -> int:
    return tx.execute(
        "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE finished_at < :before LIMIT :most)",
        {"before": now - KEPT, "most": most},
    ).rowcount


def _counts(tx: "Transaction", now: int, most: int) -> int:
    values = {"before": now - COUNTED, "most": most}
    old = "DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE at < :before LIMIT :most)"
    return sum(tx.execute(old.format(table=table), values).rowcount for table in ("removal", "movement"))


def _actions(tx: "Transaction", now: int, most: int) -> int:
    return tx.execute(
        "DELETE FROM plan_action WHERE (plan, account) IN (SELECT a.plan, a.account FROM plan AS p"
        " JOIN plan_action AS a ON a.plan = p.key WHERE p.state = 'superseded' AND p.since < :before LIMIT :most)",
        {"before": now - KEPT, "most": most},
    ).rowcount
