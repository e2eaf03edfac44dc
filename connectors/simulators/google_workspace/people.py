"""A customer's population, made up from numbers that stand in the order of their addresses.

Google lists users by address. Names are enumerated in alphabetical order, so that the order of the numbers is that of
the addresses, a page is a range of numbers, and nothing has to be sorted, however many there are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from connectors.simulators import names
from connectors.simulators.google_workspace.masks import Mask, masked
from connectors.simulators.google_workspace.schema import PUBLIC, Record
from connectors.simulators.ranks import Ranks
from connectors.simulators.templates import Template, placeholders

NEVER = "1970-01-01T00:00:00.000Z"
"""When somebody logged in last who never did."""
_EPOCH = datetime(2016, 1, 4, 8, 0, tzinfo=UTC)


def instant(at: datetime) -> str:
    """A time as Google writes it: with milliseconds, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


_DAYS = [instant(_EPOCH + timedelta(hours=61 * step)) for step in range(1 << 10)]


def _alphabetical(people: Sequence[names.Name]) -> tuple[names.Name, ...]:
    return tuple(sorted({name.mailed: name for name in people}.values(), key=lambda name: name.mailed))


_WORK: list[Record] = [
    {"department": unit.name, "title": title, "costCenter": unit.cost_center}
    for unit in names.DEPARTMENTS
    for title in unit.titles
]
_CONTRACTORS = 9  # one in so many
_FIRST, _LAST = _alphabetical(names.FIRST), _alphabetical(names.LAST)
_PAIRS = len(_FIRST) * len(_LAST)


@dataclass(frozen=True, slots=True)
class Shares:
    """What a population is made of, as shares of the whole; the rest are active. Numbers of users are exact."""

    suspended: float = 0.02
    archived: float = 0.01
    guests: float = 0.0
    without_mailbox: float = 0.01

    def __post_init__(self) -> None:
        values = [getattr(self, field.name) for field in fields(self)]
        if min(values) < 0 or sum(values) > 1:
            raise ValueError(f"shares are not negative and sum up to 1 at most: {self}")


class Own(NamedTuple):
    """What is a user's own: the texts that no two have in common."""

    id: str
    given: str
    family: str
    local: str
    """The address before the @."""
    etag: str
    created: str
    last_login: str
    unit_path: str


class Home(NamedTuple):
    """Whose the users are, and the domain of their addresses with those that stand for it."""

    customer: str
    domain: str
    alias_domains: tuple[str, ...] = ()


class Standing(NamedTuple):
    """What a user has in common with many others."""

    suspended: bool = False
    archived: bool = False
    guest: bool = False
    mailbox: bool = True
    work: int | None = None
    """Which of the kinds of work there are."""
    contractor: bool = False


class Shape(NamedTuple):
    """Which part of a user an answer shows."""

    key: str
    """The same for the same part."""
    mask: Mask | None = None
    public: bool = False
    """What everybody in the organization may see."""
    schemas: frozenset[str] | None = frozenset()
    """Which custom schemas; None for all."""

    def shown(self, record: Record) -> Record:
        """The part of a user's record."""
        if self.public:
            record = {name: value for name, value in record.items() if name in PUBLIC}
        custom = record.get("customSchemas")
        if isinstance(custom, dict) and self.schemas is not None:
            kept = {name: value for name, value in custom.items() if name in self.schemas}
            record = {**record, "customSchemas": kept}
            if not kept:
                del record["customSchemas"]
        return masked(record, self.mask)


def user(own: Own, standing: Standing, home: Home) -> Record:
    """A user as the admin's view has it."""
    return {
        "kind": "admin#directory#user",
        "id": own.id,
        "etag": f'"{own.etag}"',
        "primaryEmail": f"{own.local}@{home.domain}",
        "name": naming(own.given, own.family),
        "isAdmin": False,
        "isDelegatedAdmin": False,
        "lastLoginTime": own.last_login,
        "creationTime": own.created,
        "agreedToTerms": True,
        "suspended": standing.suspended,
        **({"suspensionReason": "ADMIN", "suspensionTime": own.last_login} if standing.suspended else {}),
        "archived": standing.archived,
        **({"archivalTime": own.last_login} if standing.archived else {}),
        "changePasswordAtNextLogin": False,
        "ipWhitelisted": False,
        **addresses(own.local, home, ()),
        **_employment(standing, home),
        "languages": [{"languageCode": "en", "preference": "preferred"}],
        "customerId": home.customer,
        "orgUnitPath": own.unit_path,
        "isMailboxSetup": standing.mailbox,
        **({"isGuestUser": True} if standing.guest else {}),
        "isEnrolledIn2Sv": True,
        "isEnforcedIn2Sv": False,
        "includeInGlobalAddressList": True,
    }


def _employment(standing: Standing, home: Home) -> Record:
    """The field in which somebody's work stands, where it is known."""
    if standing.work is None:
        return {}
    company = f"{home.domain.partition('.')[0].title()} Ltd"
    kind = "Contractor" if standing.contractor else "Employee"
    return {
        "organizations": [
            {"name": company, "primary": True, "customType": "", "description": kind, **_WORK[standing.work]}
        ]
    }


def naming(given: str, family: str) -> Record:
    """A name in its parts."""
    return {"givenName": given, "familyName": family, "fullName": f"{given} {family}".strip()}


def addresses(local: str, home: Home, aliases: Sequence[str]) -> Record:
    """The fields in which a user's further addresses stand. Those in domain aliases nobody can take away."""
    primary = f"{local}@{home.domain}"
    fixed = [f"{primary}.test-google-a.com", *(f"{local}@{domain}" for domain in home.alias_domains)]
    return {
        "emails": [{"address": primary, "primary": True}, *({"address": alias} for alias in (*aliases, *fixed))],
        **({"aliases": list(aliases)} if aliases else {}),
        "nonEditableAliases": fixed,
    }


class Population:
    """Users `first` to `first + count - 1` of a customer, each a pure function of its number."""

    __slots__ = (
        "_archived", "_guests", "_names_each", "_ranks", "_suffix", "_suspended", "_templates", "_units",
        "_without_mailbox", "count", "end", "first", "home",
    )  # fmt: skip

    def __init__(
        self, home: Home, first: int, count: int, *, seed: int, shares: Shares, place: int, units: Sequence[str]
    ) -> None:
        """`place` is 0 for a customer's first population; the addresses of later ones end on it. `units` are ids."""
        self.home, self.first, self.count, self.end = home, first, count, first + count
        self._ranks = Ranks(first, count, seed)
        self._units = tuple(units)
        self._names_each = -(-count // _PAIRS)
        self._suffix = f".{place + 1}" if place else ""
        self._suspended = round(count * shares.suspended)
        self._archived = self._suspended + round(count * shares.archived)
        self._guests = self._archived + round(count * shares.guests)
        self._without_mailbox = self._guests + round(count * shares.without_mailbox)
        self._templates: dict[tuple[str, Standing], Template] = {}

    def address(self, number: int) -> str:
        """The user's address: it grows with the number."""
        return f"{self._name(number)[2]}@{self.home.domain}"

    def rehome(self, home: Home) -> None:
        """Let the users' addresses be in another domain, or that domain have other aliases."""
        self.home = home
        self._templates.clear()

    def find(self, address: str) -> int | None:
        """The number of the user with this address, as nobody has renamed them yet."""
        number = bisect_left(range(self.first, self.end), address, key=self.address) + self.first
        return number if number < self.end and self.address(number) == address else None

    def beyond(self, address: str) -> int:
        """The first number whose address comes after this one."""
        return bisect_right(range(self.first, self.end), address, key=self.address) + self.first

    def unit(self, number: int) -> str | None:
        """The id of the user's unit; None for the root."""
        return self._units[self._ranks.of(number) % len(self._units)] if self._units else None

    def standing(self, number: int) -> Standing:
        rank = self._ranks.of(number)
        return Standing(
            suspended=rank < self._suspended,
            archived=self._suspended <= rank < self._archived,
            guest=self._archived <= rank < self._guests,
            mailbox=not self._archived <= rank < self._without_mailbox,
            work=number * 11 % len(_WORK),
            contractor=number % _CONTRACTORS == 0,
        )

    def own(self, number: int, ident: str, unit_path: str) -> Own:
        """The user's own texts."""
        given, family, local = self._name(number)
        created, login = _DAYS[number * 37 & 0x3FF], _DAYS[(number * 37 & 0x3FF) | 0x200]
        return Own(ident, given, family, local, f"{number:08x}/0", created, login if number % 23 else NEVER, unit_path)

    def record(self, number: int, ident: str, unit_path: str) -> Record:
        """The user's fields, as nobody has changed them yet."""
        return user(self.own(number, ident, unit_path), self.standing(number), self.home)

    def json(self, number: int, ident: str, escaped_path: str, shape: Shape) -> str:
        """A part of the user's record as JSON, from a template."""
        key = shape.key, self.standing(number)
        if (template := self._templates.get(key)) is None:
            blank = user(Own(*placeholders(len(Own._fields))), key[1], self.home)
            template = self._templates[key] = Template(msgspec.json.encode(shape.shown(blank)))
        return template.filled(self.own(number, ident, escaped_path))

    def _name(self, number: int) -> tuple[str, str, str]:
        """Given name, family name, and address before the @, in the order of the address."""
        slot = (number - self.first) * _PAIRS * self._names_each // self.count
        pair, again = divmod(slot, self._names_each)
        given, family = _FIRST[pair // len(_LAST)], _LAST[pair % len(_LAST)]
        more = f"{again:0{len(str(self._names_each))}d}" if self._names_each > 1 else ""
        return given.written, family.written, f"{given.mailed}.{family.mailed}{more}{self._suffix}"
