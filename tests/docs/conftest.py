"""A small installation for each story."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import SIMULATED_SECRET
from tests.worker.world import SECRET, World, in_world


@pytest.fixture(scope="session", autouse=True)
def _the_secret() -> Iterator[None]:
    """What the policies of stories name as the secret of every tenant."""
    os.environ[SECRET] = SIMULATED_SECRET
    yield
    del os.environ[SECRET]


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path) -> Iterator[World]:
    """An installation without customers."""
    file = tmp_path / "seatkeeper.db"
    shutil.copy(sqlite_template, file)
    yield from in_world(tmp_path, f"sqlite:///{file}")
