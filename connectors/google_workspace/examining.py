"""Trying what a Google Workspace customer grants: the sign-in, and one request of each kind that a pass makes.

Each feature has a token of its own, so a scope that is not delegated is found and named by itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

import msgspec

from connectors.context import Context
from connectors.errors import NeedsPerson, Transient
from connectors.examining import (
    BRIEF,
    EVENTS,
    GROUPS,
    SIGN_IN,
    TENANT,
    UNITS,
    USERS,
    Finding,
    Needed,
    examine_pushes,
    tried,
)
from connectors.google_workspace import Options, hints, names, units, users
from connectors.google_workspace.directory import GoogleWorkspace, open_directory
from connectors.google_workspace.google import Google
from connectors.google_workspace.wire import reader


class _Listed(msgspec.Struct):
    """The first page of a list of which nothing but its coming is of interest."""


class _Administrator(msgspec.Struct):
    customerId: str | None = None


_listed = reader(_Listed)
_administrator = reader(_Administrator)


def examine(options: Options, context: Context, needed: Needed) -> Iterator[Finding]:
    """Try what the customer grants, and the address for pushes where the directory's entry has one."""
    yield from _granted(options, context, needed)
    if options.push is not None:
        yield examine_pushes(options.push, context)


def _granted(options: Options, context: Context, needed: Needed) -> Iterator[Finding]:
    """Sign in; then ask for users, which tell the customer, for groups and units where the policy has any, and for
    audit events where the directory's entry goes by them."""
    opened: list[GoogleWorkspace] = []
    yield (signed_in := tried(SIGN_IN, lambda: _signed_in(options, context, opened)))
    if not signed_in.ok:
        return
    [directory] = opened
    google = directory.google
    yield (listed := tried(USERS, lambda: _users(google)))
    if listed.ok:
        yield tried(TENANT, lambda: _customer(google))
    if needed.groups:
        yield tried(GROUPS, lambda: _groups(google))
    if needed.org_units:
        yield tried(UNITS, lambda: f"{sum(1 for _ in units.org_units(google))} beside the root")
    if directory.hints is not None:
        yield tried(EVENTS, partial(_events, directory.hints))


def _signed_in(options: Options, context: Context, opened: list[GoogleWorkspace]) -> str:
    directory = open_directory(options, context)
    assert isinstance(directory, GoogleWorkspace)
    google = directory.google
    signer = replace(google.signer, asker=replace(google.signer.asker, patience=BRIEF))
    google = replace(google, signer=signer, asker=replace(google.asker, patience=BRIEF))
    signer.sign(users.NAME, None)
    opened.append(replace(directory, google=google))
    caller = signer.caller()
    return caller.account if caller.admin is None else f"{caller.account} acts as {caller.admin}"


def _customer(google: Google) -> str:
    """The id of the customer, whose user the administrator has to be: every walk looks for it there."""
    told = users.reported(google)
    if google.admin is not None:
        asked = google.request((users.NAME, google.admin), {"fields": "customerId"})
        home = google.ask(asked, _administrator, users.NAME).customerId
        if home not in (None, told):
            raise NeedsPerson(
                f"{google.admin} is a user of customer {home}, and the directory is customer {told}",
                remedy="name an administrator of the customer itself as `admin`, or correct `customer`",
            )
    return told


def _users(google: Google) -> str:
    """The first page, as a pass asks for it: a list without anybody cannot be, since the administrator is a user."""
    found = sum(len(page.accounts) for page in islice(users.pull(google, None, None), 1))
    if not found:
        raise Transient("the list of users is empty")
    return ""


def _groups(google: Google) -> str:
    query = {"customer": google.customer, "maxResults": "1", "fields": "groups(id)"}
    google.ask(google.request((names.NAME,), query), _listed, names.NAME)
    return ""


def _events(heard: hints.Hints) -> str:
    heard.ask(heard.reports.asker.world.clock() - hints.LATE)
    return ""
