"""The two databases, and everything that differs between them: connecting, locking, bulk rows, unlogged tables.

Everything else in the store is one SQL text for both.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, ClassVar, Protocol

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

Row = Sequence[Any]
Types = Sequence[str]
"""What PostgreSQL calls the types of columns."""


class Dialect(Protocol):
    """What a database does in its own way."""

    name: str

    def engine(self, url: URL, pool_size: int) -> Engine: ...

    def complete(self, connection: Connection) -> None:
        """Give tables that were just created what only this database can do: triggers, unlogged tables."""
        ...

    def lock_schema(self, connection: Connection) -> None:
        """Let two first commands at once, or two upgrades, come one after the other."""
        ...

    def copy(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row], types: Types = ()
    ) -> None:
        """Write many rows in the quickest way there is; quicker still where the types of the columns are told."""
        ...

    def among(self, column: str, name: str) -> str:
        """The condition that a column is one of the values bound as `name`, which `listed` makes."""
        ...

    def listed(self, values: Sequence[Any]) -> Any:
        """Many values as one bound value."""
        ...

    def unfolded(self, name: str, columns: Mapping[str, str]) -> str:
        """The query whose rows are those bound as `name`: a JSON list of objects, with what PostgreSQL calls the types
        of their fields."""
        ...

    def stream(self, connection: Connection, sql: str, values: Mapping[str, Any], size: int) -> Iterator[list[Any]]:
        """Run one query and hand its rows out, `size` plain tuples at a time, without holding them all."""
        ...

    def for_update(self) -> str:
        """The clause that locks what a select returns until the transaction ends."""
        ...

    def skip_locked(self) -> str:
        """The clause that locks what a select returns and passes over what others have locked."""
        ...

    def analyze(self, connection: Connection, table: str, *, roughly: bool = False) -> None:
        """Count a table's rows anew before a large statement is planned over it; `roughly` looks at a few of them."""
        ...

    def enlarge(self, connection: Connection) -> None:
        """Give this transaction the memory to join and sort a whole directory."""
        ...

    def join_whole(self, connection: Connection) -> None:
        """Let this transaction join large sets as wholes, never row by row."""
        ...

    def relax(self, connection: Connection) -> None:
        """Let this transaction be lost in a crash of the server; for staged pages only."""
        ...


class Sqlite:
    """The embedded store: one file, one writer at a time, WAL so that readers never wait."""

    name = "sqlite"

    def engine(self, url: URL, pool_size: int) -> Engine:
        # One connection a thread: those that wait for the one that writes must not keep others from reading.
        engine = create_engine(
            url,
            connect_args={"timeout": 60.0, "check_same_thread": False},
            max_overflow=4 * pool_size,
            hide_parameters=True,
        )
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", self._on_begin)
        return engine

    @staticmethod
    def _on_connect(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None  # the driver must not begin transactions behind our back
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=60000",
            # Sorting in memory and mapping the file would break the memory goal at a million accounts.
            "temp_store=FILE",
            "mmap_size=0",
            "cache_size=-32000",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @staticmethod
    def _on_begin(connection: Connection) -> None:
        # A transaction that will write takes the write lock at once: upgrading later can fail as "busy".
        reads = connection.get_execution_options().get("seatkeeper_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    def complete(self, connection: Connection) -> None:
        for statement in _SQLITE_TRIGGERS:
            connection.exec_driver_sql(statement)

    def lock_schema(self, connection: Connection) -> None:
        return None  # a transaction that may write has the database to itself

    def copy(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row], types: Types = ()
    ) -> None:
        raw: Any = connection.connection.driver_connection
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

    def among(self, column: str, name: str) -> str:
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def listed(self, values: Sequence[Any]) -> Any:
        return msgspec.json.encode(values).decode()

    def unfolded(self, name: str, columns: Mapping[str, str]) -> str:
        fields = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in columns)
        return f"SELECT {fields} FROM json_each(:{name})"

    def stream(self, connection: Connection, sql: str, values: Mapping[str, Any], size: int) -> Iterator[list[Any]]:
        raw: Any = connection.connection.driver_connection
        cursor = raw.execute(sql, values)
        try:
            while rows := cursor.fetchmany(size):
                yield rows
        finally:
            cursor.close()

    def for_update(self) -> str:
        return ""

    def skip_locked(self) -> str:
        return ""

    def analyze(self, connection: Connection, table: str, *, roughly: bool = False) -> None:
        return None

    def enlarge(self, connection: Connection) -> None:
        return None

    def join_whole(self, connection: Connection) -> None:
        return None

    def relax(self, connection: Connection) -> None:
        return None


class Postgresql:
    """The store at scale: any number of workers on any number of machines."""

    name = "postgresql"
    silence = 60_000
    """Milliseconds without a word in the middle of a transaction after which the server ends it: whoever is silent for
    so long was frozen or lost its network, and others wait for what it has locked."""
    reached: ClassVar[Mapping[str, str]] = {
        "connect_timeout": "10",
        "tcp_user_timeout": "30000",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "4",
        "target_session_attrs": "read-write",
    }
    """How a server is noticed to be gone that says nothing more, within half a minute, and that no standby is taken for
    it, as where a name still leads to the one that was the primary. What the URL says comes first."""

    def engine(self, url: URL, pool_size: int) -> Engine:
        engine = create_engine(
            url.update_query_dict({name: value for name, value in self.reached.items() if name not in url.query}),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        event.listen(engine, "connect", self._on_connect)
        return engine

    def _on_connect(self, raw: Any, _record: object) -> None:
        raw.execute(f"SET idle_in_transaction_session_timeout = {self.silence}")
        raw.commit()

    def complete(self, connection: Connection) -> None:
        from store.schema import UNLOGGED

        for table in UNLOGGED:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} SET UNLOGGED")
        for statement in _POSTGRESQL_TRIGGERS:
            connection.exec_driver_sql(statement)

    def lock_schema(self, connection: Connection) -> None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8480)")

    def copy(
        self, connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Row], types: Types = ()
    ) -> None:
        raw: Any = connection.connection.driver_connection
        binary = " (FORMAT binary)" if types else ""  # values need no escaping there, which is half of the work
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN{binary}") as copy,
        ):
            if types:
                copy.set_types(types)
            write = copy.write_row
            for row in rows:
                write(row)

    def among(self, column: str, name: str) -> str:
        return f"{column} = ANY(:{name})"

    def listed(self, values: Sequence[Any]) -> Any:
        if values and isinstance(values[0], int):  # the driver looks at each number for long
            return f"{{{','.join(map(str, values))}}}"
        return list(values)

    def unfolded(self, name: str, columns: Mapping[str, str]) -> str:
        fields = ", ".join(f"{column} {type}" for column, type in columns.items())
        return f"SELECT * FROM json_to_recordset(CAST(:{name} AS json)) AS {name}({fields})"

    def copy_text(self, connection: Connection, table: str, columns: Sequence[str], rows: str) -> None:
        """Write many rows that stand in the text form of COPY already."""
        raw: Any = connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            copy.write(rows)

    def stream(self, connection: Connection, sql: str, values: Mapping[str, Any], size: int) -> Iterator[list[Any]]:
        raw: Any = connection.connection.driver_connection
        with raw.cursor(name=f"stream_{next(_names)}") as cursor:
            cursor.execute(_placeholders(sql), values)
            while rows := cursor.fetchmany(size):
                yield rows

    def for_update(self) -> str:
        return " FOR UPDATE"

    def skip_locked(self) -> str:
        return " FOR UPDATE SKIP LOCKED"

    def analyze(self, connection: Connection, table: str, *, roughly: bool = False) -> None:
        if roughly:
            connection.exec_driver_sql("SET LOCAL default_statistics_target = 10")
        connection.exec_driver_sql(f"ANALYZE {table}")

    def enlarge(self, connection: Connection) -> None:
        # Compiling a statement costs more than it saves for joins as plain as ours.
        connection.exec_driver_sql("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off")

    def join_whole(self, connection: Connection) -> None:
        # Of a directory that is new, the planner believes that it has a few accounts, and would compare each of them
        # with each row that is staged.
        self.enlarge(connection)
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")

    def relax(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


# Counters are kept true by the database itself, so that no code path can forget them: `lot.held`, on which the check
# of L3 stands, and the counts by which limits and `status` go. Per statement where the database can.

_HELD = (
    "holding_count",
    "held",
    {
        "company": "company",
        "license": "license",
        "through": "through",
        "lot": "coalesce({row}lot, 0)",
        "source": "source",
    },
)
_COUNTED = {
    "assignment": _HELD,
    "endpoint_assignment": _HELD,
    "waiting": ("waiting_count", "n", {"company": "company", "license": "license", "through": "through",
                                       "reason": "reason"}),
}  # fmt: skip


def _values(keys: dict[str, str], row: str) -> str:
    return ", ".join(value.format(row=row) if "{row}" in value else row + value for value in keys.values())


def _sqlite_triggers() -> list[str]:
    def body(source: str, row: str, sign: str) -> str:
        table, column, keys = _COUNTED[source]
        counted = (
            f"INSERT INTO {table} ({', '.join(keys)}, {column}) VALUES ({_values(keys, row + '.')}, {sign}1)"
            f" ON CONFLICT DO UPDATE SET {column} = {column} {sign} 1;"
        )
        if table == _HELD[0]:
            counted += f" UPDATE lot SET held = held {sign} 1 WHERE key = {row}.lot;"
        return counted

    statements = []
    for source in _COUNTED:
        added, removed = body(source, "new", "+"), body(source, "old", "-")
        for verb, code in (("INSERT", added), ("DELETE", removed), ("UPDATE", removed + " " + added)):
            statements.append(f"CREATE TRIGGER {source}_{verb.lower()} AFTER {verb} ON {source} BEGIN {code} END")
    return statements + _append_only_sqlite()


def _append_only_sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit BEGIN"
        " SELECT RAISE(ABORT, 'audit entries cannot be changed'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgresql_triggers() -> list[str]:
    def changes(verb: str) -> str:
        added, removed = "SELECT *, 1 AS d FROM added", "SELECT *, -1 AS d FROM removed"
        return {"INSERT": added, "DELETE": removed, "UPDATE": f"{removed} UNION ALL {added}"}[verb]

    def body(source: str, verb: str) -> str:
        table, column, keys = _COUNTED[source]
        names = ", ".join(keys)
        counted = (
            f"INSERT INTO {table} AS c ({names}, {column})"
            f" SELECT {_values(keys, '')}, sum(d) FROM ({changes(verb)}) x GROUP BY {_values(keys, '')}"
            f" HAVING sum(d) <> 0 ORDER BY {_values(keys, '')}"
            f" ON CONFLICT ({names}) DO UPDATE SET {column} = c.{column} + excluded.{column};"
        )
        if table == _HELD[0]:
            counted += (
                " UPDATE lot SET held = held + x.d FROM (SELECT lot, sum(d) AS d FROM"
                f" ({changes(verb)}) y WHERE lot IS NOT NULL GROUP BY lot HAVING sum(d) <> 0) x WHERE lot.key = x.lot;"
            )
        return counted

    tables = {
        "INSERT": "NEW TABLE AS added",
        "DELETE": "OLD TABLE AS removed",
        "UPDATE": "OLD TABLE AS removed NEW TABLE AS added",
    }
    statements = []
    for source in _COUNTED:
        for verb, names in tables.items():
            name = f"{source}_{verb.lower()}"
            statements.append(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" {body(source, verb)} RETURN NULL; END $$"
            )
            statements.append(
                f"CREATE TRIGGER {name} AFTER {verb} ON {source} REFERENCING {names}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )
    statements.append(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'audit entries cannot be changed'; END $$"
    )
    statements.append(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )
    return statements


_SQLITE_TRIGGERS = _sqlite_triggers()
_POSTGRESQL_TRIGGERS = _postgresql_triggers()


_names = count(1)


@lru_cache(maxsize=256)
def _placeholders(sql: str) -> str:
    """`:name` as psycopg writes it."""
    return re.sub(r"(?<![:\w]):(\w+)", r"%(\1)s", sql.replace("%", "%%"))


def dialect_of(url: URL) -> Dialect:
    """The dialect for a database URL. Raises ValueError for a database that Seatkeeper does not speak."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return Sqlite()
    if backend == "postgresql":
        return Postgresql()
    raise ValueError(f"{backend} is not supported; use sqlite:///… or postgresql+psycopg://…")
