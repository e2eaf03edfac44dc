"""Signs messages, and verifies signatures, as the Standard Webhooks specification says: orders to a seller, webhooks.

    webhook-id          names the message; the same for every attempt to deliver it
    webhook-timestamp   seconds since 1970
    webhook-signature   `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several, with blanks between

A secret is `whsec_` and the base64 of the key; any other text is taken as the key itself, in UTF-8. While one is
exchanged for another, both stand there, a line each, and messages are signed with both.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import NewType

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
"""How far the sender's clock may be from ours; what is older may be somebody's recording."""

SigningKey = NewType("SigningKey", bytes)


class NotAKey(ValueError):
    """A secret that begins with `whsec_` is not the base64 of a key."""


class Forged(Exception):
    """A message is not signed, not with this key, or too long ago; it says which."""


def key_of(secret: str) -> SigningKey:
    """The key that a secret stands for. Raises NotAKey."""
    if not secret.startswith(PREFIX):
        return SigningKey(secret.encode())
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise NotAKey(f"what follows {PREFIX} is not the base64 of a key")
    return SigningKey(key)


def keys_of(secrets: str) -> list[SigningKey]:
    """The keys that secrets stand for, a line each; at least one. Raises NotAKey."""
    return [key_of(secret) for secret in secrets.splitlines() if secret.strip()]


def sign(key: SigningKey, id: str, body: bytes, at: datetime, *others: SigningKey) -> Mapping[str, str]:
    """The headers with which a message is sent at an instant, signed with the key and with each of the others."""
    seconds = str(int(at.timestamp()))
    signatures = (f"v1,{_signature(one, id, seconds, body)}" for one in (key, *others))
    return {ID: id, TIMESTAMP: seconds, SIGNATURE: " ".join(signatures)}


def verify(keys: Collection[SigningKey], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that one of these keys signed. `headers` have lower-case names. Raises Forged."""
    try:
        id, seconds, given = headers[ID], headers[TIMESTAMP], headers[SIGNATURE]
    except KeyError as missing:
        raise Forged(f"there is no {missing.args[0]}") from None
    if not seconds.isascii() or not seconds.isdecimal() or len(seconds) > 11:
        raise Forged(f"{TIMESTAMP} is not a number of seconds")
    if abs(datetime.fromtimestamp(int(seconds), UTC) - now) > TOLERANCE:
        raise Forged(f"{TIMESTAMP} is more than {TOLERANCE // timedelta(minutes=1)} minutes from now")
    for key in keys:
        expected = f"v1,{_signature(key, id, seconds, body)}".encode()
        if any(hmac.compare_digest(expected, one.encode()) for one in given.split(" ")):
            return id
    raise Forged("the signature is another one")


def _signature(key: SigningKey, id: str, seconds: str, body: bytes) -> str:
    signed = b".".join((id.encode(), seconds.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
