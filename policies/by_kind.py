"""The parts of a policy file whose keys depend on what is installed: directories and sellers, each by its kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from policies.document import DirectoryEntry, DirectoryKind, Kinds, Purchasing, SellerEntry
from policies.model import DirectoryId
from policies.nodes import Entries, Node
from policies.reading import Reading
from policies.records import ByKind, Field, Given, Record, joined
from policies.scalars import INVALID, Choice, Schema, Shape, Text
from policies.shape import fields_of, first_line, record_of

ID_PATTERN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
EXPECTED_ID = "an id of a-z, 0-9 and -, at most 63 long"

_DIRECTORY_ID = Text(ID_PATTERN, EXPECTED_ID)


@dataclass(frozen=True)
class Directories(Shape):
    """A company's directories by their ids."""

    entry: ByKind

    @property
    def expected(self) -> str:
        return "a mapping of directory ids to directories"

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Entries):
            return self.wrong(node, reading, path)
        read: list[object] = []
        for name, (key, value) in node.entries.items():
            known = _DIRECTORY_ID.read(key, reading, path)
            entry = self.entry.read(value, reading, joined(path, name))
            if known is not INVALID and isinstance(entry, DirectoryEntry):
                read.append(replace(entry, id=DirectoryId(name), mark=key.mark))
                reading.values[joined(path, name)] = read[-1]
        return tuple(read) if len(read) == len(node.entries) else INVALID

    def schema(self, defs: Schema) -> Schema:
        names = {"pattern": f"^(?:{ID_PATTERN})$"}
        return {"type": "object", "propertyNames": names, "additionalProperties": self.entry.schema(defs)}


def directories(kinds: Mapping[str, DirectoryKind]) -> Directories:
    """The shape of `directories`, for these kinds."""
    return Directories(ByKind({name: _directory(name, kind) for name, kind in sorted(kinds.items())}))


def _directory(name: str, kind: DirectoryKind) -> Record:
    own = fields_of(kind.options)
    common = (field for field in fields_of(DirectoryEntry) if field.name not in kind.cannot)
    shared = tuple(replace(field, needed=False) for field in common)
    shared = tuple(replace(field, default=kind.every) if field.name == "every" else field for field in shared)

    def make(given: Given, node: Entries, reading: Reading) -> object:
        options = kind.options(**{field.attribute: given[field.attribute] for field in own if field.attribute in given})
        said = {field.attribute: given[field.attribute] for field in shared if field.attribute in given}
        entry = DirectoryEntry(DirectoryId(""), name, kind.every, options)
        return replace(entry, **said)  # type: ignore[arg-type]

    return Record(f"directory.{name}", (_kind(name), *_apart(own, shared)), make, help=first_line(kind.options))


def purchasing(kinds: Kinds) -> Record:
    """The shape of `purchasing`, for these kinds of sellers."""
    seller = ByKind({name: _seller(name, options) for name, options in sorted(kinds.sellers.items())})
    field = Field("seller", "seller", seller, help="Where licenses are bought; manual if nothing is said (P8).")

    def make(given: Given, node: Entries, reading: Reading) -> object:
        values: dict[str, Any] = {"seller": default_seller(kinds), **given}
        return Purchasing(**values)

    return replace(record_of(Purchasing), fields=(field, *fields_of(Purchasing)), make=make)


def _seller(name: str, options: type) -> Record:
    own = fields_of(options)

    def make(given: Given, node: Entries, reading: Reading) -> object:
        chosen = {field.attribute: given[field.attribute] for field in own if field.attribute in given}
        return SellerEntry(name, options(**chosen))

    return Record(f"seller.{name}", (_kind(name), *_apart(own, ())), make, help=first_line(options))


def default_seller(kinds: Kinds) -> SellerEntry:
    """The seller where nothing is said: a person who marks orders as fulfilled."""
    return SellerEntry("manual", kinds.sellers["manual"]()) if "manual" in kinds.sellers else SellerEntry()


def _kind(name: str) -> Field:
    return Field("kind", "kind", Choice({name: name}), needed=True, help="What it is.")


def _apart(own: tuple[Field, ...], shared: tuple[Field, ...]) -> tuple[Field, ...]:
    """Both, if no key means two things; else TypeError, where the kind is declared."""
    names = [field.name for field in (*own, *shared)]
    twice = {name for name in names if names.count(name) > 1 or name == "kind"}
    if twice:
        raise TypeError(f"the options {', '.join(sorted(twice))} have a meaning in every entry already")
    return (*own, *shared)
