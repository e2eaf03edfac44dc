"""The vocabulary: frozen values that every package speaks in, with the words of the domain.

Values that exist once per account are named tuples, because a directory may have a million of them and the
planner reads them a chunk at a time; everything else is a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, NewType

CompanyId = NewType("CompanyId", str)
DirectoryId = NewType("DirectoryId", str)
AccountId = NewType("AccountId", str)
"""The directory's immutable id of an account: never its name, never its address."""
AccountKey = NewType("AccountKey", int)
"""The store's own number for an account, in the order in which accounts were first seen."""
GroupRef = NewType("GroupRef", str)
"""A group as a policy file writes it: immutable id, address or display name (G3)."""
LotId = NewType("LotId", str)
PlanHash = NewType("PlanHash", str)


class License(StrEnum):
    """The two separate stocks (L1): daily backups run, or existing backups are kept."""

    STANDARD = "standard"
    ARCHIVED = "archived"


class Kind(StrEnum):
    """What an account is; only `user` and `shared_mailbox` are protected by rules."""

    USER = "user"
    SHARED_MAILBOX = "shared_mailbox"
    ROOM = "room"
    GUEST = "guest"
    RESOURCE = "resource"
    UNKNOWN = "unknown"


class State(StrEnum):
    """How the directory has the account: `deleted` can still be restored there, `purged` is gone for good."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"
    PURGED = "purged"
    UNKNOWN = "unknown"


class Through(StrEnum):
    """What a license rests on: a seat of a lot, or the entitlement that purchased seats bring (S1)."""

    SEAT = "seat"
    ENTITLEMENT = "entitlement"


class WaitReason(StrEnum):
    """Why an account that should hold a license has none."""

    INSUFFICIENT_LICENSES = "insufficient_licenses"
    RULE_LIMIT = "rule_limit"
    COMPANY_LIMIT = "company_limit"
    ENTITLEMENT = "entitlement"
    APPROVAL = "approval"
    HELD = "held"
    KIND_UNKNOWN = "kind_unknown"
    RULE_SUSPENDED = "rule_suspended"


class ActionKind(StrEnum):
    """One change to one account, as scripts read it in `sync --json`."""

    ASSIGN = "assign"
    ARCHIVE = "archive"
    RELEASE = "release"
    RESTORE = "restore"
    MOVE = "move"
    EXCHANGE = "exchange"
    BUY = "buy"
    WAIT = "wait"


class Limited(StrEnum):
    """The kinds of change that a safety limit counts (Z1)."""

    ARCHIVE = "archive"
    RELEASE = "release"
    UNASSIGN = "unassign"
    PURGE = "purge"
    PURCHASE = "purchase"


class Source:
    """Where a license came from, beside `rule:<name>`."""

    MANUAL = "manual"
    PINNED = "pinned"
    IMPORTED = "imported"
    DELETED_USER = "deleted_user"
    ON_LEAVE = "on_leave"
    ON_DISABLE = "on_disable"
    EXCHANGE = "exchange"

    @staticmethod
    def rule(name: str) -> str:
        return f"rule:{name}"

    @staticmethod
    def rule_name(source: str | None) -> str | None:
        """The rule that gave a license, or None where no rule did."""
        return source[5:] if source is not None and source.startswith("rule:") else None


ATTRIBUTES = (
    "department",
    "job_title",
    "company",
    "office",
    "city",
    "state",
    "country",
    "employee_type",
    "cost_center",
)
"""The attributes that rules may select by, in the order in which an `Account` carries them."""


class Account(NamedTuple):
    """One thing in a directory, as the mirror has it. Text that the directory does not have is ''."""

    key: AccountKey
    id: AccountId
    address: str
    name: str
    kind: str
    state: str
    org_unit: str
    attributes: tuple[str, ...]
    """In the order of ATTRIBUTES."""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


Memberships = Mapping[AccountKey, frozenset[GroupRef]]
"""The groups of the policy that each account is in, nested membership counted. An account in none is absent."""

EVERYBODY = "*"
"""The member of a group that stands for all users of the organization."""

NO_GROUPS: frozenset[GroupRef] = frozenset()


class Holding(NamedTuple):
    """What an account holds now, and what is under way for it; every field may be empty."""

    license: str | None = None
    through: str | None = None
    lot: str | None = None
    source: str | None = None
    because: str | None = None
    waiting_for: str | None = None
    waiting_since: int | None = None
    """Microseconds since 1970, as the store keeps time."""
    waiting_reason: str | None = None
    grace: str | None = None
    """`on_leave` or `on_disable` while a grace runs (G4, G7)."""
    grace_started: int | None = None
    grace_due: int | None = None
    """When a pass will look at it, as far as the store knows."""
    archived_as_deleted: bool = False
    """A person decided about the account, and the directory's deletion then archived it (D1, L8)."""


NOTHING = Holding()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a policy file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Because:
    """The reason a person is told: which rule, what about the account, and where the file says so."""

    rule: str
    text: str
    mark: Mark | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Leave:
    """What happens to a license when its reason is gone, and after which grace (G4)."""

    then: str = "keep"
    """keep, release or archive."""
    after: timedelta = timedelta(0)


KEEP = Leave()


@dataclass(frozen=True, slots=True)
class Limit:
    """A safety limit: more than either holds the kind whole (Z1)."""

    most: int
    share: float | None = None
    """Of 1; None where a kind is limited by number only."""


@dataclass(frozen=True, slots=True)
class Safety:
    """The limits in force; they can be raised, never switched off (Z1)."""

    archive: Limit = Limit(50, 0.05)
    release: Limit = Limit(50, 0.05)
    unassign: Limit = Limit(50, 0.05)
    purge: Limit = Limit(50, 0.05)
    purchase: Limit = Limit(50)

    def of(self, kind: Limited) -> Limit:
        limit: Limit = getattr(self, kind.value)
        return limit


class Sighting(NamedTuple):
    """What a look-up by id said (D4): `found`, `deleted` (restorable), `gone`, or `unknown`."""

    id: AccountId
    seen: str


FOUND, DELETED, GONE, UNKNOWN = "found", "deleted", "gone", "unknown"
