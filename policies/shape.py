"""The shape that a field's type declares.

The fields of frozen dataclasses are the keys of a mapping, their defaults say what may be left out, `Key` in an
`Annotated` says the rest, and a Shape there stands for the type. Understood are str, int, bool, timedelta, Money,
Literal, StrEnum, tuple[X, ...], frozenset[X], Mapping[str, X], X | None, unions, dataclasses, and NewTypes of them.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from inspect import getdoc
from typing import Annotated, Any, Final, Literal, NewType, Union, cast, get_args, get_origin, get_type_hints

from policies import text
from policies.containers import ListOf, MapOf, OneOf
from policies.key import Key
from policies.nodes import Entries
from policies.reading import Reading
from policies.records import Field, Given, Record
from policies.scalars import Choice, Flag, Shape, Text, Whole, Wrapped, Written

DURATION: Final = Written(text.parse_duration, text.DURATION, text.EXPECTED_DURATION)
SHARE: Final = Written(text.parse_share, text.SHARE, text.EXPECTED_SHARE)
MONEY: Final = Written(text.parse_money, text.MONEY, text.EXPECTED_MONEY)


def shape_of(hint: Any) -> Shape:
    """The shape that a type declares. Raises TypeError for a type that no policy file can hold."""
    hint, key, declared = _opened(hint)
    if declared is not None:
        return declared
    shape = _plain_shape(hint, key)
    if key.instead is not None and not isinstance(shape, OneOf):
        return OneOf((shape,), key.expected, key.instead, key.secret)
    return shape


def _opened(hint: Any) -> tuple[Any, Key, Shape | None]:
    """The type without its annotations, NewTypes and None; what its keys say together; a shape that it names."""
    key, declared = Key(), None
    while True:
        if get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
            keys = [extra for extra in extras if isinstance(extra, Key)]
            declared = declared or next((extra for extra in extras if isinstance(extra, Shape)), None)
            for inner in keys[::-1]:
                key = _over(inner, key)
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        elif type(None) in get_args(hint) and get_origin(hint) in (Union, types.UnionType):
            hint = _union([part for part in get_args(hint) if part is not type(None)])
        else:
            return hint, key, declared


def _union(parts: list[Any]) -> Any:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole | part
    return whole


def _over(inner: Key, outer: Key) -> Key:
    """The inner key with what the outer one says otherwise."""
    said = {
        field.name: getattr(outer, field.name)
        for field in dataclasses.fields(Key)
        if getattr(outer, field.name) != field.default
    }
    return replace(inner, **said)


def _plain_shape(hint: Any, key: Key) -> Shape:
    simple = _simple_shape(hint, key)
    if simple is not None:
        return simple
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return OneOf(tuple(shape_of(part) for part in args), key.expected, key.instead, key.secret)
    if origin is Literal:
        return Flag(only=args[0]) if isinstance(args[0], bool) else Choice({word: word for word in args})
    if origin is tuple or origin is frozenset:
        return ListOf(shape_of(args[0]), key.filled, cast(Callable[[list[object]], object], origin))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MapOf(shape_of(args[0]), shape_of(args[1]), key.filled, key.expected)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return replace(record_of(hint), filled=key.filled, what=key.expected)
    raise TypeError(f"{hint!r} is nothing that a policy file can hold")


def _simple_shape(hint: Any, key: Key) -> Shape | None:
    if hint is str:
        return Text(key.pattern, key.expected or "text of one line", key.secret)
    if hint is bool:
        return Flag()
    if hint is int:
        return Whole(0 if key.at_least is None else key.at_least, Whole.at_most if key.at_most is None else key.at_most)
    if hint is timedelta:
        return _duration(key.at_least or 0, key.at_most)
    if hint is text.Money:
        return MONEY
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Choice({member.value: member for member in hint})
    return None


def _duration(at_least: int, at_most: int | None) -> Shape:
    """A duration of at least and at most so many seconds."""

    def parse(written: str) -> timedelta:
        duration = text.parse_duration(written)
        if duration.total_seconds() < at_least:
            raise ValueError(f"a duration of at least {at_least}s")
        if at_most is not None and duration.total_seconds() > at_most:
            raise ValueError(f"a duration of at most {text.format_duration(timedelta(seconds=at_most))}")
        return duration

    return replace(DURATION, parse=parse) if at_least or at_most else DURATION


@cache
def record_of(declared: type) -> Record:
    """The mapping whose keys are the fields of a frozen dataclass."""

    def make(given: Given, node: Entries, reading: Reading) -> object:
        return declared(**given)

    title = f"{declared.__module__.rpartition('.')[2]}.{declared.__name__}"
    return Record(title, fields_of(declared), make, help=first_line(declared))


@cache
def fields_of(declared: type) -> tuple[Field, ...]:
    """The keys that a frozen dataclass declares: its fields, without those that are not written."""
    hints = get_type_hints(declared, include_extras=True)
    fields = (_field(field, hints[field.name]) for field in dataclasses.fields(declared) if field.init)
    return tuple(field for field in fields if field is not None)


def _field(field: dataclasses.Field[Any], hint: Any) -> Field | None:
    _, key, _ = _opened(hint)
    if not key.written:
        return None
    needed = field.default is MISSING and field.default_factory is MISSING
    default = None if field.default is MISSING else field.default
    return Field(key.name or field.name, field.name, shape_of(hint), needed, key.help, default)


def alone(declared: type) -> Shape:
    """A frozen dataclass whose only field is written bare, without its key."""
    (field,) = fields_of(declared)
    return Wrapped(field.shape, declared)


def first_line(declared: type) -> str:
    """The first line of a class's docstring."""
    return (getdoc(declared) or "").partition("\n")[0]
