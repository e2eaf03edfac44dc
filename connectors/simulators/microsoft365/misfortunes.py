"""The answers that ordered faults make, for Graph and for the login service."""

import base64
from datetime import datetime

from connectors.simulators import breaking
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Grant
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.refusals import Refusal
from connectors.simulators.microsoft365.sts import busy
from connectors.simulators.serving import Answer

_USUAL_WAIT = 10
_CODES = {
    408: "RequestTimeout",
    409: "Conflict",
    423: "ResourceLocked",
    500: "InternalServerError",
    501: "NotImplemented",
    503: "ServiceNotAvailable",
    509: "activityLimitReached",
}
_HTML_STATUSES = {502, 503, 504}
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1767322000"}}}'


def refusal(fault: Fault, now: datetime, grant: Grant | None, root: str, *, exchange: bool) -> Refusal | None:
    """The error that a fault answers with; None where it does something else."""
    match fault.kind:
        case "throttle":
            return _throttled(fault, now, grant, exchange=exchange)
        case "unauthorized":
            return refusals.unauthenticated("Access token validation failure.", root)
        case "claims":
            return refusals.claims_challenge(base64.b64encode(CLAIMS.encode()).decode().rstrip("="), root)
        case "denied":
            return refusals.access_denied() if exchange else refusals.denied()
        case "not_found":
            return refusals.not_found("of this request")
        case "error" | "unavailable":
            status = _status(fault)
            return Refusal(status, _CODES.get(status, "UnknownError"), "An error has occurred.", fault.come_again(now))
    return None


def page_of_html(fault: Fault, now: datetime) -> Answer | None:
    """What a gateway in front of the service answers in its place; None for every other fault."""
    if fault.kind not in ("error", "unavailable") or _status(fault) not in _HTML_STATUSES:
        return None
    return breaking.page_of_html(_status(fault), fault.come_again(now))


def of_sign_in(fault: Fault, now: datetime, correlation: str | None) -> Answer | None:
    """What the login service answers; None where the fault is none of the service's own."""
    if fault.kind == "throttle":
        return busy(429, fault.come_again(now, _USUAL_WAIT)).answer(now, correlation)
    if page := page_of_html(fault, now):
        return page
    return busy(fault.status, fault.come_again(now)).answer(now, correlation) if fault.kind == "error" else None


def _throttled(fault: Fault, now: datetime, grant: Grant | None, *, exchange: bool) -> Refusal:
    tenant, client_id = (grant.tenant, grant.client_id) if grant else ("", "")
    scopes = {
        "tenant_application": f"Tenant_Application/Read/{client_id}/{tenant}",
        "tenant": f"Tenant/Read/{tenant}",
        "application": f"Application/Read/{client_id}",
    }
    headers = {
        **fault.come_again(now, _USUAL_WAIT),
        "x-ms-throttle-scope": scopes[fault.scope],
        "x-ms-throttle-information": "ResourceUnitLimitExceeded",
        "x-ms-throttle-limit-percentage": "1.2",
    }
    if exchange:
        return Refusal(429, "ApplicationThrottled", "Application is over its limit.", headers)
    return Refusal(429, "TooManyRequests", "Too many requests.", headers)


def _status(fault: Fault) -> int:
    return 503 if fault.kind == "unavailable" else fault.status
