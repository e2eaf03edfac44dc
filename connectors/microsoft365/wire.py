"""Graph's JSON as small structs that tell absent from null, and users as `Seen`.

Every entry is a patch: what is absent is not said, what is null is not set. Nothing is checked here that a decoder of
this shape does not check by itself; `reader` turns what does not fit into a reason to ask again.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from connectors.asking import Unreadable
from connectors.base import Seen
from connectors.verdicts import Dialect

Maybe = str | UnsetType | None
Shape = TypeVar("Shape")

USER_SELECT = (
    "id",
    "userPrincipalName",
    "displayName",
    "mail",
    "accountEnabled",
    "userType",
    "department",
    "jobTitle",
    "companyName",
    "officeLocation",
    "city",
    "state",
    "country",
    "employeeType",
    "employeeOrgData",
    "proxyAddresses",
    "assignedLicenses",
)
"""The last two are not read: a change to them brings the user into a round, and with it the mailbox is asked again."""


class Removed(msgspec.Struct, gc=False):
    """Why an entry is gone: `changed` is restorable, `deleted` is gone for good."""

    reason: str = ""


class OrgData(msgspec.Struct, gc=False):
    """The part of `employeeOrgData` that rules can select by."""

    costCenter: str | None = None


class User(msgspec.Struct, gc=False):
    """A user of a delta round."""

    id: str
    userPrincipalName: Maybe = UNSET
    displayName: Maybe = UNSET
    mail: Maybe = UNSET
    accountEnabled: bool | UnsetType | None = UNSET
    userType: Maybe = UNSET
    department: Maybe = UNSET
    jobTitle: Maybe = UNSET
    companyName: Maybe = UNSET
    officeLocation: Maybe = UNSET
    city: Maybe = UNSET
    state: Maybe = UNSET
    country: Maybe = UNSET
    employeeType: Maybe = UNSET
    employeeOrgData: OrgData | UnsetType | None = UNSET
    removed: Removed | UnsetType = msgspec.field(name="@removed", default=UNSET)


class Member(msgspec.Struct, gc=False):
    """A member of a group, or one that ceased to be."""

    id: str
    type: str = msgspec.field(name="@odata.type", default="")
    removed: Removed | None = msgspec.field(name="@removed", default=None)


class Group(msgspec.Struct, gc=False):
    """A group, with those of its members that this page tells."""

    id: str
    displayName: Maybe = UNSET
    mail: Maybe = UNSET
    members: list[Member] = msgspec.field(name="members@delta", default_factory=list)
    removed: Removed | None = msgspec.field(name="@removed", default=None)


class UserPage(msgspec.Struct):
    """A page of users/delta. A page without `value` is none."""

    value: list[User]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


class GroupDeltaPage(msgspec.Struct):
    """A page of groups/delta."""

    value: list[Group]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


class MemberPage(msgspec.Struct):
    """A page of a list of directory objects; the last one has no link."""

    value: list[Member]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class GroupList(msgspec.Struct):
    """A page of the groups that a filter found."""

    value: list[Group]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class Purpose(msgspec.Struct):
    """What a mailbox is for. The documentation writes it as text here and as an object there, so both are taken."""

    value: str | None = None
    userPurpose: "str | Purpose | None" = None

    def word(self) -> str | None:
        inner = self.userPurpose
        return self.value or (inner.word() if isinstance(inner, Purpose) else inner)


_CODE = re.compile(r"[\w.-]{1,80}")


def codes(body: bytes) -> tuple[str, ...]:
    """The error codes of a body, the most specific one last; none where it is HTML, empty or cut."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()
    found: list[str] = []
    error = said.get("error") if isinstance(said, dict) else None
    while isinstance(error, dict):
        code = error.get("code")
        if isinstance(code, str) and _CODE.fullmatch(code):
            found.append(code)
        error = error.get("innerError", error.get("innererror"))
    return tuple(found)


DIALECT = Dialect(
    codes,
    dead_cursor=frozenset(
        {
            "syncstatenotfound",
            "resyncrequired",
            "resyncchangesapplydifferences",
            "resyncchangesuploaddifferences",
        }
    ),
)


def reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Reads a body of this shape. One that is cut short, or lacks what the shape needs, is Unreadable."""
    decode = msgspec.json.Decoder(shape).decode

    def read(body: bytes) -> Shape:
        try:
            return decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unreadable("the answer is incomplete, or is not what was asked for") from None

    return read


class _Loose(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


class _Named(msgspec.Struct):
    id: str


_strictly = reader(UserPage)
_loosely = reader(_Loose)
_user = reader(User)
_named = reader(_Named)


def user_page(body: bytes) -> UserPage:
    """A page of users. A user that cannot be read is there all the same, and nothing is said of it (Z2)."""
    try:
        return _strictly(body)
    except Unreadable:
        page = _loosely(body)
        return UserPage([_readable(user) for user in page.value], page.next_link, page.delta_link)


def _readable(user: msgspec.Raw) -> User:
    try:
        return _user(bytes(user))
    except Unreadable:
        return User(_named(bytes(user)).id)


def gone(removed: Removed) -> str:
    """`deleted` or `purged`. A reason we do not know is taken for the one that can be undone."""
    return "purged" if removed.reason == "deleted" else "deleted"


def said(text: Maybe) -> str | None:
    """A text as our values have it: None where it is not said, '' where there is none."""
    return None if isinstance(text, UnsetType) else text or ""


_SAID: dict[object, str | None] = {UNSET: None, None: "", "": ""}
_new = tuple.__new__


def seen_of(users: Sequence[User], *, full: bool) -> list[Seen]:
    """Users as the rest of the product knows them.

    The address is the sign-in name: a user always has one, so that a patch never leaves it half known, as it would
    with `mail`, which comes and goes. A user without `mail` has no mailbox; only a whole entry of a full walk can say
    so, since a patch leaves out what did not change. One expression a field, because this runs for each of a million.
    """
    say, unset, seen, new = _SAID, UNSET, Seen, _new
    found: list[Seen] = []
    add = found.append
    for user in users:
        if user.removed is not unset:
            add(Seen(user.id, gone=gone(user.removed)))
            continue
        enabled, kind, org, upn = user.accountEnabled, user.userType, user.employeeOrgData, user.userPrincipalName
        whole = full and upn is not unset and enabled is not unset
        add(
            new(
                seen,
                (
                    user.id,
                    upn.lower() if upn else say[upn],
                    user.displayName or say[user.displayName],
                    None if enabled is unset else enabled,
                    None if kind is unset else kind == "Guest",
                    "none" if whole and not user.mail else None,
                    None,
                    user.department or say[user.department],
                    user.jobTitle or say[user.jobTitle],
                    user.companyName or say[user.companyName],
                    user.officeLocation or say[user.officeLocation],
                    user.city or say[user.city],
                    user.state or say[user.state],
                    user.country or say[user.country],
                    user.employeeType or say[user.employeeType],
                    (org.costCenter or "") if org else say[org],
                    None,
                ),
            )
        )
    return found
