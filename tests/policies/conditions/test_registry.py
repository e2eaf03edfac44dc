"""The conditions that there are: found by themselves, each with an example that runs."""

from inspect import getdoc
from pathlib import Path
from textwrap import dedent

import pytest

from policies.conditions import Condition, condition, conditions
from policies.conditions.everyone import Everyone
from policies.conditions.exceptions import Exceptions
from policies.document import Policy
from policies.reader import read_policy
from tests.policies.kinds import KINDS


def example(declared: type) -> Policy:
    """The policy in the class's docstring."""
    paragraphs = (getdoc(declared) or "").split("\n\n")
    block = dedent(next(paragraph for paragraph in paragraphs if paragraph.lstrip().startswith("rules:")))
    return read_policy(f"company: contoso\n{block}\n", declared.__name__, KINDS)


@pytest.mark.parametrize("key", conditions())
def test_the_example_of_a_condition_runs(key: str) -> None:
    (rule,) = example(conditions()[key]).rules
    assert key in [condition.key for condition in rule.conditions]


def test_the_example_of_the_exceptions_runs() -> None:
    (rule,) = example(Exceptions).rules
    assert rule.exceptions is not None and rule.exceptions.accounts == ("svc@contoso.example",)


def test_every_condition_has_a_file_of_its_key_and_a_test_of_that_name() -> None:
    tests = Path(__file__).parent
    for key, declared in conditions().items():
        assert declared.__module__ == f"policies.conditions.{key}"
        assert (tests / f"test_{key}.py").exists()


def test_every_condition_is_told_in_one_line() -> None:
    for declared in (*conditions().values(), Exceptions):
        assert (getdoc(declared) or "").partition("\n")[0].endswith((".", ":"))


def test_a_key_is_declared_once() -> None:
    with pytest.raises(ValueError, match="'everyone'"):
        condition("everyone")(Everyone)
    assert isinstance(Everyone(True), Condition)
