"""Access tokens, which are opaque to everybody but whoever issued them."""

import msgspec

from connectors.simulators.seals import Seal, Unsealed

_BEGINNING = "ya29."
LIFETIME = 3599
"""Seconds."""


class Grant(msgspec.Struct, frozen=True, array_like=True):
    """What an access token is good for."""

    account: str
    """The address of the service account; of a federated identity, the pool that it came through."""
    scopes: tuple[str, ...]
    expires: int
    """Seconds since 1970, in simulated time."""
    customer: str | None = None
    subject: str | None = None
    """The id of the user for whom the account acts; None where it acts for itself."""
    federated: bool = False
    """Good for impersonating service accounts, and for nothing else."""


class BadToken(Exception):
    """Nobody issued this token."""


class Issuer:
    """Issues tokens and reads them again."""

    def __init__(self, key: bytes) -> None:
        self._seal = Seal(key, Grant)

    def issue(self, grant: Grant) -> str:
        return _BEGINNING + self._seal.token(grant)

    def read(self, token: str) -> Grant:
        """What a token is good for, whether it is expired or not. Raises BadToken."""
        try:
            return self._seal.read(token.removeprefix(_BEGINNING))
        except Unsealed:
            raise BadToken from None
