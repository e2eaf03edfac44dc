"""The form of a client assertion: what an app that signs in without a secret has to show.

The signature is not checked, since the simulator has no certificate; everything that an app can get wrong in the
rest of the token is.
"""

import base64
import binascii
from urllib.parse import urlsplit

import msgspec

from connectors.simulators.microsoft365.apps import App
from connectors.simulators.microsoft365.sts import StsRefusal
from connectors.simulators.microsoft365.tenant import Tenant

_ALGORITHMS = {"RS256", "PS256"}
_ENTRA_HOSTS = {"sts.windows.net", "login.microsoftonline.com"}
_FEDERATED_AUDIENCES = ("api://azureadtokenexchange", "fb60f99c-7a34-4190-8149-302f77469936")
"""The beginning of the audience in every cloud, and the id that a managed identity's token has for it."""


class _Head(msgspec.Struct):
    alg: str
    x5t: str | None = None
    x5t_s256: str | None = msgspec.field(name="x5t#S256", default=None)
    kid: str | None = None


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str
    exp: float
    nbf: float | None = None
    iat: float | None = None


def check_assertion(assertion: str, app: App, login: str, tenant: Tenant) -> None:
    """Read an assertion for this app at this tenant's login. Raises StsRefusal for what is wrong with it."""
    head, claims = _parts(assertion)
    if head.alg not in _ALGORITHMS:
        raise _invalid(5002738, f"Invalid JWT token. '{head.alg}' is not a supported signature algorithm.")
    begins = claims.nbf or claims.iat
    if begins is not None and begins >= claims.exp:
        raise _invalid(700024, "Client assertion is not within its valid time range.")
    if claims.iss == app.client_id:
        _check_certificate(head, claims, app, login)
    else:
        _check_federation(claims, app, tenant)


def _check_certificate(head: _Head, claims: _Claims, app: App, login: str) -> None:
    shown = {thumbprint for thumbprint in (head.x5t, head.x5t_s256) if thumbprint}
    if not shown or (app.thumbprints and not shown & app.thumbprints):
        raise _invalid(
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
        )
    if claims.sub != app.client_id:
        raise _invalid(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")
    wanted = urlsplit(login)
    given = urlsplit(claims.aud)
    if given.netloc != wanted.netloc or given.path not in {f"{wanted.path}/oauth2/v2.0/token", f"{wanted.path}/v2.0"}:
        raise _invalid(700023, f"Client assertion audience claim does not match Realm issuer: '{claims.aud}'.")


def _check_federation(claims: _Claims, app: App, tenant: Tenant) -> None:
    issuer = urlsplit(claims.iss)
    if issuer.netloc in _ENTRA_HOSTS and app.home and app.home.lower() not in issuer.path.lower():
        text = "Entra ID tokens issued by another tenant may not be used for federated identity credential flows."
        raise _invalid(700236, f"{text} Tenant: {tenant.id}.")
    if app.issuers and claims.iss not in app.issuers:
        raise _invalid(
            700211, f"No matching federated identity record found for presented assertion issuer '{claims.iss}'."
        )
    if not claims.aud.lower().startswith(_FEDERATED_AUDIENCES):
        raise _invalid(
            700212, f"No matching federated identity record found for presented assertion audience '{claims.aud}'."
        )


def _parts(assertion: str) -> tuple[_Head, _Claims]:
    parts = assertion.split(".")
    if len(parts) != 3 or not parts[2]:
        raise _invalid(50027, "JWT token is invalid or malformed.")
    try:
        return msgspec.json.decode(_raw(parts[0]), type=_Head), msgspec.json.decode(_raw(parts[1]), type=_Claims)
    except (msgspec.DecodeError, binascii.Error) as problem:
        raise _invalid(50027, f"JWT token is invalid or malformed. {problem}") from None


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _invalid(code: int, text: str) -> StsRefusal:
    return StsRefusal(401, "invalid_client", code, text)
