"""Tokens for Microsoft Graph: one source a tenant, over azure-identity's synchronous credentials.

Credentials are kept, and so are the tokens that they gave, until five minutes before they expire: a directory that is
polled every minute is not signed in every minute, and azure-identity, which looks through all tokens that it has, is
not asked for every request. For the same reason a credential that has given many tokens is made anew: at 10,000 tenants
every sign-in would take five times as long. And no more than a thousand are kept, each of which takes 80 kB.

A credential that serves many tenants is one object for all of them. azure-identity would quietly give the token of a
wrong tenant where AZURE_IDENTITY_DISABLE_MULTITENANTAUTH is set; such a source refuses to start. And whatever the
credential: a token that names another tenant than the policy file is refused before it is used (Z11).
"""

import base64
import binascii
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from connectors.errors import NeedsPerson
from connectors.links import Root
from connectors.secrets import Secrets
from policies.credentials import InlineMicrosoft, MicrosoftManagedIdentity

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

NO_MULTITENANT = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"
_BEFORE_IT_EXPIRES = 300
NO_HOME = "organizations"
"""What a shared credential has for a tenant of its own: none, so that no token is ever that of a wrong home."""
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Purpose(NamedTuple):
    """What a token is for: a tenant by id or domain, a scope, and the authority that gives it."""

    tenant: str
    scope: str
    login: Root


class Claims(msgspec.Struct, frozen=True):
    """What a token says of itself, where it can be read. Graph verifies it; here it is only compared."""

    tid: str | None = None
    roles: tuple[str, ...] | None = None


class Given(NamedTuple):
    """A token that was given: what it says of itself, and from which time on it is not used any more."""

    token: str
    until: float
    claims: Claims


class _Key(NamedTuple):
    credential: InlineMicrosoft
    home: str
    login: Root


@dataclass(slots=True)
class Credentials:
    """The process's credentials, each with the tokens that it was given."""

    secrets: Secrets
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    elapsed: Callable[[], float] = time.time
    """Seconds since 1970, as expiry dates of tokens have them."""
    most_kept: int = 1_000
    """Credentials at once."""
    most_given: int = 500
    """Tokens that one credential gives before it is made anew."""
    _kept: dict[_Key, "TokenCredential"] = field(default_factory=dict)
    _given: dict[tuple[_Key, Purpose], Given] = field(default_factory=dict)
    _gave: Counter[_Key] = field(default_factory=Counter)
    """How many tokens each credential that is kept has given."""
    _detached: set[_Key] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def source(self, purpose: Purpose, credential: InlineMicrosoft, *, shared: bool = False) -> "TokenSource":
        """The source for a purpose; `shared` where the credential serves many tenants. Raises NeedsPerson."""
        own = _Key(credential, purpose.tenant, purpose.login)
        if not shared or isinstance(credential, MicrosoftManagedIdentity):
            return TokenSource(purpose, self, own)
        if self.environment.get(NO_MULTITENANT):
            raise NeedsPerson(
                f"{NO_MULTITENANT} is set: a credential for several tenants would read the wrong directory",
                remedy=f"unset {NO_MULTITENANT} where Seatkeeper runs, and start it again",
            )
        return TokenSource(purpose, self, own, own._replace(home=NO_HOME))

    def of(self, key: _Key) -> "TokenCredential":
        """The credential that is kept; its secret is read when it is first needed. Raises NeedsPerson."""
        from connectors.entra import credential_for

        with self._lock:
            if key not in self._kept:
                self._kept[key] = credential_for(key.credential, key.home, key.login, self.secrets)
                if len(self._kept) > self.most_kept:
                    self._let_go(next(iter(self._kept)))
            return self._kept[key]

    def known(self, key: _Key, purpose: Purpose) -> Given | None:
        """A token that was given for a purpose and is still good."""
        known = self._given.get((key, purpose))
        return known if known is not None and self.elapsed() < known.until else None

    def token(self, key: _Key, purpose: Purpose, *, tenant: str | None, claims: str | None) -> Given:
        """A token that was not given before. Raises what azure-identity raises, and NeedsPerson."""
        token = self.of(key).get_token(purpose.scope, claims=claims, tenant_id=tenant)
        given = Given(token.token, token.expires_on - _BEFORE_IT_EXPIRES, claims_of(token.token))
        self._given[key, purpose] = given
        with self._lock:
            self._gave[key] += 1
            if self._gave[key] >= self.most_given:
                self._let_go(key)
        return given

    def is_detached(self, key: _Key) -> bool:
        """Whether a tenant has to do without the credential that it shared."""
        return key in self._detached

    def detach(self, key: _Key) -> None:
        """Give a tenant a new credential of its own, without disturbing those it shared one with: its token or its
        sign-in was refused, and MSAL repeats such an answer for a minute without asking."""
        with self._lock:
            self._detached.add(key)
            self._drop(key)

    def forget(self, key: _Key) -> None:
        """Read the secret anew next time: this one was refused."""
        with self._lock:
            self._drop(key)

    def _let_go(self, key: _Key) -> None:
        """Make the credential anew when it is needed; the tokens that it gave are good."""
        self._kept.pop(key, None)
        self._gave.pop(key, None)

    def _drop(self, key: _Key) -> None:
        self._let_go(key)
        for given in [given for given in list(self._given) if given[0] == key]:
            del self._given[given]


@dataclass(slots=True)
class TokenSource:
    """Signs the requests of one tenant. Safe to use from several threads."""

    purpose: Purpose
    credentials: Credentials
    own: _Key
    shared: _Key | None = None
    _claims: Claims = field(default_factory=Claims)

    def sign(self, challenge: str | None) -> Mapping[str, str]:
        """The Authorization header. A challenge, even an empty one, asks for a token that was not given before.

        Raises NeedsPerson where Entra or the platform says that a person has to act, else Transient.
        """
        given = self._given(challenge)
        self._claims = self._matching(given.claims)
        return {"authorization": f"Bearer {given.token}"}

    def tenant(self) -> str | None:
        """The tenant id that the token names, or None where the token cannot be read. Raises as `sign` does."""
        self.sign(None)
        return self._claims.tid

    def roles(self) -> tuple[str, ...] | None:
        """The application permissions that the last token carries, or None where it cannot be read."""
        return self._claims.roles

    def _given(self, challenge: str | None) -> Given:
        claims = None if challenge is None else challenged(challenge)
        if challenge is not None and claims is None:
            self.credentials.detach(self.own)
        is_shared = self.shared is not None and not self.credentials.is_detached(self.own)
        key = self.shared if self.shared is not None and is_shared else self.own
        known = self.credentials.known(key, self.purpose) if challenge is None else None
        return known or self._new(key, self.purpose.tenant if is_shared else None, claims)

    def _new(self, key: _Key, tenant: str | None, claims: str | None) -> Given:
        from azure.core.exceptions import AzureError

        from connectors.entra import blames_the_secret, explained

        try:
            return self.credentials.token(key, self.purpose, tenant=tenant, claims=claims)
        except (AzureError, ValueError, OSError, RecursionError) as problem:
            self.credentials.detach(self.own)
            if blames_the_secret(problem):
                self.credentials.forget(key)
            raise explained(problem, self.purpose.tenant) from None

    def _matching(self, claims: Claims) -> Claims:
        wanted = self.purpose.tenant.lower()
        if claims.tid is not None and claims.tid.lower() != wanted and _GUID.fullmatch(wanted):
            raise NeedsPerson(
                f"the token is for tenant {claims.tid}, but the directory is tenant {wanted}",
                remedy="check `tenant` and `credential`; a managed identity reaches its own tenant only",
            )
        return claims


def claims_of(token: str) -> Claims:
    """What a token says of itself; nothing where it is none that can be read."""
    parts = token.split(".")
    if len(parts) != 3:
        return Claims()
    try:
        return msgspec.json.decode(_decoded(parts[1]), type=Claims)
    except (binascii.Error, msgspec.DecodeError, RecursionError):
        return Claims()


def challenged(header: str) -> str | None:
    """The claims that a WWW-Authenticate header asks for, as JSON; None where it asks for none that can be read."""
    found = re.search(r'\bclaims="([^"]+)"', header)
    if found is None:
        return None
    try:
        content = _decoded(found[1])
        msgspec.json.decode(content, type=dict)
        return content.decode()
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _decoded(text: str) -> bytes:
    """Base64, of either alphabet, with or without its padding: Entra leaves it out."""
    return base64.b64decode(text.translate(_PLAIN) + "=" * (-len(text) % 4), validate=True)


_PLAIN: dict[int, str | int | None] = str.maketrans("-_", "+/")  # type: ignore[assignment]
