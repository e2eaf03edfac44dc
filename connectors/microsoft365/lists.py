"""Reads a plain list of Graph's to its end; it has no cursor and no delta, only a link to its next page."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from connectors.errors import Transient
from connectors.http import Request
from connectors.links import pinned
from connectors.microsoft365.graph import Graph


class ListPage(Protocol):
    """A page of a list; without a link it is the last."""

    next_link: str | None


Some = TypeVar("Some", bound=ListPage)


def pages(graph: Graph, request: Request, read: Callable[[bytes], Some], feature: str) -> Iterator[Some]:
    """Every page. Raises what `Graph.ask` raises, Permanent for a link to another host, Transient for a circle."""
    been: set[str] = set()
    while True:
        page = graph.ask(request, read, feature)
        yield page
        if page.next_link is None:
            return
        if page.next_link in been:
            raise Transient(f"the links of a list of {feature} lead in a circle", feature=feature)
        been.add(page.next_link)
        request = Request("GET", pinned(page.next_link, graph.root), request.headers)
