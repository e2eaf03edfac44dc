"""Pages on their way into the mirror: staged as they come, so that an interrupted walk goes on where it was.

A `batch` is one walk of one directory. Nothing here touches the mirror: a walk that never completes leaves nothing
behind but rows that the next one, or the housekeeping, removes (Z2).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from store.schema import SEEN

if TYPE_CHECKING:
    from store.transaction import Transaction

COLUMNS = ("batch", "n", *SEEN)
_NOT_TEXT = {"batch": "int8", "n": "int8", "enabled": "bool", "guest": "bool"}
_TYPES = tuple(_NOT_TEXT.get(name, "text") for name in COLUMNS)
EDGE_COLUMNS = ("batch", "n", "grp", "member", "member_is", "gone")
_GONE = len(SEEN) - 1
_CHUNK = 1_000


class Walk(NamedTuple):
    """A walk under way."""

    batch: int
    resume: str | None
    staged: int
    whole: bool
    started_at: int
    told: str = ""
    """How its accounts are read: another walk under the same name reads them alike."""


class Staging:
    """Staged pages of walks."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def under_way(self, directory: int) -> Walk | None:
        """The walk that an earlier worker did not finish, if any."""
        row = self._tx.execute(
            "SELECT batch, resume, staged, whole, started_at, told FROM pull WHERE directory = :directory",
            {"directory": directory},
        ).one_or_none()
        return None if row is None else Walk(row[0], row[1], row[2], bool(row[3]), row[4], row[5])

    def all_under_way(self, directories: Sequence[int]) -> dict[int, Walk]:
        """The same of many directories."""
        dialect = self._tx.dialect
        rows = self._tx.execute(
            "SELECT directory, batch, resume, staged, whole, started_at, told FROM pull"
            f" WHERE {dialect.among('directory', 'keys')}",
            {"keys": dialect.listed(directories)},
        )
        return {row[0]: Walk(row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in rows}

    def add(self, directory: int, walk: Walk, seen: Sequence[tuple[Any, ...]]) -> Walk:
        """Stage the accounts of some pages with the place from which the walk goes on; returns the walk as it is."""
        first, batch = walk.staged, walk.batch
        if seen:
            self._tx.copy("stage", COLUMNS, ((batch, n, *row) for n, row in enumerate(seen, first)), _TYPES)
        walk = walk._replace(staged=first + len(seen))
        self._tx.execute(
            "INSERT INTO pull (directory, batch, resume, staged, whole, started_at, told)"
            " VALUES (:directory, :batch, :resume, :staged, :whole, :started_at, :told)"
            " ON CONFLICT (directory) DO UPDATE SET"
            " batch = excluded.batch, resume = excluded.resume, staged = excluded.staged, whole = excluded.whole,"
            " started_at = excluded.started_at, told = excluded.told",
            {"directory": directory, **walk._asdict()},
        )
        return walk

    def drop(self, directory: int, batch: int) -> None:
        """Forget a walk."""
        self._delete("stage", batch)
        self._delete("stage_edge", batch)
        self._tx.execute("DELETE FROM pull WHERE directory = :directory", {"directory": directory})

    def live(self, batch: int) -> int:
        """How many accounts the walk listed as alive; some may stand there several times."""
        return int(
            self._tx.execute(
                "SELECT count(DISTINCT id) FROM stage WHERE batch = :batch AND gone IS NULL", {"batch": batch}
            ).scalar_one()
        )

    def told_gone(self, batch: int, ids: Sequence[str]) -> set[str]:
        """Those of these ids that the walk told to be gone."""
        rows = self._tx.execute(
            f"SELECT id FROM stage WHERE batch = :batch AND gone IS NOT NULL AND {self._tx.dialect.among('id', 'ids')}",
            {"batch": batch, "ids": self._tx.dialect.listed(ids)},
        )
        return set(rows.scalars())

    def without_mailbox(self, directory: int, batch: int, limit: int) -> list[str]:
        """Ids of staged accounts whose mailbox kind is not known: new ones, and those whose kind never was."""
        rows = self._tx.execute(
            "SELECT s.id FROM stage AS s LEFT JOIN account AS a ON a.directory = :directory AND a.id = s.id"
            " WHERE s.batch = :batch AND s.gone IS NULL AND NOT coalesce(s.guest, a.guest, false)"
            " AND coalesce(s.mailbox, a.mailbox, '') = '' ORDER BY s.n LIMIT :limit",
            {"directory": directory, "batch": batch, "limit": limit},
        )
        return [row[0] for row in rows]

    # Entries may repeat within a walk, in any order: a later one overlays an earlier one.

    def repeated(self, batch: int) -> dict[str, bool]:
        """Accounts that a walk told of several times, and whether it told them both live and gone: then their order
        is no evidence, and a look-up decides (Graph, delta query)."""
        rows = self._tx.execute(
            "SELECT id, count(gone), count(*) FROM stage WHERE batch = :batch GROUP BY id HAVING count(*) > 1",
            {"batch": batch},
        )
        return {id: 0 < gone < told for id, gone, told in rows}

    def collapse(self, batch: int, repeated: Collection[str], settled: Mapping[str, str | None]) -> None:
        """Make one entry of each account's several; `settled` says of the disputed ones what a look-up said
        (None: alive)."""
        ids = sorted(repeated)
        for start in range(0, len(ids), _CHUNK):
            self._collapse(batch, ids[start : start + _CHUNK], settled)

    def _collapse(self, batch: int, ids: Sequence[str], settled: Mapping[str, str | None]) -> None:
        wanted = {f"i{n}": id for n, id in enumerate(ids)}
        among = "batch = :batch AND id IN (" + ", ".join(f":{name}" for name in wanted) + ")"
        rows = self._tx.execute(
            f"SELECT {', '.join(COLUMNS)} FROM stage WHERE {among} ORDER BY id, n", {"batch": batch, **wanted}
        ).all()
        merged = list(_overlaid((tuple(row) for row in rows), settled))
        self._tx.execute(f"DELETE FROM stage WHERE {among}", {"batch": batch, **wanted})
        self._tx.copy("stage", COLUMNS, merged, _TYPES)

    # These tables are unlogged: a crash of the database server empties them, under a run that goes on, too. Rows are
    # numbered from 0 in the order in which they come, so that all are there if the first is.

    def lost_accounts(self, walk: Walk) -> bool:
        """Whether accounts were staged that are not there any more."""
        return walk.staged > 0 and self._is_gone("stage", walk.batch)

    def lost_edges(self, batch: int, staged: int) -> bool:
        """The same of memberships."""
        return staged > 0 and self._is_gone("stage_edge", batch)

    def _is_gone(self, table: str, batch: int) -> bool:
        found = self._tx.execute(f"SELECT 1 FROM {table} WHERE batch = :batch AND n = 0 LIMIT 1", {"batch": batch})
        return found.one_or_none() is None

    def drop_edges(self, batch: int) -> None:
        """Forget the memberships of a walk that begins anew."""
        self._delete("stage_edge", batch)

    def _delete(self, table: str, batch: int) -> None:
        """Delete a batch. SQLite does so row by row, but all of a table at once, and mostly there is no other batch."""
        others = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE batch {side} :batch)" for side in "<>")
        values = {"batch": batch}
        if self._tx.dialect.name == "sqlite" and not self._tx.execute(f"SELECT {others}", values).scalar_one():
            self._tx.execute(f"DELETE FROM {table}")
        else:
            self._tx.execute(f"DELETE FROM {table} WHERE batch = :batch", values)

    def add_edges(self, batch: int, edges: Iterable[tuple[str, str, str, bool]], first: int) -> int:
        """Stage direct memberships; returns the number of the next one."""
        n = first
        rows = []
        for n, edge in enumerate(edges, first):
            rows.append((batch, n, *edge))
        if not rows:
            return first
        self._tx.copy("stage_edge", EDGE_COLUMNS, rows)
        return n + 1


def _overlaid(rows: Iterable[tuple[Any, ...]], settled: Mapping[str, str | None]) -> Iterator[tuple[Any, ...]]:
    """One row per account out of rows sorted by account and arrival."""
    current: list[Any] | None = None
    for row in rows:
        if current is not None and current[2] == row[2]:
            for at in range(3, len(row) - 1):
                if row[at] is not None:
                    current[at] = row[at]
            current[-1] = row[-1]
            continue
        if current is not None:
            yield _settled(current, settled)
        current = list(row)
    if current is not None:
        yield _settled(current, settled)


def _settled(row: list[Any], settled: Mapping[str, str | None]) -> tuple[Any, ...]:
    if row[2] in settled:
        row[-1] = settled[row[2]]
    return tuple(row)
