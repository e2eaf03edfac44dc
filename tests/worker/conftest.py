"""A world for every test: a store made from a template, simulated Microsoft 365 on loopback, and time that is told."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import SIMULATED_SECRET
from tests.services.postgres import Postgres
from tests.worker.world import SECRET, Customer, World, in_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick suite plays the stories of passes on SQLite, and PostgreSQL's own tests are those of the store; the
    whole suite plays all of them on both."""
    for item in items:
        if "postgresql" in item.name and item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _the_secret() -> Iterator[None]:
    """What the policies of these tests name as the secret of every tenant."""
    os.environ[SECRET] = SIMULATED_SECRET
    yield
    del os.environ[SECRET]


@pytest.fixture
def database_url(store_url: str) -> str:
    """Here every database has a store in it already."""
    return store_url


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
