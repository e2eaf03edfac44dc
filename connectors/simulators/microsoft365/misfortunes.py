"""The answers that ordered faults make, for Graph and for the login service."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime

from connectors.simulators.bodies import plain
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Grant
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.refusals import Refusal
from connectors.simulators.microsoft365.sts import busy
from connectors.simulators.serving import Answer, Ending

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
_ENDINGS = {"reset": Ending.RESET, "hang": Ending.HANG, "cut_connection": Ending.CUT}
_HTML_STATUSES = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
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
            return Refusal(
                status, _CODES.get(status, "UnknownError"), "An error has occurred.", _retry_after(fault, now, None)
            )
    return None


def page_of_html(fault: Fault, now: datetime) -> Answer | None:
    """What a gateway in front of the service answers in its place; None for every other fault."""
    if fault.kind not in ("error", "unavailable") or _status(fault) not in _HTML_STATUSES:
        return None
    title = f"{_status(fault)} {_HTML_STATUSES[_status(fault)]}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\r\n"
    return Answer(_status(fault), {"Content-Type": "text/html", **_retry_after(fault, now, None)}, page.encode())


def of_sign_in(fault: Fault, now: datetime, correlation: str | None) -> Answer | None:
    """What the login service answers; None where the fault is none of the service's own."""
    if fault.kind == "throttle":
        return busy(429, _retry_after(fault, now, _USUAL_WAIT)).answer(now, correlation)
    if page := page_of_html(fault, now):
        return page
    return (
        busy(fault.status, _retry_after(fault, now, None)).answer(now, correlation) if fault.kind == "error" else None
    )


def broken(answer: Answer, fault: Fault) -> Answer:
    """The answer as it arrives where the fault is in the connection."""
    if fault.kind == "slow":
        return replace(answer, delay=fault.seconds)
    if fault.kind == "cut":
        body = plain(answer.body)
        return replace(answer, body=body[: len(body) // 2])
    return replace(answer, ending=_ENDINGS.get(fault.kind, Ending.KEEP))


def _throttled(fault: Fault, now: datetime, grant: Grant | None, *, exchange: bool) -> Refusal:
    tenant, client_id = (grant.tenant, grant.client_id) if grant else ("", "")
    scopes = {
        "tenant_application": f"Tenant_Application/Read/{client_id}/{tenant}",
        "tenant": f"Tenant/Read/{tenant}",
        "application": f"Application/Read/{client_id}",
    }
    headers = {
        **_retry_after(fault, now, _USUAL_WAIT),
        "x-ms-throttle-scope": scopes[fault.scope],
        "x-ms-throttle-information": "ResourceUnitLimitExceeded",
        "x-ms-throttle-limit-percentage": "1.2",
    }
    if exchange:
        return Refusal(429, "ApplicationThrottled", "Application is over its limit.", headers)
    return Refusal(429, "TooManyRequests", "Too many requests.", headers)


def _retry_after(fault: Fault, now: datetime, usual: int | None) -> Mapping[str, str]:
    seconds = usual if fault.retry_after is None else fault.retry_after
    if seconds is None or fault.form == "missing":
        return {}
    if fault.form == "date":
        return {"Retry-After": format_datetime(now + timedelta(seconds=seconds), usegmt=True)}
    return {"Retry-After": str(seconds)}


def _status(fault: Fault) -> int:
    return 503 if fault.kind == "unavailable" else fault.status
