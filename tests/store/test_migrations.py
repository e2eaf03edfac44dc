"""Migrations make exactly what a new database has, and a database that is behind is never touched by accident."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from store.engine import SCHEMA_VERSION, open_store
from store.errors import SchemaBehind
from store.schema import metadata
from store.upgrade import MIGRATIONS, upgrade
from tests.services.postgres import Postgres

EVERYTHING = {
    "sqlite": [
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> 'alembic_version' ORDER BY type, name"
    ],
    "postgresql": [
        "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
        "SELECT relname, relpersistence, relkind, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " ORDER BY relname",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace ORDER BY conname",
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname",
    ],
}
ROWS = "SELECT * FROM company", "SELECT * FROM feed_head", "SELECT * FROM alembic_version"


def described(connection: Connection) -> list[Any]:
    """Everything that a database consists of, and the rows that it begins with."""
    found = [connection.execute(text(query)).all() for query in (*EVERYTHING[connection.dialect.name], *ROWS)]
    return [[tuple(" ".join(v.split()) if isinstance(v, str) else v for v in row) for row in rows] for rows in found]


def of(url: str) -> list[Any]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return described(connection)
    finally:
        engine.dispose()


@pytest.fixture
def another_url(database_url: str, postgres: Postgres, tmp_path: Path) -> str:
    """A second empty database of the same kind."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'another.db'}"
    return postgres.database_url(postgres.create())


def test_the_migrations_make_what_a_new_database_has(database_url: str, another_url: str) -> None:
    open_store(another_url).close()
    assert upgrade(database_url) == (None, SCHEMA_VERSION)
    migrated, created = of(database_url), of(another_url)
    assert migrated == created
    assert any("assignment_insert" in str(row) for rows in migrated for row in rows)


def test_the_tables_that_the_migrations_make_are_those_of_the_schema(database_url: str) -> None:
    upgrade(database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_database_that_was_migrated_is_opened_and_one_that_is_up_to_date_is_left_alone(database_url: str) -> None:
    upgrade(database_url)
    before = of(database_url)
    open_store(database_url).close()
    assert upgrade(database_url) == (SCHEMA_VERSION, SCHEMA_VERSION)
    assert of(database_url) == before


@pytest.mark.parametrize(
    "version, advice", [("0000", "run `seatkeeper db upgrade`"), ("9999", "run a newer version of Seatkeeper")]
)
def test_a_database_of_another_version_is_refused_and_left_as_it_is(
    database_url: str, version: str, advice: str
) -> None:
    open_store(database_url).close()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()
    before = of(database_url)
    with pytest.raises(SchemaBehind, match=advice):
        open_store(database_url)
    assert of(database_url) == before


def test_the_newest_migration_is_the_one_that_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION
