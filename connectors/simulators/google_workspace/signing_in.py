"""The token endpoint: where a service account shows an assertion that it signed, and gets an access token."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

import msgspec

from connectors.simulators.google_workspace import jwts
from connectors.simulators.google_workspace.customers import Customers
from connectors.simulators.google_workspace.service_accounts import ServiceAccount
from connectors.simulators.google_workspace.tokens import LIFETIME, Grant, Issuer
from connectors.simulators.serving import Answer, Request

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
_LONGEST = 3600

Form = Mapping[str, str]


class OAuthRefusal(Exception):
    """No token: an error as OAuth has it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        """The refusal as it goes over the wire."""
        return answer({"error": self.error, "error_description": self.description}, self.status, headers)


REFUSALS: Mapping[str, OAuthRefusal] = {
    "unauthorized_client": OAuthRefusal(
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the"
        " scopes requested.",
        401,
    ),
    "invalid_email": OAuthRefusal("invalid_grant", "Invalid email or User ID"),
    "deleted_subject": OAuthRefusal("invalid_grant", "The account has been deleted"),
    "invalid_subject": OAuthRefusal("invalid_request", 'Invalid impersonation "sub" field.'),
    "clock": OAuthRefusal(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and"
        " exp values in the JWT claim.",
    ),
    "signature": OAuthRefusal("invalid_grant", "Invalid JWT Signature."),
    "not_authorized": OAuthRefusal("access_denied", "Requested client not authorized"),
    "restricted": OAuthRefusal("access_denied", "Account restricted"),
    "internal_failure": OAuthRefusal("internal_failure", "Backend Error", 500),
    "server_error": OAuthRefusal("server_error", "Internal error.", 500),
    "temporarily_unavailable": OAuthRefusal("temporarily_unavailable", "Please try again.", 503),
}
"""What the endpoint refuses with, by the word that a fault says."""


def form_of(body: bytes) -> Form:
    """The fields of a posted form."""
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """What these endpoints answer: JSON that nobody may keep."""
    named = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", **(headers or {})}
    return Answer(status, named, msgspec.json.encode(value))


def issue_token(
    accounts: Mapping[str, ServiceAccount],
    customers: Customers,
    issuer: Issuer,
    request: Request,
    now: datetime,
    signed_at: datetime,
) -> Answer:
    """`POST /token`; `signed_at` is what the time is where assertions are signed. Raises OAuthRefusal."""
    form = form_of(request.body)
    if form.get("grant_type") != JWT_BEARER:
        raise OAuthRefusal("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
    claims, account = _checked(form.get("assertion", ""), accounts, signed_at)
    if claims.aud not in (AUDIENCE, f"http://{request.headers.get('host', '')}/token"):
        text = f"Invalid JWT: Failed audience check. The right audience is {AUDIENCE}"
        raise OAuthRefusal("invalid_grant", text)
    scopes = frozenset(claims.scope.split())
    if not scopes:
        raise OAuthRefusal("invalid_scope", "Empty or missing scope not allowed.")
    customer, subject = _subject(claims.sub, customers, account, scopes, now) if claims.sub else (None, None)
    expires = int(now.timestamp()) + LIFETIME
    token = issuer.issue(Grant(account.email, tuple(sorted(scopes)), expires, customer, subject))
    return answer({"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"})


def _checked(
    assertion: str, accounts: Mapping[str, ServiceAccount], now: datetime
) -> tuple[jwts.Claims, ServiceAccount]:
    """The claims of an assertion that is in order, and who signed it."""
    try:
        head, claims = jwts.read(assertion)
    except jwts.Malformed as problem:
        raise OAuthRefusal("invalid_grant", f"Bad Request: {problem}") from None
    account = accounts.get(claims.iss)
    if account is None:
        raise OAuthRefusal("invalid_grant", "Invalid grant: account not found")
    if head.alg != "RS256" or not account.signed(assertion, head.kid):
        raise REFUSALS["signature"]
    if not claims.iat <= now.timestamp() < claims.exp or claims.exp - claims.iat > _LONGEST:
        raise REFUSALS["clock"]
    return claims, account


def _subject(
    address: str, customers: Customers, account: ServiceAccount, scopes: frozenset[str], now: datetime
) -> tuple[str, str]:
    """The customer and the user whom the account may act for."""
    customer = customers.of_address(address)
    if customer is None:
        raise REFUSALS["invalid_email"]
    customer.settle(now)
    with customer.lock:
        users = customer.users
        number = users.find(address)
        if number is None and address.lower() in {gone.address for gone in users.deleted.values()}:
            raise REFUSALS["deleted_subject"]
        if number is None:
            raise REFUSALS["invalid_subject" if address.lower() in users.purged.values() else "invalid_email"]
        if not scopes <= customer.delegations.get(account.client_id, frozenset()):
            raise REFUSALS["unauthorized_client"]
        return customer.id, users.id(number)
