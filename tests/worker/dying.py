"""A process of its own that runs a pass and is killed on the way, as by a loss of power to it alone."""

import os
import signal
from datetime import datetime

from connectors.simulators.clock import SimulatedClock
from tests.worker.world import open_app
from worker.operations.syncing import sync
from worker.settings import Settings


def die_at(step: str, settings: Settings, directory: str, now: datetime) -> None:
    """Run a pass over a directory until it comes to a step, and be gone there without a word."""

    def mark(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sync(open_app(settings, SimulatedClock(now), mark), directory)
