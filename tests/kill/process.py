"""A process of the daemon as the command line starts it, but quick, on a clock that tests move, and with a fate.

Its fate is a folder. A file `kill merged` ends the first process that comes to the step `merged`, and `freeze merged`
stops it there until it is woken; the file is renamed then, so that it strikes once. `kill commit` is a step just before
any commit.
"""

import logging
import os
import resource
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event

from store.dialects import Postgresql
from tests.e2e.daemon import QUICK
from tests.kill.clock import SharedClock
from worker.bootstrap import App, build
from worker.held import LEASE
from worker.logs import to_standard_error
from worker.process import Daemon
from worker.settings import read_settings

SILENCE = 2_000
"""Milliseconds until PostgreSQL ends the transaction of a process that is frozen."""
DEEDS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class Part(NamedTuple):
    """What a process needs to know."""

    role: str
    folder: Path
    environment: Mapping[str, str]
    said: Path
    level: int = logging.INFO
    largest_file: int | None = None
    """Bytes beyond which no file of this process grows, as on a full disk."""
    machine: str = "1"
    """The name of the machine that it runs on."""


@dataclass(frozen=True)
class Fate:
    """Where processes are to die."""

    folder: Path

    def decide(self, deed: str, step: str) -> None:
        """The next process that comes to this step is struck."""
        (self.folder / f"{deed} {step}").touch()

    def comes_to(self, step: str) -> None:
        """A process is at this step."""
        for deed, number in DEEDS.items():
            with suppress(FileNotFoundError):
                os.rename(self.folder / f"{deed} {step}", self.folder / f"struck {deed} {step} {os.getpid()}")
                os.kill(os.getpid(), number)

    def struck(self) -> list[tuple[str, str, int]]:
        """Deed, step and process of all that happened so far."""
        found = [file.name.removeprefix("struck ") for file in self.folder.glob("struck *")]
        parts = [(name.partition(" ")[0], *name.partition(" ")[2].rsplit(" ", 1)) for name in found]
        return [(deed, step, int(process)) for deed, step, process in parts]

    def withdraw(self) -> list[str]:
        """Let nobody be struck any more; what nobody came to."""
        left = [file for deed in DEEDS for file in self.folder.glob(f"{deed} *")]
        for file in left:
            file.unlink(missing_ok=True)
        return sorted(file.name for file in left)


def play(part: Part) -> None:
    """Be this process until it ends."""
    os.chdir(part.folder)
    os.environ.clear()
    os.environ.update(part.environment)
    os.dup2(os.open(part.said, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), 2)
    to_standard_error(part.level)
    if part.largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (part.largest_file, most))
    app = fated(part)
    Daemon(app, part.role, QUICK).run()
    app.close()
    os._exit(0)


def fated(part: Part) -> App:
    """The application, which tells its fate where it is."""
    fate = Fate(part.folder / "fate")
    settings = read_settings(os.environ)
    Postgresql.silence = SILENCE
    app = build(settings, clock=SharedClock(part.folder / "clock"), pool_size=QUICK.connections)

    def before_commit(connection: Any) -> None:
        if not connection.get_execution_options().get("seatkeeper_reads"):
            fate.comes_to("commit")

    event.listen(app.store.engine, "commit", before_commit)
    return replace(app, owner=f"{part.machine}:{os.getpid()}", lease=LEASE, mark=fate.comes_to)
