"""Answers as programs read them: JSON in our own words, and CSV."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec


def encoded(value: Any) -> str:
    """One JSON document, for people too: indented."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def encoded_rows(rows: Iterable[Any]) -> Iterator[str]:
    """A JSON list, a line an entry, however many there are."""
    before = "["
    for row in rows:
        yield f"{before}\n{msgspec.json.encode(row).decode()}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def flat(row: Any, prefix: str = "") -> dict[str, str]:
    """An entry as the cells of one CSV line: what is nested is spelt with a dot, null is empty."""
    cells: dict[str, str] = {}
    for key, value in msgspec.to_builtins(row).items():
        if isinstance(value, dict):
            cells |= flat(value, f"{prefix}{key}.")
        else:
            cells[f"{prefix}{key}"] = "" if value is None else str(value)
    return cells
