"""Houses to kill in, on either database, and how many kills are tried."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest

from tests.kill.house import House, Ports, a_house
from tests.services.postgres import Postgres

Open = Callable[[str], AbstractContextManager[House]]


@pytest.fixture(scope="session")
def ports() -> Ports:
    return Ports()


@pytest.fixture
def open_house(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> Iterator[Open]:
    """Opens houses that know nothing yet: `sqlite` for one process, `postgresql` for several."""
    numbers, names = count(1), list[str]()

    def opened(kind: str) -> AbstractContextManager[House]:
        folder = tmp_path / str(next(numbers))
        if kind == "sqlite":
            return a_house(folder, f"sqlite:///{folder / 'seatkeeper.db'}", None, ports)
        postgres: Postgres = request.getfixturevalue("postgres")
        names.append(postgres.create())
        return a_house(folder, postgres.database_url(names[-1]), request.getfixturevalue("redis_url"), ports)

    yield opened
    for name in names:
        request.getfixturevalue("postgres").drop(name)


QUICK = ("marked", "killed_anywhere_ends_as_if_it_had_not_been[sqlite]")
"""How the names of those end that the quick suite has as well: a few dozen kills, on one of the databases."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of these starts a dozen processes."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not item.name.endswith(QUICK):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def kills() -> int:
    """How many kills each play tries; `make kills` tries more."""
    return int(os.environ.get("KILLS", "10"))
