"""Dramatiq's actors: the keys of directories come in, and the crew takes on those that are due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dramatiq

from worker.broker import LONG, SHORT


@dataclass(frozen=True)
class Actors:
    """The actors of one process."""

    sync: "dramatiq.Actor[Any, Any]"
    """Passes that are over in a moment."""
    sync_long: "dramatiq.Actor[Any, Any]"
    """Passes that may take their time."""


def declare(broker: dramatiq.Broker, take_on: Callable[[Sequence[int], bool], None]) -> Actors:
    """Declare the actors on a broker. A message that comes twice, or late, does no harm: a directory that is not due,
    or that somebody works on, is passed over (Z5, Z7). Who only sends needs nobody who takes on."""

    @dramatiq.actor(broker=broker, actor_name="sync_directories", queue_name=SHORT)
    def sync(directories: list[int]) -> None:
        """Passes over directories by their keys."""
        take_on(directories, False)

    @dramatiq.actor(broker=broker, actor_name="sync_long_directories", queue_name=LONG)
    def sync_long(directories: list[int]) -> None:
        """The same for those that may take long."""
        take_on(directories, True)

    broker.delay_queues.clear()  # no message is ever delayed, and every line would ask for such ones, too
    return Actors(sync, sync_long)
