"""A world for every test: a store made from a template, simulated Microsoft 365 on loopback, and time that is told."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from connectors.simulators.microsoft365 import SIMULATED_SECRET
from store.engine import open_store
from store.schema import metadata
from tests.services.postgres import Postgres
from tests.worker.world import SECRET, Customer, World, in_world


@pytest.fixture(scope="session", autouse=True)
def _the_secret() -> Iterator[None]:
    """What the policies of these tests name as the secret of every tenant."""
    os.environ[SECRET] = SIMULATED_SECRET
    yield
    del os.environ[SECRET]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store in a file, to be copied: making the tables takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "empty.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def postgres_store(postgres: Postgres) -> "Emptied":
    """A database with an empty store in it, which is emptied again for every test: copying one takes longer."""
    url = postgres.database_url(postgres.create())
    open_store(url).close()
    return Emptied(url)


class Emptied:
    """A store on PostgreSQL that can be put back to how it was made."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._conninfo = url.replace("+psycopg", "")
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            kept = [table for table in metadata.tables if connection.execute(f"SELECT 1 FROM {table}").fetchone()]
            sequences = connection.execute("SELECT sequencename FROM pg_sequences").fetchall()
            connection.execute("CREATE SCHEMA made")
            for table in kept:
                connection.execute(f"CREATE TABLE made.{table} AS SELECT * FROM {table}")
        self._script = "; ".join(
            (
                "SET session_replication_role = replica",  # without triggers, so that the audit can be emptied, too
                *(f"DELETE FROM {table}" for table in metadata.tables),
                *(f"ALTER SEQUENCE {name} RESTART" for (name,) in sequences),
                *(f"INSERT INTO {table} SELECT * FROM made.{table}" for table in kept),
            )
        )

    def again(self) -> str:
        """Empty the store, and tell its URL."""
        with psycopg.connect(self._conninfo) as connection:
            connection.execute(self._script)
        return self.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store, once on each database."""
    if request.param == "sqlite":
        file = tmp_path / "seatkeeper.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    yield request.getfixturevalue("postgres_store").again()


@pytest.fixture
def copied(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Copies a store that nobody is connected to, and tells the copy's URL."""
    names: list[str] = []

    def copy(url: str) -> str:
        if url.startswith("sqlite"):
            file = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}.db"
            shutil.copy(url.removeprefix("sqlite:///"), file)
            return f"sqlite:///{file}"
        postgres: Postgres = request.getfixturevalue("postgres")
        names.append(postgres.create(url.rpartition("/")[2]))
        return postgres.database_url(names[-1])

    yield copy
    for name in names:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """An installation without customers, on either database."""
    yield from in_world(tmp_path, database_url)


@pytest.fixture
def wire(tmp_path: Path, sqlite_template: Path) -> Iterator[World]:
    """The same on SQLite alone, for what is decided by what comes over the wire."""
    file = tmp_path / "seatkeeper.db"
    shutil.copy(sqlite_template, file)
    yield from in_world(tmp_path, f"sqlite:///{file}")


@pytest.fixture
def contoso(world: World) -> Customer:
    """A company with an empty tenant."""
    return world.customer("contoso")
