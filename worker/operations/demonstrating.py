"""Setting up and playing the demo in a folder of its own."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from store.account_filters import AccountFilter
from store.times import micros
from worker.errors import Usage

if TYPE_CHECKING:
    from worker.demo.telling import Scene
    from worker.settings import Settings

MARK = ".seatkeeper-demo"
"""The file that says that a folder is a demo's, and may be replaced by the next one."""
BEGINS = timedelta(hours=8)


def is_from_before(folder: Path) -> bool:
    """Whether the folder holds an earlier demo. Raises Usage where it holds anything else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / MARK).is_file():
        raise Usage(f"{folder} is not empty and not from a demo; name another with --directory")
    return True


def demonstrate(folder: Path, start: datetime | None = None) -> Iterator["Scene"]:
    """Play a working day, yesterday's by default, and leave its store, policies and secret in the folder. What an
    earlier demo left there is replaced."""
    from worker.demo.day import play

    if is_from_before(folder):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    yield from play(folder, start or _yesterday())


@dataclass(frozen=True, slots=True)
class Left:
    """What the demo left to be tried on."""

    settings: "Settings"
    held: tuple[str, ...]
    """Hashes of held plans."""
    awaiting: tuple[str, ...]
    """Ids of orders that await approval."""
    someone: str
    """The address of somebody with a story."""


def left_in(folder: Path) -> Left:
    """What the demo left in the folder."""
    from worker.bootstrap import build
    from worker.demo.world import settings_of

    settings = settings_of(folder.resolve())
    app = build(settings)
    try:
        with app.store.read() as tx:
            held = tuple(plan.hash for plan in tx.plans.listing())
            awaiting = tuple(order.id for order in tx.orders.listing(states=("awaiting_approval",)))
            waiting = tx.views.accounts(AccountFilter(protection="archive_waiting"), micros(app.clock()), limit=1)
    finally:
        app.close()
    return Left(settings, held, awaiting, waiting.rows[0].address)


def _yesterday() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1) + BEGINS
