"""Whether a poll has to walk: what administrators did, as the Reports API tells it, and how long ago a walk began.

An event is a hint, and no more. It names its user by an address, which may be somebody else's by now, and it comes late
or never. So it only lets a walk begin earlier: what follows for a license, the walk reads (Z2).

Events come minutes late, and not in their order. So each poll looks back to well before the last walk began, and that
walk's cursor keeps which of them were known by then: an event makes one walk.

Source: Google, "Reports API: activities.list, admin audit activity events, data retention and lag times".
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import msgspec

from connectors.errors import ConnectorError, NeedsPerson
from connectors.google_workspace import OWN
from connectors.google_workspace.google import Google
from connectors.google_workspace.wire import reader
from connectors.links import Root
from connectors.verdicts import Patience

log = logging.getLogger(__name__)
NAME = "audit"
VERSION = "/admin/reports/v1"
PATIENCE = Patience(attempts=2, longest=5.0)
"""Without hints a poll walks, so it does not wait for them."""
LATE = timedelta(minutes=10)
"""More than twice as late as events come as a rule."""
WORTH_READING = frozenset({
    "CREATE_USER", "DELETE_USER", "UNDELETE_USER", "SUSPEND_USER", "UNSUSPEND_USER", "ARCHIVE_USER", "UNARCHIVE_USER",
    "RENAME_USER", "MOVE_USER_TO_ORG_UNIT", "ADD_GROUP_MEMBER", "REMOVE_GROUP_MEMBER",
})  # fmt: skip
_PATH = ("activity", "users", "all", "applications", "admin")
_FIELDS = "nextPageToken,items(id(time,uniqueQualifier),events(name))"
_AT_ONCE = timedelta(minutes=1)
"""What was heard serves the users and the groups of one pass."""
_EVER = datetime.min.replace(tzinfo=UTC)


class _Id(msgspec.Struct):
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    uniqueQualifier: str = ""

    @property
    def key(self) -> str:
        return f"{self.time.isoformat()} {self.uniqueQualifier}"


class _Event(msgspec.Struct):
    name: str = ""


class _Activity(msgspec.Struct):
    id: _Id
    events: list[_Event] = []


class _Activities(msgspec.Struct):
    items: list[_Activity] = []
    nextPageToken: str | None = None


_activities = reader(_Activities)


class _Heard(NamedTuple):
    at: datetime
    since: datetime
    events: Mapping[str, datetime]
    """Those worth reading, and when they happened."""
    whole: bool
    """All that there were: neither more than one page, nor refused."""


@dataclass(frozen=True, slots=True)
class Silenced:
    """The customers of whom it was said that their events cannot be had; one for a process, so that it is said once."""

    customers: set[object] = field(default_factory=set)


@dataclass(slots=True)
class Hints:
    """What is heard of one customer in one pass."""

    reports: Google
    """The Reports API, in the place of the Directory API."""
    read_every: timedelta
    silenced: Silenced
    _heard: _Heard | None = None

    def tell_of_nothing(self, began: int, known: Collection[str]) -> bool:
        """Whether a walk that began then, in seconds since 1970, is young enough, and nothing happened that is worth
        reading beyond the events that were known by then."""
        last = datetime.fromtimestamp(began, UTC)
        if self.reports.asker.world.clock() - last >= self.read_every:
            return False
        heard = self._listen(last - LATE)
        return heard.whole and heard.events.keys() <= set(known)

    def begin(self) -> tuple[int, tuple[str, ...]]:
        """When a walk that begins now began, and the events that are known by then and may be told again."""
        heard = self._listen(self.reports.asker.world.clock() - LATE)
        began = int(heard.at.timestamp())
        since = datetime.fromtimestamp(began, UTC) - LATE
        return began, tuple(sorted(key for key, at in heard.events.items() if at >= since))

    def _listen(self, since: datetime) -> _Heard:
        now = self.reports.asker.world.clock()
        if self._heard is None or self._heard.since > since or now - self._heard.at > _AT_ONCE:
            self._heard = self._ask(now, since)
        return self._heard

    def ask(self, since: datetime) -> _Activities:
        """The newest page of what happened since. Raises what asking Google raises."""
        query = {"startTime": since.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "maxResults": "1000", "fields": _FIELDS}
        if self.reports.customer != OWN:
            query["customerId"] = self.reports.customer
        return self.reports.ask(self.reports.request(_PATH, query), _activities, NAME)

    def _ask(self, now: datetime, since: datetime) -> _Heard:
        try:
            page = self.ask(since)
        except ConnectorError as problem:
            self._complain(problem)
            return _Heard(now, _EVER, {}, whole=False)
        self.silenced.customers.discard(self._customer)
        told = {item.id.key: item.id.time for item in page.items if any(e.name in WORTH_READING for e in item.events)}
        return _Heard(now, since, told, whole=not page.nextPageToken)

    @property
    def _customer(self) -> object:
        return (self.reports.signer.credential, self.reports.customer, self.reports.admin)

    def _complain(self, problem: ConnectorError) -> None:
        """Nothing fails for want of hints: a poll walks then, as it would without any."""
        if self._customer not in self.silenced.customers:
            self.silenced.customers.add(self._customer)
            remedy = f"; {problem.remedy}" if isinstance(problem, NeedsPerson) else ""
            whose = self.reports.admin or self.reports.customer
            log.warning("no hints for %s, so that every poll reads everybody: %s%s", whose, problem.problem, remedy)


def hints_beside(google: Google, reports: Root, read_every: timedelta, silenced: Silenced) -> Hints:
    """Hints for a customer, from the Reports API at this place."""
    signer = replace(google.signer, asker=replace(google.signer.asker, patience=PATIENCE))
    asker = replace(google.asker, patience=PATIENCE)
    return Hints(replace(google, root=reports, signer=signer, asker=asker), read_every, silenced)
