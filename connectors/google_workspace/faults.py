"""What Google's refusals mean for a person: what is wrong, and what to do about it.

Sources: Google, "Directory API: resolve errors", "OAuth 2.0 for server-to-server applications", and field reports of
what the token endpoint says for which cause. A description is looked at only where one code stands for several causes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from connectors.asking import Refused
from connectors.errors import ConnectorError, NeedsPerson, Permanent
from connectors.google_workspace.wire import NO_TENANT
from connectors.google_workspace.wire import codes as api_codes
from connectors.verdicts import Dialect, Meaning

_BASE = "https://www.googleapis.com/auth/"
SCOPES = {
    "users": f"{_BASE}admin.directory.user.readonly",
    "groups": f"{_BASE}admin.directory.group.readonly",
    "org_units": f"{_BASE}admin.directory.orgunit.readonly",
    "audit": f"{_BASE}admin.reports.audit.readonly",
    "domains": f"{_BASE}admin.directory.domain.readonly",
}
"""The scope that each feature needs. Each has a token of its own, so that one that is missing stops nothing else."""
NAMES = {
    "users": "users",
    "groups": "groups",
    "org_units": "organizational units",
    "audit": "audit events",
    "domains": "domains",
}
PRIVILEGES = {
    "users": "Users > Read",
    "groups": "Groups > Read",
    "org_units": "Organizational units > Read",
    "audit": "Reports",
    "domains": "Domain Management",
}
"""The Admin API privilege that each feature needs."""


class Caller(NamedTuple):
    """Who asks, as remedies have to name it."""

    admin: str | None
    account: str
    """The service account's address."""
    client_id: str | None
    """Its numeric id, where its key tells it."""


class _Grant(msgspec.Struct):
    error: str
    error_description: str = ""


_grant = msgspec.json.Decoder(_Grant).decode
_CAUSES = (
    ("account not found", "noAccount"),
    ("invalid email or user id", "unknownAdmin"),
    ("has been deleted", "deletedAdmin"),
    ("disabled", "disabledAdmin"),
    ("suspended", "disabledAdmin"),
    ("timeframe", "clock"),
    ("signature", "key"),
    ("sub", "unknownAdmin"),
)
"""What a description has in it, and our word for the cause."""


def grant_codes(body: bytes) -> tuple[str, ...]:
    """The error of a token endpoint, and our word for its cause where the description tells one."""
    try:
        said = _grant(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return api_codes(body)
    text = said.error_description.lower()
    return (said.error, *[word for part, word in _CAUSES if part in text][:1])


SIGN_IN = Dialect(grant_codes, too_much=frozenset({"internal_failure", "server_error", "temporarily_unavailable"}))


def sign_in_refused(stage: str, refused: Refused, caller: Caller, feature: str) -> ConnectorError:
    """What a refusal on the way to a token means; `stage` is `grant`, `federation` or `impersonation`."""
    what, remedy = _sign_in(stage, refused.codes, caller, feature)
    return NeedsPerson(f"{what} ({refused.problem})", remedy=remedy, feature=feature)


def _sign_in(stage: str, codes: Sequence[str], caller: Caller, feature: str) -> tuple[str, str]:
    if stage == "federation":
        return (
            "Google does not accept the token of the workload identity federation",
            "check that the pool's provider trusts the issuer and audience of the token in the configuration's file",
        )
    if stage == "impersonation":
        return (
            f"the federated identity may not sign as {caller.account}",
            f"grant it roles/iam.workloadIdentityUser and roles/iam.serviceAccountTokenCreator on {caller.account},"
            " and enable the IAM Service Account Credentials API in its project",
        )
    admin = caller.admin or caller.account
    causes = {
        "unauthorized_client": (
            f"the customer has not delegated {SCOPES[feature]} to the service account",
            delegation(caller, feature),
        ),
        "unknownAdmin": (f"Google knows no user {admin}", "correct `admin` of the directory"),
        "deletedAdmin": (f"the administrator {admin} was deleted", "name another one as `admin` of the directory"),
        "disabledAdmin": (
            f"the administrator {admin} is suspended",
            f"let an administrator of the customer reactivate {admin}, or name another one as `admin`",
        ),
        "noAccount": (
            f"the service account {caller.account} was deleted",
            "create another one with a JSON key, and let each customer delegate the scopes to its client id",
        ),
        "clock": ("the clock of this machine is wrong", "synchronize the clock of the machine"),
        "key": (
            "the service account's key is no longer valid",
            "create a new JSON key for the service account and put it where `credential` points to",
        ),
    }
    found = next((causes[code] for code in reversed(codes) if code in causes), None)
    return found or (
        f"Google refuses to let the service account act as {admin}",
        f"check that {admin} is an administrator who has signed in once, and that no policy of the customer or of the"
        " service account's project forbids it",
    )


def delegation(caller: Caller, feature: str) -> str:
    """How a customer delegates a scope."""
    number = caller.client_id or f"the numeric client id of {caller.account}"
    return (
        "in the customer's Admin console, Security > Access and data control > API controls > Domain-wide delegation,"
        f" add {SCOPES[feature]} for {number}; it can take up to 24 hours, and where the customer requires it a second"
        " super administrator has to approve"
    )


def refused_by_api(refused: Refused, caller: Caller, feature: str) -> ConnectorError:
    """What a final answer of the Directory API means. What concerns one object, or our own request, is returned as it
    is."""
    refused.feature = feature
    codes = {code.lower() for code in refused.codes}
    if NO_TENANT.lower() in codes:
        return no_tenant(refused, feature)
    if any(code.startswith("push.") for code in codes):  # with status 401, too, though the token is right
        told = ("Google refuses the address for pushes", _address(codes, caller))
    elif refused.meaning is Meaning.SIGN_IN:
        told = ("Google does not accept the token", "check that the service account and its delegation still exist")
    elif refused.meaning is Meaning.DENIED:
        told = _denied(codes, caller, feature)
    else:
        return refused if refused.meaning is not Meaning.RESYNC else Permanent(refused.problem, feature=feature)
    return NeedsPerson(f"{told[0]} ({refused.problem})", remedy=told[1], feature=feature)


def no_tenant(refused: Refused, feature: str) -> NeedsPerson:
    """Nobody is found for whom a list was asked: never that there are no users."""
    return NeedsPerson(
        f"Google finds no Workspace customer for whom it asks ({refused.problem})",
        remedy="check `customer` and `admin` of the directory",
        feature=feature,
    )


def _project(caller: Caller) -> str:
    """The project of the service account, which its address tells."""
    return caller.account.partition("@")[2].removesuffix(".iam.gserviceaccount.com") or "of the service account"


def _address(codes: set[str], caller: Caller) -> str:
    """What an address has to be for Google to push to it. The codes are known from field reports of other APIs of
    Google's that have such channels; the Directory API's documentation names none."""
    if "push.webhookurlunauthorized" in codes:
        return (
            "let an owner of the address in `push` of the directory verify its domain in Google's Search Console, and"
            f" add the domain to the Google Cloud project {_project(caller)}"
        )
    return "let `push` of the directory be an https address with a certificate that everybody trusts"


def _denied(codes: set[str], caller: Caller, feature: str) -> tuple[str, str]:
    if codes & {"insufficientpermissions", "access_token_scope_insufficient"}:
        return (f"the token lacks the scope for {NAMES[feature]}", delegation(caller, feature))
    if codes & {"accessnotconfigured", "service_disabled"}:
        return (
            "the Admin SDK API is switched off in the service account's own project, for all customers",
            f"enable the Admin SDK API in the Google Cloud project {_project(caller)}",
        )
    if "domaincannotuseapis" in codes:
        return (
            "the customer has switched API access off",
            "let an administrator of the customer allow API access: Security > Access and data control > API controls",
        )
    who = caller.admin or caller.account
    return (
        f"{who} may not read {NAMES[feature]}",
        f"check that {who} is not suspended, and has an admin role with the Admin API privilege"
        f" {PRIVILEGES[feature]} in the Admin console of the customer that `customer` of the directory means",
    )
