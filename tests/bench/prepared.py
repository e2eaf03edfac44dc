"""A store in which a whole fleet has been read: one directory by a real first pass, the others as copies of its rows.

A first pass writes the same rows for every tenant of the same shape; only ids, keys and cursors differ, and those come
from `walked`. What is not copied is the record: of the copies it begins with what happens to them.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from store.soundness import untrue
from tests.bench.walked import GROUP, Walked
from worker.bootstrap import App
from worker.operations.policies import load
from worker.operations.syncing import sync

Row = dict[str, Any]
_AS_THE_FIRST = (
    "state", "mailbox_problem", "mailbox_remedy", "mailbox_asked_at", "last_success", "plan_whole", "plan_some",
    "wake_at", "planned_whole_at", "read_whole_at",
)  # fmt: skip
_AT_ONCE = 500


def prepare(app: App, conninfo: str, walked: Path) -> None:
    """Fill the store: directory `d<n>` is the tenant of line n. Afterwards an idle poll finds nothing to do."""
    problems = load(app)
    assert not problems, problems
    done = sync(app, "d0")
    assert done.outcome == "applied", done
    with walked.open("rb") as lines, psycopg.connect(conninfo, row_factory=dict_row) as connection:
        fleet = enumerate(msgspec.json.decode(line, type=Walked) for line in lines)
        next(fleet)
        copier = _Copier(connection)
        while some := list(islice(fleet, _AT_ONCE)):
            copier.copy(some)
        copier.done()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    with app.store.read() as tx:
        wrong = list(untrue(tx))
    assert not wrong, wrong


class _Copier:
    """The rows of the first directory, and whose they become."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection
        known = self._rows("SELECT d.*, c.policy FROM directory AS d JOIN company AS c ON c.key = d.company")
        self._known = {row["id"]: row for row in known}
        first = self._known["d0"]
        of = {"directory": first["key"], "company": first["company"]}
        self._of_first = {
            table: self._rows(f"SELECT * FROM {table} WHERE {column} = {of[column]} ORDER BY 1, 2")
            for table, column in (
                ("grp", "directory"), ("account", "directory"), ("assignment", "directory"), ("edge", "directory"),
                ("group_ref", "directory"), ("mailbox_queue", "directory"), ("usage_day", "company"),
            )
        }  # fmt: skip
        assert first["groups_hash"] == _standing_for(self._of_first["grp"][0]["id"]), "a copy would be planned anew"
        self._next: dict[str, int] = {
            table: max(row["key"] for row in self._of_first[table]) + 1 for table in ("grp", "account")
        }

    def copy(self, some: Sequence[tuple[int, Walked]]) -> None:
        """The rows of these directories."""
        made: dict[str, list[Row]] = {table: [] for table in self._of_first}
        for n, walked in some:
            for table, row in self._copied(self._known[f"d{n}"], walked):
                made[table].append(row)
            self._read(self._known[f"d{n}"], walked)
        for table, rows in made.items():
            self._write(table, rows)

    def done(self) -> None:
        """Keys go on from where the copies end."""
        for table, key in self._next.items():
            self._connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'key'), {key})")

    def _copied(self, own: Row, walked: Walked) -> Iterator[tuple[str, Row]]:
        whose = {"directory": own["key"], "company": own["company"]}
        group = self._key("grp")
        yield "grp", {**self._of_first["grp"][0], "key": group, "directory": own["key"], "id": walked.group}
        yield "group_ref", {**self._of_first["group_ref"][0], "directory": own["key"], "group_id": walked.group}
        yield "usage_day", {**self._of_first["usage_day"][0], "company": own["company"]}
        for id, address, name in walked.people:
            account = self._key("account")
            who = {"key": account, "directory": own["key"], "id": id, "address": address, "name": name}
            yield "account", {**self._of_first["account"][0], **who}
            yield "assignment", {**self._of_first["assignment"][0], **whose, "account": account}
            yield "edge", {**self._of_first["edge"][0], "directory": own["key"], "grp": group, "member": id}
            yield "mailbox_queue", {
                **self._of_first["mailbox_queue"][0], "directory": own["key"], "account": account,
            }  # fmt: skip

    def _read(self, own: Row, walked: Walked) -> None:
        """The directory as it stands after a first pass."""
        now = {name: self._known["d0"][name] for name in _AS_THE_FIRST} | {
            "bound_to": walked.tenant, "cursor": walked.cursor, "groups_cursor": walked.groups_cursor,
            "groups_hash": _standing_for(walked.group),
            "planned_policy": own["policy"],
        }  # fmt: skip
        changes = ", ".join(f"{name} = %({name})s" for name in now)
        self._connection.execute(f"UPDATE directory SET {changes} WHERE key = {own['key']}", now)

    def _write(self, table: str, rows: Sequence[Row]) -> None:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(rows[0])}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(list(row.values()))

    def _key(self, table: str) -> int:
        self._next[table] += 1
        return self._next[table] - 1

    def _rows(self, sql: str) -> list[Row]:
        return self._connection.execute(sql).fetchall()


def _standing_for(group: str) -> str:
    """What a run keeps of the one group that the policy names."""
    return sha256(repr(([(GROUP, group, "")], [], None, None)).encode()).hexdigest()[:32]
