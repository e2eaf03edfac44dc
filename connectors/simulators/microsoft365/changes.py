"""The record of what changed in a tenant: a delta cursor is a position in it."""

from collections.abc import Sequence
from typing import Generic, TypeVar

Change = TypeVar("Change")


class ChangeLog(Generic[Change]):
    """Changes in the order in which they happened. What a delta round costs is what was appended since its cursor."""

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: list[Change] = []

    @property
    def position(self) -> int:
        """Where the next change will stand."""
        return len(self._changes)

    def append(self, change: Change) -> None:
        self._changes.append(change)

    def between(self, since: int, until: int) -> Sequence[Change]:
        """The changes from one position up to, and without, another."""
        return self._changes[since:until]
