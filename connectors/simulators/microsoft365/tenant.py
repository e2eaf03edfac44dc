"""One customer's tenant: its people, groups and mailboxes, and what happens to them, in the field's own words."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.simulators import names
from connectors.simulators.clock import Clock
from connectors.simulators.microsoft365 import newcomers
from connectors.simulators.microsoft365.groups import Groups, Ref, Thing
from connectors.simulators.microsoft365.newcomers import Domains
from connectors.simulators.microsoft365.people import Population, Shares
from connectors.simulators.microsoft365.schema import GROUP_PROPERTIES, USER_PROPERTIES, Record
from connectors.simulators.microsoft365.users import Users

CORE_PERMISSIONS = frozenset({"User.Read.All", "GroupMember.Read.All", "MailboxSettings.Read"})
"""The least privilege that a reader of users, groups and mailbox kinds needs."""
RESTORABLE_FOR = timedelta(days=30)
MAILBOX_KINDS = frozenset({"user", "linked", "shared", "room", "equipment", "others", "none", "denied"})
"""What `userPurpose` may answer; `none` has no mailbox, and `denied` is one that Exchange keeps from the app."""
_NOBODY_ELSE = Shares(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Habits:
    """Where the documentation contradicts itself or leaves things open: how this tenant's Graph behaves."""

    page_size: int = 200
    """Entries of a delta page; nobody can ask for another number."""
    tells_deleted_in_first_round: bool = False
    """A first delta round shows the recycle bin as `@removed` entries."""
    sparse: bool = False
    """Delta answers changed properties only, even where nobody asked for `return=minimal`."""
    tells_purges_in_groups: bool = True
    """A user who is gone for good is told as a removed member of each group."""
    purpose_as_object: bool = False
    """`userPurpose` inside `mailboxSettings` is `{"value": "user"}`, as the documentation prints it."""
    roles_stay_in_tokens: bool = False
    """A token keeps the permissions it was issued with, as in life; else they follow the tenant's at once."""


class Tenant:
    """Thread-safe: every method may be called while requests are served. Users and groups are named by id.

    A method raises LookupError where nobody has the id, or what has it is not in the state that the method needs.
    """

    __slots__ = (
        "_clock", "_mailboxes", "consented", "created_at", "disabled_apps", "domains", "groups", "habits", "id", "lock",
        "name", "permissions", "users",
    )  # fmt: skip

    def __init__(self, ident: str, domain: str, name: str, clock: Clock, consented: frozenset[str]) -> None:
        self.id = ident.lower()
        self.name = name
        self.domains = Domains(domain, f"{domain.partition('.')[0]}.onmicrosoft.example")
        self.created_at = clock()
        self.habits = Habits()
        self.permissions = CORE_PERMISSIONS
        self.consented = consented
        """Client ids of the apps that have a service principal here."""
        self.disabled_apps: frozenset[str] = frozenset()
        self.lock = threading.RLock()
        self.users = Users(self.id)
        self.groups = Groups(self.id)
        self._mailboxes: dict[int, str] = {}
        self._clock = clock

    # People

    def populate(self, count: int, seed: int = 0, shares: Shares | None = None) -> list[str]:
        """Add made-up users, the same ones for the same seed, and tell the ids of the first thousand."""
        with self.lock:
            added = self.users.populate(count, seed, shares or Shares(), self.domains)
            return [self.users.id(number) for number in added[:1000]]

    def hire(
        self,
        name: str | None = None,
        *,
        id: str | None = None,
        upn: str | None = None,
        guest: bool = False,
        enabled: bool = True,
        mailbox: str = "user",
        **properties: object,
    ) -> str:
        """Create a user, made up where no name is given, and tell the id; further properties by their Graph names."""
        with self.lock:
            _check_names(properties, USER_PROPERTIES)
            number = self.users.count
            record = self._newcomer(name, upn, guest) if name else self._somebody(number)
            self.users.add({**record, "accountEnabled": enabled, **properties}, id)
            if guest or mailbox != "user":
                self._mailboxes[number] = "none" if guest else _mailbox_kind(mailbox)
            return self.users.id(number)

    def create_mailbox(self, name: str, kind: str = "shared", *, address: str | None = None) -> str:
        """Create a mailbox that is nobody's: `shared`, `room` or `equipment`. Tells the id of its user object."""
        with self.lock:
            address = address or f"{names.mailed(name)}@{self.domains.own}"
            number = self.users.add(newcomers.unowned_mailbox(name, address, self._now_text()))
            self._mailboxes[number] = _mailbox_kind(kind)
            return self.users.id(number)

    def update_user(self, id: str, /, **properties: object) -> None:
        """Set properties by their Graph names; None clears one. Raises ValueError for what users do not have."""
        _check_names(properties, USER_PROPERTIES)
        with self.lock:
            self.users.change(self._living(id), properties)

    def disable(self, id: str, /) -> None:
        """Block sign-in."""
        self.update_user(id, accountEnabled=False)

    def enable(self, id: str, /) -> None:
        """Allow sign-in."""
        self.update_user(id, accountEnabled=True)

    def rename(self, id: str, name: str, *, upn: str | None = None) -> None:
        """Give a user another name and address; the old address stays as an alias."""
        with self.lock:
            number = self._living(id)
            address = upn or f"{newcomers.alias(name)}@{self.domains.own}"
            aliases = self.users.record(number).get("proxyAddresses")
            old = [str(alias).replace("SMTP:", "smtp:") for alias in aliases] if isinstance(aliases, list) else []
            self.users.change(
                number,
                {**newcomers.naming(name, address), "proxyAddresses": [f"SMTP:{address}", *old]},
            )

    def delete_user(self, id: str, /) -> None:
        """Put a user into the recycle bin, restorable for 30 days."""
        with self.lock:
            self.users.delete(self._living(id), self._clock())

    def restore_user(self, id: str, /, *, upn: str | None = None) -> None:
        """Bring a user back from the recycle bin, under the same id; under another sign-in name where that is taken."""
        with self.lock:
            number = self._number(id)
            if number not in self.users.deleted:
                raise LookupError(f"{id} is not in the recycle bin of {self.id}")
            self.users.restore(number, upn)

    def purge_user(self, id: str, /) -> None:
        """Remove a user for good, from the recycle bin or at once."""
        with self.lock:
            number = self._number(id)
            if number in self.users.purged:
                raise LookupError(f"{id} is gone from {self.id} already")
            self._purge(number)

    def convert_mailbox(self, id: str, kind: str) -> None:
        """Turn a mailbox into another kind. Exchange does that alone: no delta tells it."""
        with self.lock:
            self._mailboxes[self._living(id)] = _mailbox_kind(kind)

    def user(self, id: str, /) -> Record:
        """A live or soft-deleted user's properties, as they stand."""
        with self.lock:
            return dict(self.users.record(self._number(id)))

    def user_ids(self) -> Iterator[str]:
        """The ids of all live users, in order of creation."""
        return (self.users.id(number) for number in self.users.live_numbers())

    def find_user(self, upn: str) -> str:
        """The id of the live user with this sign-in name."""
        with self.lock:
            number = self.users.find(upn)
            if number is None:
                raise LookupError(f"nobody signs in to {self.id} as {upn}")
            return self.users.id(number)

    def mailbox(self, number: int) -> str:
        """What kind of mailbox the user with this number has."""
        if (kind := self._mailboxes.get(number)) is not None:
            return kind
        population = self.users.population(number)
        return population.mailbox(number) if population else "user"

    # Groups

    def create_group(
        self,
        name: str,
        *,
        mail: str | None = None,
        unified: bool = False,
        hidden: bool = False,
        members: Iterable[str] = (),
        id: str | None = None,
    ) -> str:
        """Create a security group, or a Microsoft 365 group where it is `unified`, and tell its id."""
        with self.lock:
            record = newcomers.group(name, mail, self._now_text(), unified=unified, hidden=hidden)
            group = self.groups.add("group", record, id)
            for member in members:
                self.groups.join(group, self._ref(member))
            return group.id

    def create_device(self, name: str, *, kind: str = "device") -> str:
        """Create another thing that may be a member: a `device`, an `orgContact`, a `servicePrincipal`."""
        with self.lock:
            return self.groups.add(kind, {"displayName": name}).id

    def update_group(self, id: str, /, **properties: object) -> None:
        """Set properties by their Graph names; None clears one. Raises ValueError for what groups do not have."""
        _check_names(properties, GROUP_PROPERTIES)
        with self.lock:
            self.groups.change(self._group(id), properties)

    def add_member(self, group: str, member: str) -> None:
        """Make a user, a group or another thing a direct member."""
        self.add_members(group, [member])

    def add_members(self, group: str, members: Iterable[str]) -> None:
        with self.lock:
            target = self._group(group)
            for member in members:
                self.groups.join(target, self._ref(member))

    def remove_member(self, group: str, member: str) -> None:
        with self.lock:
            self.groups.leave(self._group(group), self._ref(member))

    def delete_group(self, id: str, /) -> None:
        """Delete a group: a Microsoft 365 group into the recycle bin, a security group for good."""
        with self.lock:
            self.groups.delete(self._group(id), self._clock())

    def restore_group(self, id: str, /) -> None:
        """Bring a Microsoft 365 group back from the recycle bin."""
        with self.lock:
            group = self.groups.find(id)
            if group is None or group.deleted_at is None:
                raise LookupError(f"{id} is not in the recycle bin of {self.id}")
            self.groups.restore(group)

    def purge_group(self, id: str, /) -> None:
        """Remove a group for good."""
        with self.lock:
            group = self.groups.find(id)
            if group is None or group.purged:
                raise LookupError(f"{self.id} has no group {id}")
            self.groups.purge(group)

    def find_group(self, name: str) -> str:
        """The id of the first live group with this display name."""
        with self.lock:
            for group in self.groups.live_groups():
                if group.record["displayName"] == name:
                    return group.id
            raise LookupError(f"{self.id} has no group called {name}")

    # Consent

    def grant(self, *permissions: str) -> None:
        """Give the app application permissions."""
        self.permissions |= set(permissions)

    def revoke(self, *permissions: str) -> None:
        """Take application permissions away."""
        self.permissions -= set(permissions)

    def consent(self, client_id: str) -> None:
        """Create, or enable again, the service principal of an app."""
        self.consented |= {client_id}
        self.disabled_apps -= {client_id}

    def withdraw_consent(self, client_id: str) -> None:
        """Remove the service principal of an app: its tokens are refused from now on."""
        self.consented -= {client_id}

    def disable_app(self, client_id: str) -> None:
        """Disable the service principal of an app."""
        self.disabled_apps |= {client_id}

    # Time

    def settle(self, now: datetime) -> None:
        """Let go of what has been in the recycle bin for 30 days."""
        with self.lock:
            while self.users.deleted:
                number, deletion = next(iter(self.users.deleted.items()))
                if deletion.at + RESTORABLE_FOR > now:
                    break
                self._purge(number)
            while self.groups.deleted:
                place, at = next(iter(self.groups.deleted.items()))
                if at + RESTORABLE_FOR > now:
                    break
                self.groups.purge(self.groups.things[place])

    def _purge(self, number: int) -> None:
        self.users.purge(number)
        self._mailboxes.pop(number, None)
        self.groups.forget(number, silently=not self.habits.tells_purges_in_groups)

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

    def _group(self, ident: str) -> Thing:
        thing = self.groups.find(ident)
        if thing is None or thing.type != "group" or not thing.live:
            raise LookupError(f"{self.id} has no group {ident}")
        return thing

    def _ref(self, ident: str) -> Ref:
        thing = self.groups.find(ident)
        return thing.ref if thing is not None else self._number(ident)

    def _now_text(self) -> str:
        return self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _somebody(self, number: int) -> Record:
        record = Population(number, 1, 0, _NOBODY_ELSE, self.domains).record(number, "")
        del record["id"]
        return {**record, "createdDateTime": self._now_text()}

    def _newcomer(self, name: str, upn: str | None, guest: bool) -> Record:
        if guest:
            return newcomers.guest(name, upn, self.domains, self._now_text())
        return newcomers.employee(name, upn or f"{newcomers.alias(name)}@{self.domains.own}", self._now_text())


def _check_names(properties: Iterable[str], known: frozenset[str]) -> None:
    for name in properties:
        if name not in known:
            raise ValueError(f"{name!r} is no property that Graph has here")


def _mailbox_kind(kind: str) -> str:
    if kind not in MAILBOX_KINDS:
        raise ValueError(f"no mailbox is of the kind {kind!r}; there are {', '.join(sorted(MAILBOX_KINDS))}")
    return kind
