"""One transaction over the store, with the repositories on it.

Opened by operations and read handlers with `store.begin()` or `store.read()`; nobody calls commit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, text

from store.dialects import Dialect, Row

if TYPE_CHECKING:
    from store.holdings import Holdings
    from store.proposals import Proposals
    from store.groups import Groups
    from store.staging import Staging
    from store.mirror import Mirror


@dataclass(frozen=True)
class Transaction:
    """A transaction; its repositories take and return values, never mapped objects."""

    connection: Connection
    dialect: Dialect

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Run one statement, the same text on both databases."""
        return self.connection.execute(text(sql), values or {})

    def execute_many(self, sql: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for many sets of values; for sets of a bounded size."""
        if values:
            self.connection.execute(text(sql), values)

    def stream(self, sql: str, values: Mapping[str, Any], size: int) -> Iterator[Sequence[Any]]:
        """Run one query and hand its rows out `size` at a time, without holding them all."""
        options = {"stream_results": True, "max_row_buffer": size}
        with self.connection.execute(text(sql), values, execution_options=options) as result:
            while rows := result.fetchmany(size):
                yield rows

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Write many rows."""
        self.dialect.copy(self.connection, table, columns, rows)

    @cached_property
    def mirror(self) -> "Mirror":
        from store.mirror import Mirror

        return Mirror(self)

    @cached_property
    def staging(self) -> "Staging":
        from store.staging import Staging

        return Staging(self)

    @cached_property
    def groups(self) -> "Groups":
        from store.groups import Groups

        return Groups(self)

    @cached_property
    def proposals(self) -> "Proposals":
        from store.proposals import Proposals

        return Proposals(self)

    @cached_property
    def holdings(self) -> "Holdings":
        from store.holdings import Holdings

        return Holdings(self)
