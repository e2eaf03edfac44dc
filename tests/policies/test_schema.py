"""The JSON Schema for editors says what the reader says, as far as a schema can."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from policies.schema import policy_schema, provider_schema
from tests.policies.kinds import KINDS
from tests.policies.texts import BROKEN, EXAMPLES, right

SCHEMAS = {True: provider_schema(KINDS), False: policy_schema(KINDS)}
VALIDATORS = {provider: jsonschema.Draft202012Validator(schema) for provider, schema in SCHEMAS.items()}


BEYOND_A_SCHEMA = [
    "anchors_and_aliases",
    "byte_order_mark",
    "pack_above_order",
    "rule_for_unknown_directory",
    "rule_name_twice",
    "two_currencies",
]
"""What only counting, comparing, or looking at the text itself finds."""


def loaded(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def is_valid(path: Path) -> bool:
    return bool(VALIDATORS[path.name.startswith("provider")].is_valid(loaded(path)))


@pytest.mark.parametrize("provider", [False, True], ids=["company", "provider"])
def test_the_schema_is_a_schema(provider: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[provider])


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_valid(path: Path) -> None:
    VALIDATORS[path.name == "provider.yaml"].validate(loaded(path))


def test_an_editor_is_told_of_no_condition_that_it_holds_by_default() -> None:
    rule = SCHEMAS[False]["$defs"]["Rule"]["properties"]
    assert {key for key, value in rule.items() if "default" in value} == set()


def test_an_editor_is_told_the_limits_that_are_in_force_where_nothing_is_said() -> None:
    limits = SCHEMAS[False]["$defs"]["Safety"]["properties"]
    assert limits["archive"]["description"].endswith("by anyone. In force: most 50, share 5%, unless said otherwise.")
    assert limits["purchase"]["description"] == "Seats ordered. In force: most 50, unless said otherwise."


@given(right)
def test_what_the_reader_takes_is_valid(content: dict[str, Any]) -> None:
    VALIDATORS[False].validate(content)


def refused_and_taken() -> tuple[list[str], list[str]]:
    """The broken files that are YAML, by what the schema says of them."""
    verdicts: tuple[list[str], list[str]] = ([], [])
    for path in sorted(BROKEN.glob("*.yaml")):
        try:
            verdicts[is_valid(path)].append(path.stem)
        except (YAMLError, ValueError, OverflowError):
            continue
    return verdicts


def test_every_broken_file_is_refused_if_a_schema_can() -> None:
    refused, taken = refused_and_taken()
    assert taken == BEYOND_A_SCHEMA
    assert len(refused) > 40
