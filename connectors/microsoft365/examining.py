"""Trying what a Microsoft 365 tenant grants: the sign-in, and one request of each kind that a pass makes."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from connectors.context import Context
from connectors.examining import BRIEF, GROUPS, MAILBOXES, SIGN_IN, TENANT, USERS, Finding, Needed, tried
from connectors.microsoft365 import Options, mailboxes, names, requests
from connectors.microsoft365.directory import Microsoft365, open_directory
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.tenants import reported
from connectors.microsoft365.wire import reader
from policies.model import AccountId

SAMPLE = 5
"""Users whose mailboxes are asked for."""
NO_GROUP = "seatkeeper doctor looks whether groups can be found"


class _Listed(msgspec.Struct):
    id: str


class _Users(msgspec.Struct):
    value: list[_Listed]


_users = reader(_Users)


def examine(options: Options, context: Context, needed: Needed) -> Iterator[Finding]:
    """Sign in; then ask for the tenant, some users, a group that is not there, and mailboxes of those users."""
    opened: list[Graph] = []
    yield (signed_in := tried(SIGN_IN, lambda: _signed_in(options, context, opened)))
    if not signed_in.ok:
        return
    [graph] = opened
    yield tried(TENANT, lambda: reported(graph))
    sample: list[AccountId] = []
    yield tried(USERS, lambda: _users_of(graph, sample))
    if needed.groups:
        yield tried(GROUPS, lambda: _groups_of(graph))
    if needed.mailboxes:
        yield tried(MAILBOXES, lambda: _mailboxes_of(graph, sample))


def _signed_in(options: Options, context: Context, opened: list[Graph]) -> str:
    directory = open_directory(options, context)
    assert isinstance(directory, Microsoft365)
    graph = replace(directory.graph, asker=replace(directory.graph.asker, patience=BRIEF))
    graph.tokens.sign(None)
    opened.append(graph)
    roles = graph.tokens.roles()
    return "" if roles is None else f"permissions: {', '.join(sorted(roles)) or 'none'}"


def _users_of(graph: Graph, sample: list[AccountId]) -> str:
    found = graph.ask(requests.some_users(graph.root.url, SAMPLE), _users, USERS).value
    sample += [AccountId(user.id) for user in found]
    return "" if found else "there is nobody"


def _groups_of(graph: Graph) -> str:
    list(names.find_groups(graph, [NO_GROUP]))
    return ""


def _mailboxes_of(graph: Graph, sample: list[AccountId]) -> str:
    told = list(mailboxes.mailboxes(graph, sample))
    return f"kinds of {sum(answer.mailbox != 'unknown' for answer in told)} of {len(sample)} users' mailboxes told"
