"""The paths that the APIs answer at: what answers there, under which scopes, and what can go wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connectors.simulators.bodies import Body
from connectors.simulators.breaking import BROKEN
from connectors.simulators.google_workspace import (
    channels,
    faults,
    group_lists,
    member_lists,
    organization,
    reports,
    schema,
    user_lists,
)
from connectors.simulators.google_workspace.call import Call
from connectors.simulators.google_workspace.customer import SCOPE
from connectors.simulators.google_workspace.schema import Fields


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one path. Any one of `scopes` is enough."""

    method: str
    pattern: str
    answer: Callable[[Call], Body]
    area: str
    """The privilege that an administrator needs for it."""
    scopes: frozenset[str]
    fields: Fields
    parameters: frozenset[str] = frozenset()
    """What it understands in the query beyond what every request may say."""
    suffers: frozenset[str] = frozenset()
    """The kinds of fault that it can meet beyond those of every request."""
    id: str = ""
    """What Google calls it: `directory.users.list`."""

    @property
    def api(self) -> str:
        """`directory` or `reports`."""
        return self.id.partition(".")[0]

    def can_meet(self, query: Mapping[str, str]) -> frozenset[str]:
        """The kinds of fault that mean anything for a request."""
        possible = faults.REFUSED | BROKEN | self.suffers
        if self.pattern == "/users":
            deleted = query.get("showDeleted", "").lower() == "true"
            possible = possible | (faults.DELETED if deleted else faults.USERS)
        return possible if query.get("pageToken") else possible - {"invalid"}


class Match(NamedTuple):
    """The endpoint of a request, and what stands in its path."""

    endpoint: Endpoint
    names: Mapping[str, str]
    path: str
    """Without what comes before the resource; that of the list of deleted users says so."""


def _scopes(*names: str) -> frozenset[str]:
    """A scope for reading is part of the one for writing."""
    read = {f"{SCOPE}{name}.readonly" for name in names}
    return frozenset(read | {f"{SCOPE}{name}" for name in names})


_USERS = _scopes("admin.directory.user")
_GROUPS = _scopes("admin.directory.group")
_MEMBERS = _scopes("admin.directory.group", "admin.directory.group.member")
_UNITS = _scopes("admin.directory.orgunit")
_DOMAINS = _scopes("admin.directory.domain")
_CUSTOMERS = _scopes("admin.directory.customer")
_REPORTS = frozenset({f"{SCOPE}admin.reports.audit.readonly"})
_PAGED = frozenset({"maxResults", "pageToken"})
_SORTED = _PAGED | {"customer", "domain", "orderBy", "query", "sortOrder"}
_VIEW = frozenset({"customFieldMask", "projection", "viewType"})
_AT_ONCE = frozenset({"empty_list", "lost_rows"})
EVERY_REQUEST = frozenset({
    "$.xgafv", "access_token", "alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "upload_protocol",
    "uploadType",
})  # fmt: skip

ENDPOINTS = (
    Endpoint(
        "GET", "/users", user_lists.users, "users", _USERS | {f"{SCOPE}cloud-platform"}, schema.USERS,
        _SORTED | _VIEW | {"event", "showDeleted"}, faults.LIST, "directory.users.list",
    ),
    Endpoint(
        "POST", "/users/watch", channels.watch, "users", _USERS, schema.CHANNEL, frozenset({"customer", "event"}),
        id="directory.users.watch",
    ),
    Endpoint("POST", "/channels/stop", channels.stop, "users", _USERS, schema.CHANNEL, id="admin.channels.stop"),
    Endpoint(
        "GET", "/users/{userKey}", user_lists.user, "users", _USERS, schema.USER, _VIEW, id="directory.users.get"
    ),
    Endpoint(
        "GET", "/groups", group_lists.groups, "groups", _GROUPS, schema.GROUPS, _SORTED | {"userKey"},
        faults.LIST | faults.COUNT, "directory.groups.list",
    ),
    Endpoint(
        "GET", "/groups/{groupKey}", group_lists.group, "groups", _GROUPS, schema.GROUP, suffers=faults.COUNT,
        id="directory.groups.get",
    ),
    Endpoint(
        "GET", "/groups/{groupKey}/members", member_lists.members, "groups", _MEMBERS, schema.MEMBERS,
        _PAGED | {"includeDerivedMembership", "roles"}, faults.LIST | faults.MEMBERS, "directory.members.list",
    ),
    Endpoint(
        "GET", "/groups/{groupKey}/members/{memberKey}", member_lists.member, "groups", _MEMBERS, schema.MEMBER,
        id="directory.members.get",
    ),
    Endpoint(
        "GET", "/groups/{groupKey}/hasMember/{memberKey}", member_lists.has_member, "groups", _MEMBERS,
        schema.HAS_MEMBER, id="directory.members.hasMember",
    ),
    Endpoint(
        "GET", "/customer/{customerId}/orgunits", organization.units, "org_units", _UNITS, schema.UNITS,
        frozenset({"orgUnitPath", "type"}), _AT_ONCE, "directory.orgunits.list",
    ),
    Endpoint(
        "GET", "/customer/{customerId}/orgunits/{+orgUnitPath}", organization.unit, "org_units", _UNITS, schema.UNIT,
        id="directory.orgunits.get",
    ),
    Endpoint(
        "GET", "/customer/{customer}/domains", organization.domains, "domains", _DOMAINS, schema.DOMAINS,
        suffers=_AT_ONCE, id="directory.domains.list",
    ),
    Endpoint(
        "GET", "/customer/{customer}/domains/{domainName}", organization.domain, "domains", _DOMAINS, schema.DOMAIN,
        id="directory.domains.get",
    ),
    Endpoint(
        "GET", "/customers/{customerKey}", organization.customer, "customer", _CUSTOMERS, schema.CUSTOMER,
        id="directory.customers.get",
    ),
    Endpoint(
        "GET", "/activity/users/{userKey}/applications/{applicationName}", reports.activities, "reports", _REPORTS,
        schema.ACTIVITIES, _PAGED | {"customerId", "endTime", "eventName", "filters", "startTime"}, faults.LIST,
        "reports.activities.list",
    ),
)  # fmt: skip
_PATTERNS = [(endpoint, endpoint.pattern.strip("/").split("/")) for endpoint in ENDPOINTS]


def find(method: str, api: str, parts: Sequence[str], query: Mapping[str, str]) -> Match | None:
    """The endpoint of an API whose path this is, without what comes before the resource."""
    for endpoint, pattern in _PATTERNS:
        if (endpoint.method, endpoint.api) == (method, api) and (names := _names(pattern, parts)) is not None:
            path = "/" + "/".join(parts)
            deleted = endpoint.pattern == "/users" and query.get("showDeleted", "").lower() == "true"
            return Match(endpoint, names, f"{path}?showDeleted=true" if deleted else path)
    return None


def _names(pattern: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    """What stands for the names of a pattern; None where a path is another one."""
    names: dict[str, str] = {}
    for at, wanted in enumerate(pattern):
        if wanted.startswith("{+") and at < len(parts):
            return {**names, wanted[2:-1]: "/".join(parts[at:])}
        if at >= len(parts) or (not wanted.startswith("{") and wanted != parts[at]):
            return None
        if wanted.startswith("{"):
            names[wanted[1:-1]] = parts[at]
    return names if len(parts) == len(pattern) else None
