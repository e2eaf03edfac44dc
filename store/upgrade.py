"""Bringing a database up to this version: what `seatkeeper db upgrade` does, and nothing else ever does.

All steps run in one transaction, so that an upgrade that fails leaves the database as it was. There is no way back but
the backup: a downgrade would have to throw away what only the newer version can keep.
"""

from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from store.engine import named_by, refuse_newer

MIGRATIONS = Path(__file__).with_name("migrations")


class Upgraded(NamedTuple):
    """The schema that a database had, None where it was empty, and the one that it has now."""

    before: str | None
    after: str | None


def upgrade(url: str, to: str = "head") -> Upgraded:
    """Run every step that the database lacks. Nothing happens where it lacks none.

    Raises Unavailable where the URL names no database, and SchemaBehind where a newer version made it.
    """
    parsed, dialect = named_by(url)
    engine = dialect.engine(parsed, 1)
    try:
        with engine.connect() as connection, connection.begin():
            dialect.lock_schema(connection)
            before = _schema_of(connection)
            refuse_newer(before or "")
            command.upgrade(_config(connection), to)
            return Upgraded(before, _schema_of(connection))
    finally:
        engine.dispose()


def _schema_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
