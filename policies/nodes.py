"""YAML text as nodes that know their place: scalars stay text, so that nothing is guessed.

Built from the events of the parser, one document deep as a policy needs it and no deeper. Anchors, aliases, tags,
merge keys and further documents are not part of a policy file and are reported, so that what a person reads is what
there is, and a few lines cannot unfold into billions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from policies.model import Mark
from policies.reading import Reading

_DEEPEST: Final = 20
_BYTE_ORDER_MARK: Final = "\ufeff"
_UNPAIRED: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_IN_PARENTHESES: Final = re.compile(r"\(('[^']*'),\)")  # the parser formats a tuple where it means its only item
_ALONE: Final = r"\1"
_ESCAPE: Final = re.compile(r"\\U([0-9A-Fa-f]{8})")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, as text."""

    mark: Mark
    text: str
    plain: bool
    """Written without quotes."""

    @property
    def is_null(self) -> bool:
        """Nothing, or YAML's word for nothing."""
        return self.plain and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    mark: Mark
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping; of a key that stands twice, the first."""

    mark: Mark
    entries: dict[str, tuple[Scalar, "Node"]]

    def get(self, key: str) -> "Node | None":
        """What stands under the key."""
        entry = self.entries.get(key)
        return None if entry is None else entry[1]

    def mark_of(self, key: str) -> Mark:
        """Where the key stands, or the mapping where it has no such key."""
        entry = self.entries.get(key)
        return self.mark if entry is None else entry[0].mark


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something that was reported already."""

    mark: Mark


Node = Scalar | Items | Entries | Unusable


class _Broken(Exception):
    """The text is no YAML from here on; it was reported."""


def compose(reading: Reading) -> Node | None:
    """The file's one document, or None where there is none to read; either way its problems are reported."""
    if not _is_clean(reading):
        return None
    try:
        return _Composer(reading).document()
    except _Broken:
        return None


def found(node: Node) -> str:
    """The node as an error names it."""
    if isinstance(node, Scalar):
        if node.is_null:
            return repr(node.text) if node.text else "nothing"
        if len(node.text.splitlines()) > 1:
            return "text of several lines"
        text = node.text if len(node.text) <= 40 else f"{node.text[:39]}…"
        return repr(text)
    kind, size = ("a list", len(node.items)) if isinstance(node, Items) else ("a mapping", _size(node))
    return kind if size else f"an empty {kind[2:]}"


def members(node: Node) -> Iterator[tuple[str, Scalar | None, Node]]:
    """What stands in a list or mapping: name and key, where it has them, and value."""
    if isinstance(node, Entries):
        yield from ((name, key, value) for name, (key, value) in node.entries.items())
    elif isinstance(node, Items):
        yield from (("", None, item) for item in node.items)


def scalars(node: Node) -> Iterator[Scalar]:
    """Every value in the node."""
    if isinstance(node, Scalar):
        yield node
    for _, _, member in members(node):
        yield from scalars(member)


def _size(node: Node) -> int:
    return len(node.entries) if isinstance(node, Entries) else 0


def _is_clean(reading: Reading) -> bool:
    text = reading.text
    if text.startswith(_BYTE_ORDER_MARK):
        reading.report(reading.mark(0, 0), "the file starts with a byte order mark; save it as UTF-8 without one")
        return False
    if (unpaired := _UNPAIRED.search(text)) is not None:
        reading.report(reading.mark_at(unpaired.start()), "the file is not UTF-8 text here")
        return False
    if (control := _CONTROL.search(text)) is not None:
        name = f"U+{ord(control[0]):04X}"
        reading.report(reading.mark_at(control.start()), f"found control character {name}, expected text", found=name)
        return False
    return True


class _Composer:
    """Events in, nodes out."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.events = self._events()

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    self._report(event, "a second document begins here; a policy file is one document")
                    return root
                root = self._node(next(self.events), 0)
        if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
            mark = self.reading.mark(0, 0)
            self.reading.report(mark, "the file is empty, expected a policy", found="nothing", expected="a policy")
            return None
        return root

    def _events(self) -> Iterator[Any]:
        parser = YAML(typ="safe", pure=True).parse(self.reading.text)
        while True:
            try:
                event = next(parser)
            except StopIteration:
                return
            except (YAMLError, ValueError, OverflowError) as error:
                self._not_yaml(error)
                raise _Broken from None
            yield event

    def _not_yaml(self, error: Exception) -> None:
        place = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        mark = self.reading.mark(place.line, place.column) if place is not None else self.reading.mark(0, 0)
        line = self.reading.lines[mark.line - 1] if mark.line <= len(self.reading.lines) else ""
        if "\t" in line[: len(line) - len(line.lstrip())]:
            tab = self.reading.mark(mark.line - 1, line.index("\t"))
            self.reading.report(tab, "found a tab, expected spaces: YAML is indented by spaces", found="a tab")
            return
        if not isinstance(error, MarkedYAMLError):
            mark, problem = self._bad_escape(), "this escape sequence names no character"
        else:
            problem = str(error.problem)
        self.reading.report(mark, f"this is not YAML: {_IN_PARENTHESES.sub(_ALONE, problem)}")

    def _bad_escape(self) -> Mark:
        """The parser does not say where; it knows every other fault's place."""
        bad = (escape for escape in _ESCAPE.finditer(self.reading.text) if int(escape[1], 16) > 0x10FFFF)
        return self.reading.mark_at(next((escape.start() for escape in bad), 0))

    def _report(self, event: Any, message: str, what: str | None = None) -> None:
        self.reading.report(self._mark(event), message, found=what)

    def _mark(self, event: Any) -> Mark:
        return self.reading.mark(event.start_mark.line, event.start_mark.column)

    def _node(self, event: Any, depth: int) -> Node:
        mark = self._mark(event)
        if depth > _DEEPEST:
            self._report(event, f"nested more than {_DEEPEST} deep; no policy is")
            raise _Broken
        if isinstance(event, AliasEvent):
            self._report(event, f"found the alias '*{event.anchor}'; write the value out", f"*{event.anchor}")
            return Unusable(mark)
        self._refuse_extras(event)
        if isinstance(event, ScalarEvent):
            return Scalar(mark, event.value, event.style is None or event.style == "")
        if isinstance(event, SequenceStartEvent):
            return Items(mark, tuple(self._items(depth)))
        return self._entries(event, mark, depth)

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            self._report(event, f"found the anchor '&{event.anchor}'; write values out", f"&{event.anchor}")
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._report(event, f"found the tag '{tag}'; types come from the keys", tag)

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self.events:
            if isinstance(event, SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _entries(self, event: MappingStartEvent, mark: Mark, depth: int) -> Node:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                if not isinstance(key, Unusable):
                    self.reading.report(key.mark, f"found {found(key)} as a key, expected a word")
                continue
            if key.text in entries:
                first = entries[key.text][0].mark.line
                self.reading.report(
                    key.mark, f"key {key.text!r} stands here again, first in line {first}", found=repr(key.text)
                )
                continue
            entries[key.text] = (key, _placed(value, key))
        return Entries(mark, entries)


def _placed(value: Node, key: Scalar) -> Node:
    """A value left out is reported at its key, not where the parser noticed."""
    if isinstance(value, Scalar) and value.plain and not value.text:
        return Scalar(key.mark, "", plain=True)
    return value
