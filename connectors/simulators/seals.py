"""Tokens that only whoever issued them can read: what they stand for, sealed, in letters that go into a URL."""

import base64
import binascii
from hashlib import blake2b
from hmac import compare_digest
from typing import Generic, TypeVar

import msgspec

Sealed = TypeVar("Sealed")
_SEAL = 9


class Unsealed(Exception):
    """Nobody issued this token, or somebody changed it."""


class Seal(Generic[Sealed]):
    """Turns values of one type into tokens and back."""

    def __init__(self, key: bytes, type_: type[Sealed]) -> None:
        self._key = key
        self._decoder = msgspec.msgpack.Decoder(type_)

    def token(self, value: Sealed) -> str:
        body = msgspec.msgpack.encode(value)
        return base64.urlsafe_b64encode(self._seal(body) + body).decode().rstrip("=")

    def read(self, token: str) -> Sealed:
        """What a token stands for. Raises Unsealed."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Unsealed from None
        seal, body = raw[:_SEAL], raw[_SEAL:]
        if not compare_digest(seal, self._seal(body)):
            raise Unsealed
        return self._decoder.decode(body)

    def _seal(self, body: bytes) -> bytes:
        return blake2b(body, key=self._key, digest_size=_SEAL).digest()
