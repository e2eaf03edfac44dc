"""Real processes over real databases: an installation with simulated tenants, whose daemons are started and killed."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365 import SIMULATED_SECRET, Simulator, serve
from tests.services.waiting import PATIENCE, until
from tests.worker.world import SECRET, World
from worker.bootstrap import build
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
LEASE = 2.0


@dataclass
class Daemon:
    """A process of the daemon, with what it has logged so far."""

    process: "subprocess.Popen[str]"
    events: list[dict[str, Any]] = field(default_factory=list)
    """All of it, once it has ended and was waited for."""

    def __post_init__(self) -> None:
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:  # whose last one may be cut off by a kill
            whole = line.startswith("{") and line.endswith("\n")
            self.events.append(json.loads(line) if whole else {"event": line})

    @property
    def url(self) -> str:
        """Where it can be asked how it is."""
        until(lambda: any("url" in event for event in self.events), lambda: self.events)
        return str(next(event["url"] for event in self.events if "url" in event))

    def says(self, path: str) -> str:
        with urlopen(f"{self.url}{path}", timeout=PATIENCE) as answer:
            return str(answer.read().decode())

    def kill(self) -> None:
        """As by a loss of power to it alone."""
        self.process.kill()
        self.ended()

    def stop(self) -> int:
        """Tell it to stop, and return the code with which it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended and all that it logged was heard; the code with which it ended."""
        code = self.process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        return code


@dataclass
class Installation:
    """A provider's installation, with customers, and daemons that run over it."""

    world: World
    settings: Settings
    daemons: list[Daemon] = field(default_factory=list)

    def start(self, *roles: str, lease: float = LEASE) -> list[Daemon]:
        """Start quick daemons of these roles, and wait until they run."""
        started = [self._open(["-m", "tests.e2e.daemon", role, str(lease)]) for role in roles]
        for daemon in started:
            until(lambda: any("runs" in e["event"] for e in daemon.events), lambda: daemon.events)  # noqa: B023
        return started

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One command at the command line."""
        return subprocess.run(
            [sys.executable, "-m", "console.cli.main", *arguments],
            cwd=self.world.folder.parent, env=self._environment(), capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip

    def up(self) -> Daemon:
        """The command `seatkeeper up`."""
        return self._open(["-m", "console.cli.main", "up"])

    def _open(self, arguments: Sequence[str]) -> Daemon:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=self.world.folder.parent, env=self._environment(), stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        daemon = Daemon(process)
        self.daemons.append(daemon)
        return daemon

    def _environment(self) -> dict[str, str]:
        settings = {
            "SEATKEEPER_DATABASE_URL": self.settings.database_url, "SEATKEEPER_CONSOLE": "127.0.0.1:0",
            "SEATKEEPER_POLICY_DIR": str(self.settings.policy_dir),
            "SEATKEEPER_REDIS_URL": self.settings.redis_url or "",
            "SEATKEEPER_SECRETS_DIR": str(self.settings.secrets_dir),
        }  # fmt: skip
        return {**os.environ, **settings, "PYTHONPATH": str(ROOT), SECRET: SIMULATED_SECRET}

    def end(self) -> None:
        for daemon in self.daemons:
            daemon.kill()
            assert daemon.process.stderr is not None
            daemon.process.stderr.close()


@contextmanager
def installed(folder: Path, database_url: str, redis_url: str | None) -> Iterator[Installation]:
    """An installation without customers, in real time."""
    policies, secrets = folder / "policies.d", folder / "secrets"
    policies.mkdir()
    secrets.mkdir()
    settings = Settings(database_url=database_url, redis_url=redis_url, policy_dir=policies, secrets_dir=secrets)
    clock, simulator = SimulatedClock(), Simulator(SimulatedClock())
    with serve(simulator) as server:
        world = World(replace(build(settings), clock=clock), clock, simulator, server.url, policies)
        installation = Installation(world, settings)
        try:
            yield installation
        finally:
            installation.end()
            world.app.close()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Installation]:
    """An installation on one machine, with nothing but a file."""
    with installed(tmp_path, f"sqlite:///{tmp_path / 'seatkeeper.db'}", None) as installation:
        yield installation


@pytest.fixture
def on_many(tmp_path: Path, fresh_postgres: str, redis_url: str) -> Iterator[Installation]:
    """An installation on PostgreSQL and Redis."""
    with installed(tmp_path, fresh_postgres, redis_url) as installation:
        yield installation
