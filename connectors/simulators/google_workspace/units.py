"""A customer's organizational units: a tree of names, in which users are found by path."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from connectors.simulators.google_workspace.identifiers import of_units

_DEEPEST = 35


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. The root has no parent, and the path `/`."""

    id: str
    name: str
    parent: str | None
    description: str = ""


class Units:
    """Units by their ids, which they keep wherever they move and whatever they are called."""

    __slots__ = ("_escaped", "_ids", "_paths", "_units", "root")

    def __init__(self, customer: str, name: str) -> None:
        self._ids = of_units(customer)
        self.root = self._ids.of(0)
        self._units = {self.root: Unit(self.root, name, None)}
        self._paths: dict[str, str] = {}
        self._escaped: dict[str, str] = {}

    def create(self, path: str) -> str:
        """The unit with this path, created with those above it where it is missing."""
        place = self.root
        for name in _names(path):
            place = self.child(place, name) or self._add(name, place)
        return place

    def rename(self, ident: str, name: str) -> None:
        """Give a unit another name: its path changes, and that of all below. Raises ValueError for a name in use."""
        unit = self.unit(ident)
        self._place(replace(unit, name=_name(name)))

    def move(self, ident: str, parent: str) -> None:
        """Hang a unit below another one. Raises ValueError for a circle."""
        if ident in self._above(parent):
            raise ValueError(f"{self.path(ident)} cannot be below itself")
        self._place(replace(self.unit(ident), parent=parent))

    def remove(self, ident: str) -> None:
        """Delete a unit that has none below. Raises ValueError for one that has."""
        unit = self.unit(ident)
        if unit.parent is None or any(True for _ in self.children(ident)):
            raise ValueError(f"{self.path(ident)} has units below it")
        del self._units[ident]
        self._forget_paths()

    def unit(self, ident: str) -> Unit:
        """Raises LookupError."""
        if ident not in self._units:
            raise LookupError(f"there is no organizational unit {ident}")
        return self._units[ident]

    def find(self, key: str) -> str | None:
        """The id of the unit with this id or path, with or without the leading slash."""
        if key in self._units:
            return key
        place: str | None = self.root
        for name in _names(key):
            place = self.child(place, name) if place is not None else None
        return place

    def path(self, ident: str) -> str:
        """Where a unit is: `/Sales/EMEA`."""
        if ident not in self._paths:
            unit = self.unit(ident)
            above = "" if unit.parent is None else self.path(unit.parent).rstrip("/")
            self._paths[ident] = f"{above}/{unit.name}" if unit.parent is not None else "/"
        return self._paths[ident]

    def escaped_path(self, ident: str) -> str:
        """The path as it stands in JSON, without its quotes."""
        if ident not in self._escaped:
            self._escaped[ident] = msgspec.json.encode(self.path(ident)).decode()[1:-1]
        return self._escaped[ident]

    def child(self, parent: str, name: str) -> str | None:
        return next((unit.id for unit in self.children(parent) if unit.name.lower() == name.lower()), None)

    def children(self, ident: str) -> Iterator[Unit]:
        """The units right below, in the order of their creation."""
        return (unit for unit in self._units.values() if unit.parent == ident)

    def below(self, ident: str) -> Iterator[Unit]:
        """Every unit below, however deep, in the order of creation."""
        return (unit for unit in self._units.values() if unit.id != ident and ident in self._above(unit.id))

    def _add(self, name: str, parent: str) -> str:
        if len(self._above(parent)) > _DEEPEST:
            raise ValueError(f"units are {_DEEPEST} levels deep at most")
        ident = self._ids.of(len(self._units))
        self._units[ident] = Unit(ident, _name(name), parent)
        return ident

    def _place(self, unit: Unit) -> None:
        if unit.parent is None:
            raise ValueError("the root stays where it is")
        other = self.child(unit.parent, unit.name)
        if other not in (None, unit.id):
            raise ValueError(f"{self.path(unit.parent)} has a unit {unit.name} already")
        self._units[unit.id] = unit
        self._forget_paths()

    def _forget_paths(self) -> None:
        self._paths.clear()
        self._escaped.clear()

    def _above(self, ident: str) -> list[str]:
        """A unit and those above it, up to the root."""
        line, place = [ident], self.unit(ident).parent
        while place is not None:
            line.append(place)
            place = self.unit(place).parent
        return line


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]


def _name(name: str) -> str:
    if not name or "/" in name:
        raise ValueError(f"{name!r} cannot be the name of an organizational unit")
    return name
