"""JSON web tokens signed by RS256, made and read with nothing but the keys."""

import base64
from collections.abc import Iterable, Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256


class Malformed(Exception):
    """This is no token."""


class Head(msgspec.Struct):
    alg: str = ""
    kid: str | None = None


class Claims(msgspec.Struct):
    """What a service account says of itself when it asks for an access token."""

    iss: str
    aud: str
    iat: float
    exp: float
    scope: str = ""
    sub: str | None = None


def signed(claims: Mapping[str, object], key_id: str, key: RSAPrivateKey) -> str:
    """A token of these claims."""
    head = msgspec.json.encode({"alg": "RS256", "typ": "JWT", "kid": key_id})
    text = f"{_encoded(head)}.{_encoded(msgspec.json.encode(claims))}"
    return f"{text}.{_encoded(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def read(token: str) -> tuple[Head, Claims]:
    """What a token says, whoever signed it. Raises Malformed."""
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise Malformed("a token has three parts")
        return msgspec.json.decode(_raw(parts[0]), type=Head), msgspec.json.decode(_raw(parts[1]), type=Claims)
    except (msgspec.DecodeError, ValueError) as problem:
        raise Malformed(str(problem)) from None


def is_signed_by(token: str, keys: Iterable[RSAPrivateKey]) -> bool:
    """Whether one of these keys signed it."""
    text, _, signature = token.rpartition(".")
    return any(_verifies(key, text.encode(), signature) for key in keys)


def _verifies(key: RSAPrivateKey, text: bytes, signature: str) -> bool:
    try:
        key.public_key().verify(_raw(signature), text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
