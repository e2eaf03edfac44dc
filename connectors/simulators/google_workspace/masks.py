"""The `fields` parameter: `nextPageToken,users(id,name/givenName)` leaves everything else out of an answer."""

import re
from collections.abc import Iterator, Mapping
from typing import Union

from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.schema import Fields, Record

Mask = Mapping[str, Union["Mask", None]]
"""The fields that stay, each with what stays of it; None for all of it."""

_WORD = re.compile(r"\s*([(),/]|[^\s(),/]+)")


def parse(text: str, fields: Fields) -> Mask | None:
    """The mask of a `fields` parameter; None for an empty one. Raises Refusal (400) for what there is not."""
    if not text.strip():
        return None
    words = [word for word in _WORD.findall(text) if word]
    mask, rest = _list(words, 0, fields, text)
    if rest != len(words):
        raise refusals.bad_fields(text)
    return mask


def masked(value: Record, mask: Mask | None) -> Record:
    """What stays of an object."""
    return value if mask is None else dict(_kept(value, mask))


def below(mask: Mask | None, name: str) -> Mask | None:
    """What stays of one field, where it stays at all."""
    return None if mask is None else mask.get(name, mask.get("*"))


def names(mask: Mask | None, name: str) -> bool:
    """Whether a field stays."""
    return mask is None or name in mask or "*" in mask


def _kept(value: Record, mask: Mask) -> Iterator[tuple[str, object]]:
    for name, inner in value.items():
        if name in mask or "*" in mask:
            kept = _below(inner, below(mask, name))
            if kept != {}:
                yield name, kept


def _below(value: object, mask: Mask | None) -> object:
    if mask is None:
        return value
    if isinstance(value, list):
        return [_below(item, mask) for item in value]
    return masked(value, mask) if isinstance(value, dict) else value


def _list(words: list[str], at: int, fields: Fields | None, text: str) -> tuple[dict[str, Mask | None], int]:
    mask: dict[str, Mask | None] = {}
    while True:
        name, inner, at = _selector(words, at, fields, text)
        before = mask.get(name, {})
        mask[name] = None if inner is None or before is None else {**before, **inner}
        if at == len(words) or words[at] != ",":
            return mask, at
        at += 1


def _selector(words: list[str], at: int, fields: Fields | None, text: str) -> tuple[str, Mask | None, int]:
    if at == len(words) or words[at] in "(),/":
        raise refusals.bad_fields(text)
    name = words[at]
    if fields is not None and name != "*" and name not in fields:
        raise refusals.bad_fields(name)
    inner_fields = None if fields is None else fields.get(name)
    at += 1
    if at < len(words) and words[at] == "/":
        inner, mask, at = _selector(words, at + 1, inner_fields, text)
        return name, {inner: mask}, at
    if at < len(words) and words[at] == "(":
        mask, at = _list(words, at + 1, inner_fields, text)
        if at == len(words) or words[at] != ")":
            raise refusals.bad_fields(text)
        return name, mask, at + 1
    return name, None, at
