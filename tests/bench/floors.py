"""What any implementation has to pay: the same bytes fetched and unzipped, and the same rows written to tables.

The rows are made before the clock starts, and on PostgreSQL they are in COPY's own form: nothing is cheaper.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, make_url
from sqlalchemy.sql import quoted_name

from store.dialects import dialect_of
from store.schema import SEEN, account, assignment, audit

_CHUNK = 5_000
_ACCOUNT = (
    "key", "directory", "id", "address", "name", "kind", "state", "at_department", "at_job_title", "at_city",
)  # fmt: skip
_BARE = f"CREATE UNLOGGED TABLE bare ({', '.join(f'{name} text' for name in SEEN)})"
_AT = 1_700_000_000_000_000
_AFTER = '{"license":"standard","through":"seat","lot":"lot-1","source":"rule:staff"}'

Row = tuple[Any, ...]


def prepare(url: str, tables: Sequence[str], users: int, folder: Path) -> Callable[[], int]:
    """Make the tables and the rows; what is returned writes them, in chunks of 5,000, each with its commit."""
    made = {"bare": _bare, "account": _account, "assignment": _assignment, "audit": _audit}
    dialect = dialect_of(make_url(url))
    engine = dialect.engine(make_url(url), 1)
    with engine.begin() as connection:
        _create(connection, dialect.name, tables)
    files = {table: folder / f"floor_{table}" for table in tables}
    kept: dict[str, list[Row]] = {}
    for table in tables:
        if dialect.name == "postgresql":
            _write_file(files[table], made[table](users))
        else:
            kept[table] = list(made[table](users))

    def write() -> int:
        with engine.connect() as connection:
            for table in tables:
                columns = _columns(table)
                name = table if table == "bare" else f"floor_{table}"
                if dialect.name == "postgresql":
                    _copy_file(connection, name, columns, files[table], relaxed=table == "bare")
                else:
                    _insert(connection, name, columns, kept[table])
        engine.dispose()
        return users

    return write


def _columns(table: str) -> Sequence[str]:
    if table == "bare":
        return SEEN
    return (
        _ACCOUNT if table == "account" else [c.name for c in {"assignment": assignment, "audit": audit}[table].columns]
    )


def _write_file(path: Path, rows: Iterator[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write("\t".join("\\N" if value is None else str(value) for value in row) + "\n")


def _copy_file(connection: Connection, table: str, columns: Sequence[str], path: Path, *, relaxed: bool) -> None:
    raw: Any = connection.connection.driver_connection
    with path.open("rb") as file:
        while lines := list(islice(file, _CHUNK)):
            with raw.transaction(), raw.cursor() as cursor:
                if relaxed:
                    cursor.execute("SET LOCAL synchronous_commit = off")
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    copy.write(b"".join(lines))


def _insert(connection: Connection, table: str, columns: Sequence[str], rows: list[Row]) -> None:
    raw: Any = connection.connection.driver_connection
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    for start in range(0, len(rows), _CHUNK):
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(sql, rows[start : start + _CHUNK])
        raw.execute("COMMIT")


def _create(connection: Connection, dialect: str, tables: Sequence[str]) -> None:
    if "bare" in tables:
        connection.exec_driver_sql(_BARE if dialect == "postgresql" else _BARE.replace("UNLOGGED ", ""))
        return
    for table in (account, assignment, audit):
        copy = table.to_metadata(type(table.metadata)(), name=f"floor_{table.name}")
        for index in copy.indexes:
            index.name = quoted_name(f"floor_{index.name}", None)
        copy.create(connection)


def _ids(users: int) -> Iterator[str]:
    return (str(uuid.UUID(hashlib.md5(str(n).encode()).hexdigest())) for n in range(users))


def _bare(users: int) -> Iterator[Row]:
    blank = (None,) * (len(SEEN) - 9)
    for n, id in enumerate(_ids(users)):
        yield (id, f"user{n}@contoso.example", f"User Number {n}", "t", "f", "", "", "Finance", "Controller", *blank)


def _account(users: int) -> Iterator[Row]:
    for n, id in enumerate(_ids(users)):
        address, name = f"user{n}@contoso.example", f"User Number {n}"
        yield n, 1, id, address, name, "user", "active", "Finance", "Controller", "Bergen"


def _assignment(users: int) -> Iterator[Row]:
    for n in range(users):
        yield n, 1, 1, "standard", "seat", 1, "rule:staff", "everyone", _AT


def _audit(users: int) -> Iterator[Row]:
    for n, id in enumerate(_ids(users)):
        digest = hashlib.sha256(id.encode()).hexdigest()
        yield 1, n, _AT, "rule:staff", "license.assigned", 1, id, None, _AFTER, "everyone", f"\\\\x{digest}"
