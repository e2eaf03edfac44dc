"""What the process keeps for all customers of Google: service accounts, their tokens, and how fast it asks.

A token is for one administrator of one customer and one scope; it is never used for another.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from connectors.asking import Asker
from connectors.errors import ConnectorError
from connectors.google_workspace.faults import SCOPES, Caller
from connectors.google_workspace.pace import Pace
from connectors.secrets import Secrets
from policies.credentials import InlineGoogle

if TYPE_CHECKING:
    from connectors.google_workspace.signing_in import Source, Token


class Purpose(NamedTuple):
    """What a token is for."""

    credential: InlineGoogle
    admin: str | None
    feature: str


@dataclass(slots=True)
class Access:
    """One per process."""

    _sources: dict[InlineGoogle, "Source"] = field(default_factory=dict)
    _tokens: dict[Purpose, "Token"] = field(default_factory=dict)
    _paces: dict[object, Pace] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pace(self, of: object, made: Callable[[], Pace]) -> Pace:
        """The pace that everybody keeps who asks for the same."""
        with self._lock:
            return self._paces.setdefault(of, made()) if of not in self._paces else self._paces[of]

    def source(self, credential: InlineGoogle, secrets: Secrets, allowed: Collection[str]) -> "Source":
        """The service account of a credential; its key is read and checked once."""
        from connectors.google_workspace.signing_in import source_of

        with self._lock:
            if credential not in self._sources:
                self._sources[credential] = source_of(credential, secrets, allowed)
            return self._sources[credential]

    def token(self, purpose: Purpose) -> "Token | None":
        return self._tokens.get(purpose)

    def keep(self, purpose: Purpose, token: "Token") -> None:
        self._tokens[purpose] = token

    def forget(self, purpose: Purpose) -> None:
        """Sign in anew next time, with the key or the configuration as it is then: whoever corrects it is not to have
        to start anything again."""
        with self._lock:
            self._tokens.pop(purpose, None)
            self._sources.pop(purpose.credential, None)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs the requests of one customer. Safe to use from several threads."""

    access: Access
    credential: InlineGoogle
    admin: str | None
    secrets: Secrets
    allowed: frozenset[str]
    asker: Asker
    """For the way to a token."""

    def sign(self, feature: str, challenge: str | None) -> Mapping[str, str]:
        """The Authorization header. A challenge, even an empty one, says that the last token was refused.

        Raises NeedsPerson where a person has to act, else Transient.
        """
        purpose = Purpose(self.credential, self.admin, feature)
        token = self.access.token(purpose)
        if token is None or challenge is not None or self.asker.world.clock() >= token.until:
            token = self._new(purpose)
            self.access.keep(purpose, token)
        return {"authorization": f"Bearer {token.value}"}

    def caller(self) -> Caller:
        """Who asks, for remedies."""
        known = self.access.source(self.credential, self.secrets, self.allowed)
        return Caller(self.admin, known.account, known.client_id)

    def _new(self, purpose: Purpose) -> "Token":
        from connectors.google_workspace.signing_in import signed_in

        source = self.access.source(self.credential, self.secrets, self.allowed)
        try:
            return signed_in(source, purpose.admin, SCOPES[purpose.feature], purpose.feature, self.asker)
        except ConnectorError:
            self.access.forget(purpose)
            raise
