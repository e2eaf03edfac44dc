"""Waiting for what other threads and processes bring about: for the thing itself, never for a time."""

import threading
import time
from collections.abc import Callable

PATIENCE = 100.0
"""Seconds until something that should come about has not: many times what it takes on a machine that is busy."""


def until(holds: Callable[[], object], otherwise: Callable[[], object] = lambda: None) -> None:
    """Wait for something that somebody else brings about; `otherwise` tells what there is if nobody does."""
    deadline, look = time.monotonic() + PATIENCE, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, otherwise()
        look.wait(0.05)
