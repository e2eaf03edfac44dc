"""The town that every accident happens in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import SIMULATED_SECRET, Habits, Simulator, serve
from tests.accidents.town import Town, processes
from tests.worker.world import SECRET, World, in_world

STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"
"""The hastiest rule that can be written: whoever leaves the group loses the license at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each of these starts a dozen processes."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def town(tmp_path: Path, sqlite_template: Path) -> Iterator[Town]:
    """Contoso's empty tenant, whose pages are small, and an installation that knows nothing yet."""
    shutil.copy(sqlite_template, tmp_path / "seatkeeper.db")
    (tmp_path / "policies.d").mkdir()
    simulator = Simulator()
    with serve(simulator) as server:
        tenant = simulator.add_tenant(domain="contoso.example")
        tenant.habits = Habits(page_size=10)
        yield Town(tmp_path, simulator, server.url, tenant, processes())


@pytest.fixture
def licensed(town: Town) -> Callable[..., str]:
    """Makes so many people members of `Staff`, all of them licensed by the hastiest rule; tells the group's id."""

    def license(number: int = 25, rules: str = STAFF, archived: int = 25, **sections: str) -> str:
        group = town.tenant.create_group("Staff", members=town.hire(number))
        town.policy(rules, **sections)
        town.add("standard", number)
        town.add("archived", archived)
        report = town.sync()
        assert (report["outcome"], report["code"], town.licenses()) == ("applied", 0, {"standard": number})
        return group

    return license


@pytest.fixture
def wire(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A small world in which time is told, for accidents that take months."""
    monkeypatch.setenv(SECRET, SIMULATED_SECRET)
    shutil.copy(sqlite_template, tmp_path / "seatkeeper.db")
    yield from in_world(tmp_path, f"sqlite:///{tmp_path}/seatkeeper.db")
