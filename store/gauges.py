"""A few numbers about everything, for whoever watches: from counters and short indexes, never from accounts."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from store.transaction import Transaction

INTERVALS = 10
AT_LEAST = 300_000_000
"""A directory is stuck that has been due for ten of its intervals, and for five minutes (in microseconds)."""
STUCK = (
    "NOT retired AND state <> 'frozen' AND lease_until <= :now"
    f" AND due_at < :now - {INTERVALS} * every AND due_at < :now - {AT_LEAST}"
)


class Gauges(NamedTuple):
    """Numbers, and ages in microseconds."""

    directories: dict[str, int]
    waiting: dict[str, int]
    holds: dict[str, int]
    orders: dict[str, int]
    processes: dict[str, int]
    due: int
    backlog: int
    stuck: int
    outbox: int
    receivers: int
    """Those that did not accept what was next for them."""


def gauges(tx: "Transaction", now: int) -> Gauges:
    """How everything stands now."""
    due, since = tx.execute(
        "SELECT count(*), min(due_at) FROM directory WHERE due_at <= :now AND due_at > 0 AND lease_until <= :now"
        " AND NOT retired AND state <> 'frozen'",
        {"now": now},
    ).one()
    leaving = tx.execute("SELECT min(due) FROM outbox WHERE done_at IS NULL AND due <= :now", {"now": now}).scalar_one()
    running: dict[str, int] = {}
    for process in tx.processes.running(now):
        running[process.role] = running.get(process.role, 0) + 1
    return Gauges(
        directories=_by(tx, "SELECT state, count(*) FROM directory WHERE NOT retired GROUP BY state"),
        waiting=_by(tx, "SELECT reason, sum(n) FROM waiting_count WHERE n > 0 GROUP BY reason"),
        holds=_by(tx, "SELECT kind, count(*) FROM plan WHERE state = 'held' GROUP BY kind"),
        orders=_by(
            tx,
            "SELECT state, count(*) FROM orders WHERE state IN ('wanted', 'awaiting_approval', 'placed')"
            " GROUP BY state",
        ),
        processes=running,
        due=int(due),
        backlog=0 if since is None else now - since,
        stuck=len(stuck(tx, now)),
        outbox=0 if leaving is None else now - leaving,
        receivers=int(tx.execute("SELECT count(*) FROM receiver WHERE failures > 0").scalar_one()),
    )


def stuck(tx: "Transaction", now: int) -> list[str]:
    """The directories that should have been run long ago, by id."""
    return [row[0] for row in tx.execute(f"SELECT id FROM directory WHERE {STUCK} ORDER BY id", {"now": now})]


def _by(tx: "Transaction", sql: str) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in tx.execute(sql)}
