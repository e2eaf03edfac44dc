"""Signing in to Microsoft Entra: azure-identity's credential for each documented form, and what a refusal means.

This module imports azure-identity, a quarter of a second; import it where a token is needed, not before.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import urlsplit

import requests
import requests.adapters
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
)
from urllib3.exceptions import HTTPError

from connectors.deadlines import within
from connectors.errors import ConnectorError, NeedsPerson, Transient
from connectors.links import Root, is_loopback
from connectors.microsoft365.clouds import LOGIN_HOSTS
from connectors.secrets import Secrets, named
from connectors.tokens import NO_HOME
from policies.credentials import (
    FileRef,
    InlineMicrosoft,
    MicrosoftCertificate,
    MicrosoftFederated,
    MicrosoftManagedIdentity,
    MicrosoftSecret,
    MicrosoftTrustedIdentity,
)

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


EXCHANGE = "api://AzureADTokenExchange"
EXCHANGES = {
    "login.microsoftonline.us": f"{EXCHANGE}USGov",
    "login.chinacloudapi.cn": f"{EXCHANGE}China",
    "login.partner.microsoftonline.cn": f"{EXCHANGE}China",
}
"""By the host that signs in: for whom an identity's token is that vouches for an application."""


def credential_for(credential: InlineMicrosoft, tenant: str, login: Root, secrets: Secrets) -> "TokenCredential":
    """A credential of azure-identity. Raises NeedsPerson where its secret is missing or no secret of this form."""
    options = _options(login)
    if tenant == NO_HOME:
        options["additionally_allowed_tenants"] = ["*"]
    match credential:
        case MicrosoftSecret():
            return ClientSecretCredential(tenant, credential.client_id, secrets.text(credential.secret), **options)
        case MicrosoftCertificate():
            return _by_certificate(credential, tenant, secrets, options)
        case MicrosoftFederated():
            proof = _proof(secrets.path(credential.federated), credential.federated)
            return ClientAssertionCredential(tenant, credential.client_id, proof, **options)
        case MicrosoftTrustedIdentity():
            proof = _stand_in(credential.managed_identity, login)
            return ClientAssertionCredential(tenant, credential.client_id, proof, **options)
        case MicrosoftManagedIdentity():
            return _identity(credential.managed_identity)
        case _:
            assert_never(credential)


def _by_certificate(
    credential: MicrosoftCertificate, tenant: str, secrets: Secrets, options: dict[str, Any]
) -> CertificateCredential:
    content = secrets.data(credential.certificate)
    try:
        return CertificateCredential(tenant, credential.client_id, certificate_data=content, **options)
    except (ValueError, TypeError):
        raise NeedsPerson(
            f"{named(credential.certificate)} is no certificate with an RSA key",
            remedy="put the certificate and its private key there, as PEM or as PKCS #12 without a password",
        ) from None


def _proof(path: Path, ref: FileRef) -> Callable[[], str]:
    """Reads the platform's token whenever Entra wants to see it: the platform replaces it every hour or so.

    Unlike other secrets it may be readable for others, as Kubernetes makes it.
    """

    def read() -> str:
        try:
            return path.read_text("ascii")
        except (OSError, UnicodeDecodeError):
            raise NeedsPerson(
                f"{named(ref)} cannot be read as a token",
                remedy="check the path of `federated`, and that the platform puts its token there",
            ) from None

    return read


def _identity(named: str) -> ManagedIdentityCredential:
    """The machine's identity; whatever stands at the address of its metadata answers within our bounds, too."""
    transport = RequestsTransport(session=_session(), connection_timeout=10, read_timeout=60)
    return ManagedIdentityCredential(client_id=None if named == "system" else named, transport=transport)


def _stand_in(named: str, login: Root) -> Callable[[], str]:
    """Lets the machine's identity vouch for an application of its own tenant (Microsoft, "Configure an application to
    trust a managed identity"); each cloud has an audience of its own for that."""
    identity, scope = _identity(named), f"{EXCHANGES.get(login.host, EXCHANGE)}/.default"
    return lambda: str(identity.get_token(scope).token)


def _options(login: Root) -> dict[str, Any]:
    """Where to sign in, and how patiently; a long patience is the caller's.

    Microsoft's packages insist on https. For a simulator on loopback they get it, from a transport that takes the s
    away again.
    """
    if login.scheme == "https":
        unknown = login.host not in LOGIN_HOSTS
        patient = {"connection_timeout": 10, "read_timeout": 60, "retry_total": 2}
        transport = RequestsTransport(session=_session(), connection_timeout=10, read_timeout=60)
        return {"authority": login.url, "disable_instance_discovery": unknown, "transport": transport, **patient}
    transport = PlainOnLoopback(session=_session(), connection_timeout=10, read_timeout=60)
    transport.session.trust_env = False
    authority = login._replace(scheme="https").url
    return {"authority": authority, "disable_instance_discovery": True, "transport": transport, "retry_total": 0}


LARGEST, WHOLE = 1 << 20, 120.0
"""Bytes and seconds of an answer of the login service."""


class Bounded(requests.adapters.HTTPAdapter):
    """Answers that have an end: none is larger, and none takes longer."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = within(WHOLE)

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        manager = super().proxy_manager_for(*args, **more)
        manager.pool_classes_by_scheme = within(WHOLE)
        return manager

    def send(self, *args: Any, **more: Any) -> Any:
        answer: Any = super().send(*args, **{**more, "stream": True})
        try:
            body = answer.raw.read(LARGEST + 1, decode_content=True)
        except HTTPError as broken:
            raise requests.ConnectionError(type(broken).__name__) from None
        if len(body) > LARGEST:
            answer.close()
            raise requests.ConnectionError("the answer is too large")
        answer._content, answer._content_consumed = body, True
        return answer


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, Bounded())
    return session


class PlainOnLoopback(RequestsTransport):  # type: ignore[misc]
    """Speaks plain http to this machine, and to no other at all."""

    def send(self, request: Any, **kwargs: Any) -> Any:
        parts = urlsplit(request.url)
        if not is_loopback(parts.hostname or ""):
            raise ValueError("a simulated login leads away from this machine")
        request.url = parts._replace(scheme="http").geturl()
        return super().send(request, **kwargs)


_CODE = re.compile(r"AADSTS([0-9]{2,9})")
_STATUS = re.compile(r"HTTP Error: ([0-9]{3})")
_NO_METADATA = "Unable to get authority configuration"
"""How MSAL says that the login service knows no such tenant; it swallows the code that came with it."""


def explained(problem: Exception, tenant: str) -> ConnectorError:
    """What a failed sign-in means.

    azure-identity has one error for a wrong secret and for a busy service; only the code in its text differs. The text
    itself is not repeated. Codes: Microsoft, "Microsoft Entra authentication and authorization error codes".
    """
    if isinstance(problem, CredentialUnavailableError):
        return NeedsPerson(
            "the managed identity gives no token here",
            remedy="run Seatkeeper on the Azure machine that has this identity, or use another credential",
        )
    code = _code(problem)
    if code is None and _NO_METADATA in str(problem):
        code = "90002"
    if code is None:
        status = _STATUS.search(str(problem))
        answer = f"answers with status {status[1]}" if status else "cannot be reached, or gives no usable answer"
        return Transient(f"signing in failed: the login service for tenant {tenant} {answer}")
    said = f"Entra refuses the sign-in for tenant {tenant}: AADSTS{code}"
    known = REMEDIES.get(code) or (_BLOCKED if code.startswith("530") else None)
    if known is None:
        return Transient(f"{said}, see https://login.microsoftonline.com/error?code={code}")
    return NeedsPerson(f"{said}, {known[0]}", remedy=known[1])


def blames_the_secret(problem: Exception) -> bool:
    """Whether a failed sign-in means that another secret has to be read."""
    return _code(problem) in {"7000215", "7000222", "700027"}


def _code(problem: Exception) -> str | None:
    found = _CODE.search(str(problem))
    return found[1] if found else None


_CONSENT = "an administrator of the tenant has to consent to the application; after that it takes some minutes"
_BLOCKED = (
    "blocked by Conditional Access",
    "an administrator of the tenant has to let the application through the Conditional Access policy",
)
REMEDIES = {
    "7000215": (
        "the client secret is wrong",
        "put the secret's value (not its id) where the credential of the directory points to",
    ),
    "7000222": (
        "the client secret has expired",
        "make a new client secret in the app registration and put it where the credential points to",
    ),
    "700027": (
        "the certificate is not one of the application's, or has expired",
        "upload the certificate to the app registration, or renew it",
    ),
    "700016": ("the application is not known in this tenant", _CONSENT),
    "7000229": ("the application has no service principal in this tenant", _CONSENT),
    "7000112": (
        "the application is disabled in this tenant",
        "an administrator of the tenant has to enable the enterprise application again",
    ),
    "90002": ("there is no such tenant", "check `tenant` and `cloud` of the directory"),
    "70021": (
        "the application trusts no such federated token",
        "add a federated credential with this issuer and subject to the app registration",
    ),
    "700236": (
        "the application does not trust an identity of another tenant",
        "register the application in the tenant that the federated identity belongs to",
    ),
}
"""By AADSTS code: what it means, and what a person has to do."""
