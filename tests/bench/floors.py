"""What any implementation has to pay: the same bytes fetched and unzipped, and the same rows written to tables.

The rows are made before the clock starts; they go through the same driver's COPY as ours (on SQLite: executemany).
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
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


def prepare(url: str, tables: Sequence[str], users: int) -> Callable[[], int]:
    """Make the tables and the rows; what is returned writes them, in chunks of 5,000, each with its commit."""
    made = {"bare": _bare, "account": _account, "assignment": _assignment, "audit": _audit}
    dialect = dialect_of(make_url(url))
    engine = dialect.engine(make_url(url), 1)
    with engine.begin() as connection:
        _create(connection, dialect.name, tables)
    kept = {table: list(made[table](users)) for table in tables}

    def write() -> int:
        with engine.connect() as connection:
            for table in tables:
                columns = _columns(table)
                name = table if table == "bare" else f"floor_{table}"
                for start in range(0, users, _CHUNK):
                    with connection.begin():
                        if table == "bare":
                            dialect.relax(connection)
                        rows = kept[table][start : start + _CHUNK]
                        dialect.copy(connection, name, columns, rows, ("text",) * len(SEEN) if table == "bare" else ())
        engine.dispose()
        return users

    return write


def _columns(table: str) -> Sequence[str]:
    if table == "bare":
        return SEEN
    return (
        _ACCOUNT if table == "account" else [c.name for c in {"assignment": assignment, "audit": audit}[table].columns]
    )


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
        digest = hashlib.sha256(id.encode()).digest()
        yield 1, n, _AT, "rule:staff", "license.assigned", 1, id, None, _AFTER, "everyone", digest
