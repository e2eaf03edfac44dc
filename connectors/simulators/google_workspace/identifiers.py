"""Ids that look as Google's do and are computed, so that a million users need no table of theirs."""

from hashlib import blake2b
from math import gcd
from string import ascii_lowercase, digits

_MOST = 1 << 32
_STEP = next(step for step in range(0x9E3779B97F4A7C15F39CC0605CEDC834, 1 << 128) if gcd(step, 30) == 1)
_LETTERS = digits + ascii_lowercase


class Identifiers:
    """The ids of one kind of object of one customer: number to text, and back."""

    __slots__ = ("_back", "_base", "_prefix", "_size", "_start", "_width")

    def __init__(self, seed: str, prefix: str, base: int, width: int) -> None:
        self._prefix, self._base, self._width = prefix, base, width
        self._size = base**width
        self._start = int.from_bytes(blake2b(seed.encode(), digest_size=16).digest(), "big") % self._size
        self._back = pow(_STEP, -1, self._size)

    def of(self, number: int) -> str:
        """The id of the object with this number."""
        mixed = (number * _STEP + self._start) % self._size
        return f"{self._prefix}{mixed:0{self._width}d}" if self._base == 10 else self._prefix + self._spelled(mixed)

    def number(self, ident: str) -> int | None:
        """The number whose id this is; None where it is nobody's."""
        if not ident.startswith(self._prefix) or len(ident) != len(self._prefix) + self._width:
            return None
        try:
            mixed = int(ident[len(self._prefix) :], self._base)
        except ValueError:
            return None
        number = (mixed - self._start) * self._back % self._size
        return number if number < _MOST and self.of(number) == ident else None

    def _spelled(self, mixed: int) -> str:
        letters = []
        for _ in range(self._width):
            mixed, letter = divmod(mixed, self._base)
            letters.append(_LETTERS[letter])
        return "".join(reversed(letters))


def of_users(customer: str) -> Identifiers:
    """Twenty-one digits: more than 64 bits hold."""
    return Identifiers(f"{customer}/users", "1", 10, 20)


def of_groups(customer: str) -> Identifiers:
    return Identifiers(f"{customer}/groups", "0", 36, 14)


def of_units(customer: str) -> Identifiers:
    return Identifiers(f"{customer}/units", "id:03", 36, 13)


def of_strangers(customer: str) -> Identifiers:
    """Users of other organizations."""
    return Identifiers(f"{customer}/strangers", "1177", 10, 17)


def customer_id(domain: str) -> str:
    """The id of the customer with this primary domain: `C03az79cb`."""
    return Identifiers(f"customers/{domain}", "C0", 36, 7).of(0)
