"""The policy files that ship are right, and say together every key that there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.files import company_file, provider_file
from policies.nodes import compose
from policies.reader import read_policy, read_provider
from policies.reading import Reading
from policies.records import Record
from policies.together import clashes
from tests.policies.kinds import KINDS
from tests.policies.texts import EXAMPLES

COMPANIES = sorted(path for path in EXAMPLES.glob("*.yaml") if path.name != "provider.yaml")


@pytest.mark.parametrize("path", COMPANIES, ids=lambda path: path.stem)
def test_an_example_is_a_right_policy(path: Path) -> None:
    provider = read_provider((EXAMPLES / "provider.yaml").read_text(), "provider.yaml", KINDS)
    assert read_policy(path.read_text(), path.name, KINDS, provider).rules


def test_the_examples_can_stand_in_one_installation() -> None:
    assert not clashes(read_policy(path.read_text(), path.name, KINDS) for path in COMPANIES)


def test_every_key_stands_in_some_example() -> None:
    said = {key for path in EXAMPLES.glob("*.yaml") for key in said_by(path)}
    known = {field.name for record in (company_file(KINDS), provider_file(KINDS)) for field in record.fields}
    known |= {field.name for record in rules_and_licenses() for field in record.fields}
    assert known - said == set()


def said_by(path: Path) -> Iterator[str]:
    record = provider_file(KINDS) if path.name == "provider.yaml" else company_file(KINDS)
    reading = Reading(path.name, path.read_text())
    root = compose(reading)
    assert root is not None
    record.read(root, reading, "")
    yield from (key.rpartition(".")[2] for key in reading.said)


def rules_and_licenses() -> Iterator[Record]:
    fields = {field.name: field.shape for field in company_file(KINDS).fields}
    for shape in (getattr(fields["rules"], "rule", None), fields["licenses"]):
        assert isinstance(shape, Record)
        yield shape
