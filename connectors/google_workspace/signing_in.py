"""Signing in to Google with google-auth: its service-account and impersonated credentials, over our own HTTP client.

google-auth writes and signs what is exchanged for a token, and nothing else: what it sends goes through `Exchange`,
with our time-outs, bounds and patience. This module imports google-auth; import it where a token is needed.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from google.auth import identity_pool, impersonated_credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import service_account

from connectors.asking import Asker, Refused
from connectors.errors import NeedsPerson, Transient
from connectors.google_workspace.faults import Caller, sign_in_refused
from connectors.http import Request
from connectors.links import Root, is_loopback, permitted
from connectors.secrets import Secrets, named
from policies.credentials import GoogleFederated, GoogleKey, InlineGoogle

TOKEN_HOSTS = frozenset({"oauth2.googleapis.com", "sts.googleapis.com", "accounts.google.com", "www.googleapis.com"})
_FIXED = frozenset({"oauth2.googleapis.com", "iamcredentials.googleapis.com"})
"""Hosts that google-auth asks whatever a configuration says."""
EARLY = timedelta(minutes=5)
"""A token is not used in the last minutes of its life."""


class Token(NamedTuple):
    """A token, and until when it is used."""

    value: str
    until: datetime


class Source(Protocol):
    """Whatever can act as the service account."""

    @property
    def account(self) -> str: ...

    @property
    def client_id(self) -> str | None: ...

    @property
    def place(self) -> Root:
        """Where tokens are given out."""
        ...

    def credentials(self, subject: str | None, scopes: list[str]) -> Any:
        """google-auth's credentials for a subject, None for the service account itself."""
        ...


@dataclass(frozen=True, slots=True)
class _WithKey:
    base: service_account.Credentials
    client_id: str | None
    place: Root

    @property
    def account(self) -> str:
        return str(self.base.service_account_email)

    def credentials(self, subject: str | None, scopes: list[str]) -> Any:
        return self.base.with_scopes(scopes).with_subject(subject)


@dataclass(frozen=True, slots=True)
class _Federated:
    config: Mapping[str, Any]
    account: str
    place: Root
    client_id: str | None = None

    def credentials(self, subject: str | None, scopes: list[str]) -> Any:
        source = identity_pool.Credentials.from_info(self.config)  # type: ignore[no-untyped-call]
        return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
            source, self.account, scopes, subject=subject
        )


def source_of(credential: InlineGoogle, secrets: Secrets, allowed: Collection[str]) -> Source:
    """The source that a credential stands for; its secret is read now. Raises NeedsPerson where it is none."""
    if isinstance(credential, GoogleKey):
        return _key(credential, secrets, allowed)
    return _federated(credential, secrets, allowed)


def _key(credential: GoogleKey, secrets: Secrets, allowed: Collection[str]) -> Source:
    info = _object(secrets.text(credential.key))
    try:
        base = service_account.Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
    except (GoogleAuthError, ValueError, TypeError):
        raise NeedsPerson(
            f"{named(credential.key)} is no JSON key of a service account",
            remedy="create a JSON key for the service account in the Google Cloud console and put it there",
        ) from None
    return _WithKey(base, info.get("client_id"), permitted(str(info["token_uri"]), TOKEN_HOSTS, allowed))


def _federated(credential: GoogleFederated, secrets: Secrets, allowed: Collection[str]) -> Source:
    config = _object(secrets.data(credential.federated).decode("utf-8-sig", "replace"))
    place = config.get("token_url")
    in_a_file = isinstance(config.get("credential_source"), dict) and "file" in config["credential_source"]
    if config.get("type") != "external_account" or not isinstance(place, str) or not in_a_file:
        raise NeedsPerson(
            f"{named(credential.federated)} is no configuration of a workload identity whose token lies in a file",
            remedy="let `gcloud iam workload-identity-pools create-cred-config --credential-source-file=…` write it",
        )
    config.pop("service_account_impersonation_url", None)  # we impersonate ourselves, and need it only once
    return _Federated(config, credential.impersonate, permitted(place, TOKEN_HOSTS, allowed))


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def signed_in(source: Source, subject: str | None, scope: str, feature: str, asker: Asker) -> Token:
    """A new token. Raises NeedsPerson where a person has to act, else Transient."""
    credentials = source.credentials(subject, [scope])
    exchange = Exchange(asker, source.place, Caller(subject, source.account, source.client_id), feature)
    try:
        credentials.refresh(exchange)
    except (GoogleAuthError, ValueError, OSError) as problem:
        raise _failed(problem, feature) from None
    lives = credentials.expiry - datetime.now(UTC).replace(tzinfo=None)
    return Token(credentials.token, asker.world.clock() + lives - EARLY)


def _failed(problem: Exception, feature: str) -> Exception:
    """What is left after `Exchange` has said what refusals mean: a token file that is missing, or an answer that is
    none. The text may quote an answer, and is not repeated."""
    if isinstance(problem, OSError) or "not found" in str(problem):
        return NeedsPerson(
            "the file with the platform's token cannot be read",
            remedy="check `credential_source.file` of the configuration, and that the platform puts its token there",
            feature=feature,
        )
    return Transient(f"signing in failed: {type(problem).__name__}", feature=feature)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as google-auth wants it."""

    data: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Sends what google-auth asks for, patiently; it hears of no answer but a good one."""

    asker: Asker
    place: Root
    """Where tokens come from. On loopback, all of Google's part in it is played there."""
    caller: Caller
    feature: str

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: object,
    ) -> Answered:
        request = Request(method, self._leads(url), dict(headers or {}), body)
        try:
            return self.asker.ask(request, lambda _challenge: {}, Answered, feature=self.feature)
        except Refused as refused:
            raise sign_in_refused(_stage(url), refused, self.caller, self.feature) from None

    def _leads(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.hostname not in _FIXED or not is_loopback(self.place.host):
            return url
        return self.place._replace(path="").url + parts.path


def _stage(url: str) -> str:
    if ":signJwt" in url or ":generateAccessToken" in url:
        return "impersonation"
    return "federation" if url.endswith("/v1/token") else "grant"
