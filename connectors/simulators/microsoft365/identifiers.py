"""Ids that look random and are computed, so that a million users need no table of theirs."""

from hashlib import blake2b

_BITS = 120
_MASK = (1 << _BITS) - 1
_STEP = 0xC6F2B8D9E3779B97F4A7C15F39CC07
_BACK = pow(_STEP, -1, 1 << _BITS)
_MOST = 1 << 32


class Identifiers:
    """The ids of one kind of object in one tenant: number to GUID, and back."""

    __slots__ = ("_start",)

    def __init__(self, tenant: str, kind: str) -> None:
        digest = blake2b(f"{tenant}/{kind}".encode(), digest_size=16).digest()
        self._start = int.from_bytes(digest, "big") & _MASK

    def of(self, number: int) -> str:
        """The GUID of the object with this number."""
        digits = "%030x" % ((number * _STEP + self._start) & _MASK)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:]}"

    def number(self, guid: str) -> int | None:
        """The number whose GUID this is in lower case; None where it is nobody's."""
        try:
            mixed = int(guid[:8] + guid[9:13] + guid[15:18] + guid[20:23] + guid[24:], 16)
        except ValueError:
            return None
        number = (mixed - self._start) * _BACK & _MASK
        return number if number < _MOST and self.of(number) == guid else None
