"""What every test may ask for: empty databases on either engine, Redis, and never the network."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest
import redis

from store.engine import open_store
from tests.examples import WHOLE
from tests.services.emptied import Emptied
from tests.services.loopback import Guard
from tests.services.postgres import Postgres, running_postgres
from tests.services.redis import running_redis

GUARD = Guard()

# Whoever starts tests in the background of a shell has Ctrl-C ignored, and so would all processes that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Nobody here goes to the internet: who makes ready for it need not read the certificates of all its authorities, which
# takes as long as many a test. This one has signed nothing; tests of TLS name their own.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "services" / "nobody.pem")

# The slowest thing that a shared machine does is no property of ours, hence no deadline. CI tries the same
# examples every time; other runs look for new ones; `make test-fast` tries a few, and `make nightly` looks for long.
hypothesis.settings.register_profile(
    "quick", deadline=None, max_examples=WHOLE, derandomize="CI" in os.environ, print_blob=True
)
hypothesis.settings.register_profile("few", hypothesis.settings.get_profile("quick"), max_examples=12)
hypothesis.settings.register_profile(
    "nightly",
    deadline=None,
    max_examples=5000,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("quick")


LONG = ("model", "kill")
"""Folders whose tests take long, and begin first, so that no process is still at one when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.parent.name not in LONG)


def pytest_collection_finish() -> None:
    """What was imported and collected stays. A collector that looks at all of it again and again takes a quarter of
    the time of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _nothing_beyond_loopback() -> Iterator[None]:
    """Fails a test that goes beyond loopback, even where the code under test took the refusal for an outage."""
    with GUARD.minding() as refused:
        yield
    assert not refused, f"beyond loopback: {refused}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this worker's own, which makes and drops databases."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """The URL of that server; its database is for administration, not for tables."""
    return postgres.url


@pytest.fixture
def fresh_postgres(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is this test's alone."""
    name = postgres.create()
    yield postgres.database_url(name)
    postgres.drop(name)


@pytest.fixture
def fresh_sqlite(tmp_path: Path) -> str:
    """The URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'seatkeeper.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once on each engine that Seatkeeper supports."""
    fixture = {"sqlite": "fresh_sqlite", "postgresql": "fresh_postgres"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store in a file, to be copied: making the tables takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "empty.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def postgres_store(postgres: Postgres) -> Emptied:
    """A database with an empty store in it, which is emptied again for every test: copying one takes longer."""
    url = postgres.database_url(postgres.create())
    open_store(url).close()
    return Emptied(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store, once on each database."""
    if request.param == "sqlite":
        file = tmp_path / "seatkeeper.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    yield request.getfixturevalue("postgres_store").again()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a Redis server of this worker's own, with whatever earlier tests left in it."""
    with running_redis() as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis."""
    with closing(redis.Redis.from_url(redis_server)) as client:
        client.flushall()
    return redis_server
