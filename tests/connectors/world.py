"""The world as a connector under test sees it: time that passes only where somebody sleeps, and no chance."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.asking import Surroundings


@dataclass
class World:
    """Time stands still until it is slept or moved on."""

    now: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    """Every sleep, in seconds."""
    passes: Callable[[timedelta], object] = lambda _by: None
    """Told of every sleep, so that a simulator's clock goes along."""
    stopped: bool = False

    @property
    def waited(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.passes(timedelta(seconds=seconds))

    def surroundings(self) -> Surroundings:
        """Chance is always a half: backoff is neither longer nor shorter than planned."""
        return Surroundings(lambda: self.now, self.sleep, lambda: 0.5, lambda: self.stopped)
