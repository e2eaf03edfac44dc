"""One time for all processes of a test: the real one, moved on by a file that each of them reads."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.simulators.clock import SimulatedClock


class SharedClock(SimulatedClock):
    """Runs with the real time from `start` on. `advance` moves everybody's time; `step` the machines' of the daemon
    alone, as when somebody sets them."""

    def __init__(self, file: Path, *, of_vendors: bool = False) -> None:
        super().__init__()
        self._file = file
        self._of_vendors = of_vendors

    @staticmethod
    def begin(file: Path, start: datetime) -> "SharedClock":
        """A clock that shows `start` now."""
        clock = SharedClock(file)
        clock._write((start - datetime.now(UTC)).total_seconds(), 0.0)
        return clock

    def __call__(self) -> datetime:
        ahead, stepped = self._read()
        return datetime.now(UTC) + timedelta(seconds=ahead + (0.0 if self._of_vendors else stepped))

    def advance(self, by: timedelta) -> datetime:
        ahead, stepped = self._read()
        self._write(ahead + by.total_seconds(), stepped)
        return self()

    def step(self, by: timedelta) -> None:
        """Set the machines' clocks, forward or back; the vendors' go on."""
        ahead, stepped = self._read()
        self._write(ahead, stepped + by.total_seconds())

    def _read(self) -> tuple[float, float]:
        ahead, stepped = json.loads(self._file.read_text())
        return ahead, stepped

    def _write(self, ahead: float, stepped: float) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps([ahead, stepped]))
        os.replace(new, self._file)
