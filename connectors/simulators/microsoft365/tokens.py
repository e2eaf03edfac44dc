"""Access tokens in the form that Entra's have: three parts in base64, for the resource's eyes only."""

import base64
import hmac
from hashlib import sha256

import msgspec

from connectors.simulators.microsoft365.call import Grant

_HEAD = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"HS256"}').decode().rstrip("=")
_MOST_REMEMBERED = 50_000


class BadToken(Exception):
    """Nobody issued this token, or somebody changed it."""


class _Claims(msgspec.Struct):
    aud: str
    iss: str
    tid: str
    appid: str
    roles: list[str]
    iat: int
    nbf: int
    exp: int
    idtyp: str = "app"
    ver: str = "1.0"


class Issuer:
    """Issues tokens and reads them again."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._read: dict[str, Grant] = {}

    def issue(self, grant: Grant, now: int, audience: str = "https://graph.microsoft.com") -> str:
        claims = _Claims(
            audience, f"https://sts.windows.net/{grant.tenant}/", grant.tenant, grant.client_id, sorted(grant.roles),
            now, now, grant.expires,
        )  # fmt: skip
        signed = f"{_HEAD}.{_encoded(msgspec.json.encode(claims))}"
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str) -> Grant:
        """What a token is good for, whether it is expired or not. Raises BadToken."""
        grant = self._read.get(token)
        if grant is None:
            grant = self._decode(token)
            if len(self._read) >= _MOST_REMEMBERED:
                self._read.clear()
            self._read[token] = grant
        return grant

    def _decode(self, token: str) -> Grant:
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            raise BadToken
        body = signed.partition(".")[2]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
        return Grant(claims.tid, claims.appid, frozenset(claims.roles), claims.exp)

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.digest(self._key, signed.encode(), sha256))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
