"""The users of a customer in the order of their addresses: a population, and what happened to some of them since."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import NamedTuple

import msgspec

from connectors.simulators.google_workspace.identifiers import of_users
from connectors.simulators.google_workspace.people import Home, Population, Shape, Shares, addresses, instant
from connectors.simulators.google_workspace.schema import Record
from connectors.simulators.google_workspace.units import Units

_BLOCK = 3  # users whose numbers differ only in this many low bits share a version
_GOOGLES_OWN = ".test-google-a.com"


class Deletion(NamedTuple):
    """When somebody was deleted, and under which address."""

    at: datetime
    address: str


class Users:
    """Every user has a number in order of creation, which is never used again."""

    __slots__ = (
        "_absent", "_aliases", "_aliases_of", "_customer", "_domain_aliases", "_elsewhere", "_ids", "_named",
        "_numbers", "_own", "_populations", "_unit_of", "_units", "_versions", "count", "deleted", "epoch", "purged",
        "version",
    )  # fmt: skip

    def __init__(self, customer: str, units: Units) -> None:
        self._customer = customer
        self._ids = of_users(customer)
        self._named: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._units = units
        self._domain_aliases: dict[str, tuple[str, ...]] = {}
        self._populations: list[Population] = []
        self._own: dict[int, Record] = {}
        self._unit_of: dict[int, str] = {}
        self._absent: list[int] = []
        """Those who are no longer where their population has them, in order."""
        self._elsewhere: list[tuple[str, int]] = []
        """Everybody else who lives, by address."""
        self._aliases: dict[str, int] = {}
        self._aliases_of: dict[int, tuple[str, ...]] = {}
        self._versions: dict[int, int] = {}
        self.version = 0
        """Grows with every change."""
        self.epoch = 0
        """Grows when something changes that many have in common."""
        self.count = 0
        self.deleted: dict[int, Deletion] = {}
        """In the order of their deletion."""
        self.purged: dict[int, str] = {}
        """With their last addresses."""

    @property
    def live_count(self) -> int:
        return self.count - len(self.deleted) - len(self.purged)

    def live(self, number: int) -> bool:
        return number not in self.deleted and number not in self.purged

    def id(self, number: int) -> str:
        return self._named.get(number) or self._ids.of(number)

    def number(self, ident: str) -> int | None:
        """The number of the user with this id, whether it lives, is deleted or is gone; None for nobody."""
        if (number := self._numbers.get(ident)) is not None:
            return number
        number = self._ids.number(ident)
        return None if number is None or number >= self.count or number in self._named else number

    def record(self, number: int) -> Record:
        """The user's fields. To be changed by `change` only."""
        path = self._units.path(self.unit(number))
        if (own := self._own.get(number)) is not None:
            return {**own, **self._addresses(number, own), "orgUnitPath": path}
        return self._population(number).record(number, self.id(number), path)

    def address(self, number: int) -> str:
        own = self._own.get(number)
        return str(own["primaryEmail"]) if own else self._population(number).address(number)

    def unit(self, number: int) -> str:
        """The id of the user's organizational unit."""
        if number in self._unit_of:
            return self._unit_of[number]
        population = self.population(number)
        return (population.unit(number) if population else None) or self._units.root

    def json(self, numbers: Sequence[int], shape: Shape) -> bytes:
        """A part of these users' records as a JSON array."""
        return f"[{','.join(self._json(number, shape) for number in numbers)}]".encode()

    def find(self, address: str) -> int | None:
        """The live user who has this address, as the primary one or as an alias."""
        wanted = address.lower().removesuffix(_GOOGLES_OWN)
        place = bisect_left(self._elsewhere, (wanted, -1))
        if place < len(self._elsewhere) and self._elsewhere[place][0] == wanted:
            return self._elsewhere[place][1]
        for population in self._populations:
            number = population.find(wanted)
            if number is not None and self._in_place(number):
                return number
        return self._aliases.get(wanted)

    def live_numbers(self) -> Iterator[int]:
        return (number for number in range(self.count) if self.live(number))

    def after(self, address: str, most: int) -> Sequence[int]:
        """The next live users in the order of their addresses, beginning after one."""
        if len(self._populations) == 1 and (straight := self._straight(self._populations[0], address, most)):
            return straight
        return [number for _, number in islice(self.by_address(address), most)]

    def by_address(self, after: str = "") -> Iterator[tuple[str, int]]:
        """Everybody who lives, with their addresses, in the order of these."""
        begin = bisect_right(self._elsewhere, (after, self.count))
        elsewhere = islice(self._elsewhere, begin, None)
        return merge(elsewhere, *(self._in_order(population, after) for population in self._populations))

    def populate(self, count: int, domain: str, seed: int, shares: Shares, units: Sequence[str]) -> range:
        first, place = self.count, len(self._populations)
        self._populations.append(
            Population(self._home(domain), first, count, seed=seed, shares=shares, place=place, units=units)
        )
        self.count += count
        self.version += 1
        return range(first, self.count)

    def add(self, record: Record, unit: str, ident: str | None = None) -> int:
        """Take a new user in. Raises ValueError when somebody has or had this id, or has the address."""
        if ident is not None and self.number(ident) is not None:
            raise ValueError(f"the id {ident} is taken")
        self._refuse_taken(str(record["primaryEmail"]))
        number, self.count = self.count, self.count + 1
        if ident is not None:
            self._named[number], self._numbers[ident] = ident, number
        self._own[number] = {**record, "id": self.id(number)}
        self._unit_of[number] = unit
        insort(self._elsewhere, (self.address(number), number))
        self._touch(number)
        return number

    def change(self, number: int, values: Mapping[str, object]) -> None:
        """Set fields; None takes one away."""
        record = {**self._stored(number), **values}
        self._own[number] = {name: value for name, value in record.items() if value is not None}
        self._touch(number)

    def move(self, number: int, unit: str) -> None:
        self._unit_of[number] = unit
        self._touch(number)

    def readdress(self, number: int, address: str) -> None:
        """Let a live user's place in the order be that of another address. Raises ValueError for one in use."""
        if self.find(address) not in (None, number):
            raise ValueError(f"somebody has the address {address}")
        self._leave(number)
        self.change(number, {"primaryEmail": address})
        insort(self._elsewhere, (address, number))

    def swap(self, one: int, other: int) -> None:
        """Let two live users have each other's address."""
        addresses = self.address(one), self.address(other)
        for number, address in ((one, addresses[1]), (other, addresses[0])):
            self._leave(number)
            self.change(number, {"primaryEmail": address})
        for number in (one, other):
            insort(self._elsewhere, (self.address(number), number))

    def set_aliases(self, number: int, aliases: Sequence[str]) -> None:
        """Let a user have these aliases and no others. Raises ValueError for one in use."""
        for alias in aliases:
            if self.find(alias) not in (None, number):
                raise ValueError(f"somebody has the address {alias}")
        self._drop_aliases(number)
        self._aliases_of[number] = tuple(aliases)
        self._aliases.update(dict.fromkeys(aliases, number))
        self.change(number, {})

    def aliases(self, number: int) -> tuple[str, ...]:
        return self._aliases_of.get(number, ())

    def delete(self, number: int, at: datetime) -> None:
        self.deleted[number] = Deletion(at, self.address(number))
        self._drop_aliases(number)
        self._leave(number)
        self._touch(number)

    def restore(self, number: int, unit: str) -> None:
        """Bring somebody back, under the same id. Raises ValueError when the address was given away."""
        self._refuse_taken(self.deleted[number].address)
        del self.deleted[number]
        self.change(number, {})
        self.move(number, unit)
        insort(self._elsewhere, (self.address(number), number))

    def stored_name(self, number: int) -> str:
        """The full name of anybody who is not purged."""
        name = self._stored(number)["name"]
        return str(name["fullName"]) if isinstance(name, dict) else ""

    def purge(self, number: int) -> None:
        """Take a user out for good, who is deleted."""
        self.purged[number] = self.deleted.pop(number).address
        self._own.pop(number, None)
        self._unit_of.pop(number, None)
        self._touch(number)

    def gone(self, number: int) -> Record:
        """What is told of a deleted user."""
        deletion = self.deleted[number]
        return {
            "kind": "admin#directory#user",
            "id": self.id(number),
            "etag": f'"{number:08x}/gone"',
            "primaryEmail": deletion.address,
            "customerId": self._customer,
            "deletionTime": instant(deletion.at),
        }

    def rename_domain(self, old: str, new: str) -> None:
        """Give every address of a domain another one; who had it keeps nothing of it."""
        self._domain_aliases[new] = self._domain_aliases.pop(old, ())
        for population in self._populations:
            if population.home.domain == old:
                population.rehome(self._home(new))
        for number, record in self._own.items():
            local, _, domain = str(record["primaryEmail"]).partition("@")
            if domain == old:
                self._own[number] = {**record, "primaryEmail": f"{local}@{new}"}
        self._elsewhere = sorted((self.address(number), number) for _, number in self._elsewhere)
        self.touch_all()

    def alias_domain(self, domain: str, alias: str) -> None:
        """Let every address of a domain be in another one, too."""
        self._domain_aliases[domain] = (*self._domain_aliases.get(domain, ()), alias)
        for population in self._populations:
            if population.home.domain == domain:
                population.rehome(self._home(domain))
        self.touch_all()

    def touch_all(self) -> None:
        """Something changed that many have in common."""
        self.version += 1
        self.epoch += 1

    def stamp(self, start: int, end: int) -> tuple[int, int]:
        """What grows whenever one of the users from `start` up to `end` changes."""
        blocks = range(start >> _BLOCK, (end - 1 >> _BLOCK) + 1)
        return self.epoch, max((self._versions.get(block, 0) for block in blocks), default=0)

    def population(self, number: int) -> Population | None:
        """The population that the user was born into; None for one that was hired by name."""
        return next((some for some in self._populations if some.first <= number < some.end), None)

    def _population(self, number: int) -> Population:
        population = self.population(number)
        if population is None:
            raise LookupError(f"nobody has the number {number}")
        return population

    def _home(self, domain: str) -> Home:
        return Home(self._customer, domain, self._domain_aliases.get(domain, ()))

    def _addresses(self, number: int, record: Record) -> Record:
        local, _, domain = str(record["primaryEmail"]).partition("@")
        return addresses(local, self._home(domain), self.aliases(number))

    def _drop_aliases(self, number: int) -> None:
        for alias in self._aliases_of.pop(number, ()):
            del self._aliases[alias]

    def _json(self, number: int, shape: Shape) -> str:
        if number in self._own:
            return msgspec.json.encode(shape.shown(self.record(number))).decode()
        path = self._units.escaped_path(self.unit(number))
        return self._population(number).json(number, self.id(number), path, shape)

    def _stored(self, number: int) -> Record:
        return self._own.get(number) or self._population(number).record(number, self.id(number), "")

    def _straight(self, population: Population, address: str, most: int) -> range | None:
        """The next users where they are neighbors in their population; None where somebody is missing or between."""
        start = population.beyond(address)
        numbers = range(start, min(start + most, population.end))
        full = len(numbers) == most and most > 0
        until = (population.address(numbers[-1]), self.count) if full else None
        between = bisect_right(self._elsewhere, (address, self.count))
        stop = bisect_right(self._elsewhere, until) if until else len(self._elsewhere)
        missing = bisect_left(self._absent, numbers.stop) - bisect_left(self._absent, numbers.start)
        return None if between != stop or missing else numbers

    def _in_order(self, population: Population, after: str) -> Iterator[tuple[str, int]]:
        for number in range(population.beyond(after), population.end):
            if self._in_place(number):
                yield population.address(number), number

    def _in_place(self, number: int) -> bool:
        place = bisect_left(self._absent, number)
        return place == len(self._absent) or self._absent[place] != number

    def _leave(self, number: int) -> None:
        """Take a live user out of the order."""
        if self.population(number) is not None and self._in_place(number):
            insort(self._absent, number)
        else:
            self._elsewhere.remove((self.address(number), number))

    def _refuse_taken(self, address: str) -> None:
        if self.find(address) is not None:
            raise ValueError(f"somebody has the address {address}")

    def _touch(self, number: int) -> None:
        self.version += 1
        self._versions[number >> _BLOCK] = self.version
        if number in self._own:
            self._own[number]["etag"] = f'"{number:08x}/{self.version}"'
