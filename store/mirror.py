"""The mirror: what a directory was last completely seen to be.

A completed walk is merged set by set, comparing columns, so that an unchanged account costs no write. The two
databases want two forms of the same merge (facts in docs/performance.md); everything else is one text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from policies.model import ATTRIBUTES

if TYPE_CHECKING:
    from store.transaction import Transaction

_PLAIN = ("address", "name", "org_unit", *(f"at_{name}" for name in ATTRIBUTES))
_COLUMNS = (*_PLAIN, "enabled", "guest", "mailbox", "kind", "state")
_FIRST = {"enabled": "true", "guest": "false"}


def _kind(guest: str, mailbox: str) -> str:
    return (
        f"CASE WHEN {guest} THEN 'guest' WHEN {mailbox} = 'shared' THEN 'shared_mailbox' WHEN {mailbox} = 'room' THEN"
        f" 'room' WHEN {mailbox} = 'equipment' THEN 'resource' WHEN {mailbox} = '' THEN 'unknown' ELSE 'user' END"
    )


def _told(known: bool) -> dict[str, str]:
    """For each column, what it is after the entry `s` was laid over the account `a`, if there is one."""

    def of(column: str, default: str) -> str:
        return f"coalesce(s.{column}, a.{column})" if known else f"coalesce(s.{column}, {default})"

    told = {column: of(column, "''") for column in (*_PLAIN, "mailbox")}
    told |= {column: of(column, default) for column, default in _FIRST.items()}
    told["kind"] = _kind(told["guest"], told["mailbox"])
    told["state"] = f"CASE WHEN s.gone IS NOT NULL THEN s.gone WHEN {told['enabled']} THEN 'active' ELSE 'disabled' END"
    return told


_KNOWN, _NEW = _told(known=True), _told(known=False)
_DIFFERS = f"({', '.join(f'a.{c}' for c in _COLUMNS)}) <> ({', '.join(_KNOWN[c] for c in _COLUMNS)})"
_MATCHES = "a.directory = :directory AND a.id = s.id AND s.batch = :batch"
_NAMES = ", ".join(_COLUMNS)

# An account that is noted already counts as changed, too: the count says whether there is anything to lay over it.
_NOTED_TOO = "ON CONFLICT (account) DO UPDATE SET directory = excluded.directory"
_PG_UPDATE = (
    f"WITH changed AS (UPDATE account AS a SET {', '.join(f'{c} = {_KNOWN[c]}' for c in _COLUMNS)}"
    f" FROM stage AS s WHERE {_MATCHES} AND {_DIFFERS} RETURNING a.key)"
    f" INSERT INTO unplanned (account, directory) SELECT key, :directory FROM changed {_NOTED_TOO}"
)
# An update from a join is slow in SQLite, an upsert in key order is not (docs/performance.md). The entries that differ
# are noted first, since the upsert cannot do both. SQLite joins in the order in which a CROSS JOIN is written, whatever
# it believes of the sizes: what was staged comes first, or a single change would cost a walk over the directory.
_SQLITE_NOTE = (
    "INSERT INTO unplanned (account, directory) SELECT a.key, :directory FROM stage AS s CROSS JOIN account AS a"
    f" WHERE {_MATCHES} AND {_DIFFERS} {_NOTED_TOO}"
)
_SQLITE_UPDATE = (
    f"INSERT INTO account (key, directory, id, {_NAMES}) SELECT a.key, a.directory, a.id,"
    f" {', '.join(_KNOWN[c] for c in _COLUMNS)} FROM stage AS s CROSS JOIN account AS a WHERE {_MATCHES}"
    f" AND {_DIFFERS} ORDER BY a.key"
    f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS)}"
)
_INSERT = (
    f"INSERT INTO account (directory, id, {_NAMES}) SELECT :directory, s.id, {', '.join(_NEW[c] for c in _COLUMNS)}"
    " FROM stage AS s WHERE s.batch = :batch AND s.gone IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM account AS a WHERE a.directory = :directory AND a.id = s.id) ORDER BY s.id"
)
_LIVE = "state NOT IN ('deleted', 'purged')"
# What is staged has no index of ids: PostgreSQL joins such sets by hashing, SQLite makes a list of its own to look in.
_UNLISTED = {
    "postgresql": "NOT EXISTS (SELECT 1 FROM stage AS s WHERE s.batch = :batch AND s.id = a.id)",
    "sqlite": "a.id NOT IN (SELECT s.id FROM stage AS s WHERE s.batch = :batch)",
}
# What both forms of the comparison tell, in the order of `Compared`; `s` or `a` is missing where only the other tells.
_COMPARED = (
    "count(*) FILTER (WHERE s.id IS NOT NULL AND s.gone IS NULL),"
    f" count(*) FILTER (WHERE s.id IS NOT NULL AND a.{_LIVE}),"
    " count(*) FILTER (WHERE s.gone IS NULL AND a.key IS NULL),"
    f" count(*) FILTER (WHERE s.id IS NOT NULL AND a.key IS NOT NULL AND {_DIFFERS}),"
    " count(*) FILTER (WHERE s.id IS NOT NULL AND s.gone IS NULL AND NOT coalesce(s.guest, a.guest, false)"
    " AND coalesce(s.mailbox, a.mailbox, '') = '')"
)
# Where all of whom a walk told are known, and no more than there are entries, nobody was told of twice: that spares
# looking for such accounts. PostgreSQL joins both ways for what one way costs, and needs no list of keys then; SQLite
# would walk over all of the stage for each account.
_COMPARE = {
    "postgresql": (
        f"SELECT {_COMPARED}, count(s.id) = count(*) FILTER (WHERE s.id IS NOT NULL AND a.key IS NOT NULL) AND"
        " count(a.key) = (SELECT count(*) FROM account WHERE directory = :directory) AS once"
        " FROM (SELECT * FROM stage WHERE batch = :batch) AS s"
        " FULL JOIN (SELECT * FROM account WHERE directory = :directory) AS a ON a.id = s.id"
    ),
    "sqlite": (
        f"SELECT {_COMPARED}, count(*) = count(DISTINCT a.key) AS once FROM stage AS s"
        " LEFT JOIN account AS a ON a.directory = :directory AND a.id = s.id WHERE s.batch = :batch"
    ),
}


class Compared(NamedTuple):
    """How a staged walk compares with the mirror: what of it there is to do, if it tells of nobody twice."""

    alive: int
    """Accounts that the walk told alive."""
    known: int
    """Accounts that are alive in the mirror, and that it told of."""
    new: int
    changed: int
    open: int
    """Those told alive whose mailbox kind is not known; no guests."""
    once: bool
    """It is certain that the walk told of nobody twice."""

    @property
    def alike(self) -> bool:
        """Whether the walk told nothing that the mirror does not have."""
        return self.new == self.changed == 0


class Merged(NamedTuple):
    """What a merge changed."""

    new: int
    changed: int


class Mirror:
    """Accounts as their directories have them."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def compare(self, directory: int, batch: int) -> Compared:
        """Compare a staged walk with the mirror. Both are read once, whatever is asked of them after."""
        row = self._tx.execute(_COMPARE[self._tx.dialect.name], {"directory": directory, "batch": batch}).one()
        return Compared(*row)._replace(once=bool(row.once))

    def merge(self, directory: int, batch: int, *, plan_whole: bool) -> Merged:
        """Lay a staged walk over the mirror. What changed is noted for planning, unless all is planned anyway."""
        values = {"directory": directory, "batch": batch}
        changed = self._update(values)
        last = self._last_key()
        new = self._tx.execute(_INSERT, values).rowcount
        if new and not plan_whole:
            self._tx.execute(
                "INSERT INTO unplanned (account, directory) SELECT key, directory FROM account"
                " WHERE key > :last AND directory = :directory ON CONFLICT (account) DO NOTHING",
                {"last": last, "directory": directory},
            )
        return Merged(new, changed)

    def _update(self, values: dict[str, int]) -> int:
        if self._tx.dialect.name == "postgresql":
            return self._tx.execute(_PG_UPDATE, values).rowcount
        if not self._tx.execute(
            "SELECT EXISTS (SELECT 1 FROM account WHERE directory = :directory)", values
        ).scalar_one():
            return 0
        noted = self._tx.execute(_SQLITE_NOTE, values).rowcount
        if noted:
            self._tx.execute(_SQLITE_UPDATE, values)
        return noted

    def _last_key(self) -> int:
        return int(self._tx.execute("SELECT coalesce(max(key), 0) FROM account").scalar_one())

    # --- absence (D4, Z2) ---

    def live(self, directory: int) -> int:
        """How many accounts the mirror holds for alive: all but the few who are gone, both counted in an index."""
        return int(
            self._tx.execute(
                "SELECT (SELECT count(*) FROM account WHERE directory = :directory) - (SELECT count(*) FROM account"
                " WHERE directory = :directory AND state IN ('deleted', 'purged') AND state <> 'active')",
                {"directory": directory},
            ).scalar_one()
        )

    def absent(self, directory: int, batch: int, limit: int) -> list[tuple[int, str]]:
        """Keys and ids of live accounts that a complete walk did not list."""
        unlisted = _UNLISTED[self._tx.dialect.name]
        rows = self._tx.execute(
            f"SELECT a.key, a.id FROM account AS a WHERE a.directory = :directory AND a.{_LIVE} AND {unlisted}"
            " ORDER BY a.key LIMIT :limit",
            {"directory": directory, "batch": batch, "limit": limit},
        )
        return [(row[0], row[1]) for row in rows]

    def holders(self, directory: int, ids: Sequence[str]) -> list[str]:
        """Those of these ids whose accounts live, as far as the mirror knows, and hold a license."""
        if not ids:
            return []
        among = self._tx.dialect.among("a.id", "ids")
        rows = self._tx.execute(
            "SELECT a.id FROM account AS a JOIN assignment AS h ON h.account = a.key WHERE a.directory = :directory"
            f" AND a.{_LIVE} AND {among} ORDER BY a.id",
            {"directory": directory, "ids": self._tx.dialect.listed(ids)},
        )
        return list(rows.scalars())

    def set_state(self, directory: int, ids: Sequence[str], state: str) -> None:
        """Note what look-ups said of accounts, and plan them."""
        for start in range(0, len(ids), 500):
            part = {f"i{n}": id for n, id in enumerate(ids[start : start + 500])}
            among = f"directory = :directory AND id IN ({', '.join(f':{name}' for name in part)}) AND state <> :state"
            values = {"directory": directory, "state": state, **part}
            self._tx.execute(
                f"INSERT INTO unplanned (account, directory) SELECT key, directory FROM account WHERE {among}"
                " ON CONFLICT (account) DO NOTHING",
                values,
            )
            self._tx.execute(f"UPDATE account SET state = :state WHERE {among}", values)

    # --- what is to be planned ---

    def plan_soon(self, directory: int, keys: Iterable[int]) -> None:
        """Note accounts for planning."""
        for key in keys:
            self._tx.execute(
                "INSERT INTO unplanned (account, directory) VALUES (:key, :directory) ON CONFLICT (account) DO NOTHING",
                {"key": key, "directory": directory},
            )

    # --- mailbox kinds (S6) ---

    def queue_mailboxes(self, directory: int, batch: int, now: int, *, again: bool) -> None:
        """Queue the accounts of a merged walk whose mailbox kind is not known, and those that changed, since any change
        may come from a converted mailbox; with `again`, all that it told of."""
        changed = "EXISTS (SELECT 1 FROM unplanned AS u WHERE u.account = a.key)"
        known = "" if again else f" AND (a.mailbox = '' OR {changed})"
        self._tx.execute(
            "INSERT INTO mailbox_queue (account, directory, due) SELECT a.key, a.directory, :now FROM stage AS s"
            f" CROSS JOIN account AS a WHERE {_MATCHES} AND s.gone IS NULL AND NOT a.guest{known} AND NOT EXISTS"
            # a row that a conflict keeps as it is would be locked all the same, and that is a write
            " (SELECT 1 FROM mailbox_queue AS q WHERE q.account = a.key AND q.due <= :now)"
            " ON CONFLICT (account) DO UPDATE SET due = excluded.due WHERE mailbox_queue.due > excluded.due",
            {"directory": directory, "batch": batch, "now": now},
        )

    def pass_over_the_deleted(self, directory: int, now: int, until: int) -> None:
        """Deleted accounts keep the mailbox kind that they had; they are looked at again at `until`."""
        self._tx.execute(  # from the few that are gone, not from all that are due
            "UPDATE mailbox_queue SET due = :until WHERE account IN (SELECT a.key FROM account AS a"
            " CROSS JOIN mailbox_queue AS q WHERE a.directory = :directory AND a.state IN ('deleted', 'purged')"
            " AND a.state <> 'active' AND q.account = a.key AND q.due <= :now)",
            {"directory": directory, "now": now, "until": until},
        )

    def mailboxes_due(self, directory: int, now: int, limit: int) -> list[tuple[int, str, str]]:
        """Key, id and known mailbox kind of the accounts to ask for now."""
        rows = self._tx.execute(
            "SELECT a.key, a.id, a.mailbox FROM mailbox_queue AS q JOIN account AS a ON a.key = q.account"
            f" WHERE q.directory = :directory AND q.due <= :now AND a.{_LIVE} ORDER BY q.due, q.account LIMIT :limit",
            {"directory": directory, "now": now, "limit": limit},
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def learn_mailboxes(self, directory: int, kinds: Mapping[int, str]) -> None:
        """Record mailbox kinds that changed, by account key, and plan those accounts."""
        values = [{"key": key, "mailbox": kind, "directory": directory} for key, kind in kinds.items()]
        self._tx.execute_many(
            "INSERT INTO unplanned (account, directory) VALUES (:key, :directory) ON CONFLICT (account) DO NOTHING",
            values,
        )
        self._tx.execute_many(
            f"UPDATE account SET mailbox = :mailbox, kind = {_kind('guest', ':mailbox')} WHERE key = :key", values
        )

    def open_mailboxes(self, directory: int, batch: int) -> dict[int, str]:
        """Key and mailbox kind of the accounts whose kind a staged walk left open, but for those known as users'."""
        rows = self._tx.execute(
            f"SELECT a.key, a.mailbox FROM stage AS s CROSS JOIN account AS a WHERE {_MATCHES}"
            " AND a.mailbox <> 'user' AND s.gone IS NULL AND s.mailbox IS NULL AND s.address IS NOT NULL"
            " AND s.org_unit IS NOT NULL AND s.enabled IS NOT NULL",
            {"directory": directory, "batch": batch},
        )
        return {row[0]: row[1] for row in rows}

    def has_open_mailboxes(self, directory: int) -> bool:
        """Whether anybody lives whose mailbox kind is not known."""
        found = self._tx.execute(
            f"SELECT EXISTS (SELECT 1 FROM account AS a WHERE a.directory = :directory AND a.{_LIVE}"
            " AND a.kind = 'unknown')",
            {"directory": directory},
        )
        return bool(found.scalar_one())

    def ask_mailboxes_at(self, due: Mapping[int, int]) -> None:
        """When to ask for these accounts again, by key."""
        self._tx.execute_many(
            "UPDATE mailbox_queue SET due = :due WHERE account = :key",
            [{"key": key, "due": at} for key, at in due.items()],
        )

    def mailboxes_of(self, directory: int, ids: Sequence[str]) -> dict[str, str]:
        """The mailbox kinds that are known, by the directory's ids."""
        rows = self._tx.execute(
            f"SELECT id, mailbox FROM account WHERE directory = :directory AND {self._tx.dialect.among('id', 'ids')}",
            {"directory": directory, "ids": self._tx.dialect.listed(list(ids))},
        )
        return {row[0]: row[1] for row in rows}

    def keys_of(self, directory: int, ids: Sequence[str]) -> dict[str, int]:
        """Account keys by the directory's ids."""
        rows = self._tx.execute(
            f"SELECT id, key FROM account WHERE directory = :directory AND {self._tx.dialect.among('id', 'ids')}",
            {"directory": directory, "ids": self._tx.dialect.listed(list(ids))},
        )
        return {row[0]: row[1] for row in rows}

    def next_mailbox(self, directory: int) -> int | None:
        """When the next mailbox is to be asked for."""
        due: int | None = self._tx.execute(
            "SELECT min(due) FROM mailbox_queue WHERE directory = :directory", {"directory": directory}
        ).scalar_one()
        return due
