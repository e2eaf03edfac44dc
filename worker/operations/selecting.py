"""Whom a person means: accounts by their names, or all that match a filter, as they are under lock (L7)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from store.by_hand import Subject
from worker.errors import Usage

if TYPE_CHECKING:
    from store.account_filters import AccountFilter
    from store.transaction import Transaction

Unfit = Callable[[Subject], str | None]
"""Why an account cannot be meant, or None if it can."""


@dataclass(frozen=True)
class Meant:
    """The accounts that a person means, by names or by a filter: one of the two."""

    accounts: tuple[str, ...] = ()
    where: "AccountFilter | None" = None


@dataclass
class Selection:
    """The accounts that are meant, by address, and those that match the filter but cannot be."""

    subjects: list[Subject] = field(default_factory=list)
    passed_over: list[tuple[Subject, str]] = field(default_factory=list)

    @property
    def companies(self) -> list[int]:
        return sorted({subject.company for subject in self.subjects})

    def of(self, company: int) -> list[Subject]:
        return [subject for subject in self.subjects if subject.company == company]


def select(
    tx: "Transaction",
    meant: Meant,
    unfit: Unfit,
    now: int,
    *,
    lock: bool,
    locked_are: Callable[[Collection[int]], None] = lambda _directories: None,
) -> Selection:
    """The accounts that are meant; with `lock`, their directories are touched first, so that no run decides about them
    meanwhile. `locked_are` is told these directories before the accounts are looked at.

    An account that is named and unfit is wrong usage; one that only matches the filter is passed over.
    """
    locked = _lock(tx, meant, now) if lock else None
    if locked is not None:
        locked_are(locked)
    keys = _keys(tx, meant, now)
    found = Selection()
    for subject in tx.by_hand.subjects(keys):
        if locked is not None and subject.directory not in locked:
            continue  # it came to match while the others were locked
        why = unfit(subject)
        if why is None:
            found.subjects.append(subject)
        elif meant.where is None:
            raise Usage(f"{subject.name}: {why}")
        else:
            found.passed_over.append((subject, why))
    return found


def _lock(tx: "Transaction", meant: Meant, now: int) -> Collection[int]:
    """Lock the directories that are meant, by key: those of the accounts, or all that the filter looks into."""
    where = meant.where
    if where is None or (where.directory is None and where.company is None):
        directories = tx.by_hand.directories_of(_keys(tx, meant, now))
    elif where.directory is not None:
        directories = {tx.directories.by_id(where.directory).key}
    else:
        directories = {row.key for row in tx.directories.all(tx.directories.company(where.company or "").key)}
    tx.directories.touch(directories)
    return directories


def _keys(tx: "Transaction", meant: Meant, now: int) -> Collection[int]:
    if meant.where is not None:
        return [key for keys in tx.views.every_key(meant.where, now) for key in keys]
    return {tx.views.account_by_name(name).key for name in meant.accounts}
