"""A small installation for each story."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import SIMULATED_SECRET
from tests.worker.world import SECRET, World, in_world


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An installation without customers, and the secret that the policies of stories name."""
    monkeypatch.setenv(SECRET, SIMULATED_SECRET)
    file = tmp_path / "seatkeeper.db"
    shutil.copy(sqlite_template, file)
    yield from in_world(tmp_path, f"sqlite:///{file}")
