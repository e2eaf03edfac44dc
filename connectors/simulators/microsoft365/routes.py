"""What Graph answers at which path, with which permission, and what it costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import (
    faults,
    listing,
    mailboxes,
    membership,
    objects,
    organization,
    permissions,
)
from connectors.simulators.microsoft365.batch import batch
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.faults import BROKEN, REFUSED
from connectors.simulators.microsoft365.group_delta import groups_delta
from connectors.simulators.microsoft365.odata import Query
from connectors.simulators.microsoft365.user_delta import users_delta


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one path. `readers` is the set of permissions of which any one is enough; None asks for none."""

    method: str
    pattern: str
    answer: Callable[[Call], Body]
    readers: frozenset[str] | None
    units: int = 1
    """Resource units before the query's options are counted."""
    suffers: frozenset[str] = frozenset()
    """The kinds of fault that it can meet beyond those of every request."""
    exchange: bool = False
    """Exchange answers, not the directory, and words its refusals differently."""

    def cost(self, query: Query) -> int:
        """Resource units: less with `$select` and for small pages, more with `$expand`, never below 1."""
        top = query.get("$top")
        small = top.isdecimal() and int(top) < 20
        return max(1, self.units - ("$select" in query) + ("$expand" in query) - small)

    def can_meet(self, query: Query, *, in_batch: bool) -> frozenset[str]:
        """The kinds of fault that mean anything for a request."""
        possible = REFUSED | self.suffers if in_batch else REFUSED | BROKEN | self.suffers
        if query.token in ("", "latest"):
            return possible - faults.CURSOR - faults.BEGINNING
        return possible - faults.BEGINNING if query.get("$skiptoken") else possible


class Match(NamedTuple):
    """The endpoint of a request, what stands for `{id}` in its path, and the path as the endpoint spells it."""

    endpoint: Endpoint
    ids: tuple[str, ...]
    path: str


_LIST = faults.PAGE | faults.CURSOR
_DELTA = _LIST | faults.STREAM
_USERS_CAST, _GROUPS_CAST = "microsoft.graph.user", "microsoft.graph.group"


def _endpoints() -> Sequence[Endpoint]:
    users, groups = permissions.READ_USERS, permissions.READ_GROUPS
    bin_ = permissions.READ_DELETED_GROUPS
    return (
        Endpoint("POST", "/$batch", batch, None),
        Endpoint("GET", "/users/delta", users_delta, users, 1, _DELTA),
        Endpoint("GET", "/users/$count", listing.count_of(listing.USERS), users, 1, faults.COUNT),
        Endpoint("GET", "/users", listing.list_of(listing.USERS), users, 2, _LIST),
        Endpoint("GET", "/users/{id}", objects.user, users, 1),
        Endpoint(
            "GET", "/users/{id}/mailboxSettings", mailboxes.mailbox_settings, permissions.READ_MAILBOXES, exchange=True
        ),
        Endpoint(
            "GET",
            "/users/{id}/mailboxSettings/userPurpose",
            mailboxes.user_purpose,
            permissions.READ_MAILBOXES,
            exchange=True,
        ),
        Endpoint("GET", "/groups/delta", groups_delta, groups, 1, _DELTA),
        Endpoint("GET", "/groups/$count", listing.count_of(listing.GROUPS), groups, 1, faults.COUNT),
        Endpoint("GET", "/groups", listing.list_of(listing.GROUPS), groups, 2, _LIST),
        Endpoint("GET", "/groups/{id}", objects.group, groups, 1),
        *_of_members("members", membership.direct, groups, 3),
        *_of_members("transitiveMembers", membership.transitive, permissions.READ_CLOSURES, 5),
        Endpoint("GET", "/directory/deletedItems", listing.untyped_deleted_items, users),
        Endpoint(
            "GET", f"/directory/deletedItems/{_USERS_CAST}", listing.list_of(listing.DELETED_USERS), users, 1, _LIST
        ),
        Endpoint(
            "GET",
            f"/directory/deletedItems/{_USERS_CAST}/$count",
            listing.count_of(listing.DELETED_USERS),
            users,
            1,
            faults.COUNT,
        ),
        Endpoint(
            "GET", f"/directory/deletedItems/{_GROUPS_CAST}", listing.list_of(listing.DELETED_GROUPS), bin_, 1, _LIST
        ),
        Endpoint("GET", "/directory/deletedItems/{id}", listing.deleted_item, users, 1),
        Endpoint(
            "POST",
            "/directoryObjects/getByIds",
            objects.get_by_ids,
            permissions.READ_OBJECTS,
            3,
            frozenset({"empty_list", "duplicate"}),
        ),
        Endpoint("GET", "/organization", organization.organizations, permissions.READ_ORGANIZATION, 1),
        Endpoint("GET", "/organization/{id}", organization.organization, permissions.READ_ORGANIZATION, 1),
    )


def _of_members(name: str, among: membership.Among, readers: frozenset[str], units: int) -> Sequence[Endpoint]:
    path = f"/groups/{{id}}/{name}"
    listed, counted = membership.members(among), membership.count(among)
    return [
        endpoint
        for cast in ("", f"/{_USERS_CAST}", f"/{_GROUPS_CAST}")
        for endpoint in (
            Endpoint("GET", f"{path}{cast}", listed, readers, units, _LIST),
            Endpoint("GET", f"{path}{cast}/$count", counted, readers, units, faults.COUNT),
        )
    ]


ENDPOINTS = tuple(_endpoints())
_PATTERNS = [(endpoint, endpoint.pattern.strip("/").split("/")) for endpoint in ENDPOINTS]


def find(method: str, parts: Sequence[str]) -> Match | None:
    """The first endpoint whose path this is; paths are read without case, ids aside."""
    for endpoint, pattern in _PATTERNS:
        if endpoint.method == method and len(pattern) == len(parts) and _fits(pattern, parts):
            return _match(endpoint, pattern, parts)
    return None


def _fits(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    return all(wanted == "{id}" or wanted.lower() == part.lower() for wanted, part in zip(pattern, parts, strict=True))


def _match(endpoint: Endpoint, pattern: Sequence[str], parts: Sequence[str]) -> Match:
    ids = tuple(part for wanted, part in zip(pattern, parts, strict=True) if wanted == "{id}")
    spelled = [part if wanted == "{id}" else wanted for wanted, part in zip(pattern, parts, strict=True)]
    return Match(endpoint, ids, "/" + "/".join(spelled))
