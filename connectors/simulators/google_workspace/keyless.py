"""Signing in without a key: an outside token becomes a federated one, and that signs in a service account's name."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from connectors.simulators.google_workspace.service_accounts import ServiceAccount
from connectors.simulators.google_workspace.signing_in import OAuthRefusal, answer, form_of
from connectors.simulators.google_workspace.tokens import LIFETIME, BadToken, Grant, Issuer
from connectors.simulators.serving import Answer, Request

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_CLOUD = "https://www.googleapis.com/auth/cloud-platform"
_IAM = frozenset({_CLOUD, "https://www.googleapis.com/auth/iam"})
_PERMISSIONS = {"signJwt": "iam.serviceAccounts.signJwt", "generateAccessToken": "iam.serviceAccounts.getAccessToken"}


class _SignJwt(msgspec.Struct):
    payload: str
    delegates: list[str] | None = None


class _GenerateAccessToken(msgspec.Struct):
    scope: list[str]
    delegates: list[str] | None = None
    lifetime: str = "3600s"


def exchange(pools: Mapping[str, Collection[str]], issuer: Issuer, body: bytes, now: datetime) -> Answer:
    """`POST /v1/token`: `pools` has the subject tokens that each identity pool takes. Raises OAuthRefusal."""
    form = form_of(body)
    if form.get("grantType", form.get("grant_type")) != TOKEN_EXCHANGE:
        raise OAuthRefusal("unsupported_grant_type", "Unsupported grant type.")
    audience = form.get("audience", "")
    if audience not in pools:
        text = 'The value for "audience" should be the full resource name of the Identity Provider.'
        raise OAuthRefusal("invalid_target", text)
    if form.get("subject_token") not in pools[audience]:
        raise OAuthRefusal("invalid_grant", "The ID Token is not valid, or was not issued by the expected provider.")
    scopes = tuple(sorted(form.get("scope", _CLOUD).split()))
    token = issuer.issue(Grant(audience, scopes, int(now.timestamp()) + LIFETIME, federated=True))
    return answer({
        "access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": LIFETIME,
    })  # fmt: skip


def impersonate(
    accounts: Mapping[str, ServiceAccount], issuer: Issuer, request: Request, name: str, now: datetime
) -> Answer:
    """`POST /v1/projects/-/serviceAccounts/{email}:signJwt` and `:generateAccessToken`."""
    email, _, verb = name.partition(":")
    if verb not in _PERMISSIONS:
        return _refused(404, "NOT_FOUND", f"Method {verb} is not played here.")
    caller = _caller(issuer, request, now)
    if caller is None:
        return _refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    account = accounts.get(email)
    if account is None or caller.account not in account.token_creators or _IAM.isdisjoint(caller.scopes):
        return _denied(_PERMISSIONS[verb])
    try:
        return _signed(account, request) if verb == "signJwt" else _generated(account, issuer, request, now)
    except (msgspec.DecodeError, ValueError) as problem:
        return _refused(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {problem}")


def _caller(issuer: Issuer, request: Request, now: datetime) -> Grant | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        grant = issuer.read(token.strip())
    except BadToken:
        return None
    return grant if scheme.lower() == "bearer" and now.timestamp() < grant.expires else None


def _signed(account: ServiceAccount, request: Request) -> Answer:
    wanted = msgspec.json.decode(request.body, type=_SignJwt)
    claims = msgspec.json.decode(wanted.payload, type=dict[str, object])
    key = account.googles_key
    return answer({"keyId": key.id, "signedJwt": key.sign(claims)})


def _generated(account: ServiceAccount, issuer: Issuer, request: Request, now: datetime) -> Answer:
    wanted = msgspec.json.decode(request.body, type=_GenerateAccessToken)
    expires = now + timedelta(seconds=float(wanted.lifetime.removesuffix("s")))
    grant = Grant(account.email, tuple(sorted(wanted.scope)), int(expires.timestamp()))
    return answer({"accessToken": issuer.issue(grant), "expireTime": f"{expires:%Y-%m-%dT%H:%M:%SZ}"})


def _denied(permission: str) -> Answer:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": permission},
    }
    text = f"Permission '{permission}' denied on resource (or it may not exist)."
    return _refused(403, "PERMISSION_DENIED", text, details=[detail])


def _refused(status: int, name: str, message: str, **more: object) -> Answer:
    return answer({"error": {"code": status, "message": message, "status": name, **more}}, status)
