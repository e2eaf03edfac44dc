"""Compares the rules that docs/rules.md lists with the tests that say they prove them, without running any.

A rule is a heading `### Z2 — A pull that did not complete …` whose next line that is not empty is
`Status: **built**` or `Status: **not yet**`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.proves import RULE_ID

HEADING = re.compile(rf"### ({RULE_ID.pattern}) — \S.*")
STATUSES = {"Status: **built**": True, "Status: **not yet**": False}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Proof:
    """One id that one test names, and where."""

    rule_id: str
    where: str


class Unreadable(Exception):
    """A rule, or a proof, is not written as this module expects; the message says where and how it should be."""


def read_rules(text: str, file: str) -> dict[str, bool]:
    """Every rule of the document, and whether it is built; raises Unreadable."""
    rules: dict[str, bool] = {}
    lines = [(number, line.rstrip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for (number, line), (_, status) in zip(lines, [*lines[1:], (0, "")], strict=True):
        if not line.startswith("### "):
            continue
        heading = HEADING.fullmatch(line)
        if heading is None:
            raise Unreadable(f"{file}:{number}: expected '### Z2 — the rule', found {line!r}")
        if heading[1] in rules:
            raise Unreadable(f"{file}:{number}: {heading[1]} is already there")
        if status not in STATUSES:
            raise Unreadable(f"{file}:{number}: expected one of {', '.join(STATUSES)} below, found {status!r}")
        rules[heading[1]] = STATUSES[status]
    return rules


def read_proofs(source: str, file: str) -> Iterator[Proof]:
    """Every id that a test of this module names by `@proves(…)`; raises Unreadable."""
    for definition in ast.walk(ast.parse(source)):
        if not isinstance(definition, Definition):
            continue
        for decorator in definition.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "proves":
                where = f"{file}:{decorator.lineno}"
                if not definition.name.lower().startswith("test"):
                    raise Unreadable(f"{where}: {definition.name} is no test and proves nothing")
                yield from (Proof(_literal(argument, where), where) for argument in decorator.args)


def _literal(argument: ast.expr, where: str) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise Unreadable(f"{where}: expected a rule id in quotes, found {ast.unparse(argument)}")


def proofs_below(folder: Path) -> Iterator[Proof]:
    for file in sorted(folder.rglob("*.py")):
        yield from read_proofs(file.read_text(), str(file.relative_to(folder.parent)))


def disagreements(rules: dict[str, bool], proofs: Iterable[Proof]) -> list[str]:
    """What the document and the tests do not agree on, a sentence each."""
    proven = list(proofs)
    unproven = sorted(id for id, built in rules.items() if built and id not in {proof.rule_id for proof in proven})
    return [
        *(f"{id} is built, and no test proves it" for id in unproven),
        *(f"{proof.where}: there is no rule {proof.rule_id}" for proof in proven if proof.rule_id not in rules),
        *(f"{proof.where}: {proof.rule_id} is not built yet" for proof in proven if rules.get(proof.rule_id) is False),
    ]
