"""Answers that say no, in the shape that the errors of Google's APIs have."""

from collections.abc import Mapping

from connectors.simulators.google_workspace.schema import Record

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
_BUSY = "Service unavailable. Please try again"


class Refusal(Exception):
    """An API refuses a request: a status, a reason that programs read, and a message that nobody should parse."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        headers: Mapping[str, str] | None = None,
        detail: Mapping[str, object] | None = None,
        **places: str,
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})
        self._error = {"message": message, "domain": domain, "reason": reason, **places}
        self._detail = detail

    def body(self) -> Record:
        """The JSON of it. Newer surfaces add a canonical status, and details."""
        error: Record = {"code": self.status, "message": self._error["message"], "errors": [self._error]}
        if self._detail is not None or self.status in (401, 429):
            error["status"] = _STATUSES[self.status]
        if self._detail is not None:
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **self._detail}]
        return {"error": error}


def no_token() -> Refusal:
    """The request says nobody's name."""
    return Refusal(
        401,
        "required",
        "Login Required.",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
        location="Authorization",
        locationType="header",
    )


def bad_token() -> Refusal:
    """A token that is expired, revoked or nobody's."""
    return Refusal(
        401,
        "authError",
        "Invalid Credentials",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
        location="Authorization",
        locationType="header",
    )


def insufficient_scope(scopes: frozenset[str]) -> Refusal:
    """The token is good, and not for this."""
    challenge = (
        f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{" ".join(sorted(scopes))}"'
    )
    return Refusal(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        headers={"WWW-Authenticate": challenge},
        detail={
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"service": "admin.googleapis.com"},
        },
    )


def forbidden() -> Refusal:
    """Whoever the token speaks for may not see this."""
    return Refusal(403, "forbidden", "Not Authorized to access this resource/api")


def not_configured(project: str) -> Refusal:
    """The API is off in the project that the service account is of."""
    link = f"https://console.developers.google.com/apis/api/admin.googleapis.com/overview?project={project}"
    return Refusal(
        403,
        "accessNotConfigured",
        f"Admin SDK API has not been used in project {project} before or it is disabled. Enable it by visiting {link}"
        " then retry.",
        domain="usageLimits",
        detail={
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"service": "admin.googleapis.com", "consumer": f"projects/{project}", "activationUrl": link},
        },
        extendedHelp="https://console.developers.google.com",
    )


def no_api_access() -> Refusal:
    """The customer has switched API access off."""
    return Refusal(403, "domainCannotUseApis", "The domain does not have the API access enabled.")


def domain_not_found() -> Refusal:
    """Whoever asks is in no tenant, or the domain is nobody's."""
    return Refusal(404, "notFound", "Domain not found.")


def not_found(what: str) -> Refusal:
    """Nothing has this key: `what` is `userKey`, `groupKey` …"""
    return Refusal(404, "notFound", f"Resource Not Found: {what}")


def deleted() -> Refusal:
    """The user was deleted within the last 20 days."""
    return Refusal(412, "conditionNotMet", "User is deleted.", location="If-Match", locationType="header")


def bad_request() -> Refusal:
    """What has to be said was not said."""
    return Refusal(400, "badRequest", "Bad Request")


def invalid(what: str = "") -> Refusal:
    """A value that cannot be."""
    return Refusal(400, "invalid", f"Invalid Input: {what}" if what else "Invalid Input")


def bad_parameter(name: str, value: str) -> Refusal:
    """A parameter that is not of its type, or beyond its limits."""
    return Refusal(
        400,
        "invalidParameter",
        f"Invalid value '{value}'. Values must match what '{name}' may be.",
        location=name,
        locationType="parameter",
    )


def bad_fields(what: str) -> Refusal:
    """The mask names a field that there is not, or cannot be read."""
    return Refusal(
        400, "invalidParameter", f"Invalid field selection {what}", location="fields", locationType="parameter"
    )


def throttled(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """Too many requests: as 403 by the project's quotas, as 429 by the customer's."""
    texts = {
        "userRateLimitExceeded": "User Rate Limit Exceeded. Rate of requests for user exceed configured project quota.",
        "quotaExceeded": "Request rate higher than configured.",
    }
    text = texts.get(reason, "Rate Limit Exceeded")
    return Refusal(status, reason, text, domain="usageLimits", headers=headers)


def backend_error(status: int = 503, headers: Mapping[str, str] | None = None) -> Refusal:
    """Something inside failed; or the walk is older than an hour."""
    text = _BUSY if status == 503 else "Backend Error"
    return Refusal(status, "internalError" if status == 500 else "backendError", text, headers=headers)


def not_played(what: str) -> Refusal:
    """Google has this, the simulator does not: better said than answered wrongly."""
    return Refusal(501, "notImplemented", f"This simulator does not play {what}.")
