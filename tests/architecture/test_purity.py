"""`policies` never asks the time and does no I/O; what it may import is import-linter's to say."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

POLICIES = Path(__file__).parents[2] / "policies"
CLOCKS = {"now", "today", "utcnow"}
BUILTIN_IO = {"open", "print", "input", "breakpoint"}


def impurities(source: str, file: str) -> Iterator[str]:
    """Each place of a module that asks the time, or that reads or writes, as `file:line: what`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield f"{file}:{node.lineno}: asks the time by .{name}()"
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=name) if name in CLOCKS:
                yield f"{file}:{node.lineno}: passes {ast.unparse(node)} on"
            case ast.Call(func=ast.Name(id=name)) if name in BUILTIN_IO:
                yield f"{file}:{node.lineno}: calls {name}()"


def test_policies_neither_asks_the_time_nor_reads_nor_writes() -> None:
    files = sorted(POLICIES.rglob("*.py"))
    assert files
    assert [found for file in files for found in impurities(file.read_text(), file.name)] == []


@pytest.mark.parametrize(
    "source",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "from datetime import datetime as moment\nmoment.today()",
        "field(default_factory=datetime.now)",
        "open('policy.yaml')",
        "print('here')",
    ],
)
def test_an_impurity_is_found(source: str) -> None:
    assert list(impurities(source, "a.py")) != []


@pytest.mark.parametrize("source", ["def plan(now): return now - timedelta(days=1)", "state.now", "tree.open()"])
def test_a_time_that_is_passed_in_is_none(source: str) -> None:
    assert list(impurities(source, "a.py")) == []
