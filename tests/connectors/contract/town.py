"""What the stories are played in: a directory in which people come and go, and in which things go wrong on order.

A kind of directory joins the suite with `towns/<kind>.py`, which declares `TOWN`, a town of that kind. The stories
then played for it are those that its connector's declared capabilities allow, and whose troubles the town can make.
"""

import pkgutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Protocol, Self

import pytest

from connectors import registry
from connectors.base import Directory, Page, Seen
from tests.connectors.contract import towns
from tests.connectors.world import World

Troubles = frozenset[str]

BUSY, BUSY_FOR_LONG = "busy", "busy for long"
BREAKS_HALFWAY = "breaks halfway"
"""The rest of a listing fails, again and again."""
CURSOR_EXPIRED, CURSOR_DAMAGED = "cursor expired", "cursor damaged"
LINK_LOST = "link lost"
"""The place in the middle of a walk is not known any more."""
EMPTY_PAGE, REPEATED_PAGE, TWICE = "empty page", "repeated page", "the same account twice"
NO_LINK, FOREIGN_LINK, CIRCLE = "no link", "foreign link", "circle"
UNREADABLE = "unreadable account"
WRONG_TENANT = "another tenant answers"
DENIED = "denied"


class Town(Protocol):
    """A directory to live in. Ids are the directory's own."""

    kind: ClassVar[str]
    troubles: ClassVar[Troubles]
    page: ClassVar[int]
    """How many accounts come on one page."""
    world: World

    @classmethod
    def founded(cls, folder: Path) -> AbstractContextManager[Self]:
        """An empty town that stands until the block ends."""
        ...

    @property
    def tenant(self) -> str:
        """What the directory has to report of itself."""
        ...

    def open(self) -> Directory: ...

    def hire(self, name: str) -> str: ...

    def rename(self, id: str, name: str) -> None: ...

    def disable(self, id: str) -> None: ...

    def leave(self, id: str) -> None:
        """Be deleted, restorable for a while."""
        ...

    def come_back(self, id: str) -> None: ...

    def vanish(self, id: str) -> None:
        """Be gone for good."""
        ...

    def create_group(self, name: str, members: Iterable[str] = (), address: str | None = None) -> str: ...

    def join(self, group: str, member: str) -> None: ...

    def quit(self, group: str, member: str) -> None: ...

    def delete_group(self, group: str) -> None: ...

    def restore_group(self, group: str) -> None: ...

    def rename_group(self, group: str, name: str) -> None: ...

    def give_mailbox(self, id: str, kind: str) -> None:
        """Of the kinds of `MailboxAnswer`, or `refused`."""
        ...

    def trouble(self, trouble: str, feature: str = "users") -> None:
        """Let this go wrong from the next request on, or for an account if it is about one."""
        ...

    def requests(self) -> int:
        """How many requests for data were made so far."""
        ...


def found_towns() -> Mapping[str, type[Town]]:
    """The towns by kind."""
    names = [module.name for module in pkgutil.iter_modules(towns.__path__)]
    return {name: import_module(f"{towns.__name__}.{name}").TOWN for name in names}


TOWNS = found_towns()


def story(*needs: str, trouble: str | None = None) -> pytest.MarkDecorator:
    """Play a story in every kind of town that has what it needs: capabilities by name, and a trouble to make."""
    kinds = [
        kind
        for kind, found in registry.directories().items()
        if kind in TOWNS
        and all(getattr(found.capabilities, need) for need in needs)
        and (trouble is None or trouble in TOWNS[kind].troubles)
    ]
    return pytest.mark.parametrize("town", kinds, indirect=True)


@dataclass
class Mirror:
    """What somebody knows who lays page over page, as the store does."""

    accounts: dict[str, Seen] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    cursor: str | None = None

    def read(self, pages: Iterable[Page]) -> Self:
        """Lay a walk over what is known; a walk that fails raises, and leaves the cursor as it was."""
        walked = []
        for page in pages:
            walked.append(page)
            for seen in page.accounts:
                self.accounts[seen.id] = _laid(self.accounts.get(seen.id), seen)
        self.pages = walked
        self.cursor = walked[-1].cursor
        return self

    @property
    def names(self) -> dict[str, str | None]:
        """The living, by id."""
        return {id: seen.name for id, seen in self.accounts.items() if seen.gone is None}

    @property
    def gone(self) -> dict[str, str]:
        return {id: seen.gone for id, seen in self.accounts.items() if seen.gone is not None}


def _laid(before: Seen | None, seen: Seen) -> Seen:
    if before is None:
        return seen
    told = {name: value for name, value in seen._asdict().items() if value is not None}
    return before._replace(**{**told, "gone": seen.gone})


def read(directory: Directory) -> Mirror:
    """Everybody, by a first walk."""
    return Mirror().read(directory.pull(None))


def people(town: Town, count: int) -> dict[str, str]:
    """So many hires, by id."""
    return {town.hire(f"Person {number}"): f"Person {number}" for number in range(count)}
