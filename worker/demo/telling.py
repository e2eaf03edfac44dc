"""What the demo tells: scenes in plain words, with the numbers after each."""

from dataclasses import dataclass
from datetime import datetime

from worker.operations.runs import RunResult


@dataclass(frozen=True, slots=True)
class Stock:
    """Seats of one license in the pool."""

    seats: int
    held: int

    @property
    def free(self) -> int:
        return self.seats - self.held


@dataclass(frozen=True, slots=True)
class Numbers:
    """How things stand after a scene."""

    standard: Stock
    archived: Stock
    waiting: int
    holds: int
    orders: int


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that happened, in a paragraph or two."""

    at: datetime
    title: str
    headline: str
    """The scene in a few words, for the table at the end."""
    told: tuple[str, ...]
    commands: tuple[str, ...]
    """What a person would have typed."""
    results: tuple[RunResult, ...]
    """What became of the passes."""
    shown: tuple[str, ...]
    """What else the program said, line by line."""
    numbers: Numbers


def names(found: list[str], shown: int = 3) -> str:
    """A few names, and how many more there are."""
    if len(found) <= shown:
        return ", ".join(found[:-1]) + (" and " if len(found) > 1 else "") + found[-1] if found else "nobody"
    return f"{', '.join(found[:shown])} and {len(found) - shown} more"
