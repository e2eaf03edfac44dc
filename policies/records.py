"""Shapes of mappings with known keys, also such whose keys depend on their `kind`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import timedelta
from functools import cached_property

from policies import text
from policies.nodes import Entries, Node, Scalar, found, scalars
from policies.reading import Reading, did_you_mean, listed, nearest, sounds_secret
from policies.scalars import INVALID, Choice, Schema, Shape


@dataclass(frozen=True)
class Field:
    """One key of a mapping."""

    name: str
    attribute: str
    shape: Shape
    needed: bool = False
    help: str = ""
    default: object = None


Given = dict[str, object]


@dataclass(frozen=True)
class Record(Shape):
    """A mapping with known keys."""

    title: str
    fields: tuple[Field, ...]
    make: Callable[[Given, Entries, Reading], object]
    """Makes the value of those keys that were given and could be read; only called where all could be."""
    check: Callable[[Given, frozenset[str], Entries, Reading], None] | None = None
    """Reports what is wrong with the keys taken together: those that could be read, and all that were meant."""
    also: Schema = dataclass_field(default_factory=dict)
    """What a schema can say of what `check` finds."""
    help: str = ""
    filled: bool = False
    what: str | None = None

    @property
    def expected(self) -> str:
        if self.what is not None:
            return self.what
        if self.filled:
            return f"a mapping with at least one of {', '.join(field.name for field in self.fields)}"
        names = [field.name for field in self.fields if field.needed] or [field.name for field in self.fields]
        return f"a mapping {{{', '.join(names)}}}" if len(names) <= 4 else "a mapping"

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def claims(self, node: Node) -> int:
        return sum(name in self._by_name for name in node.entries) if isinstance(node, Entries) else 0

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Entries) or (self.filled and not node.entries):
            return self.wrong(node, reading, path)
        given: Given = {}
        for field, below in self._known(node, reading, path):
            value = field.shape.read(below, reading, joined(path, field.name))
            if value is not INVALID:
                given[field.attribute] = reading.values[joined(path, field.name)] = value
        if self.check is not None:
            self.check(given, self.meant(node), node, reading)
        is_whole = self._has_all(node, reading) and len(given) == len(node.entries)
        return self.make(given, node, reading) if is_whole else INVALID

    def _known(self, node: Entries, reading: Reading, path: str) -> Iterator[tuple[Field, Node]]:
        for name, (key, value) in node.entries.items():
            field = self._by_name.get(name)
            if field is not None:
                reading.said[joined(path, name)] = key.mark
                yield field, value
                continue
            for scalar in scalars(value) if sounds_secret(name) else ():
                reading.hide(scalar.mark, scalar.text)
            self._unknown(key, reading)

    def _unknown(self, key: Scalar, reading: Reading) -> None:
        near = nearest(key.text, self._by_name)
        expected = f"one of {', '.join(sorted(self._by_name))}" if self._by_name else "no key"
        message = f"unknown key {found(key)}, expected {expected}{did_you_mean(near)}"
        reading.report(key.mark, message, found=found(key), expected=expected, nearest=near)

    def _has_all(self, node: Entries, reading: Reading) -> bool:
        meant = self.meant(node)
        missing = [field for field in self.fields if field.needed and field.name not in meant]
        for field in missing:
            expected = field.shape.expected
            reading.report(node.mark, f"missing key {field.name!r}, expected {expected}", expected=repr(field.name))
        return not missing

    def meant(self, node: Entries) -> frozenset[str]:
        """The keys that the mapping has or, misspelled, was meant to have; a merge key may stand for any."""
        if "<<" in node.entries:
            return frozenset(self._by_name)
        return frozenset(
            name if name in self._by_name else nearest(name, self._by_name) or name for name in node.entries
        )

    def schema(self, defs: Schema) -> Schema:
        if self.title not in defs:
            defs[self.title] = {}
            defs[self.title] = self._schema(defs)
        return {"$ref": f"#/$defs/{self.title}"}

    def _schema(self, defs: Schema) -> Schema:
        properties = {field.name: _described(field, field.shape.schema(defs)) for field in self.fields}
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **self.also}
        if needed := [field.name for field in self.fields if field.needed]:
            schema["required"] = needed
        if self.filled:
            schema["minProperties"] = 1
        return {"description": self.help} | schema if self.help else schema


def _described(field: Field, schema: Schema) -> Schema:
    extra: Schema = {"description": field.help} if field.help else {}
    default = _written(field.default)
    if default is not None:
        extra["default"] = default
    return schema | extra


def _written(value: object) -> object:
    """A default as the file would have it, or None where it would have none."""
    match value:
        case bool() | int() | str():
            return value
        case timedelta():
            return text.format_duration(value)
        case text.Money():
            return text.format_money(value)
        case _:
            return None


@dataclass(frozen=True)
class ByKind(Shape):
    """A mapping whose key `kind` says what its other keys are."""

    kinds: Mapping[str, Record]

    @property
    def expected(self) -> str:
        return f"a mapping with the key 'kind': {listed(self.kinds)}"

    def claims(self, node: Node) -> int:
        return int(isinstance(node, Entries) and "kind" in node.entries)

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Entries):
            return self.wrong(node, reading, path)
        kind = node.get("kind")
        if kind is None:
            expected = listed(self.kinds)
            reading.report(node.mark, f"missing key 'kind', expected {expected}", expected=expected)
            return INVALID
        name = Choice({name: name for name in self.kinds}).read(kind, reading, joined(path, "kind"))
        return self.kinds[name].read(node, reading, path) if isinstance(name, str) else INVALID

    def schema(self, defs: Schema) -> Schema:
        return {"type": "object", "oneOf": [record.schema(defs) for record in self.kinds.values()]}


def joined(path: str, name: str) -> str:
    """The dotted key of what stands below a path."""
    return f"{path}.{name}" if path else name
