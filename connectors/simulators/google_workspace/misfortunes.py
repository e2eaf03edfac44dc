"""The answers that ordered faults make, for the APIs and for the token endpoints."""

from datetime import datetime

from connectors.simulators.breaking import page_of_html
from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.faults import Fault
from connectors.simulators.google_workspace.refusals import Refusal
from connectors.simulators.google_workspace.signing_in import REFUSALS, OAuthRefusal
from connectors.simulators.serving import Answer

_HTML = {502, 504}


def refusal(fault: Fault, now: datetime, scopes: frozenset[str], project: str) -> Refusal | None:
    """The error that a fault answers with; None where it does something else."""
    match fault.kind:
        case "throttle":
            return _throttled(fault, now)
        case "error":
            return _error(fault, now)
        case "unauthorized":
            return refusals.bad_token()
        case "forbidden":
            return refusals.forbidden()
        case "lost_scope":
            return refusals.insufficient_scope(scopes)
        case "not_configured":
            return refusals.not_configured(project)
        case "api_switched_off":
            return refusals.no_api_access()
        case "domain_not_found":
            return refusals.domain_not_found()
        case "not_found":
            return refusals.not_found("of this request")
    return None


def gateway(fault: Fault, now: datetime) -> Answer | None:
    """What stands in for a service that a gateway does not reach; None for every other fault."""
    status = fault.status or 500
    return page_of_html(status, fault.come_again(now)) if fault.kind == "error" and status in _HTML else None


def of_sign_in(fault: Fault, now: datetime) -> Answer | None:
    """What a token endpoint answers; None where the fault is none of its own."""
    if (page := gateway(fault, now)) is not None:
        return page
    if fault.kind == "throttle":
        busy = OAuthRefusal("rate_limit_exceeded", "Rate Limit Exceeded", 429)
        return busy.answer(fault.come_again(now))
    if fault.kind == "error":
        return OAuthRefusal("server_error", "Internal error.", fault.status or 500).answer(fault.come_again(now))
    return REFUSALS[fault.refused].answer() if fault.kind == "refuse" else None


def _throttled(fault: Fault, now: datetime) -> Refusal:
    status = fault.status or 403
    reason = "rateLimitExceeded" if status == 429 else fault.reason
    return refusals.throttled(status, reason, fault.come_again(now))


def _error(fault: Fault, now: datetime) -> Refusal:
    status = fault.status or 500
    if status >= 500:
        return refusals.backend_error(status, fault.come_again(now))
    return Refusal(status, "badRequest", "An error was ordered.", headers=fault.come_again(now))
