"""Years of a provider and its customers, on both databases: whatever happens, in whatever order, the rules hold."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.examples import share
from tests.model.story import Story
from tests.model.twins import Twins
from tests.model.world import Ground, postgres_ground, sqlite_ground
from tests.model.years import Years
from tests.proves import proves

QUICK = 200
"""Stories in all, where every push is checked."""
NIGHT = hypothesis.settings.get_current_profile_name() == "nightly"
STEPS = 25 if NIGHT else 10

pytestmark = [pytest.mark.hypothesis, pytest.mark.timeout(7200 if NIGHT else 900)]
"""A story that fails is made shorter before it is told, which may take minutes."""


def told(stories: int) -> hypothesis.settings:
    """So many stories where every change is checked; at night the share of what the profile says, and longer ones."""
    return hypothesis.settings(
        max_examples=hypothesis.settings().max_examples * stories // QUICK if NIGHT else share(stories),
        stateful_step_count=STEPS,
        suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
    )


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Ground]:
    ground = sqlite_ground(tmp_path)
    yield ground
    ground.store.close()


@pytest.fixture
def on_postgres(tmp_path: Path, fresh_postgres: str) -> Iterator[Ground]:
    ground = postgres_ground(fresh_postgres, tmp_path)
    yield ground
    ground.store.close()


def play(machine: type[Story], stories: int, **grounds: Ground) -> None:
    """Tell so many stories."""
    run_state_machine_as_test(type(machine.__name__, (machine,), grounds), settings=told(stories))


@proves("L1", "L2", "L3", "L4", "L5", "L8", "G5", "D3", "S1", "S4", "S5", "P1", "Z3", "Z8", "A1", "A2", "R2", "R3")
def test_the_rules_hold_through_years_on_sqlite(on_sqlite: Ground) -> None:
    play(Years, 140, ground=on_sqlite)


@proves("L1", "L2", "L3", "L4", "L5", "L8", "G5", "D3", "S1", "S4", "S5", "P1", "Z3", "Z8", "A1", "A2", "R2", "R3")
def test_the_rules_hold_through_years_on_postgresql(on_postgres: Ground) -> None:
    play(Years, 40, ground=on_postgres)


@proves("Z6", "P2")
def test_whoever_is_killed_comes_to_the_same_in_the_end(tmp_path: Path) -> None:
    folders = tmp_path / "troubled", tmp_path / "calm"
    for folder in folders:
        folder.mkdir()
    troubled, calm = map(sqlite_ground, folders)
    play(Twins, 20, ground=troubled, calm_ground=calm)
    troubled.store.close()
    calm.store.close()
