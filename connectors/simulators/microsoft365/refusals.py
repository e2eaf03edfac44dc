"""Answers that say no, in the shape that Graph's errors have."""

from collections.abc import Mapping


class Refusal(Exception):
    """Graph refuses a request: a status, a code that programs read, and a message that nobody should parse."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def not_found(ident: str) -> Refusal:
    """No object has this id, or what has it is deleted."""
    return Refusal(
        404,
        "Request_ResourceNotFound",
        f"Resource '{ident}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied() -> Refusal:
    """The app has no permission for this feature of the directory."""
    return Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def access_denied() -> Refusal:
    """Exchange does not let the app at this mailbox."""
    return Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def unsupported(what: str) -> Refusal:
    """The directory cannot answer this query, at least not without the advanced query parameters."""
    return Refusal(400, "Request_UnsupportedQuery", what)


def malformed_token() -> Refusal:
    """A link's token that nobody issued, or that was changed."""
    return Refusal(400, "BadRequest", "Badly formed token.")


def expired_token() -> Refusal:
    """A delta token that is older than the directory remembers."""
    return Refusal(
        400,
        "syncStateNotFound",
        "The sync state generation is not found. The delta token is expired and data must be synchronized again.",
    )


def lost_page_token() -> Refusal:
    """A page token of an answer that was retried meanwhile."""
    return Refusal(
        400,
        "DirectoryPageTokenNotFoundException",
        "The page token of this request is not known. Repeat the request before it.",
    )


def expired_page_token() -> Refusal:
    """A page token that was kept for too long."""
    return Refusal(
        400,
        "Directory_ExpiredPageToken",
        "The specified page token value has expired and can no longer be included in your request.",
    )


def resync(initial: str) -> Refusal:
    """The tenant was moved: start again from the initial query that `Location` names."""
    return Refusal(410, "resyncRequired", "Resync is required.", {"Location": initial})


def unauthenticated(message: str, root: str) -> Refusal:
    """No token, or one that is not good any more; `root` is the address that was called."""
    challenge = (
        f'Bearer realm="", authorization_uri="https://{root.split("/")[2]}/common/oauth2/authorize",'
        ' client_id="00000003-0000-0000-c000-000000000000"'
    )
    return Refusal(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def claims_challenge(claims: str, root: str) -> Refusal:
    """A token that would be good if it carried these claims, given in base64."""
    refusal = unauthenticated("Continuous access evaluation resulted in challenge.", root)
    refusal.headers["WWW-Authenticate"] += f', error="insufficient_claims", claims="{claims}"'
    return refusal


def not_played(what: str) -> Refusal:
    """Graph has this, the simulator does not: better said than answered wrongly."""
    return Refusal(501, "NotImplemented", f"This simulator does not play {what}.")
