"""The shape of a company's policy file: the fields of these values are its schema.

The reader, the JSON Schema for editors and the documentation read the fields' types, defaults and keys. What a file
does not say is filled from the provider's defaults and then from those written here (see `policies.defaults`).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Final, Literal

from policies.addresses import spelled
from policies.conditions import Condition
from policies.conditions.exceptions import Exceptions as Exceptions
from policies.conditions.groups import GroupRefs
from policies.conditions.org_units import OrgUnitPaths, bound_units, covered
from policies.containers import Tagged
from policies.credentials import SecretRef as SecretRef
from policies.forms import DELETED_USERS, LEAVE, RULE_LICENSE, SAFETY
from policies.key import NOT_WRITTEN, Key
from policies.model import (
    KEEP,
    CompanyId,
    DirectoryId,
    GroupRef,
    Leave,
    Mark,
    Safety,
)
from policies.scalars import Choice
from policies.shape import record_of
from policies.text import Money as Money

MONTH_DAY: Final = (
    r"(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
)
NOWHERE: Final = Mark("", 1, 1)
BUILT_IN_SAFETY: Final = Safety()
"""The limits in force where nothing else is said (Z1)."""

Seats = Annotated[int, Key(at_least=0, at_most=1_000_000_000)]
LicenseName = Annotated[str, Choice({"standard": "standard", "archived": "archived"})]
PerLicense = Annotated[Mapping[LicenseName, Seats], Key(expected="numbers of licenses, as in {standard: 500}")]
Url = Annotated[
    str,
    Key(
        pattern=r"https://[^\s/?#@]+(/[^\s#]*)?|http://(localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])"
        r"(:[0-9]{1,5})?(/[^\s#]*)?",
        expected="a URL that begins with https:// (http:// is for loopback alone), with no user name in it",
    ),
]
Address = Annotated[str, Key(pattern=r"[^\s@,;<>]+@[^\s@,;<>]+", expected="an address, as in ops@contoso.example")]


@dataclass(frozen=True, slots=True)
class NoOptions:
    """A kind that needs nothing else said."""


@dataclass(frozen=True, slots=True)
class DirectoryKind:
    """What the reader must know of a kind of directory: the fields of its entry, and how often it is read."""

    options: type
    """The kind's own frozen dataclass, declared like those of this module."""
    every: timedelta
    cannot: frozenset[str] = frozenset()
    """Conditions that such a directory cannot evaluate, and keys of every entry that mean nothing in its own."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of directories and sellers that are installed, by the name that a policy gives them."""

    directories: Mapping[str, DirectoryKind] = field(default_factory=dict)
    sellers: Mapping[str, type] = field(default_factory=lambda: {"manual": NoOptions})


@dataclass(frozen=True, slots=True)
class SharedMailboxes:
    """What stands for a shared mailbox in a directory that has none of its own (S6); any one of the keys is enough."""

    org_units: OrgUnitPaths = ()
    groups: GroupRefs = ()
    addresses: Annotated[
        tuple[str, ...], Key("Addresses; * stands for any part, as in *-team@contoso.example.", filled=True)
    ] = ()
    ids: Annotated[Mapping[str, str] | None, NOT_WRITTEN] = field(default=None, repr=False, compare=False)
    """What the organizational units stand for; None where accounts carry paths (G3)."""
    _units: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _groups: frozenset[GroupRef] = field(init=False, repr=False, compare=False)
    _addresses: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns = "|".join(".*".join(map(re.escape, spelled(address).split("*"))) for address in self.addresses)
        parts = (covered(unit, self.ids) for unit in self.org_units)
        object.__setattr__(self, "_units", tuple(part for part in parts if part is not None))
        object.__setattr__(self, "_groups", frozenset(self.groups))
        object.__setattr__(self, "_addresses", re.compile(patterns) if patterns else None)

    def placed(self, ids: Mapping[str, str]) -> "SharedMailboxes":
        """The same where accounts carry the ids of their units, and these are what the units stand for."""
        return replace(self, ids=ids)

    def cover(self, address: str, org_unit: str, member_of: Collection[GroupRef] = ()) -> bool:
        """Whether an account with this address, unit and groups stands for a shared mailbox."""
        place = f"{org_unit.lower().rstrip('/')}/"
        if org_unit and (place.startswith(self._units) if self.ids is None else any(p in place for p in self._units)):
            return True
        if not self._groups.isdisjoint(member_of):
            return True
        return self._addresses is not None and self._addresses.fullmatch(spelled(address)) is not None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One connected directory of a company."""

    id: Annotated[DirectoryId, NOT_WRITTEN]
    kind: Annotated[str, NOT_WRITTEN]
    every: Annotated[timedelta, Key("How often changes are looked for; each kind has its default.", at_least=1)]
    options: Annotated[object, NOT_WRITTEN]
    """An instance of the kind's own options."""
    unknown_mailboxes: Annotated[
        Literal["user"] | None, Key("Take accounts for users whose mailbox the tenant does not let us see (S6).")
    ] = None
    shared_mailboxes_are: Annotated[
        SharedMailboxes | None, Key("What stands for a shared mailbox (Google).", filled=True)
    ] = None
    mark: Annotated[Mark, NOT_WRITTEN] = NOWHERE


@dataclass(frozen=True, slots=True)
class Licenses:
    """What a company may hold, for how long data is kept, and how lots are renewed."""

    pool: Annotated[Literal["global", "own"], Key("Whose lots the company draws from (M1).")] = "global"
    limit: Annotated[PerLicense, Key("The most that the company may hold from the global pool (M1).")] = field(
        default_factory=dict
    )
    retention: Annotated[timedelta, Key("How long backups are kept after a standard license is lost (L4).")] = (
        timedelta(days=60)
    )
    exchange_expired: Annotated[bool, Key("Move seats of an expired lot to free ones by itself (M4).")] = True
    renew: Annotated[Literal["all", "as_needed", "off"], Key("What of a lot is renewed (M3, P9).")] = "all"
    shared_mailboxes: Annotated[
        Literal["one_per_license", "unlimited"] | Seats, Key("Shared mailboxes that come free, per license type (S1).")
    ] = "one_per_license"
    trial_entitles: Annotated[bool, Key("Trial lots bring entitlements too (S1).")] = False
    trial: Annotated[bool, Key("The company is on trial and cannot buy (P6).")] = False
    anniversary: Annotated[
        str | None,
        Key(
            "The day on which a new year of yearly lots begins, month first (P5).",
            pattern=MONTH_DAY,
            expected="a month and a day that every year has, as in 04-01",
        ),
    ] = None
    renew_ahead: Annotated[timedelta, Key("How long before its end a lot's renewal is ordered (M3).")] = timedelta(
        days=14
    )
    user_pools: Annotated[
        Mapping[str, PerLicense], Key("What a person or token may have assigned by hand and still held (M2).")
    ] = field(default_factory=dict)

    def limit_of(self, license: str) -> int | None:
        """The most that the company may hold of a license from the global pool, or None (M1)."""
        return self.limit.get(license)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: whom it selects, which license they get, and what happens when they leave."""

    name: Annotated[str, Key("Unique in the file; licenses carry it as their source.")]
    position: Annotated[int, NOT_WRITTEN]
    """0 is the top; the first rule that matches decides (G1)."""
    license: Annotated[
        str | None, Key("The license of those selected; `none` stops the search for them (G2)."), RULE_LICENSE
    ]
    """None for `none`."""
    conditions: Annotated[tuple[Condition, ...], NOT_WRITTEN]
    """In the order of the file; all must hold."""
    exceptions: Annotated[Exceptions | None, Key("Whom the rule does not mean.", name="except", filled=True)] = None
    mailboxes: Annotated[Literal["user", "shared"] | None, NOT_WRITTEN] = None
    """None means users, like `user`; `shared` stands among the conditions too."""
    include: Annotated[
        frozenset[Literal["disabled", "guests", "rooms", "resources"]],
        Key("Whom the rule means beside enabled users (G2).", filled=True),
    ] = frozenset()
    directories: Annotated[
        tuple[DirectoryId, ...] | None,
        Key("The directories the rule is for; else all that can evaluate it.", filled=True),
    ] = None
    limit: Annotated[Seats | None, Key("The rule's own cap on seats (G6).")] = None
    on_leave: Annotated[Leave, Key("What happens to those who leave the rule (G4)."), LEAVE] = KEEP
    on_disable: Annotated[Leave, Key("What happens to those who are disabled or suspended (G7)."), LEAVE] = KEEP
    mark: Annotated[Mark, NOT_WRITTEN] = NOWHERE

    @property
    def group_refs(self) -> tuple[GroupRef, ...]:
        """The groups that must be resolved before the rule can be evaluated, its exceptions' included (G3)."""
        excepted = () if self.exceptions is None else self.exceptions.refs
        named = (group for condition in self.conditions for group in condition.refs)
        return tuple(dict.fromkeys((*named, *excepted)))

    @property
    def unit_refs(self) -> tuple[str, ...]:
        """The organizational units that must be resolved, where units have ids, its exceptions' included (G3)."""
        excepted = () if self.exceptions is None else self.exceptions.units
        return tuple(dict.fromkeys((*(unit for condition in self.conditions for unit in condition.units), *excepted)))


@dataclass(frozen=True, slots=True)
class SellerEntry:
    """Where a company's licenses are bought."""

    kind: str = "manual"
    options: object = NoOptions()
    """An instance of the kind's own options."""


@dataclass(frozen=True, slots=True)
class Buying:
    """How licenses of one type are bought (P1, P3, P5)."""

    auto: Annotated[bool, Key("Buy what is short without a person.")] = False
    spare: Annotated[Seats, Key("Free seats to keep in stock.")] = 0
    pack: Annotated[int, Key("Seats are bought in multiples of this.", at_least=1, at_most=1_000_000_000)] = 1
    most_per_order: Annotated[Seats, Key("The most seats of one order.")] = 50
    most_per_month: Annotated[Seats, Key("The most seats ordered in a calendar month (UTC).")] = 100
    approve_above: Annotated[Seats | Money, Key("An order of more seats, or more money, waits for a person.")] = 25
    price: Annotated[Money | None, Key("The price of a seat for a term.")] = None
    term: Annotated[Literal["monthly", "yearly", "perpetual"], Key("The term that is bought.")] = "yearly"


@dataclass(frozen=True, slots=True)
class Purchasing:
    """Where and how a company's licenses are bought."""

    seller: Annotated[SellerEntry, Key("The seller, by its kind.", written=False)] = SellerEntry()
    standard: Annotated[Buying, Key("How standard licenses are bought.")] = Buying()
    archived: Annotated[Buying, Key("How archived licenses are bought.")] = Buying()


BUILT_IN_LICENSES: Final = Licenses()
BUILT_IN_PURCHASING: Final = Purchasing()


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """A receiver that is told by signed webhooks."""

    url: Annotated[Url, Key("Where events are posted to.")]
    secret: Annotated[SecretRef, Key("The secret that deliveries are signed with.")]


@dataclass(frozen=True, slots=True)
class EmailReceiver:
    """People who are told by mail."""

    to: Annotated[tuple[Address, ...], Key("Their addresses.", filled=True)]


Receiver = WebhookReceiver | EmailReceiver
RECEIVER: Final = Tagged({"webhook": record_of(WebhookReceiver), "email": record_of(EmailReceiver)})

ARCHIVE_AT_ONCE: Final = Leave("archive", timedelta(0))
"""The default for a deleted user's standard license: nothing is lost by it, so there is no grace (D1, D6)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One company's policy: everything that Seatkeeper decides for it is decided by this."""

    company: Annotated[
        CompanyId,
        Key(
            "The company's stable id.",
            pattern=r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
            expected="an id of a-z, 0-9 and -",
        ),
    ]
    name: Annotated[str, Key("The company's name, as people read it.")]
    directories: Annotated[tuple[DirectoryEntry, ...], Key("By the id of each.", written=False)] = ()
    licenses: Annotated[Licenses, Key("What the company may hold, and for how long data is kept.")] = Licenses()
    rules: Annotated[tuple[Rule, ...], Key("Read top to bottom; the first that matches decides.", written=False)] = ()
    deleted_users: Annotated[
        Leave, Key("What happens to the standard license of a deleted user (D1)."), DELETED_USERS
    ] = ARCHIVE_AT_ONCE
    purchasing: Annotated[Purchasing, Key("Where and how licenses are bought.", written=False)] = Purchasing()
    safety: Annotated[Safety, Key("What is held for a person (Z1)."), SAFETY] = BUILT_IN_SAFETY
    warn_below: Annotated[PerLicense, Key("Tell people when fewer seats than this are free.")] = field(
        default_factory=dict
    )
    notify: Annotated[tuple[Annotated[Receiver, RECEIVER], ...], Key("Who is told (R1).")] = ()
    mark: Annotated[Mark, NOT_WRITTEN] = NOWHERE
    said: Annotated[frozenset[str], NOT_WRITTEN] = field(default=frozenset(), repr=False, compare=False)
    """The dotted keys that the file itself says, so that the provider's defaults fill only the others."""
    _rules: dict[str, Rule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rules", {rule.name: rule for rule in self.rules})

    def rule_named(self, name: str) -> Rule | None:
        """The rule of that name as it stands now, or None if it is gone from the file (G4)."""
        return self._rules.get(name)


def group_refs(policy: Policy, entry: DirectoryEntry | None = None) -> tuple[GroupRef, ...]:
    """The groups that the policy's rules name, exceptions included, in the order of the file and each once; with the
    entry of a directory, those of the rules for it and those that it names itself."""
    declared = entry.shared_mailboxes_are if entry is not None else None
    rules = (rule for rule in policy.rules if entry is None or rule.directories is None or entry.id in rule.directories)
    named = (group for rule in rules for group in rule.group_refs)
    return tuple(dict.fromkeys((*named, *(declared.groups if declared is not None else ()))))


def unit_refs(policy: Policy, entry: DirectoryEntry) -> tuple[str, ...]:
    """The organizational units that the policy names for a directory, each once; the root needs no id."""
    declared = entry.shared_mailboxes_are
    named = [
        unit
        for rule in policy.rules
        if rule.directories is None or entry.id in rule.directories
        for unit in rule.unit_refs
    ]
    return tuple(dict.fromkeys((*named, *(bound_units(declared.org_units) if declared is not None else ()))))
