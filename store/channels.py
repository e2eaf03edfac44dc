"""Channels on which vendors tell that a directory changed, and what follows: it is read earlier, and nothing else."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from store.transaction import Transaction


class Channel(NamedTuple):
    """A channel; of its token only a hash is kept, so that nobody who reads the store can speak for the vendor."""

    id: str
    directory: int
    event: str
    address: str
    """What it was registered for, without the id."""
    token_hash: str
    resource: str
    expires_at: int


_COLUMNS = ", ".join(Channel._fields)


class Channels:
    """The channels that are registered, by every directory that has any."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def all(self) -> list[Channel]:
        """Every channel."""
        return [Channel(*row) for row in self._tx.execute(f"SELECT {_COLUMNS} FROM channel ORDER BY directory, id")]

    def by_id(self, id: str) -> Channel | None:
        """The channel of that id, if there is one."""
        row = self._tx.execute(f"SELECT {_COLUMNS} FROM channel WHERE id = :id", {"id": id}).one_or_none()
        return None if row is None else Channel(*row)

    def add(self, channel: Channel) -> None:
        """Keep a channel that was registered."""
        values = ", ".join(f":{name}" for name in Channel._fields)
        self._tx.execute(f"INSERT INTO channel ({_COLUMNS}) VALUES ({values})", channel._asdict())

    def remove(self, id: str) -> None:
        """Forget a channel: what comes over it is refused."""
        self._tx.execute("DELETE FROM channel WHERE id = :id", {"id": id})

    def ready(self, directories: Collection[int], now: int, read_before: int) -> dict[int, bool]:
        """Of these directories those that a push can hasten at all, and whether it may now: none is being read, and
        the last read ended before then. One that fails is tried in its own time (Z9)."""
        dialect = self._tx.dialect
        rows = self._tx.execute(
            "SELECT key, lease_until <= :now AND coalesce(last_success, 0) <= :read_before FROM directory"
            f" WHERE {dialect.among('key', 'keys')} AND state = 'healthy' AND NOT retired",
            {"keys": dialect.listed(sorted(directories)), "now": now, "read_before": read_before},
        )
        return {row[0]: bool(row[1]) for row in rows}

    def hasten(self, directory: int, now: int) -> None:
        """Let a directory be read from the beginning, now: where its last read ended says nothing any more."""
        self._tx.execute(
            "UPDATE directory SET cursor = NULL, due_at = CASE WHEN due_at < :now THEN due_at ELSE :now END"
            " WHERE key = :key AND lease_until <= :now AND (cursor IS NOT NULL OR due_at > :now)",
            {"key": directory, "now": now},
        )
