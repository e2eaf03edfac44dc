"""Fault files for `simulate --faults FILE`: a list of faults in YAML, of which JSON is a part.

    - kind: throttle
      path: /users/delta
      retry_after: 30
      times: 2
    - {kind: unavailable, path: /groups/*, after: 10, times: null}

Errors name file, line and column, and all of them come at once.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple, TypeVar, get_args, get_type_hints

import msgspec

from policies.errors import Problem, SeatkeeperError
from policies.nodes import Entries, Items, Node, Scalar, compose, found
from policies.reading import Reading

Fault = TypeVar("Fault", bound=msgspec.Struct)
_AT = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<key>\w*)`$")


class FaultFileError(SeatkeeperError):
    """A fault file cannot be read."""

    code = "faults_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.with_caret() for problem in problems))
        self.problems = problems


class _Words(NamedTuple):
    """What a simulator's faults may say: their keys, and the kinds that `kind` may name."""

    keys: tuple[str, ...]
    kinds: tuple[str, ...]


def read_faults(text: str, file: str, type_: type[Fault]) -> tuple[Fault, ...]:
    """The faults of a file's text, as a simulator declares them. Raises FaultFileError with every problem."""
    reading = Reading(file, text)
    faults: list[Fault] = []
    if text.strip():
        root = compose(reading)
        faults = list(_faults(reading, root, type_)) if root is not None else []
    if reading.problems:
        raise FaultFileError(reading.problems)
    return tuple(faults)


def _faults(reading: Reading, root: Node, type_: type[Fault]) -> Iterator[Fault]:
    words = _Words(
        tuple(field.name for field in msgspec.structs.fields(type_)), get_args(get_type_hints(type_)["kind"])
    )
    if not isinstance(root, Items):
        reading.report(root.mark, f"found {found(root)}, expected a list of faults", found=found(root))
        return
    for node in root.items:
        if not isinstance(node, Entries):
            reading.report(node.mark, f"found {found(node)}, expected a fault with its kind", found=found(node))
        elif _keys_are_known(reading, node, words) and (fault := _fault(reading, node, type_, words)) is not None:
            yield fault


def _keys_are_known(reading: Reading, node: Entries, words: _Words) -> bool:
    unknown = [key for key in node.entries if key not in words.keys]
    for key in unknown:
        nearest = _nearest(key, words.keys)
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        text = f"unknown key {key!r}, expected one of {', '.join(words.keys)}{hint}"
        reading.report(node.mark_of(key), text, found=key, nearest=nearest)
    return not unknown


def _fault(reading: Reading, node: Entries, type_: type[Fault], words: _Words) -> Fault | None:
    values = {key: _value(value) for key, (_, value) in node.entries.items()}
    try:
        return msgspec.convert(values, type_, strict=False)
    except msgspec.ValidationError as problem:
        _report(reading, node, str(problem), words.kinds)
        return None


def _report(reading: Reading, node: Entries, problem: str, kinds: tuple[str, ...]) -> None:
    match = _AT.match(problem)
    key = match["key"] if match else ""
    value = node.get(key)
    if key == "kind" and value is not None:
        nearest = _nearest(found(value).strip("'"), kinds)
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        text = f"found {found(value)} as kind, expected one of {', '.join(kinds)}{hint}"
        reading.report(value.mark, text, found=found(value), nearest=nearest)
    elif match and value is not None:
        reading.report(value.mark, f"{key} is {found(value)}: {match['what']}", found=found(value))
    else:
        reading.report(node.mark, problem)


def _value(node: Node) -> object:
    match node:
        case Scalar():
            return None if node.is_null else node.text
        case Items():
            return [_value(item) for item in node.items]
        case Entries():
            return {key: _value(value) for key, (_, value) in node.entries.items()}
    return None


def _nearest(word: str, words: tuple[str, ...]) -> str | None:
    return next(iter(get_close_matches(word, words, n=1)), None)
