"""Shapes of lists, of mappings whose keys are the file's own, and of values that have several forms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from policies.nodes import Entries, Items, Node, Scalar, members, scalars
from policies.reading import Reading, listed, nearest, sounds_secret
from policies.scalars import INVALID, Choice, Schema, Shape, label


@dataclass(frozen=True)
class ListOf(Shape):
    """A list of values of one shape."""

    item: Shape
    filled: bool = False
    make: Callable[[list[object]], object] = tuple

    @property
    def expected(self) -> str:
        return "a list with at least one entry" if self.filled else "a list"

    def claims(self, node: Node) -> int:
        return int(isinstance(node, Items))

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if isinstance(node, Scalar) and not node.is_null and len(node.text) < 40:
            return self.wrong(node, reading, path, expected=f"a list, as in [{node.text}]")
        if not isinstance(node, Items) or (self.filled and not node.items):
            return self.wrong(node, reading, path)
        values = [self.item.read(item, reading, f"{path}[{index}]") for index, item in enumerate(node.items)]
        return INVALID if INVALID in values else self.make(values)

    def schema(self, defs: Schema) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema(defs)}
        return schema | {"minItems": 1} if self.filled else schema


@dataclass(frozen=True)
class MapOf(Shape):
    """A mapping whose keys are the file's own: names, license types."""

    key: Shape
    value: Shape
    filled: bool = False
    what: str | None = None

    @property
    def expected(self) -> str:
        return self.what or ("a mapping with at least one key" if self.filled else "a mapping")

    def claims(self, node: Node) -> int:
        return int(isinstance(node, Entries))

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Entries) or (self.filled and not node.entries):
            return self.wrong(node, reading, path)
        values: dict[object, object] = {}
        for name, (key, value) in node.entries.items():
            known = self.key.read(key, reading, path)
            reading.said[f"{path}.{name}"] = key.mark
            values[known] = reading.values[f"{path}.{name}"] = self.value.read(value, reading, f"{path}.{name}")
        return INVALID if INVALID in values or INVALID in values.values() else values

    def schema(self, defs: Schema) -> Schema:
        names = {key: value for key, value in self.key.schema(defs).items() if key != "type"}
        schema: Schema = {"type": "object", "propertyNames": names, "additionalProperties": self.value.schema(defs)}
        return schema | {"minProperties": 1} if self.filled else schema


@dataclass(frozen=True)
class OneOf(Shape):
    """One of several forms. A mapping is read as the form that it shares most keys with."""

    forms: tuple[Shape, ...]
    what: str | None = None
    instead: str | None = None
    secret: bool = False

    @property
    def expected(self) -> str:
        if self.what is not None:
            return self.what
        words = (list(form.words) if isinstance(form, Choice) else [form.expected] for form in self.forms)
        return listed(word for several in words for word in several)

    def claims(self, node: Node) -> int:
        return max(form.claims(node) for form in self.forms)

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if isinstance(node, Scalar):
            return self._scalar(node, reading, path)
        self._hide(node, reading)
        best = max(self.forms, key=lambda form: form.claims(node))
        if best.claims(node) or len(self.forms) == 1:
            return best.read(node, reading, path)
        return self.wrong(node, reading, path)

    def _scalar(self, node: Scalar, reading: Reading, path: str) -> object:
        for form in self.forms:
            value = form.read(node, Reading(reading.file, ""), path)
            if value is not INVALID:
                return value
        if self.instead is not None and not node.is_null:
            return self._refuse(node, reading, path, self.instead)
        words = [word for form in self.forms if isinstance(form, Choice) for word in form.words]
        return self.wrong(node, reading, path, near=nearest(node.text, words))

    def _hide(self, node: Node, reading: Reading) -> None:
        """Where a secret belongs, or under a key that sounds like one, nothing is shown that fits no form."""
        for name, key, value in members(node):
            is_known = key is not None and self.claims(Entries(node.mark, {name: (key, value)}))
            if not is_known and (self.secret or sounds_secret(name)):
                for scalar in scalars(value):
                    reading.hide(scalar.mark, scalar.text)

    def _refuse(self, node: Scalar, reading: Reading, path: str, instead: str) -> object:
        if self.secret:
            reading.hide(node.mark, node.text)
        reading.report(node.mark, f"{label(path)}{instead}", found="a bare value", expected=self.expected)
        return INVALID

    def schema(self, defs: Schema) -> Schema:
        return {"anyOf": [form.schema(defs) for form in self.forms]}


@dataclass(frozen=True)
class Tagged(Shape):
    """A mapping with a single key that says what its value is."""

    forms: Mapping[str, Shape]

    @property
    def expected(self) -> str:
        return listed(f"{{{tag}: …}}" for tag in self.forms)

    def claims(self, node: Node) -> int:
        return int(isinstance(node, Entries))

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Entries) or len(node.entries) != 1:
            return self.wrong(node, reading, path)
        ((tag, (key, value)),) = node.entries.items()
        if tag not in self.forms:
            return self.wrong(key, reading, path, near=nearest(tag, self.forms))
        return self.forms[tag].read(value, reading, f"{path}.{tag}")

    def schema(self, defs: Schema) -> Schema:
        return {
            "type": "object",
            "properties": {tag: form.schema(defs) for tag, form in self.forms.items()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
