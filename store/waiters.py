"""People who wait for a pass that a daemon makes: what it has come to, and what it came to in the end.

There is a row for as long as somebody waits, and none for passes that nobody asked for (Z12).
"""

from typing import TYPE_CHECKING, NamedTuple

from store.times import span

if TYPE_CHECKING:
    from datetime import timedelta

    from store.transaction import Transaction


class Heard(NamedTuple):
    """What a waiter has heard so far."""

    step: str | None
    n: int
    result: str | None
    """The result of the pass as JSON, when it has ended."""


class Waiters:
    """Who waits for which directory."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def put(self, id: str, directory: int, now: int) -> None:
        """Wait for a pass over a directory that begins from now on; a waiter can wait again."""
        self._tx.execute(
            "INSERT INTO waiter (id, directory, asked_at) VALUES (:id, :directory, :now) ON CONFLICT (id)"
            " DO UPDATE SET asked_at = excluded.asked_at, step = NULL, n = 0, result = NULL",
            {"id": id, "directory": directory, "now": now},
        )

    def heard(self, id: str) -> Heard | None:
        """What a waiter has heard, or None where there is none of that name."""
        row = self._tx.execute("SELECT step, n, result FROM waiter WHERE id = :id", {"id": id}).one_or_none()
        return None if row is None else Heard(*row)

    def tell(self, directory: int, step: str, n: int) -> None:
        """How far a pass is."""
        self._tx.execute(
            "UPDATE waiter SET step = :step, n = :n WHERE directory = :directory AND result IS NULL",
            {"directory": directory, "step": step, "n": n},
        )

    def answer(self, directory: int, taken: int, result: str) -> None:
        """What a pass came to, for those who asked before it began."""
        self._tx.execute(
            "UPDATE waiter SET result = :result WHERE directory = :directory AND asked_at <= :taken AND result IS NULL",
            {"directory": directory, "taken": taken, "result": result},
        )

    def leave(self, ids: list[str]) -> None:
        """Wait no longer."""
        self._tx.execute_many("DELETE FROM waiter WHERE id = :id", [{"id": id} for id in ids])

    def forget(self, now: int, after: "timedelta") -> None:
        """Remove those who are gone without a word."""
        self._tx.execute("DELETE FROM waiter WHERE asked_at < :before", {"before": now - span(after)})
