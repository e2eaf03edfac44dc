"""The town that a story asks for."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.contract.town import TOWNS, Town


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town of the kind that the story is played for."""
    with TOWNS[request.param].founded(tmp_path) as town:
        yield town
    gc.collect()
