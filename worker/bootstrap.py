"""Where everything is put together: settings in, the application out."""

import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from policies.document import DirectoryEntry, Kinds
from policies.provider import Provider
from store.engine import Store, open_store
from worker.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """What operations need: the store, the clock, and the way to directories and sellers."""

    settings: Settings
    store: Store
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    stopping: threading.Event = field(default_factory=threading.Event)
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{random.getrandbits(48):012x}")
    """The name under which this process holds leases."""
    mark: Callable[[str], None] = lambda _step: None
    """Called between the steps of a run; tests stop a run there."""

    @cached_property
    def kinds(self) -> Kinds:
        """The kinds of directories and sellers that are installed."""
        from connectors.registry import kinds

        return kinds()

    def open_directory(self, entry: DirectoryEntry, provider: Provider) -> "OpenDirectory":
        """The connector for a directory's entry in a policy."""
        return open_connector(self, entry, provider)

    def close(self) -> None:
        self.store.close()
