"""One request to Graph with all that answering it takes: whose it is, when, and what was ordered to go wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from connectors.simulators.bodies import Packed
from connectors.simulators.memo import Memo
from connectors.simulators.microsoft365.cursors import Cursor, Sealer
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.odata import Query
from connectors.simulators.microsoft365.tenant import Tenant
from connectors.simulators.serving import Answer, Request

JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token is good for."""

    tenant: str
    client_id: str
    roles: frozenset[str]
    expires: int
    """Seconds since 1970, in simulated time."""


@dataclass
class Call:
    """A request of an app that has signed in, already matched to what answers it."""

    tenant: Tenant
    grant: Grant
    now: datetime
    root: str
    """The address that the client called, with the version: `http://127.0.0.1:8000/v1.0`."""
    method: str
    path: str
    """The plain path, with ids: `/groups/2e58…/members`."""
    ids: tuple[str, ...]
    """What stands in the path where the route has `{id}`."""
    query: Query
    headers: Mapping[str, str]
    body: bytes
    sealer: Sealer
    packed_pages: Memo[Packed]
    rounds: Memo[object]
    play: Callable[[Request], Answer]
    """Answers another request of the same app: an item of a batch."""
    fault: Fault | None = None
    answer_headers: dict[str, str] = field(default_factory=dict)
    """What the answer shall carry beyond what every answer has."""

    @cached_property
    def permissions(self) -> frozenset[str]:
        """What the app may do now."""
        if self.tenant.habits.roles_stay_in_tokens:
            return self.grant.roles
        return self.tenant.permissions

    @property
    def eventual(self) -> bool:
        """The client accepts the index that advanced queries read."""
        return self.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def minimal(self) -> bool:
        """The client asked for changed properties only. Directory paging forgets that: each request says it anew."""
        return "return=minimal" in self.headers.get("prefer", "").lower().replace(" ", "")

    def meets(self, kind: str) -> Fault | None:
        """The fault of this request, where it is of this kind."""
        return self.fault if self.fault and self.fault.kind == kind else None

    def cursor(self, stream: str) -> Cursor:
        """A cursor of this tenant's that starts to age now."""
        return Cursor("skip", stream, self.tenant.id, int(self.now.timestamp()))
