"""License keys as text: what a key says of the lot that it brings, and which bytes its signature is over (M6).

    SK1.<JSON, base64url>.<Ed25519 signature, base64url>

Whether the signature is the provider's is looked at where the public key is (`connectors.license_keys`).
"""

import base64
import binascii
import re
from datetime import date
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from policies.errors import SeatkeeperError

VERSION: Final = "SK1"
_LONGEST: Final = 4_000
_SIGNATURE: Final = 64
"""Bytes of an Ed25519 signature."""
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")

_Id = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,200}\Z")]
_License = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,62}\Z")]
_Company = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")]
_Seats = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class BadKey(SeatkeeperError):
    """It is not a license key that can be activated."""

    code = "license_key"


class NoKey(BadKey):
    """It is no license key at all, or one that was cut or mistyped: whoever gave it can put it right."""

    code = "usage"


class LicenseKey(msgspec.Struct, frozen=True):
    """The lot that a key brings."""

    id: _Id
    """Each brings one lot, whoever types it in."""
    license: _License
    seats: _Seats
    term: Literal["monthly", "yearly", "trial", "perpetual"] = "yearly"
    starts: date | None = None
    """The first day (UTC); None is the day on which it is activated."""
    expires: date | None = None
    """The last day; None leaves it to the term."""
    company: _Company | None = None
    """The company that it is for; None is for whoever has it."""


class Signed(NamedTuple):
    """A key that is well formed; nothing is known of its signature yet."""

    key: LicenseKey
    messages: tuple[bytes, ...]
    """What a provider may have signed: the text before the last dot, or the JSON itself."""
    signature: bytes


_decode = msgspec.json.Decoder(LicenseKey).decode


def read_key(text: str) -> Signed:
    """The key that a text is. White space does not count, since keys come in letters. Raises NoKey with what is wrong
    with it."""
    packed = "".join(text.split())
    if len(packed) > _LONGEST:
        raise NoKey(f"this is no license key: it has {len(packed):,} characters, more than {_LONGEST:,}")
    parts = packed.split(".")
    if parts[0] != VERSION or len(parts) != 3:
        raise NoKey(f"this is no license key, which is {VERSION}.….… : three parts with dots between them")
    body, signature = _bytes(parts[1], "what it says"), _bytes(parts[2], "its signature")
    if len(signature) != _SIGNATURE:
        raise NoKey(f"the license key is cut or mistyped: its signature has {len(signature)} bytes, not {_SIGNATURE}")
    return Signed(_key(body), (f"{parts[0]}.{parts[1]}".encode(), body), signature)


def _bytes(part: str, what: str) -> bytes:
    try:
        if not _BASE64URL.fullmatch(part):
            raise ValueError
        plain = part.rstrip("=")
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        raise NoKey(f"the license key is cut or mistyped: {what} is not base64url") from None


def _key(body: bytes) -> LicenseKey:
    try:
        key = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NoKey(f"what the license key says cannot be read: {problem}") from None
    if key.term == "perpetual" and key.expires is not None:
        raise NoKey(f"the license key {key.id} contradicts itself: it is perpetual, and ends on {key.expires}")
    if key.starts is not None and key.expires is not None and key.expires < key.starts:
        raise NoKey(f"the license key {key.id} contradicts itself: it ends on {key.expires}, before {key.starts}")
    return key
