"""Leases: the right to work on a directory until a time, with a number that only grows (Z5).

The number is the fencing token: whoever takes the lease after it ran out gets a higher one, and `check` refuses every
write under the old one, however late it comes. A lease that ran out but was taken by nobody is still good for writing,
because the row is locked while that is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from store.errors import LeaseLost
from store.times import rfc3339, span

if TYPE_CHECKING:
    from store.transaction import Transaction

_TAKE = "lease_owner = :owner, lease_until = :until, fence = fence + 1"
_OURS = "key = :directory AND fence = :fence AND lease_owner = :owner"
_OURS_OF_ENDED = "key = ended.directory AND directory.fence = ended.fence AND lease_owner = ended.owner"
# Somebody may ask for a pass while one is under way: then the next one is due at once, and the wish stands until then.
_ASKED, _ASKED_OF_ENDED = (f"asked_at IS NOT NULL AND asked_at > {taken}" for taken in (":taken", "ended.taken"))
_DUE = "due_at <= :now AND lease_until <= :now AND NOT retired AND state <> 'frozen'"
_LONG = "(cursor IS NULL OR state = 'failing' OR read_whole_at < :read_whole_before)"
_GIVE_BACK = f"lease_owner = NULL, lease_until = 0, asked_at = CASE WHEN {_ASKED} THEN asked_at END"

_IDLE: Mapping[str, str] = {
    "directory": "bigint", "fence": "bigint", "owner": "text", "taken": "bigint", "due_at": "bigint", "now": "bigint",
    "cursor": "text", "groups_cursor": "text", "read": "boolean",
}  # fmt: skip


class Lease(NamedTuple):
    """The right to work on a directory, by its key; `until` and `taken` are in the store's microseconds."""

    directory: int
    owner: str
    fence: int
    until: int
    taken: int


class Due(NamedTuple):
    """A directory whose pass has been due since an instant. `long` where it may take its time: a first read, a read of
    everybody, or one of a directory that has been failing."""

    directory: int
    since: int
    long: bool


class Idle(NamedTuple):
    """The end of a pass over a healthy directory that found nothing to do."""

    lease: Lease
    now: int
    cursor: str | None
    groups_cursor: str | None
    due_at: int
    read: bool = True
    """False where hints said that nothing had to be read: the last complete read is as old as it was (R4)."""


class Leases:
    """Who works on which directory."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def take(self, directory: int, owner: str, now: int, for_: timedelta) -> Lease | None:
        """Take the lease of one directory, or None while somebody else has it."""
        until = now + span(for_)
        fence: int | None = self._tx.execute(
            f"UPDATE directory SET {_TAKE} WHERE key = :directory AND lease_until <= :now RETURNING fence",
            {"directory": directory, "owner": owner, "now": now, "until": until},
        ).scalar_one_or_none()
        return None if fence is None else Lease(directory, owner, fence, until, now)

    def due(self, now: int, limit: int, *, read_whole_before: int) -> list[Due]:
        """Directories whose pass is due, and that nobody works on: up to `limit` short ones and as many long ones, so
        that neither hide the others (Z9). Those that somebody asked for come first, then the longest due; of the long
        ones those last that fail. Takes nothing."""
        return [due for long in (False, True) for due in self._due(now, limit, long, read_whole_before)]

    def _due(self, now: int, limit: int, long: bool, read_whole_before: int) -> list[Due]:
        found: dict[int, Due] = {}
        which = _LONG if long else f"NOT {_LONG}"
        last = "state = 'failing', " if long else ""
        for asked, order in ((" AND asked_at IS NOT NULL", "asked_at, key"), ("", f"{last}due_at, key")):
            rows = self._tx.execute(
                f"SELECT key, due_at FROM directory WHERE {_DUE} AND {which}{asked} ORDER BY {order} LIMIT :limit",
                {"now": now, "limit": limit, "read_whole_before": read_whole_before},
            )
            found |= {key: Due(key, since, long) for key, since in rows if key not in found}
        return list(found.values())[:limit]

    def take_due(self, directories: Sequence[int], owner: str, now: int, for_: timedelta) -> list[Lease]:
        """Take the leases of those of these directories whose pass is due; the others are somebody else's, or done."""
        until = now + span(for_)
        dialect = self._tx.dialect
        rows = self._tx.execute(
            f"WITH due AS MATERIALIZED (SELECT key FROM directory WHERE {dialect.among('key', 'keys')} AND {_DUE}"
            f" ORDER BY key{dialect.skip_locked()})"
            f" UPDATE directory SET {_TAKE} WHERE key IN (SELECT key FROM due) RETURNING key, fence",
            {"keys": dialect.listed(directories), "owner": owner, "now": now, "until": until},
        )
        return [Lease(key, owner, fence, until, now) for key, fence in sorted(map(tuple, rows))]

    def keep(self, directories: Sequence[int], owner: str, now: int, for_: timedelta) -> None:
        """Keep longer what a process holds. A directory that one of its own transactions has locked is passed over:
        nobody can take it meanwhile."""
        dialect = self._tx.dialect
        self._tx.execute(
            f"WITH ours AS MATERIALIZED (SELECT key FROM directory WHERE {dialect.among('key', 'keys')}"
            f" AND lease_owner = :owner ORDER BY key{dialect.skip_locked()})"
            " UPDATE directory SET lease_until = :until WHERE key IN (SELECT key FROM ours)",
            {"keys": dialect.listed(directories), "owner": owner, "until": now + span(for_)},
        )

    def renew(self, lease: Lease, now: int, for_: timedelta) -> Lease:
        """Keep a lease longer. Raises LeaseLost when somebody else has taken it."""
        until = now + span(for_)
        if not self._update("lease_until = :until", lease, {"until": until}):
            raise self._lost(lease)
        return lease._replace(until=until)

    def release(self, lease: Lease, *, due_at: int | None = None) -> None:
        """Hand a lease back; with `due_at`, say when the next pass is due. Raises LeaseLost when it was taken."""
        due = "due_at" if due_at is None else ":due_at"
        values = {} if due_at is None else {"due_at": due_at}
        changes = f"{_GIVE_BACK}, due_at = CASE WHEN {_ASKED} THEN asked_at ELSE {due} END"
        if not self._update(changes, lease, {"taken": lease.taken, **values}):
            raise self._lost(lease)

    def release_idle(
        self,
        lease: Lease,
        now: int,
        cursor: str | None,
        groups_cursor: str | None,
        due_at: int,
        *,
        read: bool = True,
    ) -> None:
        """End a pass over a healthy directory that found nothing to do, in one update: cursors, success, the lease.

        Raises LeaseLost when somebody else has taken it; then nothing is kept.
        """
        if self.release_all_idle([Idle(lease, now, cursor, groups_cursor, due_at, read)]) == 0:
            raise self._lost(lease)

    def release_all_idle(self, ended: Sequence[Idle]) -> int:
        """The same for many passes at once; returns of how many. Of those that lost their lease nothing is kept."""
        dialect = self._tx.dialect
        released = self._tx.execute(
            f"WITH ended AS MATERIALIZED ({dialect.unfolded('ended', _IDLE)}),"
            # What was lost is not locked: whoever has it now may be long, and may wait for one of these.
            f" ours AS MATERIALIZED (SELECT key FROM ended JOIN directory ON {_OURS_OF_ENDED}"
            f" WHERE {dialect.among('key', 'keys')} ORDER BY key{dialect.for_update()})"
            " UPDATE directory SET lease_owner = NULL, lease_until = 0,"
            f" asked_at = CASE WHEN {_ASKED_OF_ENDED} THEN asked_at END,"
            f" due_at = CASE WHEN {_ASKED_OF_ENDED} THEN asked_at ELSE ended.due_at END,"
            " last_success = CASE WHEN ended.read THEN ended.now ELSE last_success END,"
            " cursor = ended.cursor, groups_cursor = ended.groups_cursor"
            f" FROM ended WHERE {_OURS_OF_ENDED} AND key IN (SELECT key FROM ours) RETURNING key",
            {
                "keys": dialect.listed([idle.lease.directory for idle in ended]),
                "ended": msgspec.json.encode([_of_idle(idle) for idle in ended]).decode(),
            },
        )
        return len(released.all())

    def give_back(self, leases: Iterable[Lease]) -> None:
        """Hand back leases under which nothing was done: their directories stay due. Lost ones are passed over."""
        self._tx.execute_many(
            f"UPDATE directory SET lease_owner = NULL, lease_until = 0 WHERE {_OURS}",
            [{"directory": lease.directory, "fence": lease.fence, "owner": lease.owner} for lease in leases],
        )

    def held(self, lease: Lease) -> bool:
        """Whether the lease is still ours; the directory is locked, so it stays so until the transaction ends."""
        row = self._row(lease.directory)
        return row is not None and (row[0], row[1]) == (lease.fence, lease.owner)

    def check(self, lease: Lease, now: int) -> None:
        """The start of every writing transaction of a run: lock the directory and make sure that the lease is ours.

        Raises LeaseLost when it is not (Z5).
        """
        if not self.held(lease):
            raise self._lost(lease, now)

    def _row(self, directory: int) -> tuple[int, str | None, int, str] | None:
        row = self._tx.execute(
            "SELECT fence, lease_owner, lease_until, id FROM directory WHERE key = :directory"
            f"{self._tx.dialect.for_update()}",
            {"directory": directory},
        ).one_or_none()
        return None if row is None else (row[0], row[1], row[2], row[3])

    def _update(self, changes: str, lease: Lease, values: Mapping[str, object]) -> bool:
        ours = {"directory": lease.directory, "fence": lease.fence, "owner": lease.owner}
        return self._tx.execute(f"UPDATE directory SET {changes} WHERE {_OURS}", {**ours, **values}).rowcount == 1

    def _lost(self, lease: Lease, now: int | None = None) -> LeaseLost:
        row = self._row(lease.directory)
        if row is None:
            return LeaseLost("the directory is gone from the store")
        _, owner, until, id = row
        if owner is None or (now is not None and until <= now):
            return LeaseLost(f"the lease on {id} was lost, and somebody else has worked on it since")
        return LeaseLost(f"{id} is worked on by {owner} now, until {rfc3339(until)}")


def _of_idle(idle: Idle) -> dict[str, object]:
    lease = idle.lease
    return {
        "directory": lease.directory, "fence": lease.fence, "owner": lease.owner, "taken": lease.taken,
        "due_at": idle.due_at, "now": idle.now, "cursor": idle.cursor, "groups_cursor": idle.groups_cursor,
        "read": idle.read,
    }  # fmt: skip
