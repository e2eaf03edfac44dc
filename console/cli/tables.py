"""Tables that fit the terminal they are read on."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

UNLIMITED = 10_000
GAP = "  "
_CONTROL = dict.fromkeys((*range(32), 127, *range(128, 160)), "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True)
class Column:
    """A column. Where the terminal is too narrow, one that `gives` is narrowed down to `least`, and if that is not
    enough one that `drops` is left out: in both the highest first."""

    title: str
    right: bool = False
    gives: int = 0
    least: int = 8
    drops: int = 0


def width_of_terminal() -> int:
    """How wide a line may be; a file or a pipe takes any width."""
    if "COLUMNS" not in os.environ and not sys.stdout.isatty():
        return UNLIMITED
    return shutil.get_terminal_size((80, 24)).columns


def moment(at: str) -> str:
    """An instant as people read it: `2026-11-02 09:00`, UTC."""
    return at[:16].replace("T", " ")


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], *, indent: int = 0) -> Iterator[str]:
    """The lines of a table: a head, and a line a row; None shows as a dash. Whoever indents it says by how much."""
    cells = [[column.title for column in columns], *([_shown(cell) for cell in row] for row in rows)]
    wanted = [max(_width(row[n]) for row in cells) for n in range(len(columns))]
    widths = fitted(columns, wanted, width_of_terminal() - indent)
    for row in cells:
        aligned = (
            _aligned(cell, size, column.right)
            for cell, size, column in zip(row, widths, columns, strict=True)
            if size is not None
        )
        yield GAP.join(aligned).rstrip()


def fitted(columns: Sequence[Column], wanted: Sequence[int], width: int) -> list[int | None]:
    """The widths that fit: what gives most is narrowed first; None is a column that is left out."""
    widths: list[int | None] = list(wanted)
    while (over := _over(widths, width)) > 0:
        for at in sorted((n for n, column in enumerate(columns) if column.gives), key=lambda n: -columns[n].gives):
            given = min(over, max(0, (widths[at] or 0) - columns[at].least))
            widths[at] = (widths[at] or 0) - given if given else widths[at]
            over -= given
        dropping = [n for n, column in enumerate(columns) if column.drops and widths[n] is not None]
        if over <= 0 or not dropping:
            break
        least = max(dropping, key=lambda n: columns[n].drops)
        widths = [None if n == least or widths[n] is None else size for n, size in enumerate(wanted)]
    return widths


def _over(widths: Sequence[int | None], width: int) -> int:
    shown = [size for size in widths if size is not None]
    return sum(shown) + len(GAP) * (len(shown) - 1) - width


def _shown(cell: object) -> str:
    return "–" if cell is None or cell == "" else str(cell).translate(_CONTROL)


def _aligned(text: str, width: int, right: bool) -> str:
    text = _cut(text, width)
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while text and _width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)
