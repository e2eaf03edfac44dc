"""The users of a tenant: a population made up from numbers, and what happened to some of them since."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from connectors.simulators.microsoft365.changes import ChangeLog
from connectors.simulators.microsoft365.identifiers import Identifiers
from connectors.simulators.microsoft365.newcomers import Domains
from connectors.simulators.microsoft365.people import Population, Shares
from connectors.simulators.microsoft365.schema import Record

_BLOCK = 8  # users whose numbers differ only in this many low bits share a version
NOTHING: frozenset[str] = frozenset()


class UserChange(NamedTuple):
    """The users from `first` up to `end` were touched: these properties changed, or (None) they came or went."""

    first: int
    end: int
    properties: frozenset[str] | None


class Deletion(NamedTuple):
    """A soft deletion, and the sign-in name that a restored user gets back."""

    at: datetime
    user_principal_name: object


class Users:
    """Every user has a number in order of creation, which is never used again."""

    __slots__ = (
        "_ids",
        "_natural",
        "_numbers",
        "_own",
        "_populations",
        "_versions",
        "count",
        "deleted",
        "log",
        "purged",
    )

    def __init__(self, tenant: str) -> None:
        self._natural = Identifiers(tenant, "users")
        self._ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._populations: list[Population] = []
        self._own: dict[int, Record] = {}
        self._versions: dict[int, int] = {}
        self.count = 0
        self.deleted: dict[int, Deletion] = {}
        """Those in the recycle bin, in the order of their deletion."""
        self.purged: set[int] = set()
        self.log: ChangeLog[UserChange] = ChangeLog()

    @property
    def live_count(self) -> int:
        return self.count - len(self.deleted) - len(self.purged)

    def live(self, number: int) -> bool:
        return number not in self.deleted and number not in self.purged

    def id(self, number: int) -> str:
        return self._ids.get(number) or self._natural.of(number)

    def number(self, ident: str) -> int | None:
        """The number of the user with this id, whether it lives, is deleted or is gone; None for nobody."""
        ident = ident.lower()
        if (number := self._numbers.get(ident)) is not None:
            return number
        number = self._natural.number(ident)
        return None if number is None or number >= self.count or number in self._ids else number

    def record(self, number: int) -> Record:
        """The user's properties. To be changed by `change` only."""
        return self._own.get(number) or self._as_born(number)

    def json(self, start: int, end: int, names: tuple[str, ...]) -> bytes | None:
        """These properties of a range of users as a JSON array, if it is one population that nobody changed."""
        population = self.population(start)
        if population is None or population.first + population.count < end or self.version(start, end):
            return None
        numbers = range(start, end)
        return f"[{','.join(population.json(numbers, map(self.id, numbers), names))}]".encode()

    def population(self, number: int) -> Population | None:
        """The population that the user was born into; None for one that was hired by name."""
        place = bisect_right(self._populations, number, key=lambda population: population.first) - 1
        population = self._populations[place] if place >= 0 else None
        return population if population and number < population.first + population.count else None

    def find(self, user_principal_name: str) -> int | None:
        """The live user with this sign-in name. Looks at everybody in the worst case."""
        wanted = user_principal_name.lower()
        return next((number for number in self.live_numbers() if self._signs_in_as(number) == wanted), None)

    def live_numbers(self, start: int = 0) -> Iterator[int]:
        return (number for number in range(start, self.count) if self.live(number))

    def populate(self, count: int, seed: int, shares: Shares, domains: Domains) -> range:
        first = self.count
        self._populations.append(Population(first, count, seed, shares, domains))
        self.count += count
        self.log.append(UserChange(first, self.count, None))
        return range(first, self.count)

    def add(self, record: Record, ident: str | None = None) -> int:
        """Take a new user in. Raises ValueError when somebody has or had this id."""
        if ident is not None and self.number(ident) is not None:
            raise ValueError(f"the id {ident} is taken")
        number, self.count = self.count, self.count + 1
        if ident is not None:
            self._ids[number], self._numbers[ident.lower()] = ident.lower(), number
        self._own[number] = {"id": self.id(number), **record}
        self._log(number, None)
        return number

    def change(self, number: int, values: Mapping[str, object]) -> None:
        """Set properties; None clears one. What is as it was leaves no trace."""
        record = self.record(number)
        new = {name: value for name, value in values.items() if record.get(name) != value}
        if new:
            self._own[number] = {**record, **new}
            self._log(number, frozenset(new))

    def delete(self, number: int, at: datetime) -> None:
        """Put a live user into the recycle bin, where the sign-in name carries the id in front."""
        record = self.record(number)
        self.deleted[number] = Deletion(at, record["userPrincipalName"])
        prefix = self.id(number).replace("-", "")
        self._own[number] = {
            **record,
            "userPrincipalName": f"{prefix}{record['userPrincipalName']}",
            "deletedDateTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        self._log(number, None)

    def restore(self, number: int, upn: str | None = None) -> None:
        deletion = self.deleted.pop(number)
        record = {**self.record(number), "userPrincipalName": upn or deletion.user_principal_name}
        del record["deletedDateTime"]
        self._own[number] = record
        self._log(number, None)

    def purge(self, number: int) -> None:
        """Take a user out for good, from the recycle bin or directly."""
        self.deleted.pop(number, None)
        self._own.pop(number, None)
        self.purged.add(number)
        self._log(number, None)

    def touched(self, since: int, until: int) -> dict[int, frozenset[str] | None]:
        """Who was touched between two positions of the log, each once, with all that changed about them."""
        touched: dict[int, frozenset[str] | None] = {}
        for first, end, properties in self.log.between(since, until):
            for number in range(first, end):
                before = touched.get(number, NOTHING)
                touched[number] = None if properties is None or before is None else before | properties
        return touched

    def version(self, start: int, end: int) -> int:
        """A number that grows whenever one of the users from `start` up to `end` changes."""
        return max(
            (self._versions.get(block, 0) for block in range(start >> _BLOCK, (end - 1 >> _BLOCK) + 1)), default=0
        )

    def _as_born(self, number: int) -> Record:
        population = self.population(number)
        if population is None:
            raise LookupError(f"nobody has the number {number}")
        return population.record(number, self.id(number))

    def _signs_in_as(self, number: int) -> str:
        return str(self.record(number)["userPrincipalName"]).lower()

    def _log(self, number: int, properties: frozenset[str] | None) -> None:
        self.log.append(UserChange(number, number + 1, properties))
        self._versions[number >> _BLOCK] = self.log.position
