"""Idle passes that ended at about the same time are handed back in one transaction.

One that is lost with its process costs nothing: its lease runs out, and its directory is asked again. Where the
database cannot take them, they wait until it can.
"""

import threading
from typing import TYPE_CHECKING

from worker.loops import Loop

if TYPE_CHECKING:
    from store.engine import Store
    from store.leases import Idle
    from worker.pace import Pace


class HandingBack:
    """What has ended and is not written down yet."""

    def __init__(self, store: "Store", pace: "Pace") -> None:
        self._store = store
        self._ended: list[Idle] = []
        self._lock = threading.Lock()
        self.loop = Loop("handing back", pace.hand_back, self.write)

    def add(self, idle: "Idle") -> None:
        """A pass has ended."""
        with self._lock:
            self._ended.append(idle)

    def write(self) -> None:
        """Hand back all that have ended so far."""
        with self._lock:
            ended, self._ended = self._ended, []
        if not ended:
            return
        try:
            with self._store.begin() as tx:
                tx.leases.release_all_idle(ended)
        except BaseException:
            with self._lock:
                self._ended = ended + self._ended
            raise
