"""Google's JSON as small structs, and users as `Seen`: a missing key is unknown or none, field by field.

Source: Google, "Directory API: users, groups, members, orgunits" (discovery document of directory_v1).
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from connectors.asking import Unreadable
from connectors.base import Seen
from connectors.verdicts import Dialect

Shape = TypeVar("Shape")

USER_FIELDS = (
    "nextPageToken,users(id,primaryEmail,name(givenName,familyName,fullName),suspended,archived,isGuestUser,"
    "orgUnitPath,aliases,nonEditableAliases,customerId,"
    "organizations(primary,name,title,department,costCenter,description))"
)
DELETED_FIELDS = "nextPageToken,users(id,customerId)"
GROUP_FIELDS = "id,name,email,directMembersCount"
GROUPS_FIELDS = "nextPageToken,groups(id,name,email,aliases,nonEditableAliases)"
MEMBER_FIELDS = "nextPageToken,members(id,type)"
UNIT_FIELDS = "organizationUnits(orgUnitId,orgUnitPath)"
DOMAIN_FIELDS = "domains(domainName,verified)"


class Following(msgspec.Struct, gc=False):
    """Of a page of any list the token of the next one."""

    nextPageToken: str | None = None


class Name(msgspec.Struct, gc=False):
    """A person's name; a part of it may be a zero-width space, for people who have only one."""

    givenName: str | None = None
    familyName: str | None = None
    fullName: str | None = None


class Organization(msgspec.Struct, gc=False):
    """A job. `description` is what the Admin console calls the type of employee."""

    primary: bool | None = None
    name: str | None = None
    title: str | None = None
    department: str | None = None
    costCenter: str | None = None
    description: str | None = None


NONE = msgspec.Raw(b"null")


class User(msgspec.Struct, gc=False):
    """A user of a list. Only the id is never missing; it has 21 digits and is text."""

    id: str
    primaryEmail: str | None = None
    name: Name | None = None
    suspended: bool | None = None
    archived: bool | None = None
    isGuestUser: bool | None = None
    orgUnitPath: str | None = None
    aliases: msgspec.Raw = NONE
    """Aliases are left as they came, which spares a fifth of the reading: only the administrator is looked for."""
    nonEditableAliases: msgspec.Raw = NONE
    customerId: str | None = None
    organizations: list[Organization] | None = None


class UserPage(msgspec.Struct):
    """A page of users. The last one may lack `users`, and has no token or an empty one."""

    users: list[User] = []
    nextPageToken: str | None = None


class Group(msgspec.Struct):
    """A group; its number of direct members is text."""

    id: str
    name: str | None = None
    email: str | None = None
    aliases: list[str] = []
    nonEditableAliases: list[str] = []
    directMembersCount: str | None = None


class GroupPage(msgspec.Struct):
    """A page of groups."""

    groups: list[Group] = []
    nextPageToken: str | None = None


class Member(msgspec.Struct, gc=False):
    """A direct member: a user, ours or another organization's, a group, or all users of the organization."""

    id: str
    type: str = ""


class MemberPage(msgspec.Struct):
    """A page of members."""

    members: list[Member] = []
    nextPageToken: str | None = None


class Unit(msgspec.Struct):
    """An organizational unit; users carry its path, which changes, and policies are bound to its id."""

    orgUnitId: str
    orgUnitPath: str


class Units(msgspec.Struct):
    """All organizational units at once."""

    organizationUnits: list[Unit] = []


class Domain(msgspec.Struct):
    """A domain of a customer's; in one that is not verified nobody has an address."""

    domainName: str
    verified: bool | None = None


class Domains(msgspec.Struct):
    """All domains at once."""

    domains: list[Domain] = []


class _ErrorItem(msgspec.Struct):
    reason: str = ""
    domain: str = ""

    @property
    def is_of_quota(self) -> bool:
        """Whether it is about how much is asked; a project's settings are of the same domain."""
        return self.domain == QUOTA and any(word in self.reason.lower() for word in ("limit", "quota"))


class _Error(msgspec.Struct):
    message: str = ""
    status: str = ""
    errors: list[_ErrorItem] = []
    details: list[_ErrorItem] = []


class _ErrorBody(msgspec.Struct):
    error: _Error


QUOTA = "usageLimits"
"""The domain of what is said of quotas; as a code our word for any reason of throttling."""
NO_TENANT = "domainNotFound"
"""Our word for a 404 that means the tenant and not the object: Google has one reason for both."""
_CODE = re.compile(r"[\w.-]{1,80}")
_error = msgspec.json.Decoder(_ErrorBody).decode


def codes(body: bytes) -> tuple[str, ...]:
    """The reasons in the body of an error; a front end may answer with plain text or HTML instead."""
    try:
        error = _error(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ("quotaExceeded",) if body[:200].lower().lstrip().startswith(b"quota exceeded") else ()
    found = [error.status, *(item.reason for item in (*error.errors, *error.details))]
    if any(item.is_of_quota for item in error.errors):
        found.append(QUOTA)
    if error.message.startswith("Domain not found"):
        found.append(NO_TENANT)
    return tuple(code for code in dict.fromkeys(found) if _CODE.fullmatch(code))


DIALECT = Dialect(
    codes,
    too_much=frozenset(
        {
            "usagelimits",
            "userratelimitexceeded",
            "ratelimitexceeded",
            "quotaexceeded",
            "rate_limit_exceeded",
            "resource_exhausted",
        }
    ),
)
"""Google throttles as 403, too, by three reasons, and others of the same domain."""


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
    users: list[msgspec.Raw] = []
    nextPageToken: str | None = None


class _Named(msgspec.Struct):
    id: str
    customerId: str | None = None


_strictly = reader(UserPage)
_loosely = reader(_Loose)
_user = reader(User)
_named = reader(_Named)
_aliases = msgspec.json.Decoder(list[str] | None).decode


def user_page(body: bytes) -> UserPage:
    """A page of users. A user that cannot be read is there all the same, and nothing is said of it (Z2)."""
    try:
        return _strictly(body)
    except Unreadable:
        page = _loosely(body)
        return UserPage([_readable(user) for user in page.users], page.nextPageToken)


def _readable(user: msgspec.Raw) -> User:
    try:
        return _user(bytes(user))
    except Unreadable:
        named = _named(bytes(user))
        return User(named.id, customerId=named.customerId)


def _listed(aliases: msgspec.Raw) -> Sequence[str]:
    try:
        return _aliases(aliases) or ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def answers_to(user: User, address: str) -> bool:
    """Whether an address, given in lower case, is one of a user's. Aliases are read only where they may have it, since
    this is asked of everybody until the one is found."""
    if (user.primaryEmail or "").strip().lower() == address:
        return True
    plain = address.encode()
    return any(
        (plain in raw.lower() or b"\\" in raw or not raw.isascii())
        and address in (alias.strip().lower() for alias in _listed(aliases))
        for aliases in (user.aliases, user.nonEditableAliases)
        if (raw := bytes(aliases)) != b"null"
    )


_NOWHERE = Organization()
_ZERO_WIDTH = "\u200b"
_new = tuple.__new__


def seen_of(users: Sequence[User]) -> list[Seen]:
    """Users as the rest of the product knows them. Of one without an address nothing is said but that it is there.

    Google has no shared mailboxes: what stands for one is the policy's to say (S6). Of whoever is new, and may be
    suspended for all that we are told, not even the kind is said, so that nothing is given before it is known (Z2).
    One expression a field, in the order of `Seen`, because this runs for each of a million.
    """
    seen, new, found = Seen, _new, list[Seen]()
    for user in users:
        address, jobs, name = user.primaryEmail, user.organizations, user.name
        if not address:
            found.append(Seen(user.id))
            continue
        job = _NOWHERE if not jobs else jobs[0] if len(jobs) == 1 else _primary(jobs)
        enabled = _enabled(user.suspended, user.archived)
        found.append(
            new(
                seen,
                (
                    user.id,
                    address.strip().lower(),
                    None if name is None else _name(name),
                    enabled,
                    bool(user.isGuestUser),
                    None if enabled is None else "user",
                    user.orgUnitPath,
                    job.department or "",
                    job.title or "",
                    job.name or "",
                    None,
                    None,
                    None,
                    None,
                    job.description or "",
                    job.costCenter or "",
                    None,
                ),
            )
        )
    return found


def _primary(jobs: Sequence[Organization]) -> Organization:
    return next((job for job in jobs if job.primary), jobs[0])


def _name(name: Name) -> str | None:
    whole = name.fullName or " ".join(part for part in (name.givenName, name.familyName) if part)
    return " ".join(whole.replace(_ZERO_WIDTH, " ").split()) or None


def _enabled(suspended: bool | None, archived: bool | None) -> bool | None:
    """Suspended and archived users cannot sign in (G7). One flag that is missing leaves it open, unless the other
    decides."""
    if suspended or archived:
        return False
    return True if suspended is False and archived is False else None
