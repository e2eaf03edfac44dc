"""Every condition, key, kind, rule example and error code is documented, and the documents' examples are true."""

import ast
import re
from collections.abc import Iterator, Mapping
from inspect import getdoc
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from connectors.registry import kinds
from policies.conditions import conditions
from policies.errors import PolicyError
from policies.reader import read_policy, read_provider
from policies.schema import policy_schema, provider_schema
from store.schema import metadata
from tests.architecture.documents import (
    DOCS,
    ROOT,
    Block,
    Row,
    anchors,
    blocks,
    documents,
    key_tables,
    links,
    section,
    tables,
)

REFERENCE = (DOCS / "policy.md").read_text()
PACKAGES = ("policies", "connectors", "store", "worker", "console")
OF_PROVIDER = ("provider", "credentials", "allowed_hosts", "catalog", "license_keys")
FILE = "policies.d/contoso.yaml"


def mappings() -> dict[str, Mapping[str, Any]]:
    """Every mapping with known keys that a policy file or provider.yaml may hold, as its schema describes it."""
    found = policy_schema(kinds())["$defs"] | provider_schema(kinds())["$defs"]
    return {title: schema for title, schema in found.items() if "properties" in schema}


def disagreements(rows: list[Row], schema: Mapping[str, Any]) -> Iterator[str]:
    """What a table of keys and the declarations of a mapping do not agree on, a sentence each."""
    declared, needed = schema["properties"], schema.get("required", ())
    written = {row.code: row for row in rows}
    yield from (f"{key} is not described" for key in declared if key not in written)
    yield from (f"{key} is described, and there is no such key" for key in written if key not in declared)
    for key in declared.keys() & written.keys() - conditions().keys():
        default = written[key].cells[2]
        if (key in needed) is not (default == "required"):
            yield f"{key} is {'required' if key in needed else 'not required'}, and the table says {default!r}"
        if "default" in declared[key] and default != f"`{as_written(declared[key]['default'])}`":
            yield f"{key} defaults to {declared[key]['default']!r}, and the table says {default!r}"


def as_written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_every_key_of_the_policy_files_is_described_with_its_default() -> None:
    described, declared = key_tables(REFERENCE), mappings()
    assert set(declared) - set(described) == set(), "these mappings have no table in docs/policy.md"
    assert set(described) - set(declared) == set(), "docs/policy.md describes mappings that do not exist"
    wrong = {title: list(disagreements(described[title], schema)) for title, schema in declared.items()}
    assert {title: complaints for title, complaints in wrong.items() if complaints} == {}


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (["limit", "required"], "limit is not required, and the table says 'required'"),
        (["limit", "`3`"], "limit defaults to 5, and the table says '`3`'"),
        (["limits", "`5`"], "limits is described, and there is no such key"),
        (["limits", "`5`"], "limit is not described"),
    ],
)
def test_a_table_that_says_otherwise_is_pointed_at(table: list[str], complaint: str) -> None:
    rows = [Row((f"`{table[0]}`", "a number", table[1], "How many."))]
    assert complaint in list(disagreements(rows, {"properties": {"limit": {"default": 5}}}))


@pytest.mark.parametrize("key", conditions())
def test_every_condition_has_a_section_with_the_example_of_its_docstring(key: str) -> None:
    examples = [block.text for block in blocks(section(REFERENCE, f"`{key}`"))]
    assert example_of(conditions()[key]) in examples


def example_of(condition: type) -> str:
    """The policy text in a condition's docstring: from `rules:` to where its indentation ends."""
    lines = (getdoc(condition) or "").splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "rules:")
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = next(
        (n for n, line in enumerate(lines) if n > start and line and len(line) - len(line.lstrip()) <= indent),
        len(lines),
    )
    return dedent("\n".join(lines[start:end])).rstrip() + "\n"


def examples(language: str = "yaml") -> Iterator[tuple[str, Block]]:
    for file in documents():
        for number, block in enumerate(blocks(file.read_text()), 1):
            if block.language == language:
                yield f"{file.relative_to(ROOT)}, block {number}", block


def problems_of(text: str) -> str:
    """What the reader says of a text, shown as the command line shows it; what is left out of a part is put there."""
    is_provider = text.partition(":")[0] in OF_PROVIDER
    whole = text if is_provider or text.startswith("company:") else f"{text}\ncompany: contoso\n"
    try:
        read_provider(text, "provider.yaml", kinds()) if is_provider else read_policy(whole, FILE, kinds())
    except PolicyError as error:
        return "\n".join(problem.with_caret() for problem in error.problems)
    return ""


@pytest.mark.parametrize(("place", "block"), [(where, block) for where, block in examples() if not block.note])
def test_every_policy_that_the_documents_show_is_valid(place: str, block: Block) -> None:
    assert problems_of(block.text) == "", place


def test_what_is_shown_of_a_wrong_policy_is_what_the_reader_says() -> None:
    shown = [(wrong, said) for wrong, said in pairwise(blocks(REFERENCE)) if wrong.note == "wrong"]
    assert shown
    assert [said.text.rstrip() for _, said in shown] == [problems_of(wrong.text) for wrong, _ in shown]


def error_codes() -> dict[str, str]:
    """The code of every error that a class declares, and where."""
    found: dict[str, str] = {}
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                found |= {code: f"{file.relative_to(ROOT)}: {node.name}" for code in declared_codes(node)}
    return found


def declared_codes(declared: ast.ClassDef) -> Iterator[str]:
    for statement in declared.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code


def test_every_error_code_is_documented_and_no_other() -> None:
    text = section((DOCS / "operations.md").read_text(), "Error codes")
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    codes = error_codes()
    assert {code: where for code, where in codes.items() if code not in documented} == {}
    assert documented - codes.keys() - {"interrupted", "unforeseen"} == set()


def test_every_table_is_in_the_list_of_tables() -> None:
    rows = next(tables(section((DOCS / "architecture.md").read_text(), "Tables")))
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row.cells[0])]
    assert sorted(listed) == sorted(metadata.tables)


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_every_link_within_the_project_leads_somewhere(file: Path) -> None:
    for link in links(file.read_text()):
        path, _, anchor = link.partition("#")
        target = file if not path else (file.parent / path).resolve()
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link
