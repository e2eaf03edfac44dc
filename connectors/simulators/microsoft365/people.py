"""A tenant's population, made up from numbers: the same user every time, and no memory for those nobody changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from math import lcm
from typing import NamedTuple
from zlib import crc32

import msgspec

from connectors.simulators import names
from connectors.simulators.microsoft365.newcomers import LICENSED, UNLICENSED, Domains, unowned_mailbox
from connectors.simulators.microsoft365.schema import Record, only
from connectors.simulators.ranks import Ranks
from connectors.simulators.templates import Template, placeholders

_PAIRS = len(names.FIRST) * len(names.LAST)
_WANDER = 48_271  # a prime that divides neither list, so that every pair of names comes before any comes twice
_EPOCH = datetime(2016, 1, 4, 8, 0, tzinfo=UTC)
_DAYS = [(_EPOCH + timedelta(hours=61 * step)).strftime("%Y-%m-%dT%H:%M:%SZ") for step in range(1 << 10)]
_PLACES = [
    {"officeLocation": at.name, "city": at.city, "state": at.state, "country": at.country, "usageLocation": at.location}
    for at in names.OFFICES
] + [{}]  # some have none: a property that was never set
_WORK = [
    {
        "department": unit.name,
        "jobTitle": title,
        "employeeOrgData": {"division": "EMEA", "costCenter": unit.cost_center},
    }
    for unit in names.DEPARTMENTS
    for title in unit.titles
]


_CONTRACTORS = 9  # one in so many
_ALIKE = lcm(len(_WORK), len(_PLACES), _CONTRACTORS)
"""Employees whose numbers differ by this have everything in common but their own texts."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What a population is made of, as shares of the whole; the rest are enabled users. Numbers of users are exact."""

    guests: float = 0.02
    rooms: float = 0.005
    shared: float = 0.03
    disabled: float = 0.015

    def __post_init__(self) -> None:
        values = [getattr(self, field.name) for field in fields(self)]
        if min(values) < 0 or sum(values) > 1:
            raise ValueError(f"shares are not negative and sum up to 1 at most: {self}")


class _Own(NamedTuple):
    """What is an employee's own: the texts that no two have in common."""

    id: str
    first: str
    last: str
    alias: str
    created: str
    badge: str


class Population:
    """Users `first` to `first + count - 1` of a tenant, each a pure function of its number."""

    __slots__ = (
        "_company", "_disabled", "_guests", "_offset", "_ranks", "_rooms", "_shared", "_templates", "count", "domains",
        "first",
    )  # fmt: skip

    def __init__(self, first: int, count: int, seed: int, shares: Shares, domains: Domains) -> None:
        self.first, self.count, self.domains = first, count, domains
        self._company = f"{domains.own.partition('.')[0].title()} Ltd"
        self._ranks = Ranks(first, count, seed)
        self._offset = crc32(domains.own.encode())
        self._guests = round(count * shares.guests)
        self._rooms = self._guests + round(count * shares.rooms)
        self._shared = self._rooms + round(count * shares.shared)
        self._disabled = self._shared + round(count * shares.disabled)
        self._templates: dict[tuple[str, ...], dict[tuple[int, bool], Template]] = {}

    def mailbox(self, number: int) -> str:
        """What kind of mailbox the user has; `none` for guests."""
        rank = self._ranks.of(number)
        if rank < self._guests:
            return "none"
        if rank < self._rooms:
            return "room"
        return "shared" if rank < self._shared else "user"

    def record(self, number: int, ident: str) -> Record:
        """The user's properties, as nobody has changed them yet."""
        rank = self._ranks.of(number)
        if rank >= self._shared:
            return self._employee(number, rank >= self._disabled, self._own(number, ident))
        if rank >= self._rooms:
            return self._team(number, ident)
        return self._room(number, ident) if rank >= self._guests else self._guest(number, ident)

    def json(self, numbers: range, ids: Iterable[str], names: tuple[str, ...]) -> Iterator[str]:
        """These properties of the users' records as JSON, from templates: a third of the work of encoding each."""
        templates = self._templates.setdefault(names, {})
        for number, ident in zip(numbers, ids, strict=True):
            rank = self._ranks.of(number)
            if rank < self._shared:
                yield msgspec.json.encode(only(self.record(number, ident), names)).decode()
                continue
            key = number % _ALIKE, rank >= self._disabled
            if (template := templates.get(key)) is None:
                record = self._employee(number, key[1], _Own(*placeholders(len(_Own._fields))))
                template = templates[key] = Template(msgspec.json.encode(only(record, names)))
            yield template.filled(self._own(number, ident))

    def _name(self, number: int) -> tuple[str, str, str]:
        """First name, last name, and the address that goes with them."""
        pair = (number * _WANDER + self._offset) % _PAIRS
        again = number // _PAIRS
        first, last = names.FIRST[pair % len(names.FIRST)], names.LAST[pair // len(names.FIRST)]
        return first.written, last.written, f"{first.mailed}.{last.mailed}{again + 1 if again else ''}"

    def _own(self, number: int, ident: str) -> _Own:
        return _Own(ident, *self._name(number), _DAYS[number * 37 & 0x3FF], f"E{number:07d}")

    def _employee(self, number: int, enabled: bool, own: _Own) -> Record:
        address = f"{own.alias}@{self.domains.own}"
        return {
            "id": own.id,
            "userPrincipalName": address,
            "displayName": f"{own.first} {own.last}",
            "givenName": own.first,
            "surname": own.last,
            "mail": address,
            "mailNickname": own.alias,
            "accountEnabled": enabled,
            "userType": "Member",
            "createdDateTime": own.created,
            **_WORK[number * 11 % len(_WORK)],
            **_PLACES[number * 7 % len(_PLACES)],
            "companyName": self._company,
            "employeeId": own.badge,
            "employeeType": "Contractor" if number % _CONTRACTORS == 0 else "Employee",
            "proxyAddresses": [f"SMTP:{address}", f"smtp:{own.alias}@{self.domains.initial}"],
            "assignedLicenses": LICENSED if enabled else UNLICENSED,
        }

    def _guest(self, number: int, ident: str) -> Record:
        first, last, alias = self._name(number)
        home = names.PARTNERS[number % len(names.PARTNERS)]
        return {
            "id": ident,
            "userPrincipalName": f"{alias}_{home}#EXT#@{self.domains.initial}",
            "displayName": f"{first} {last} (guest)",
            "mail": f"{alias}@{home}",
            "accountEnabled": True,
            "userType": "Guest",
            "createdDateTime": _DAYS[number * 37 & 0x3FF],
            "externalUserState": "Accepted",
            "creationType": "Invitation",
            "proxyAddresses": [],
            "assignedLicenses": UNLICENSED,
        }

    def _team(self, number: int, ident: str) -> Record:
        team = f"{names.TEAMS[number % len(names.TEAMS)]} {number}"
        address = f"{names.mailed(team)}@{self.domains.own}"
        return {"id": ident, **unowned_mailbox(team, address, _DAYS[number * 37 & 0x3FF])}

    def _room(self, number: int, ident: str) -> Record:
        address = f"room.{number}@{self.domains.own}"
        return {"id": ident, **unowned_mailbox(f"Room {number}", address, _DAYS[number * 37 & 0x3FF])}
