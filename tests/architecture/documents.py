"""Reads what the documents say: tables, examples, links; without knowing what the program says.

A table of keys follows a line `<!-- keys: document.Licenses -->`, which names the mapping that it describes as the
JSON Schema of the policy files names it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_MARKER = re.compile(r"<!-- keys: (\S+) -->")
_FENCE = re.compile(r"^( *)```(\S*)([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One row of a table, cell by cell."""

    cells: tuple[str, ...]

    @property
    def code(self) -> str:
        """What stands in backticks first in the row: what it is about."""
        found = _CODE.search(self.cells[0])
        return "" if found is None else found[1]


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else stands beside it, and its text."""

    language: str
    note: str
    text: str


def documents() -> list[Path]:
    """Everything that people are given to read."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def tables(text: str) -> Iterator[list[Row]]:
    """Every table, without its head."""
    rows: list[Row] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(Row(tuple(cell.strip() for cell in line.strip().strip("|").split(" | "))))
        elif rows:
            yield rows[2:]
            rows = []


def key_tables(text: str) -> dict[str, list[Row]]:
    """The tables of keys, by the mapping that they describe."""
    found: dict[str, list[Row]] = {}
    for marker in _MARKER.finditer(text):
        assert marker[1] not in found, f"{marker[1]} is described twice"
        found[marker[1]] = next(tables(text[marker.end() :]), [])
    return found


def blocks(text: str) -> list[Block]:
    """Every fenced block, its indentation taken off."""
    return [Block(match[2], match[3].strip(), dedent(match[4])) for match in _FENCE.finditer(text)]


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one; '' where there is no such heading."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE)
    return "" if found is None else found[1]


def links(text: str) -> list[str]:
    """Where links lead that stay within the project."""
    return [link for link in _LINK.findall(_FENCE.sub("", text)) if "://" not in link]


def anchors(text: str) -> set[str]:
    """What a link can name after its #: the headings, as forges spell them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
