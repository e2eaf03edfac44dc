"""What schedulers do beside saying which directories are due, each at its own time: a row a duty.

A duty belongs to the scheduler that took it for as long as that one goes on, so that, of several with different policy
folders, one is in force (Z4); when it is silent, whoever comes first takes over. Two who do the same at once, after a
clock was wrong, do no harm: every duty finds its work in the store.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from store.transaction import Transaction


class Duty(NamedTuple):
    """A duty as it stands; instants are in microseconds."""

    name: str
    owner: str | None
    until: int
    due_at: int
    began_at: int
    done_at: int


class Duties:
    """Who does what, and when it is to be done again."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def is_due(self, name: str, owner: str, now: int) -> bool:
        """Whether the duty may be taken: it is due, and nobody else has it. Writes nothing."""
        row = self._tx.execute("SELECT due_at, owner, until FROM duty WHERE name = :name", {"name": name}).one_or_none()
        return row is None or (row[0] <= now and (row[1] == owner or row[2] <= now))

    def is_asked(self, name: str) -> bool:
        """Whether somebody waits for it."""
        row = self._tx.execute("SELECT asked_at FROM duty WHERE name = :name", {"name": name}).one_or_none()
        return row is not None and row[0] is not None

    def take(self, name: str, owner: str, now: int, until: int) -> bool:
        """Take a duty that is due; False where it is not, or somebody else has it."""
        taken = self._tx.execute(
            "INSERT INTO duty (name, owner, until, due_at, began_at, done_at)"
            " VALUES (:name, :owner, :until, :until, :now, 0)"
            " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,"
            " due_at = excluded.due_at, began_at = excluded.began_at"
            " WHERE duty.due_at <= :now AND (duty.owner = :owner OR duty.until <= :now) RETURNING name",
            {"name": name, "owner": owner, "now": now, "until": until},
        )
        return taken.one_or_none() is not None

    def keep(self, owner: str, until: int) -> None:
        """Keep what this scheduler is at: nobody takes over a duty that takes long from one that is heard of."""
        self._tx.execute(
            "UPDATE duty SET until = :until, due_at = :until WHERE owner = :owner AND began_at > done_at",
            {"owner": owner, "until": until},
        )

    def done(self, name: str, owner: str, now: int, due_at: int, until: int) -> None:
        """The duty is done, and is due again then; who asked for it meanwhile does not wait."""
        self._tx.execute(
            "UPDATE duty SET done_at = :now, until = :until,"
            " due_at = CASE WHEN asked_at IS NOT NULL AND asked_at > began_at THEN :now ELSE :due_at END,"
            " asked_at = CASE WHEN asked_at IS NOT NULL AND asked_at > began_at THEN asked_at END"
            " WHERE name = :name AND owner = :owner",
            {"name": name, "owner": owner, "now": now, "due_at": due_at, "until": until},
        )

    def ask(self, name: str, now: int) -> None:
        """Somebody waits for it: it is due now, or once more if it is being done."""
        self._tx.execute(
            "UPDATE duty SET asked_at = :now, due_at = CASE WHEN done_at >= began_at AND due_at > :now THEN :now"
            " ELSE due_at END WHERE name = :name",
            {"name": name, "now": now},
        )

    def leave(self, owner: str) -> None:
        """Let somebody else have what this scheduler had."""
        self._tx.execute(
            "UPDATE duty SET owner = NULL, until = 0, due_at = CASE WHEN began_at > done_at THEN 0 ELSE due_at END"
            " WHERE owner = :owner",
            {"owner": owner},
        )

    def listing(self) -> list[Duty]:
        """Every duty, by name."""
        rows = self._tx.execute("SELECT name, owner, until, due_at, began_at, done_at FROM duty ORDER BY name")
        return [Duty(*row) for row in rows]
