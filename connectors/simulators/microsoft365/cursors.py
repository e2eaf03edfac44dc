"""The opaque tokens of next and delta links: signed, so that one nobody issued is told from one that grew old."""

from typing import Literal

import msgspec

from connectors.simulators.microsoft365.refusals import malformed_token
from connectors.simulators.seals import Seal, Unsealed


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a walk stands. A token carries the whole query, so that the link alone continues it."""

    kind: Literal["skip", "delta"]
    stream: str
    """`users`, `groups`, or the path of a list."""
    tenant: str
    issued: int
    """Seconds since 1970, in simulated time."""
    select: tuple[str, ...] | None = None
    ids: tuple[str, ...] = ()
    """The only objects of this stream; empty for all."""
    since: int | None = None
    """The position in the log after which changes count; None on a first round."""
    until: int = 0
    """The position in the log up to which this round goes; the next one starts there."""
    extent: int = 0
    """How many objects there were when a first round began."""
    at: int = 0
    """How far this round has come."""
    lap: int = 0
    """Which part of every group's members a first round of groups is at."""


class Sealer:
    """Turns cursors into tokens and back."""

    def __init__(self, key: bytes) -> None:
        self._seal = Seal(key, Cursor)

    def token(self, cursor: Cursor) -> str:
        return self._seal.token(cursor)

    def read(self, token: str) -> Cursor:
        """The cursor of a token. Raises Refusal (400) where this service never issued it."""
        try:
            return self._seal.read(token)
        except Unsealed:
            raise malformed_token() from None
