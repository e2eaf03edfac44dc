"""Cuts a list into the portions that a vendor takes at once."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def slices(things: Sequence[Thing], most: int) -> Iterator[Sequence[Thing]]:
    """Portions of `most` things, the last one of what is left."""
    return (things[start : start + most] for start in range(0, len(things), most))
