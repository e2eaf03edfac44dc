"""A request's path and options, read in every spelling that OData and Graph's documentation allow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from urllib.parse import parse_qsl, unquote

from connectors.simulators.microsoft365.refusals import Refusal

_CALL_OR_KEY = re.compile(r"([\w.]+)\((.*)\)")
_NAMESPACES = ("microsoft.graph.", "graph.")
_FUNCTIONS = {"delta"}


def segments(path: str) -> tuple[str, ...]:
    """The parts of a path: `//users/delta()`, `/users/microsoft.graph.delta` and `/users/delta` are the same.

    Keys may stand in parentheses, `users('id')`, and type casts may have the short namespace of the SDKs.
    """
    parts: list[str] = []
    for raw in path.split("/"):
        parts += _segment(unquote(raw))
    return tuple(part for part in parts if part)


def _segment(text: str) -> list[str]:
    if match := _CALL_OR_KEY.fullmatch(text):
        key = match[2].rpartition("=")[2].strip("'")
        return [*_segment(match[1]), key]
    for namespace in _NAMESPACES:
        if text.lower().startswith(namespace):
            bare = text[len(namespace) :]
            return [bare if bare.lower() in _FUNCTIONS else f"microsoft.graph.{bare}"]
    return [text]


@cache
def _spellings(known: frozenset[str]) -> Mapping[str, str]:
    """The schema's spelling of each property by its name in lower case."""
    return {name.lower(): name for name in known}


@dataclass(frozen=True)
class Query:
    """The options of a request, by their names in lower case."""

    options: Mapping[str, str]
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> "Query":
        return cls({name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}, text)

    def __contains__(self, name: str) -> bool:
        return name in self.options

    def get(self, name: str) -> str:
        """The option's text, empty where it is not given."""
        return self.options.get(name, "")

    @cached_property
    def token(self) -> str:
        """The token of a next or delta link; empty on a first request, also where an empty one is given."""
        return self.get("$skiptoken") or self.get("$deltatoken")

    def selected(self, known: frozenset[str], elsewhere: frozenset[str] = frozenset()) -> tuple[str, ...] | None:
        """The properties of `$select`, `id` first, in the schema's spelling; None where nothing is selected.

        Raises Refusal for a property that the type does not have (400), or that no collection can give (501).
        """
        asked = [name.strip() for name in self.get("$select").split(",") if name.strip()]
        spelled, names = _spellings(known | elsewhere) if asked else {}, ["id"] if asked else []
        for name in asked:
            found = spelled.get(name.lower())
            if found is None:
                raise Refusal(
                    400,
                    "BadRequest",
                    f"Parsing OData Select and Expand failed: Could not find a property named '{name}'.",
                )
            if found in elsewhere:
                raise Refusal(501, "NotImplemented", f"The property '{name}' cannot be read for a collection.")
            names.append(found)
        return tuple(dict.fromkeys(names)) or None

    def top(self, default: int, most: int) -> int:
        """The page size asked for. Raises Refusal where it is out of bounds."""
        if "$top" not in self.options:
            return default
        text = self.get("$top")
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise Refusal(
                400,
                "Request_BadRequest",
                f"Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive.",
            )
        return int(text)
