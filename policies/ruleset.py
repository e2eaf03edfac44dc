"""The rules of a policy file: conditions stand beside the other keys of a rule, under keys of their own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from policies.conditions import Condition, conditions
from policies.conditions.exceptions import Exceptions
from policies.document import Rule
from policies.model import Leave
from policies.nodes import Entries, Items, Node, Scalar
from policies.reading import Reading, listed
from policies.records import Field, Given, Record
from policies.scalars import INVALID, Schema, Shape
from policies.shape import fields_of, first_line


@dataclass(frozen=True)
class Rules(Shape):
    """The rules, top to bottom."""

    rule: Record

    @property
    def expected(self) -> str:
        return "a list of rules"

    def read(self, node: Node, reading: Reading, path: str) -> object:
        if not isinstance(node, Items):
            return self.wrong(node, reading, path)
        _refuse_names_again(node, reading)
        rules: list[Rule] = []
        for position, item in enumerate(node.items):
            rule = self.rule.read(item, reading, f"{path}[{position}]")
            if isinstance(rule, Rule):
                rules.append(replace(rule, position=position))
        return tuple(rules) if len(rules) == len(node.items) else INVALID

    def schema(self, defs: Schema) -> Schema:
        return {"type": "array", "items": self.rule.schema(defs)}


@cache
def rules() -> Rules:
    """The shape of `rules`, for the conditions that there are."""
    own = fields_of(Rule)
    selecting = tuple(_written_field(key, declared) for key, declared in conditions().items())
    return Rules(Record("Rule", (own[0], *selecting, *own[1:]), _rule, _check, _also(), first_line(Rule)))


def _also() -> Schema:
    """What `_check` reports, for editors."""
    selecting: list[Schema] = [{"required": [key]} for key in conditions() if key != "mailboxes"]
    shared: Schema = {"required": ["mailboxes"], "properties": {"mailboxes": {"const": "shared"}}}
    keeps: Schema = {"properties": {"on_leave": {"const": "keep"}, "on_disable": {"const": "keep"}}}
    gives_nothing: Schema = {"properties": {"limit": False, "on_leave": False, "on_disable": False}}
    return {
        "anyOf": [*selecting, shared],
        "allOf": [_where("none", gives_nothing), _where("archived", keeps)],
    }


def _where(license: str, then: Schema) -> Schema:
    return {"if": {"required": ["license"], "properties": {"license": {"const": license}}}, "then": then}


def _written_field(key: str, declared: type[Condition]) -> Field:
    """The one written field of a condition, named as its key; else TypeError, where the condition is declared."""
    fields = fields_of(declared)
    if [field.name for field in fields] != [key]:
        raise TypeError(f"{declared.__name__} must have one written field, {key!r}")
    return replace(fields[0], needed=False)


def _rule(given: Given, node: Entries, reading: Reading) -> object:
    name = str(given["name"])
    selecting = tuple(
        replace(_condition(key, given[key]), rule=name, mark=node.mark_of(key))
        for key in node.entries
        if key in conditions()
    )
    own = {key: value for key, value in given.items() if key not in conditions() or key == "mailboxes"}
    excepted = own.get("exceptions")
    if isinstance(excepted, Exceptions):
        own["exceptions"] = replace(excepted, rule=name, mark=node.mark_of("except"))
    narrowing = tuple(condition for condition in selecting if condition.narrows)
    return Rule(**{**own, "position": 0, "conditions": narrowing, "mark": node.mark_of("name")})  # type: ignore[arg-type]


def _condition(key: str, value: object) -> Condition:
    declared: Callable[..., Condition] = conditions()[key]
    return declared(**{key: value})


def _check(given: Given, meant: frozenset[str], node: Entries, reading: Reading) -> None:
    _refuse_unconditional(given, meant, node, reading)
    if "license" not in given:
        return
    license_ = given["license"]
    for key in ("limit", "on_leave", "on_disable"):
        if license_ is None and key in node.entries:
            message = f"{key}: means nothing beside license: none, which gives nothing; leave it out"
            reading.report(node.mark_of(key), message, found=key)
    for key in ("on_leave", "on_disable"):
        leave = given.get(key)
        if license_ == "archived" and isinstance(leave, Leave) and leave.then != "keep":
            message = (
                f"{key}: found {leave.then}, expected keep: without an archived license backups are gone at once, "
                "so only a person takes one away"
            )
            reading.report(node.mark_of(key), message, found=leave.then, expected="keep")


def _refuse_unconditional(given: Given, meant: frozenset[str], node: Entries, reading: Reading) -> None:
    named = meant & conditions().keys()
    if not named:
        expected = f"at least one of {', '.join(conditions())}"
        reading.report(node.mark, f"the rule has no condition, expected {expected}", expected=expected)
    elif named == {"mailboxes"} and given.get("mailboxes") == "user":
        expected = listed(key for key in conditions() if key != "mailboxes")
        message = f"mailboxes: user says what every rule means and is no condition, expected {expected} beside it"
        reading.report(node.mark_of("mailboxes"), message, found="user", expected=expected)


def _refuse_names_again(node: Items, reading: Reading) -> None:
    first: dict[str, int] = {}
    for item in node.items:
        name = item.get("name") if isinstance(item, Entries) else None
        if not isinstance(name, Scalar) or name.is_null:
            continue
        if name.text in first:
            message = f"name: {name.text!r} names another rule already, in line {first[name.text]}"
            reading.report(name.mark, message, found=repr(name.text), expected="a name of its own")
        first.setdefault(name.text, name.mark.line)
