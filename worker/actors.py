"""Dramatiq's actors: an id comes in, one operation is called."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dramatiq

from worker.operations.syncing import Asked, sync

if TYPE_CHECKING:
    from worker.bootstrap import App

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Actors:
    """The actors of one process."""

    sync_directory: "dramatiq.Actor[Any, Any]"


def declare(app: "App", broker: dramatiq.Broker) -> Actors:
    """Declare the actors on a broker. They are safe to run twice: the store's lease lets one run at a time (Z5)."""

    @dramatiq.actor(broker=broker, actor_name="sync_directory", queue_name="directories")
    def sync_directory(directory: str, full: bool = False) -> None:
        """One pass over one directory."""
        result = sync(app, directory, Asked(full=full))
        log.info("run %s of %s: %s, %d actions", result.run, directory, result.outcome, result.actions_total)

    return Actors(sync_directory)
