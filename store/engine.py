"""Opening the store: an empty database is created, one that is behind is refused, never upgraded silently."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Connection, Engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from store.dialects import Dialect, dialect_of
from store.errors import SchemaBehind, Unavailable
from store.transaction import Transaction

SCHEMA_VERSION = "0001"
"""The newest migration; what `create` makes is the same (tests/store/test_migrations.py)."""


@dataclass(frozen=True)
class Store:
    """The license store. Thread-safe; a transaction belongs to the thread that began it."""

    engine: Engine
    dialect: Dialect

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction that may write: leaving commits, raising rolls back."""
        with self.engine.connect() as connection, connection.begin():
            tx = Transaction(connection, self.dialect)
            yield tx
            tx.seal()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One consistent view of the store that holds nobody up."""
        options = {"seatkeeper_reads": True}
        if self.dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"  # type: ignore[assignment]
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield Transaction(connection, self.dialect)

    def check(self) -> None:
        """Raises Unavailable where the database cannot be used now, SchemaBehind where it is of another version."""
        try:
            found = _version(self)
        except SQLAlchemyError as wrong:
            raise Unavailable(f"the database cannot be used: {_said(wrong)}") from wrong
        _refuse(found or "0000")

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str, *, pool_size: int = 8) -> Store:
    """Open the store at a SQLAlchemy URL; an empty database is created first.

    Raises SchemaBehind when the database was made by another version, and Unavailable when it cannot be used.
    """
    parsed, dialect = named_by(url)
    engine = dialect.engine(parsed, pool_size)
    store = Store(engine, dialect)
    try:
        _create_or_check(store)
    except DBAPIError as wrong:
        engine.dispose()
        raise Unavailable(f"the database {parsed.set(query={})!r} cannot be used: {_said(wrong)}") from wrong
    except BaseException:
        engine.dispose()
        raise
    return store


def named_by(url: str) -> tuple[URL, Dialect]:
    """What a SQLAlchemy URL names. Raises Unavailable where it names no database."""
    try:
        parsed = make_url(url)
        return parsed, dialect_of(parsed)
    except (ArgumentError, ValueError) as wrong:
        raise Unavailable(f"SEATKEEPER_DATABASE_URL names no database: {wrong}") from None


def _create_or_check(store: Store) -> None:
    if (found := _version(store)) is None:
        with store.engine.connect() as connection, connection.begin():
            _create(connection, store.dialect)
        return
    _refuse(found)


def refuse_newer(found: str) -> None:
    """Raises SchemaBehind where the database was made by a newer version than this one."""
    if found > SCHEMA_VERSION:
        raise SchemaBehind(
            f"the database has schema {found}, which is newer than this version of Seatkeeper knows ({SCHEMA_VERSION});"
            " run a newer version of Seatkeeper"
        )


def _refuse(found: str) -> None:
    refuse_newer(found)
    if found < SCHEMA_VERSION:
        raise SchemaBehind(
            f"the database has schema {found} and this version of Seatkeeper needs {SCHEMA_VERSION};"
            " run `seatkeeper db upgrade` (take a backup first)"
        )


def _said(wrong: SQLAlchemyError) -> str:
    return str(wrong.orig if isinstance(wrong, DBAPIError) else wrong).strip()


def _version(store: Store) -> str | None:
    with store.engine.connect().execution_options(seatkeeper_reads=True) as connection:
        names = inspect(connection).get_table_names()
        if "alembic_version" not in names:
            return "0000" if "assignment" in names else None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _create(connection: Connection, dialect: Dialect) -> None:
    dialect.lock_schema(connection)
    if "assignment" in inspect(connection).get_table_names():
        return
    from store.schema import metadata  # a command on a database that is there needs no tables described

    metadata.create_all(connection)
    complete(connection, dialect)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version"
        " (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": SCHEMA_VERSION})


def complete(connection: Connection, dialect: Dialect) -> None:
    """What a store has beside its tables: triggers, the provider, and the beginning of the feed."""
    dialect.complete(connection)
    connection.execute(
        text("INSERT INTO company (key, id, name, pool, audit_hash) VALUES (0, 'provider', 'Provider', 0, :none)"),
        {"none": b""},
    )
    connection.execute(text("INSERT INTO feed_head (key, last) VALUES (0, 0)"))
