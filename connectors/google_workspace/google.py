"""Asks the Directory API for one customer: signed, in step, patiently, and with what a refusal means for a person."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, NoReturn, TypeVar
from urllib.parse import quote, urlencode

from connectors.ahead import Ask, ahead
from connectors.asking import Asker, Refused, Unreadable
from connectors.errors import Transient
from connectors.google_workspace.access import Signer
from connectors.google_workspace.faults import refused_by_api
from connectors.google_workspace.pace import Pace
from connectors.google_workspace.wire import Following, reader
from connectors.http import Request, product
from connectors.links import Root
from connectors.verdicts import Patience

Read = TypeVar("Read")

PATIENCE = Patience(attempts=8, longest=64.0)
"""Quotas are per minute: all pauses together are longer than one, however chance has it."""
MOST_PAGES = 20_000
_following = reader(Following)
_HEADERS = {"accept": "application/json", "user-agent": f"{product()} (gzip)"}
"""Google compresses only for those whose name has `gzip` in it (Google, "Directory API: performance")."""


class _Came(NamedTuple):
    """A page of a list as it came."""

    body: bytes
    token: str
    """With which it was asked for."""
    following: str | None
    """With which the next one is; without one, or with an empty one, this is the last."""


@dataclass(frozen=True, slots=True)
class Google:
    """The Directory API as one customer shows it to us."""

    root: Root
    """With the version: `https://admin.googleapis.com/admin/directory/v1`."""
    customer: str
    """`my_customer`, or a customer id."""
    signer: Signer
    asker: Asker
    paces: tuple[Pace, ...]

    @property
    def admin(self) -> str | None:
        """The administrator that the service account acts as."""
        return self.signer.admin

    def request(self, path: tuple[str, ...], query: Mapping[str, str]) -> Request:
        """A request for what is at a path below the root."""
        place = "/".join(quote(part, safe="") for part in path)
        return Request("GET", f"{self.root.url}/{place}?{urlencode({**query, 'prettyPrint': 'false'})}", _HEADERS)

    def ask(self, request: Request, read: Callable[[bytes], Read], feature: str, *, of_one: bool = False) -> Read:
        """What `read` makes of the answer.

        Raises NeedsPerson where the customer or Google denies the feature, Refused for any other final answer, and
        Transient where it is worth another try later. With `of_one` a denial concerns one object, and is Refused too.
        """
        try:
            return self.asker.ask(request, lambda again: self._in_step(feature, again), read, feature=feature)
        except Refused as refused:
            if of_one and "forbidden" in refused.codes:
                raise
            raise refused_by_api(refused, self.signer.caller(), feature) from None

    def _in_step(self, feature: str, challenge: str | None) -> Mapping[str, str]:
        """Sign a request when its turn has come; each attempt takes one."""
        for pace in self.paces:
            self.asker.world.wait(pace.take(self.asker.world.clock()), feature=feature)
        return self.signer.sign(feature, challenge)

    def pages(
        self,
        path: tuple[str, ...],
        query: Mapping[str, str],
        read: Callable[[bytes], Read],
        feature: str,
        *,
        token: str = "",
        of_one: bool = False,
    ) -> Iterator[Read]:
        """Every page of a list, from a token on; the next one is asked for while its reader works on the last. Raises
        Transient where its tokens lead in a circle."""
        been, first = {token}, self.request(path, query)

        def asked(token: str, asker: Asker = self.asker) -> _Came:
            return replace(self, asker=asker).ask(request(token), partial(_came, token), feature, of_one=of_one)

        def request(token: str) -> Request:
            return first._replace(url=f"{first.url}&pageToken={quote(token, safe='')}") if token else first

        def then(came: _Came) -> Ask[_Came] | None:
            if not came.following:
                return None
            if came.following in been or len(been) == MOST_PAGES:
                return partial(_circle, feature)
            been.add(came.following)
            return partial(asked, came.following)

        for came in ahead(self.asker, asked(token), then, feature):
            try:
                page = read(came.body)
            except (Unreadable, RecursionError):
                page, following = self.ask(
                    request(came.token),
                    lambda body: (read(body), _following(body).nextPageToken),
                    feature,
                    of_one=of_one,
                )
                if bool(following) != bool(came.following):  # the walk has gone on by now, or ended
                    raise Transient(f"a page of the list of {feature} goes on otherwise, asked for again") from None
            yield page


def _came(token: str, body: bytes) -> _Came:
    """The next page is asked for by what is read here; the page is read while that is under way."""
    return _Came(body, token, _following(body).nextPageToken)


def _circle(feature: str, _: Asker) -> NoReturn:
    raise Transient(f"the pages of the list of {feature} lead in a circle", feature=feature)
