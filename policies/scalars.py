"""Shapes of single values: text, whole numbers, yes or no, words of a list, and what is written as text.

A scalar is what its field says, never what it looks like: `country: no` is text, `limit: "20"` is no number.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from policies.nodes import Node, Scalar, Unusable, found
from policies.reading import Reading, did_you_mean, listed, nearest

Schema = dict[str, Any]


class Missing(Enum):
    """Stands where no value could be read; the problem was reported."""

    INVALID = "invalid"


INVALID: Final = Missing.INVALID
LONGEST_TEXT: Final = 1024


class Shape(ABC):
    """What may stand at a place of a policy file: how it is read, and what editors are told of it."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """What an error says was expected."""

    def claims(self, node: Node) -> int:
        """How surely a mapping or list is meant as one of these; 0 where it is not."""
        return 0

    @abstractmethod
    def read(self, node: Node, reading: Reading, path: str) -> object:
        """The value, or INVALID after every problem was reported. `path` is the dotted key that led here."""

    @abstractmethod
    def schema(self, defs: Schema) -> Schema:
        """The JSON Schema; named parts are put into `defs`."""

    def wrong(
        self, node: Node, reading: Reading, path: str, *, near: str | None = None, expected: str | None = None
    ) -> object:
        """Report that the node is not of this shape."""
        expected = expected or self.expected
        if not isinstance(node, Unusable):
            what, why = found(node), f"found {found(node)}, expected {expected}{did_you_mean(near)}"
            reading.report(node.mark, f"{label(path)}{why}", found=what, expected=expected, nearest=near)
        return INVALID


def label(path: str) -> str:
    """The key that a message begins with."""
    key = path.rpartition(".")[2].partition("[")[0]
    return f"{key}: " if key else ""


_A_LINE: Final = r"^[^\r\n]*\S[^\r\n]*$"
_SHOWN: Final = r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|\.{0,2}/[\w./-]{0,100}"


@dataclass(frozen=True)
class Text(Shape):
    """One line of text, whatever it looks like."""

    pattern: str | None = None
    what: str = "text of one line"
    secret: bool = False
    """What does not fit may be a secret in the wrong place, and is not shown unless it names a variable or a path."""

    @property
    def expected(self) -> str:
        return self.what

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Scalar):
            return self.wrong(node, reading, path)
        if node.is_null and node.text:
            message = f"{label(path)}found {node.text}, which means nothing here; quote it if it is the text"
            reading.report(node.mark, message, found=node.text, expected=self.expected)
            return INVALID
        if not node.text.strip() or not _is_line(node.text) or not self._fits(node.text):
            if self.secret and not re.fullmatch(_SHOWN, node.text):
                return self._refuse_unshown(node, reading, path)
            return self.wrong(node, reading, path)
        return node.text

    def _refuse_unshown(self, node: Scalar, reading: Reading, path: str) -> object:
        reading.hide(node.mark, node.text)
        what = "text that is not shown"
        message = f"{label(path)}found {what}, expected {self.expected}"
        reading.report(node.mark, message, found=what, expected=self.expected)
        return INVALID

    def _fits(self, text: str) -> bool:
        return self.pattern is None or re.fullmatch(self.pattern, text) is not None

    def schema(self, defs: Schema) -> Schema:
        # An editor reads `0123` as a number before it asks what the key is; we do not.
        pattern = _A_LINE if self.pattern is None else f"^(?:{self.pattern})$"
        return {"type": ["string", "number", "boolean"], "pattern": pattern, "maxLength": LONGEST_TEXT}


def _is_line(text: str) -> bool:
    """Fit for a terminal and a database: of sane length, no line breaks, no control characters, no lone surrogates."""
    if len(text) > LONGEST_TEXT:
        return False
    return text.isprintable() or not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text)


@dataclass(frozen=True)
class Whole(Shape):
    """A whole number within bounds, in digits."""

    at_least: int = 0
    at_most: int = 1_000_000_000

    @property
    def expected(self) -> str:
        return f"a whole number from {self.at_least} up"

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Scalar) or not re.fullmatch(r"0|[1-9][0-9]{0,17}", node.text):
            return self.wrong(node, reading, path)
        if not node.plain:
            return self.wrong(node, reading, path, expected=f"{self.expected}, without quotes")
        if int(node.text) > self.at_most:
            return self.wrong(node, reading, path, expected=f"a whole number, at most {self.at_most}")
        return int(node.text) if int(node.text) >= self.at_least else self.wrong(node, reading, path)

    def schema(self, defs: Schema) -> Schema:
        return {"type": "integer", "minimum": self.at_least, "maximum": self.at_most}


_FLAGS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MEANT: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


@dataclass(frozen=True)
class Flag(Shape):
    """true or false, or only one of them."""

    only: bool | None = None

    @property
    def expected(self) -> str:
        return "true or false" if self.only is None else str(self.only).lower()

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Scalar):
            return self.wrong(node, reading, path)
        value = _FLAGS.get(node.text) if node.plain else None
        if value is None or (self.only is not None and value is not self.only):
            near = _MEANT.get(node.text.lower())
            expected = self.expected if node.plain else f"{self.expected}, without quotes"
            return self.wrong(
                node, reading, path, near=near if near in self.expected.split() else None, expected=expected
            )
        return value

    def schema(self, defs: Schema) -> Schema:
        return {"type": "boolean"} if self.only is None else {"const": self.only}


@dataclass(frozen=True)
class Choice(Shape):
    """One of a few words, each with what it stands for."""

    words: Mapping[str, object]

    @property
    def expected(self) -> str:
        return listed(self.words)

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Scalar):
            return self.wrong(node, reading, path)
        if node.text not in self.words:
            return self.wrong(node, reading, path, near=nearest(node.text, self.words))
        return self.words[node.text]

    def schema(self, defs: Schema) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Written(Shape):
    """A value that is written as text: a duration, a share, money."""

    parse: Callable[[str], object]
    """Raises ValueError with what it expected."""
    pattern: str
    what: str

    @property
    def expected(self) -> str:
        return self.what

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Scalar):
            return self.wrong(node, reading, path)
        try:
            return self.parse(node.text)
        except ValueError as error:
            return Written(self.parse, self.pattern, str(error)).wrong(node, reading, path)

    def schema(self, defs: Schema) -> Schema:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True)
class Wrapped(Shape):
    """Text that stands for a value of its own."""

    text: Shape
    wrap: Callable[[str], object]

    @property
    def expected(self) -> str:
        return self.text.expected

    def read(self, node: Node, reading: Reading, path: str) -> object:
        text = self.text.read(node, reading, path)
        return self.wrap(text) if isinstance(text, str) else INVALID

    def schema(self, defs: Schema) -> Schema:
        return self.text.schema(defs)
