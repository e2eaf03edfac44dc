"""Walks a delta stream by its links, from a first request or a saved link to the link of the next round.

A round ends with a page that has a delta link, and with nothing else: an empty page with a next link is usual, a page
with neither link is a fault. A link that Graph no longer knows is asked once more, in case its answer was repeated
under way, and then the cursor is dead. No round goes in a circle.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import NamedTuple, NoReturn, Protocol, TypeVar

from connectors.ahead import Ask, ahead
from connectors.asking import Asker, Refused
from connectors.errors import CursorExpired, Transient
from connectors.http import Request
from connectors.microsoft365.cursors import Stream
from connectors.microsoft365.graph import Graph
from connectors.verdicts import Meaning

log = logging.getLogger(__name__)
_SAME_LINK = 2
"""A page may come again; a link that comes a third time would come for ever."""


class DeltaPage(Protocol):
    """A page of a round."""

    next_link: str | None
    delta_link: str | None


Some = TypeVar("Some", bound=DeltaPage)


class Step(NamedTuple):
    """The links that a page was left with; one of them is set."""

    following: str | None
    end: str | None


def walk(
    graph: Graph, stream: Stream, first: Request | str, read: Callable[[bytes], Some]
) -> Iterator[tuple[Some, Step]]:
    """Every page of a round with its link; the next one is asked for while its reader works on the last. `first` is the
    initial request, or the link to go on from.

    Raises CursorExpired where Graph no longer knows a link, NeedsPerson, or Transient where a page breaks the rules.
    """
    been: Counter[int] = Counter()
    anew = isinstance(first, Request)

    def asked(request: Request, known: _Known, asker: Asker = graph.asker) -> tuple[Some, Step]:
        page = _page(replace(graph, asker=asker), stream, request, read, known)
        return page, _step(stream, page)

    def then(last: tuple[Some, Step]) -> Ask[tuple[Some, Step]] | None:
        link = last[1].following
        if link is None:
            return None
        been[hash(link)] += 1
        if been[hash(link)] > _SAME_LINK:
            return partial(_circle, stream, not anew)
        return partial(asked, _link(link), _Known.RECEIVED)

    request = first if isinstance(first, Request) else _link(first)
    yield from ahead(graph.asker, asked(request, _Known.NOTHING if anew else _Known.SAVED), then, stream.name)


class _Known(Enum):
    """What a request is: one that knows no link, a link that was saved, or one received in this walk."""

    NOTHING = 1
    SAVED = 2
    RECEIVED = 3


def _page(graph: Graph, stream: Stream, request: Request, read: Callable[[bytes], Some], known: _Known) -> Some:
    try:
        return graph.ask(request, read, stream.name)
    except Refused as refused:
        if known is _Known.NOTHING:
            raise _unstarted(refused, stream) from None
        if refused.status not in (400, 404, 410):
            raise
        log.warning("%s knows a link of %s no longer: %s", stream.root.url, stream.name, refused.problem)
        if known is _Known.RECEIVED:
            return _page(graph, stream, request, read, _Known.SAVED)
        raise CursorExpired(f"the cursor is dead: {refused.problem}", feature=stream.name) from None


def _unstarted(refused: Refused, stream: Stream) -> Exception:
    """A round that cannot even begin: Graph asks for a new one during maintenance, anything else is our mistake."""
    if refused.meaning is Meaning.RESYNC:
        return Transient(refused.problem, feature=stream.name)
    return refused


def _step(stream: Stream, page: DeltaPage) -> Step:
    if page.next_link:
        return Step(stream.follow(page.next_link), None)
    if page.delta_link:
        return Step(None, stream.follow(page.delta_link))
    raise Transient(f"a page of {stream.name} ends without saying whether there are more", feature=stream.name)


def _circle(stream: Stream, resumed: bool, _: Asker) -> NoReturn:
    problem = f"the links of {stream.name} lead in a circle"
    raise CursorExpired(problem, feature=stream.name) if resumed else Transient(problem, feature=stream.name)


def _link(link: str) -> Request:
    return Request("GET", link, {"accept": "application/json"})
