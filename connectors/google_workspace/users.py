"""The accounts of a customer: all live users, then all who were deleted in the last 20 days. There is no delta.

A list can come back short, with status 200 and without any error. So the walk is not complete unless the administrator
that it is made for is in it; and whoever was known and is missing is looked up by the worker (D4, Z2). Nothing is
filtered on Google's side.

Google ends a walk that takes longer than an hour. Ours stops before, and goes on from its last token; where Google does
not, every domain is walked by itself, and has an hour of its own. Who is met twice counts once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from connectors.asking import Refused
from connectors.base import Page, Seen
from connectors.errors import CursorExpired, NeedsPerson, Transient
from connectors.google_workspace import OWN, places
from connectors.google_workspace.domains import domains
from connectors.google_workspace.faults import no_tenant
from connectors.google_workspace.google import Google
from connectors.google_workspace.hints import Hints
from connectors.google_workspace.places import DELETED, LIVE, Place
from connectors.google_workspace.wire import (
    DELETED_FIELDS,
    USER_FIELDS,
    UserPage,
    answers_to,
    reader,
    seen_of,
    user_page,
)
from connectors.verdicts import Meaning

NAME = "users"
LONGEST = timedelta(minutes=50)
"""Of a walk in one go; Google answers 503 after 60 minutes."""
_ONE_HOUR = 3_600
_LARGEST_PAGE = "500"
_deleted_page = reader(UserPage)


def pull(google: Google, cursor: str | None, resume: str | None, hints: Hints | None = None) -> Iterator[Page]:
    """Walk the accounts, as `Directory.pull` promises."""
    now = google.asker.world.clock()
    start = places.beginning(google.root.url, google.customer, google.admin, int(now.timestamp()))
    last = None if cursor is None else places.read(cursor, start)
    if resume is not None:
        start = places.read(resume, start)
    elif hints is not None:
        if last is not None and hints.tell_of_nothing(last.began, last.heard):
            return iter((Page(cursor=cursor, unread=True),))
        began, heard = hints.begin()
        start = replace(start, began=began, heard=heard)
    if start.list not in (LIVE, DELETED):
        raise CursorExpired("the cursor names no list")
    return _Walk(google, start).pages()


def reported(google: Google) -> str:
    """The id of the customer whose users are listed."""
    query = {"customer": google.customer, "maxResults": "1", "fields": "users(id,customerId)"}
    page = google.ask(google.request((NAME,), query), _deleted_page, NAME)
    told = next((user.customerId for user in page.users if user.customerId), None)
    if told is None and google.customer == OWN:
        raise Transient("the list of users is empty, although the administrator is a user")
    return told or google.customer


class _TooOld(CursorExpired):
    """Google goes on with a list no more."""


@dataclass
class _Walk:
    """A walk, and the place that it is at."""

    google: Google
    place: Place
    untold: str | None = None
    """The customer, once it is known and until a page has told it."""

    def pages(self) -> Iterator[Page]:
        until = self.google.asker.world.clock() + LONGEST
        self._learn(self.place.tenant or (self.google.customer if self.google.customer != OWN else ""))
        while self.place.list == LIVE:
            yield from self._living(until)
            if not self.place.domains:
                self._meets_the_administrator()
            self.place = places.onward(self.place, self._now())
        for page in self._listed({"showDeleted": "true"}, DELETED_FIELDS):
            yield self._gone(page)
            self._in_time(page, until)
        yield Page(cursor=places.kept(places.over(self.place)), full=True)

    def _living(self, until: datetime) -> Iterator[Page]:
        """All live users, or those of the domain that is next."""
        try:
            for page in self._listed({}, USER_FIELDS):
                yield self._seen(page)
                self._in_time(page, until)
        except _TooOld:
            self.place = places.split(self.place, () if self.place.domain else domains(self.google))

    def _listed(self, more: dict[str, str], fields: str) -> Iterator[UserPage]:
        whose = {"domain": self.place.domain} if self.place.domain else {"customer": self.google.customer}
        query = {**whose, "maxResults": _LARGEST_PAGE, **more, "fields": fields}
        read = _deleted_page if more else user_page
        try:
            yield from self.google.pages((NAME,), query, read, NAME, token=self.place.token)
        except Refused as refused:
            if refused.status == 400 and self.place.token:
                raise CursorExpired(f"the page token is dead: {refused.problem}") from None
            if refused.meaning is Meaning.GONE:
                raise no_tenant(refused, NAME) from None
            raise
        except Transient:
            if self.place.token and self._now() - (self.place.since or self.place.began) > _ONE_HOUR:
                raise _TooOld("the walk is too old for Google to go on with") from None
            raise

    def _now(self) -> int:
        return int(self.google.asker.world.clock().timestamp())

    def _seen(self, page: UserPage) -> Page:
        self._check(page)
        met = self.place.met or self._is_in(page)
        self.place = replace(self.place, token=page.nextPageToken or "", met=met)
        return self._page(seen_of(page.users))

    def _is_in(self, page: UserPage) -> bool:
        """Whether the administrator is in the page, by whichever of the addresses."""
        admin = (self.google.admin or "").strip().lower()
        return bool(admin) and any(answers_to(user, admin) for user in page.users)

    def _gone(self, page: UserPage) -> Page:
        self._check(page)
        self.place = replace(self.place, token=page.nextPageToken or "")
        return self._page([Seen(user.id, gone="deleted") for user in page.users])

    def _page(self, accounts: list[Seen]) -> Page:
        resume = places.kept(self.place) if self.place.token else None
        page = Page(accounts, resume=resume, full=True, tenant=self.untold)
        self.untold = None
        return page

    def _check(self, page: UserPage) -> None:
        """Every row is of one customer. Raises NeedsPerson for a row of another's (Z11)."""
        for user in page.users:
            if user.customerId and user.customerId != self.place.tenant:
                if self.place.tenant:
                    raise NeedsPerson(
                        f"Google lists users of customer {user.customerId}, but the directory is customer"
                        f" {self.place.tenant}",
                        remedy="check `customer`, `admin` and `credential` of the directory",
                    )
                self._learn(user.customerId)

    def _learn(self, tenant: str) -> None:
        if tenant:
            self.place, self.untold = replace(self.place, tenant=tenant), tenant

    def _meets_the_administrator(self) -> None:
        if self.google.admin is not None and not self.place.met:
            raise Transient(
                f"the list of users is not complete: {self.google.admin}, for whom it was made, is not in it"
            )

    def _in_time(self, page: UserPage, until: datetime) -> None:
        if page.nextPageToken and self.google.asker.world.clock() >= until:
            raise Transient(
                f"reading the users takes longer than {LONGEST // timedelta(minutes=1)} minutes; the next run goes on"
            )
