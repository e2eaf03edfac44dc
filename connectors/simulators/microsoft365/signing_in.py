"""The login endpoints: where an app exchanges what it knows for an access token to one tenant."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec

from connectors.simulators.microsoft365.apps import App
from connectors.simulators.microsoft365.assertions import check_assertion
from connectors.simulators.microsoft365.call import Grant
from connectors.simulators.microsoft365.sts import StsRefusal
from connectors.simulators.microsoft365.tenant import Tenant
from connectors.simulators.microsoft365.tokens import Issuer
from connectors.simulators.serving import Answer

_SHORTEST, _SPREAD = 3600, 1800
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NETWORK = "login.microsoftonline.com"


def openid_configuration(tenant: Tenant, host: str) -> Answer:
    """The metadata of a tenant. Its endpoints are https, as everywhere; who called by plain http rewrites them."""
    base = f"https://{host}/{tenant.id}"
    return _answer({
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    })  # fmt: skip


def instance_discovery(host: str) -> Answer:
    """Which login hosts there are: the documented one, and this."""
    return _answer({
        "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [
            {"preferred_network": _NETWORK, "preferred_cache": "login.windows.net",
             "aliases": [_NETWORK, "login.windows.net", "login.microsoft.com", "sts.windows.net"]},
            {"preferred_network": host, "preferred_cache": host, "aliases": [host]},
        ],
    })  # fmt: skip


def signing_keys() -> Answer:
    """No keys: tokens are for this simulator alone to check."""
    return _answer({"keys": []})


def issue_token(
    tenant: Tenant, apps: Mapping[str, App], issuer: Issuer, body: bytes, host: str, now: datetime
) -> Answer:
    """`POST …/token` with client credentials. Raises StsRefusal, in the order in which Entra finds fault."""
    form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    _check_form(form)
    app = _app(tenant, apps, form["client_id"])
    if "client_assertion" in form:
        check_assertion(form["client_assertion"], app, f"https://{host}/{tenant.id}", tenant)
    else:
        _check_secret(app, form.get("client_secret"), now)
    seconds = int(now.timestamp())
    lifetime = _SHORTEST - 1 + (seconds * 977 + len(tenant.id + app.client_id)) % _SPREAD
    grant = Grant(tenant.id, app.client_id, tenant.permissions, seconds + lifetime)
    token = issuer.issue(grant, seconds, form["scope"].removesuffix("/.default"))
    return _answer({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token})


def _check_form(form: Mapping[str, str]) -> None:
    needed = ["grant_type", "client_id", "scope"]
    if "client_assertion" in form:
        needed.append("client_assertion_type")
    for name in needed:
        if name not in form:
            raise _bad_request(900144, f"The request body must contain the following parameter: '{name}'.")
    if form["grant_type"] != "client_credentials":
        raise _bad_request(70003, "The app requested an unsupported grant type.", "unsupported_grant_type")
    if form.get("client_assertion_type", ASSERTION_TYPE) != ASSERTION_TYPE:
        raise _bad_request(90023, "The client assertion type is not supported.")
    if not form["scope"].endswith("/.default"):
        text = f"The provided value for scope {form['scope']} is not valid: it needs a resource and /.default."
        raise _bad_request(1002012, text, "invalid_scope")


def _bad_request(code: int, text: str, error: str = "invalid_request") -> StsRefusal:
    return StsRefusal(400, error, code, text)


def _app(tenant: Tenant, apps: Mapping[str, App], client_id: str) -> App:
    app = apps.get(client_id)
    if app is None or client_id not in tenant.consented:
        text = (
            f"Application with identifier '{client_id}' was not found in the directory '{tenant.name}'. Either an"
            " administrator of the tenant has not consented to it, or the request went to the wrong tenant."
        )
        raise StsRefusal(400, "unauthorized_client", 700016, text)
    if client_id in tenant.disabled_apps:
        raise StsRefusal(400, "unauthorized_client", 7000112, f"Application '{client_id}' is disabled.")
    return app


def _check_secret(app: App, secret: str | None, now: datetime) -> None:
    if secret is None:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise StsRefusal(401, "invalid_client", 7000218, text)
    if secret != app.secret:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value,"
            f" not the client secret ID, for a secret added to app '{app.client_id}'."
        )
        raise StsRefusal(401, "invalid_client", 7000215, text)
    if app.secret_expires is not None and now >= app.secret_expires:
        text = f"The provided client secret keys for app '{app.client_id}' are expired."
        raise StsRefusal(401, "invalid_client", 7000222, text)


def _answer(value: object) -> Answer:
    headers = {
        "Cache-Control": "no-store, no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "x-ms-request-id": str(uuid4()),
    }
    return Answer(200, headers, msgspec.json.encode(value))
