"""The accounts of a tenant, by `users/delta`: everybody once, then whoever changed."""

from collections.abc import Iterator

from connectors.base import Page
from connectors.microsoft365 import requests, rounds
from connectors.microsoft365.cursors import Stream
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.tenants import reported
from connectors.microsoft365.wire import USER_SELECT, seen_of, user_page

NAME = "users"


def stream(graph: Graph) -> Stream:
    """The stream of a tenant's users."""
    return Stream(NAME, USER_SELECT, graph.root, graph.tokens.purpose.tenant)


def pull(graph: Graph, cursor: str | None, resume: str | None) -> Iterator[Page]:
    """Walk the accounts, as `Directory.pull` promises.

    `resume` is a page's own cursor with the link that came after it, so that a walk over everybody is still known as
    one when it is taken up again.
    """
    users = stream(graph)
    place = resume or cursor
    kept = users.read(place) if place else None
    full = kept.full if kept else True
    first = kept.link if kept else requests.users_delta(graph.root.url)
    tenant = reported(graph) if full else graph.tokens.tenant()
    for page, step in rounds.walk(graph, users, first, user_page):
        yield Page(
            accounts=seen_of(page.value, full=full),
            resume=users.cursor(link=step.following, full=full) if step.following else None,
            cursor=users.cursor(link=step.end) if step.end else None,
            full=full,
            tenant=tenant,
        )
        tenant = None
