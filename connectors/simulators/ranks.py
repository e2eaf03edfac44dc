"""Places in a made-up population that are well mixed: so that shares of it are exact, and spread over all."""

from collections.abc import Sequence
from math import gcd

_PRIMES: Sequence[int] = (104_729, 1_299_709, 15_485_863, 179_424_673)


class Ranks:
    """A permutation of the numbers `first` to `first + count - 1`, the same for the same seed."""

    __slots__ = ("_count", "_first", "_shift", "_stride")

    def __init__(self, first: int, count: int, seed: int) -> None:
        self._first, self._count = first, count
        self._stride = next((prime for prime in _PRIMES if gcd(prime, count) == 1), 1)
        self._shift = seed * 7_919

    def of(self, number: int) -> int:
        """The place of a number, from 0 up to the count."""
        return ((number - self._first) * self._stride + self._shift) % self._count
