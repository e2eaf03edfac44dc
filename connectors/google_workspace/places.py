"""Where a walk over the users is. Google has no change feed, so that a cursor says no more than that one was complete.

A page token is good for three days, and its query has to be sent unchanged with it; so what that depends on is kept,
too.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from connectors.errors import CursorExpired
from connectors.google_workspace.wire import USER_FIELDS

LIVE, DELETED, WHOLE = "live", "deleted", "whole"
_VERSION = 1


class Place(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A place in a walk: first the list of live users, then that of deleted ones, then the end."""

    v: int
    root: str
    customer: str
    admin: str
    list: str
    fields: int = len(USER_FIELDS)
    token: str = ""
    tenant: str = ""
    """The id of the customer whom the users so far belong to."""
    met: bool = False
    """The administrator was among them."""
    began: int = 0
    """In seconds since 1970."""
    heard: tuple[str, ...] = ()
    """The hints that were known by then."""
    since: int = 0
    """When the list that is read began, where it is not the first one, in seconds since 1970."""
    domain: str = ""
    """The domain whose live users are read; empty for all of them."""
    domains: tuple[str, ...] = ()
    """Those to be read after it."""


def beginning(root: str, customer: str, admin: str | None, began: int, heard: tuple[str, ...] = ()) -> Place:
    """The place before the first page."""
    return Place(_VERSION, root, customer, admin or "", LIVE, began=began, heard=heard)


def split(place: Place, domains: Sequence[str]) -> Place:
    """The place before the first of several domains, which together have everybody. Raises CursorExpired where there is
    nothing to split."""
    if place.domain or len(domains) < 2:
        raise CursorExpired("the walk is too old for Google to go on with")
    return replace(place, token="", domains=tuple(domains))


def onward(place: Place, now: int) -> Place:
    """The place after a list of live users: the next domain's, or that of the deleted ones."""
    if not place.domains:
        return replace(place, list=DELETED, token="", since=now, domain="")
    return replace(place, token="", since=now, domain=place.domains[0], domains=place.domains[1:])


def over(place: Place) -> Place:
    """The place after the last page: when the walk began, and what was known by then."""
    return Place(place.v, place.root, place.customer, place.admin, WHOLE, began=place.began, heard=place.heard)


def kept(place: Place) -> str:
    """A place as the store keeps it."""
    return msgspec.json.encode(place).decode()


def read(text: str, like: Place) -> Place:
    """A place of this walk. Raises CursorExpired for any other, so that everybody is read again."""
    try:
        found = msgspec.json.decode(text, type=Place)
    except msgspec.DecodeError:
        raise CursorExpired("the cursor cannot be read") from None
    same = ("v", "root", "customer", "admin", "fields")
    if any(getattr(found, name) != getattr(like, name) for name in same):
        raise CursorExpired("the cursor is one of another walk")
    return found
