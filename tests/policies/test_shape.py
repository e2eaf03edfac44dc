"""What a dataclass declares becomes the shape of a mapping: the machinery that connectors rely on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, NewType

import pytest

from policies.document import DirectoryKind, Kinds, Money, NoOptions
from policies.errors import PolicyError
from policies.files import company_file
from policies.key import NOT_WRITTEN, Key
from policies.nodes import compose
from policies.reader import read_policy
from policies.reading import Reading
from policies.scalars import Schema
from policies.shape import fields_of, record_of

Id = NewType("Id", str)


class Color(StrEnum):
    """A closed choice."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    """A part."""

    size: int


@dataclass(frozen=True)
class Everything:
    """One field of each type."""

    id: Id
    text: Annotated[str, Key("A word.", name="as", pattern="[a-z]+", expected="a word")]
    number: Annotated[int, Key(at_least=1, at_most=9)] = 1
    flag: bool = False
    color: Color | None = None
    choice: Literal["a", "b"] = "a"
    wait: timedelta = timedelta(minutes=1)
    price: Money | None = None
    words: tuple[str, ...] = ()
    colors: frozenset[Color] = frozenset()
    numbers: Mapping[str, int] = field(default_factory=dict)
    inner: Inner | None = None
    either: Inner | int | None = None
    place: Annotated[str, NOT_WRITTEN] = "unsaid"


def read(text: str) -> object:
    reading = Reading("a.yaml", text)
    root = compose(reading)
    assert root is not None
    value = record_of(Everything).read(root, reading, "")
    if reading.problems:
        raise PolicyError(reading.problems)
    return value


def test_every_type_that_a_file_can_hold_is_read() -> None:
    value = read(
        """
id: 7
as: word
number: 9
flag: true
color: blue
choice: b
wait: 2h
price: 1.50 EUR
words: [one, 2]
colors: [red, red]
numbers: {a: 1}
inner: {size: 3}
either: {size: 4}
"""
    )
    assert isinstance(value, Everything)
    assert (value.id, value.text, value.number, value.flag) == ("7", "word", 9, True)
    assert (value.color, value.choice, value.wait) == (Color.BLUE, "b", timedelta(hours=2))
    assert str(value.price) == "1.50 EUR" and value.words == ("one", "2") and value.colors == {Color.RED}
    assert value.numbers == {"a": 1} and value.inner == Inner(3) and value.either == Inner(4)
    assert value.place == "unsaid"


def test_what_has_a_default_may_be_left_out() -> None:
    assert read("{id: a, as: b}") == Everything(Id("a"), "b")
    with pytest.raises(PolicyError, match="missing key 'as', expected a word"):
        read("id: a")


@pytest.mark.parametrize(
    "written, told",
    [
        ("as: Word", "as: found 'Word', expected a word"),
        ("number: 0", "number: found '0', expected a whole number from 1 up"),
        ("number: 10", "number: found '10', expected a whole number, at most 9"),
        ("color: green", "color: found 'green', expected red or blue"),
        ("colors: red", "colors: found 'red', expected a list, as in [red]"),
        ("either: x", "either: found 'x', expected a mapping {size} or a whole number from 0 up"),
        ("inner: {sise: 3}", "unknown key 'sise', expected one of size; did you mean 'size'?"),
        ("place: here", "unknown key 'place'"),
        ("text: word", "unknown key 'text'"),
    ],
)
def test_what_does_not_fit_is_told_in_the_words_of_the_declaration(written: str, told: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read(f"id: a\n{written}\n")
    assert told in str(caught.value)


def test_a_type_that_no_file_can_hold_is_refused_where_it_is_declared() -> None:
    @dataclass(frozen=True)
    class Impossible:
        value: bytes

    with pytest.raises(TypeError, match="bytes"):
        fields_of(Impossible)


def test_an_option_cannot_take_a_name_that_every_directory_has() -> None:
    @dataclass(frozen=True)
    class Greedy:
        every: int

    with pytest.raises(TypeError, match="every"):
        company_file(Kinds({"greedy": DirectoryKind(Greedy, timedelta(hours=1))}))


def test_a_seller_may_have_options_of_its_own_by_default() -> None:
    @dataclass(frozen=True)
    class Manual:
        mail: str = "sales@northwind.example"

    policy = read_policy("company: a", "a.yaml", Kinds(sellers={"manual": Manual}))
    assert policy.purchasing.seller.options == Manual()
    assert read_policy("company: a", "a.yaml").purchasing.seller.options == NoOptions()


def test_the_schema_says_names_help_bounds_and_defaults() -> None:
    defs: Schema = {}
    record_of(Everything).schema(defs)
    properties = defs["test_shape.Everything"]["properties"]
    assert properties["as"]["description"] == "A word." and properties["as"]["pattern"] == "^(?:[a-z]+)$"
    assert properties["number"] == {"type": "integer", "minimum": 1, "maximum": 9, "default": 1}
    assert properties["wait"]["default"] == "1m"
    assert properties["color"] == {"enum": ["red", "blue"]}
    assert "place" not in properties and defs["test_shape.Everything"]["required"] == ["id", "as"]
