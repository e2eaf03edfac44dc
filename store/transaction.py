"""One transaction over the store, with the repositories on it.

Opened by operations and read handlers with `store.begin()` or `store.read()`; nobody calls commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, text

from store.dialects import Dialect, Row

if TYPE_CHECKING:
    from store.mirror import Mirror


@dataclass(frozen=True)
class Transaction:
    """A transaction; its repositories take and return values, never mapped objects."""

    connection: Connection
    dialect: Dialect

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Run one statement, the same text on both databases."""
        return self.connection.execute(text(sql), values or {})

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Write many rows."""
        self.dialect.copy(self.connection, table, columns, rows)

    @cached_property
    def mirror(self) -> "Mirror":
        from store.mirror import Mirror

        return Mirror(self)
