"""Faults on order: what shall go wrong with Graph, where, and how often."""

from typing import Annotated, Literal

import msgspec

from connectors.simulators import ordering
from connectors.simulators.ordering import Ordered
from connectors.simulators.ordering import Target as Target

Kind = Literal[
    "throttle", "unavailable", "error", "unauthorized", "claims", "denied", "not_found",
    "reset", "hang", "cut", "cut_connection", "slow",
    "resync", "expired", "malformed", "page_lost",
    "empty_page", "repeat_page", "duplicate", "foreign_link", "short_list", "empty_list", "no_link",
    "contradict", "unknown_removed", "replay", "short_count",
]  # fmt: skip

REFUSED: frozenset[str] = frozenset({
    "throttle", "unavailable", "error", "unauthorized", "claims", "denied", "not_found",
})  # fmt: skip
"""The request is answered by an error; items of a batch can be, too."""
BROKEN: frozenset[str] = frozenset({"reset", "hang", "cut", "cut_connection", "slow"})
"""The connection fails, or takes its time."""
CURSOR: frozenset[str] = frozenset({"resync", "expired", "malformed", "page_lost"})
"""The token of the link is refused; only requests that carry one meet these."""
PAGE: frozenset[str] = frozenset({
    "empty_page", "repeat_page", "duplicate", "foreign_link", "short_list", "empty_list", "no_link",
})  # fmt: skip
"""A list is answered with status 200, and is not what it should be."""
STREAM: frozenset[str] = frozenset({"contradict", "unknown_removed", "replay"})
"""The same, for delta alone."""
BEGINNING: frozenset[str] = frozenset({"replay"})
"""A round begins elsewhere than it should; only requests with a delta token meet these."""
COUNT: frozenset[str] = frozenset({"short_count"})
"""A count is answered, and is too small."""
SIGN_IN: frozenset[str] = frozenset({"throttle", "unavailable", "error"}) | BROKEN
"""What can happen to a request for a token."""


class Fault(Ordered, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that shall go wrong.

    ================ ==================================================================================
    throttle         429 with `Retry-After`: `retry_after` seconds (10 where nothing is said), for `scope`
    unavailable      503 with a page of HTML; `Retry-After` where `retry_after` is given
    error            `status`: 500 as JSON, 502 and 504 as HTML, any other as JSON
    unauthorized     401 without a challenge for claims
    claims           401 with one
    denied           403, as for a missing permission
    not_found        404
    reset            the connection is reset
    hang             no answer, until the client gives up
    cut              200, and a JSON body that breaks off in its middle
    cut_connection   the connection closes before the promised length has come
    slow             the answer comes `seconds` late
    resync           410 with `Location`
    expired          400 `syncStateNotFound`
    malformed        400 `Badly formed token.`
    page_lost        400: the page token is not known
    empty_page       an empty page, whose next link leads to what should have come
    repeat_page      the page's next link leads to this page again
    duplicate        the first `entries` entries stand in the page twice
    foreign_link     the next or delta link leads to `host`
    short_list       the list ends with this page, whatever should have followed
    empty_list       the list is empty and complete
    no_link          a delta page with neither link
    contradict       the first live entry is also said to be removed for `reason`
    unknown_removed  an object nobody ever saw is said to be removed for `reason`
    replay           the round starts `entries` changes earlier than its cursor says
    short_count      the count is `entries` too small
    ================ ==================================================================================
    """

    kind: Kind
    path: str = "*"
    """Which requests: a pattern over the plain path, `/users/delta`, `/groups/*/transitiveMembers`, `*`.
    Requests for tokens match only what starts with `login/`: `login/*`."""
    scope: Literal["tenant_application", "tenant", "application"] = "tenant_application"
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 500
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    host: str = "https://graph.example.net"
    entries: Annotated[int, msgspec.Meta(ge=1)] = 1
    reason: Literal["changed", "deleted"] = "deleted"


Orders = ordering.Orders[Fault]
"""The faults that were ordered and have not all happened."""
