"""Faults on order: what shall go wrong with Google, where, and how often."""

from typing import Annotated, Literal

import msgspec

from connectors.simulators import fault_files
from connectors.simulators.ordering import Ordered

Kind = Literal[
    "throttle", "error", "unauthorized", "forbidden", "lost_scope", "not_configured", "api_switched_off",
    "domain_not_found", "not_found", "invalid",
    "refuse",
    "reset", "hang", "cut", "cut_connection", "break", "truncated", "slow",
    "short_list", "empty_list", "no_key", "repeat_token", "overlap", "duplicate", "lost_rows",
    "without_admin", "wrong_customer", "without_flags", "unknown_keys", "also_deleted",
    "circle", "wrong_count", "without_types",
]  # fmt: skip

REFUSED: frozenset[str] = frozenset({
    "throttle", "error", "unauthorized", "forbidden", "lost_scope", "not_configured", "api_switched_off",
    "domain_not_found", "not_found",
})  # fmt: skip
"""The request is answered by an error."""
LIST: frozenset[str] = frozenset({
    "invalid", "short_list", "empty_list", "no_key", "repeat_token", "overlap", "duplicate", "lost_rows",
})  # fmt: skip
"""A list is answered with status 200, and is not what it should be; `invalid` refuses its page token."""
USERS: frozenset[str] = frozenset({"without_admin", "wrong_customer", "without_flags", "unknown_keys"})
"""The same, for users alone."""
DELETED: frozenset[str] = frozenset({"also_deleted", "wrong_customer", "unknown_keys"})
"""The same, for deleted users alone."""
MEMBERS: frozenset[str] = frozenset({"circle", "unknown_keys", "without_types"})
COUNT: frozenset[str] = frozenset({"wrong_count"})
SIGN_IN: frozenset[str] = frozenset({"throttle", "error", "refuse"})
"""What can happen to a request for a token, beside what happens to connections."""

Reason = Literal["userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded"]
Refused = Literal[
    "unauthorized_client", "invalid_email", "deleted_subject", "invalid_subject", "clock", "signature",
    "not_authorized", "restricted", "internal_failure", "server_error", "temporarily_unavailable",
]  # fmt: skip


class Fault(Ordered, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that shall go wrong.

    ================= =================================================================================
    throttle          `status` 403 by `reason`, or 429; `Retry-After` where `retry_after` is given
    error             `status`: 500 and 503 as JSON, 502 and 504 as HTML, any other as JSON
    unauthorized      401, as for a token that was revoked
    forbidden         403, as for a subject that is no administrator
    lost_scope        403, as for a token without the scope
    not_configured    403, as for an API that is off in the operator's project
    api_switched_off  403, as for API access that is off in the customer
    domain_not_found  404 "Domain not found."
    not_found         404
    invalid           400 "Invalid Input", as for a page token that expired
    refuse            no token: `refused` says why
    reset             the connection is reset
    hang              no answer, until the client gives up
    cut               200, and a JSON body that breaks off in its middle
    cut_connection    the connection closes before the promised length has come
    break             the connection is reset in the middle of the body
    truncated         the compressed body ends in its middle, and the length says so
    slow              the answer comes `seconds` late
    short_list        the list ends with this page, whatever should have followed
    empty_list        the list is empty and complete
    no_key            a page without the key for its entries, whose token leads to what should have come
    repeat_token      the page's token leads to this page again
    overlap           the page's token leads back by `entries`: they stand on two pages
    duplicate         the first `entries` entries stand in the page twice
    lost_rows         the last `entries` entries of the page are missing
    without_admin     the account that is impersonated is missing
    wrong_customer    every row is another customer's
    without_flags     `suspended` and `archived` are missing
    unknown_keys      every row has a key, and an enumeration a value, that nobody has heard of
    also_deleted      the first `entries` live users are among the deleted ones, too
    circle            the group is a member of itself
    wrong_count       the count of members is `entries` too large
    without_types     it is not said of members what they are
    ================= =================================================================================
    """

    kind: Kind
    path: str = "*"
    """Which requests: a pattern over the plain path, `/users`, `/users?showDeleted=true`, `/groups/*/members`, `*`.
    Requests for tokens match only what starts with `login/`: `login/token`, `login/*`."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    """Of an error, 500 where nothing is said; of a throttled request, 403."""
    reason: Reason = "userRateLimitExceeded"
    refused: Refused = "unauthorized_client"
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    entries: Annotated[int, msgspec.Meta(ge=1)] = 1


def read_faults(text: str, file: str) -> tuple[Fault, ...]:
    """The faults of a file's text, for `simulate google_workspace --faults FILE`. Raises FaultFileError."""
    return fault_files.read_faults(text, file, Fault)
