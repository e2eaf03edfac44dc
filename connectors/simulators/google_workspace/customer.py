"""One customer of Google's: its people, groups and organizational units, and what happens to them."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.simulators.clock import Clock
from connectors.simulators.google_workspace.audit import Audit
from connectors.simulators.google_workspace.groups import Group, Groups, Member
from connectors.simulators.google_workspace.people import (
    NEVER,
    Home,
    Own,
    Shares,
    Standing,
    instant,
    naming,
    user,
)
from connectors.simulators.google_workspace.schema import USER, Record
from connectors.simulators.google_workspace.units import Units
from connectors.simulators.google_workspace.users import Users
from connectors.simulators.google_workspace.watches import TOLD_AS, Channels
from connectors.simulators.names import mailed

RESTORABLE_FOR = timedelta(days=20)
SCOPE = "https://www.googleapis.com/auth/"
READ_SCOPES = frozenset(
    SCOPE + name
    for name in (
        "admin.directory.user.readonly",
        "admin.directory.group.readonly",
        "admin.directory.group.member.readonly",
        "admin.directory.orgunit.readonly",
        "admin.directory.domain.readonly",
        "admin.directory.customer.readonly",
        "admin.reports.audit.readonly",
    )
)
"""Everything that a reader of the directory may want to be delegated."""
PRIVILEGES = frozenset({"users", "groups", "org_units", "domains", "customer", "reports"})
"""What an administrator's role may have, one per part of the API."""
READER = "directory-reader"
"""The account before the @ that every new customer has for whoever reads its directory."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Where Google's documentation leaves things open, or operators have a choice: how it behaves for this customer."""

    empty_last_page: bool = True
    """A list whose last page is full is ended by a page without any entries, and without the key for them."""
    walk_ends_after: int = 3600
    """Seconds after which every page of a walk is answered by 503."""
    tokens_last: int = 3 * 86400
    """Seconds after which a page token is refused."""
    scopes_stay_in_tokens: bool = False
    """A token keeps the scopes that it was issued with, as in life; else they follow the delegation at once."""
    audit_lag: int = 120
    """Seconds after which an event is told."""
    audit_loses: int = 0
    """Every so many events one is never told; 0 for none."""
    queries_per_minute: int | None = None
    """The quota of the project for each user, refused by 403; 2,400 in life."""
    account_queries_per_minute: int | None = None
    """The limit of the customer over all clients, refused by 429; not published."""
    pushes_lost: int = 0
    """Every so many changes one is never pushed; 0 for none."""
    pushes_twice: bool = False
    push_delay: int = 0
    """Seconds after which a change is pushed."""
    push_unverified: bool = False
    """No channel is registered: nobody has verified the domain of its address."""
    filtered_reports_per_minute: int = 250
    """The quota of filtered calls for reports, refused by 503."""


@dataclass(slots=True)
class Domain:
    """A domain of a customer's."""

    name: str
    created: datetime
    aliases: list[str] = field(default_factory=list)


class Customer:
    """Thread-safe: every method may be called while requests are served. Users and groups are named by id.

    A method raises LookupError where nobody has the id, or what has it is not in the state that the method needs.
    """

    __slots__ = (
        "_clock", "admins", "api_access", "audit", "channels", "created_at", "delegations", "domains", "groups",
        "habits", "id", "lock", "name", "reader", "resold", "role_holders", "units", "users",
    )  # fmt: skip

    def __init__(
        self, ident: str, domain: str, name: str, clock: Clock, delegations: dict[str, frozenset[str]]
    ) -> None:
        self.id = ident
        self.name = name
        self.created_at = clock()
        self.domains = {domain: Domain(domain, self.created_at)}
        """The first one is the primary one."""
        self.habits = Habits()
        self.delegations = delegations
        """Scopes by the client ids that may act for any user."""
        self.role_holders: set[str] = set()
        """The addresses of service accounts that have an admin role themselves."""
        self.resold: set[str] = set()
        """The ids of other customers that this one is the reseller of."""
        self.api_access = True
        self.lock = threading.RLock()
        self.units = Units(ident, name)
        self.users = Users(ident, self.units)
        self.groups = Groups(ident)
        self.audit = Audit()
        self.channels = Channels()
        self.admins: dict[int, frozenset[str]] = {}
        """What administrators may see, by their numbers."""
        self._clock = clock
        self.reader = self.hire("Directory Reader", address=f"{READER}@{domain}", isDelegatedAdmin=True)
        """The id of the account to impersonate."""
        self.admins[0] = PRIVILEGES

    @property
    def domain(self) -> str:
        """The primary domain."""
        return next(iter(self.domains))

    @property
    def subject(self) -> str:
        """The present address of the account to impersonate."""
        return self.address(self.reader)

    def all_domains(self) -> set[str]:
        """Its domains, and those that stand for them."""
        return {name for domain in self.domains.values() for name in (domain.name, *domain.aliases)}

    # People

    def populate(self, count: int, seed: int = 0, shares: Shares | None = None, units: Iterable[str] = ()) -> list[str]:
        """Add made-up users, the same ones for the same seed, spread over these units; tell the first thousand ids."""
        with self.lock:
            places = [self._unit(unit) for unit in units]
            added = self.users.populate(count, self.domain, seed, shares or Shares(), places)
            return [self.users.id(number) for number in added[:1000]]

    def hire(
        self,
        name: str,
        *,
        address: str | None = None,
        id: str | None = None,
        unit: str = "/",
        aliases: Iterable[str] = (),
        guest: bool = False,
        mailbox: bool = True,
        **fields: object,
    ) -> str:
        """Create a user in a unit named by path or id, and tell the id; further fields by the names they have."""
        with self.lock:
            _check_names(fields)
            place, address = self._unit(unit), (address or f"{local_part(name)}@{self.domain}").lower()
            self._refuse_a_groups(address)
            given, _, family = name.partition(" ")
            local, _, domain = address.partition("@")
            own = Own("", given, family, local, "", instant(self._clock()), NEVER, "")
            record = user(own, Standing(guest=guest, mailbox=mailbox), Home(self.id, domain))
            number = self.users.add({**record, **fields}, place, id)
            self.users.set_aliases(number, [alias.lower() for alias in aliases])
            self._tell("CREATE_USER", number)
            return self.users.id(number)

    def rehire(self, id: str, /) -> str:
        """Create a new user under the name and the address of a deleted one: somebody else, with another id."""
        with self.lock:
            number = self._deleted(id)
            name = self.users.stored_name(number)
            return self.hire(name, address=self.users.deleted[number].address)

    def update_user(self, id: str, /, **fields: object) -> None:
        """Set fields by the names they have; None takes one away. Raises ValueError for what users do not have."""
        _check_names(fields)
        with self.lock:
            self.users.change(self._living(id), fields)

    def suspend(self, id: str, /, *, reason: str = "ADMIN") -> None:
        """Suspend a user."""
        with self.lock:
            number = self._living(id)
            since = instant(self._clock())
            self.users.change(number, {"suspended": True, "suspensionReason": reason, "suspensionTime": since})
            self._tell("SUSPEND_USER", number)

    def unsuspend(self, id: str, /) -> None:
        with self.lock:
            number = self._living(id)
            self.users.change(number, {"suspended": False, "suspensionReason": None, "suspensionTime": None})
            self._tell("UNSUSPEND_USER", number)

    def archive(self, id: str, /) -> None:
        """Archive a user: the data stay, the person does not."""
        with self.lock:
            number = self._living(id)
            self.users.change(number, {"archived": True, "archivalTime": instant(self._clock())})
            self._tell("ARCHIVE_USER", number)

    def unarchive(self, id: str, /) -> None:
        with self.lock:
            number = self._living(id)
            self.users.change(number, {"archived": False, "archivalTime": None})
            self._tell("UNARCHIVE_USER", number)

    def rename(self, id: str, name: str | None = None, *, address: str | None = None) -> None:
        """Give a user another name or address, the one that goes with the name; the old address stays as an alias."""
        with self.lock:
            number = self._living(id)
            old = self.users.address(number)
            new = (address or f"{local_part(name or '')}@{old.partition('@')[2]}").lower()
            if name:
                given, _, family = name.partition(" ")
                self.users.change(number, {"name": naming(given, family)})
            if new != old:
                self._tell("RENAME_USER", number, NEW_VALUE=new)
                kept = [alias for alias in self.users.aliases(number) if alias != new]
                self.users.readdress(number, new)
                self.users.set_aliases(number, [*kept, old])

    def swap_addresses(self, one: str, other: str) -> None:
        """Let two users have each other's address, and nothing else of each other."""
        with self.lock:
            self.users.swap(self._living(one), self._living(other))

    def move(self, id: str, unit: str) -> None:
        """Put a user into another organizational unit, named by path or id."""
        with self.lock:
            number, place = self._living(id), self._unit(unit)
            old, new = self.units.path(self.users.unit(number)), self.units.path(place)
            self.users.move(number, place)
            self._tell("MOVE_USER_TO_ORG_UNIT", number, ORG_UNIT_NAME=old, NEW_VALUE=new)

    def delete_user(self, id: str, /) -> None:
        """Delete a user, restorable for 20 days."""
        with self.lock:
            number = self._living(id)
            self._tell("DELETE_USER", number)
            self.users.delete(number, self._clock())

    def restore_user(self, id: str, /, *, unit: str = "/") -> None:
        """Bring a user back under the same id. Raises ValueError when the address was given away meanwhile."""
        with self.lock:
            number = self._deleted(id)
            self._refuse_a_groups(self.users.deleted[number].address)
            self.users.restore(number, self._unit(unit))
            self._tell("UNDELETE_USER", number)

    def purge_user(self, id: str, /) -> None:
        """Remove a user for good, deleted before or not."""
        with self.lock:
            number = self._number(id)
            if self.users.live(number):
                self.delete_user(id)
            self._purge(self._deleted(id))

    def user(self, id: str, /) -> Record:
        """A live user's fields, as they stand."""
        with self.lock:
            return dict(self.users.record(self._living(id)))

    def address(self, id: str, /) -> str:
        """A live user's present address."""
        return self.users.address(self._living(id))

    def user_ids(self) -> Iterator[str]:
        """The ids of all live users, in order of creation."""
        return (self.users.id(number) for number in self.users.live_numbers())

    def find_user(self, address: str) -> str:
        """The id of the live user with this address or alias."""
        with self.lock:
            number = self.users.find(address)
            if number is None:
                raise LookupError(f"nobody at {self.domain} has the address {address}")
            return self.users.id(number)

    # Organizational units

    def create_unit(self, path: str) -> str:
        """Create a unit, with those above it that are missing, and tell its id."""
        with self.lock:
            return self.units.create(path)

    def rename_unit(self, unit: str, name: str) -> None:
        """Give a unit another name; everybody in it and below has another path from now on."""
        with self.lock:
            self.units.rename(self._unit(unit), name)
            self.users.touch_all()

    def move_unit(self, unit: str, parent: str) -> None:
        """Hang a unit, with all that is below it, under another one."""
        with self.lock:
            self.units.move(self._unit(unit), self._unit(parent))
            self.users.touch_all()

    def delete_unit(self, unit: str) -> None:
        """Delete a unit that nobody is in, and nothing below. Raises ValueError for any other."""
        with self.lock:
            place = self._unit(unit)
            if any(self.users.unit(number) == place for number in self.users.live_numbers()):
                raise ValueError(f"there are users in {self.units.path(place)}")
            self.units.remove(place)

    # Groups

    def create_group(
        self, name: str, *, address: str | None = None, members: Iterable[str] = (), id: str | None = None
    ) -> str:
        """Create a group and tell its id."""
        with self.lock:
            address = address or f"{mailed(name)}@{self.domain}"
            if self.users.find(address) is not None:
                raise ValueError(f"somebody has the address {address}")
            group = self.groups.add(address, name, id)
            self.add_members(group.id, members)
            return group.id

    def rename_group(self, id: str, name: str, *, address: str | None = None) -> None:
        """Give a group another name, and another address where one is named; the old one stays as an alias."""
        with self.lock:
            group = self._group(id)
            if address is not None and self.groups.find(address) not in (None, group):
                raise ValueError(f"there is a group {address} already")
            group.name = name
            if address is not None and address.lower() != group.email:
                group.aliases = (*group.aliases, group.email)
                group.email = address.lower()
            group.version += 1

    def delete_group(self, id: str, /) -> None:
        """Delete a group, which is final."""
        with self.lock:
            self.groups.remove(self._group(id))

    def add_member(self, group: str, member: str, *, role: str = "MEMBER", in_a_circle: bool = False) -> None:
        """Make a user or a group a direct member. Raises ValueError for a circle, which Google does not let happen."""
        with self.lock:
            target, inner = self._group(group), self.groups.of(member)
            if inner is not None and not in_a_circle and self.groups.reaches(member, group):
                raise ValueError(f"{target.email} would be a member of itself")
            ident = inner.id if inner else self.users.id(self._living(member))
            target.join(Member(ident, role, "GROUP" if inner else "USER"))
            self._tell_group("ADD_GROUP_MEMBER", target, self._address_of(ident))

    def add_members(self, group: str, members: Iterable[str]) -> None:
        for member in members:
            self.add_member(group, member)

    def add_everybody(self, group: str) -> None:
        """Make the whole organization a member."""
        with self.lock:
            self._group(group).join(Member(self.id, "MEMBER", "CUSTOMER"))

    def add_stranger(self, group: str, address: str, *, type: str = "USER", status: str | None = None) -> str:
        """Make somebody of another organization a member, and tell the id; mostly they have no status."""
        with self.lock:
            ident = self.groups.stranger()
            self._group(group).join(Member(ident, "MEMBER", type, address, status, foreign=True))
            return ident

    def add_foreign_group(self, group: str, address: str) -> str:
        """Make another organization's group a member, which nobody here can look into; tell its id."""
        with self.lock:
            ident = self.groups.foreign_group()
            self._group(group).join(Member(ident, "MEMBER", "GROUP", address, "ACTIVE", foreign=True))
            return ident

    def remove_member(self, group: str, member: str) -> None:
        with self.lock:
            target = self._group(group)
            address = self._address_of(member)
            target.leave(member)
            self._tell_group("REMOVE_GROUP_MEMBER", target, address)

    def find_group(self, address: str) -> str:
        """The id of the group with this address or alias."""
        with self.lock:
            group = self.groups.find(address)
            if group is None:
                raise LookupError(f"there is no group {address}")
            return group.id

    # Domains

    def add_domain(self, name: str, *, alias_of: str | None = None) -> None:
        """Add a domain of its own, or one in which all addresses of another one are good, too."""
        with self.lock:
            if alias_of is None:
                self.domains[name] = Domain(name, self._clock())
            else:
                self.domains[alias_of].aliases.append(name)
                self.users.alias_domain(alias_of, name)

    def rename_domain(self, new: str) -> None:
        """Give the primary domain another name: every address changes, and no id does."""
        with self.lock:
            old = self.domains.pop(self.domain)
            self.domains = {new: Domain(new, old.created, old.aliases), **self.domains}
            self.users.rename_domain(old.name, new)
            self.groups.rename_domain(old.name, new)

    # Access

    def delegate(self, client_id: str, *scopes: str) -> None:
        """Let a client act for any user, with these scopes beside those that it has."""
        self.delegations[client_id] = self.delegations.get(client_id, frozenset()) | {_whole(name) for name in scopes}

    def withdraw(self, client_id: str, *scopes: str) -> None:
        """Take scopes away from a client; all of them, where none is named."""
        left = self.delegations.get(client_id, frozenset()) - {_whole(name) for name in scopes}
        self.delegations[client_id] = left if scopes else frozenset()

    def appoint(self, id: str, *privileges: str) -> None:
        """Make a user an administrator who may see this, and nothing else; nothing at all, where nothing is named."""
        unknown = set(privileges) - PRIVILEGES
        if unknown:
            raise ValueError(f"no privileges: {', '.join(sorted(unknown))}; there are {', '.join(sorted(PRIVILEGES))}")
        with self.lock:
            number = self._living(id)
            self.admins[number] = frozenset(privileges)
            self.users.change(number, {"isDelegatedAdmin": bool(privileges)})

    def assign_role(self, service_account: str) -> None:
        """Give a service account itself the role of an administrator who may see everything."""
        self.role_holders.add(service_account)

    def withdraw_role(self, service_account: str) -> None:
        self.role_holders.discard(service_account)

    def resell(self, customer: str) -> None:
        """Become the reseller of another customer."""
        self.resold.add(customer)

    def switch_api_access(self, on: bool) -> None:
        """Switch API access on or off, for everybody."""
        self.api_access = on

    def may_see(self, number: int, area: str) -> bool:
        """Whether a user is an administrator who may see this part, and is not suspended."""
        if area not in self.admins.get(number, frozenset()):
            return False
        return self.users.record(number)["suspended"] is not True

    # Time

    def settle(self, now: datetime) -> None:
        """Let go of those who were deleted 20 days ago."""
        with self.lock:
            while self.users.deleted:
                number, deletion = next(iter(self.users.deleted.items()))
                if deletion.at + RESTORABLE_FOR > now:
                    break
                self._purge(number)

    def _purge(self, number: int) -> None:
        self.users.purge(number)
        self.groups.forget(self.users.id(number))
        self.admins.pop(number, None)

    def _number(self, ident: str) -> int:
        number = self.users.number(ident)
        if number is None:
            raise LookupError(f"{self.id} has no user {ident}")
        return number

    def _living(self, ident: str) -> int:
        number = self._number(ident)
        if not self.users.live(number):
            raise LookupError(f"the user {ident} of {self.id} is deleted")
        return number

    def _deleted(self, ident: str) -> int:
        number = self._number(ident)
        if number not in self.users.deleted:
            raise LookupError(f"the user {ident} of {self.id} is not among the deleted ones")
        return number

    def _group(self, ident: str) -> Group:
        group = self.groups.of(ident)
        if group is None:
            raise LookupError(f"{self.id} has no group {ident}")
        return group

    def _refuse_a_groups(self, address: str) -> None:
        if self.groups.find(address) is not None:
            raise ValueError(f"a group has the address {address}")

    def _unit(self, key: str) -> str:
        unit = self.units.find(key)
        if unit is None:
            raise LookupError(f"{self.id} has no organizational unit {key}")
        return unit

    def _address_of(self, ident: str) -> str:
        group = self.groups.of(ident)
        number = self.users.number(ident)
        if group is not None or number is None:
            return group.email if group else ident
        return self.users.deleted[number].address if number in self.users.deleted else self.users.address(number)

    def _tell(self, event: str, number: int, **parameters: str) -> None:
        self.audit.note(self._clock(), "USER_SETTINGS", event, USER_EMAIL=self.users.address(number), **parameters)
        self.channels.tell(TOLD_AS.get(event, "update"), self._clock(), self.habits)

    def _tell_group(self, event: str, group: Group, address: str) -> None:
        self.audit.note(self._clock(), "GROUP_SETTINGS", event, USER_EMAIL=address, GROUP_EMAIL=group.email)


def local_part(name: str) -> str:
    """The part of an address before the @: `Zoë Łuczak` is `zoe.luczak`."""
    return ".".join(mailed(word) for word in name.split())


def _check_names(fields: Iterable[str]) -> None:
    for name in fields:
        if name not in USER:
            raise ValueError(f"{name!r} is no field that Google's users have")


def _whole(scope: str) -> str:
    return scope if scope.startswith("https://") else SCOPE + scope
