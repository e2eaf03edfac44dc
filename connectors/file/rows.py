"""Reads a CSV file row by row, whatever the spreadsheet that saved it made of its encoding and delimiter.

Nothing is guessed about a file that is not whole: one that ends inside a quoted field, a row with more or fewer fields
than the header, or bytes that are no text make the whole read void, with the line in which it happened.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import BinaryIO, NamedTuple

from connectors.errors import NeedsPerson
from connectors.file.columns import is_header, places

_BLOCK = 1 << 20
_LONGEST_HEADER = 1 << 16
_DELIMITERS = ",;\t"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
REMEDY = "export the list again, and put it in the place of this one"


class Print(NamedTuple):
    """What a file was: enough to know it again, and how its bytes become text."""

    digest: str
    encoding: str


class Row(NamedTuple):
    """A row with the line in which it ends, counted from 1."""

    line: int
    fields: list[str]


@contextmanager
def table(file: BinaryIO, encoding: str, name: str) -> "Iterator[Table]":
    """The table in a file, which stays open. Raises NeedsPerson where it lacks its header."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield Table(text, name)
    finally:
        text.detach()


class Table:
    """A CSV file that is being read: where its known columns stand, then its rows."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._name = name
        self._text = text
        delimiter, self._before = self._beginning()
        self._rows = csv.reader(self._text, delimiter=delimiter, strict=True)
        self._header = self._next()
        if self._header is None or not is_header(self._header):
            raise self.broken(
                1 + self._before,
                "it does not begin with the column names of a user list, such as User principal name or Email Address",
            )
        self.places = places(self._header)

    def __iter__(self) -> Iterator[Row]:
        """The rows. Raises NeedsPerson at the first that is not whole."""
        width = len(self._header or ())
        while (fields := self._next()) is not None:
            if not any(fields):
                continue
            if len(fields) != width:
                raise self.broken(self.line, f"it has {len(fields)} fields where the header has {width}")
            yield Row(self.line, fields)

    @property
    def line(self) -> int:
        return self._rows.line_num + self._before

    def broken(self, line: int, what: str) -> NeedsPerson:
        """Why the file cannot be read."""
        return NeedsPerson(f"{self._name}, line {line}: {what}", remedy=REMEDY)

    def _next(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as problem:
            raise self.broken(self.line, _said(str(problem))) from None
        except UnicodeError:
            raise self.broken(self.line, "it holds bytes that are no text") from None

    def _beginning(self) -> tuple[str, int]:
        """The delimiter under which the first line has most known columns, and the lines before it: spreadsheets may
        write `sep=;` into one."""
        try:
            first = self._text.readline(_LONGEST_HEADER)
            hint = first.strip().lower()
            before = 1 if hint.startswith("sep=") and len(hint) == 5 else 0
            header = self._text.readline(_LONGEST_HEADER) if before else first
        except UnicodeError:
            raise self.broken(1, "it holds bytes that are no text") from None
        self._text.seek(0)
        if before:
            self._text.readline()
        return max(_DELIMITERS, key=lambda delimiter: len(places(header.split(delimiter)))), before


def print_of(file: BinaryIO) -> Print:
    """The file's digest and encoding, read through once: UTF-8 and UTF-16 by their marks, UTF-8 if all of it is, else
    the code page of Western Windows, which makes text of nearly anything."""
    file.seek(0)
    digest, utf8, start = sha256(), codecs.getincrementaldecoder("utf-8")(), b""
    is_utf8 = True
    while block := file.read(_BLOCK):
        start = start or block[:4]
        digest.update(block)
        is_utf8 = is_utf8 and _decodes(utf8, block)
    is_utf8 = is_utf8 and _decodes(utf8, b"", final=True)
    marked = next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)
    return Print(digest.hexdigest(), marked or ("utf-8" if is_utf8 else "cp1252"))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


_SAID = {
    "unexpected end of data": "the file ends inside a quoted field",
    "line contains NUL": "it holds bytes that are no text",
}


def _said(problem: str) -> str:
    return _SAID.get(problem, f"it cannot be read as CSV: {problem}")
