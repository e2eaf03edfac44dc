"""Writes the first migration anew out of the tables: `python -m tests.store.write_initial_migration`.

For as long as no version was released; from then on a change of the tables is a migration of its own.
"""

import subprocess
import sys
from textwrap import indent

from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateIndexOp, CreateTableOp, MigrateOperation, UpgradeOps
from sqlalchemy import Table

from store.schema import metadata
from store.upgrade import MIGRATIONS

PATH = MIGRATIONS / "versions" / "0001_initial.py"
HEAD = '''"""The first tables."""

import sqlalchemy as sa
from alembic import op

from store.dialects import dialect_of
from store.engine import complete

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
'''
TAIL = """    complete(connection, dialect_of(connection.engine.url))
"""


def rendered(operation: MigrateOperation) -> str:
    """One statement; its own lines are left to the formatter."""
    lines = render_python_code(UpgradeOps([operation])).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


def of_table(table: Table) -> str:
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    made = [CreateTableOp.from_table(table), *(CreateIndexOp.from_index(index) for index in indexes)]
    return "\n".join(map(rendered, made))


def write() -> None:
    body = "\n".join(of_table(table) for table in metadata.sorted_tables)
    PATH.write_text(f"{HEAD}{indent(body, '    ')}\n{TAIL}")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(PATH)], check=True)


if __name__ == "__main__":
    write()
