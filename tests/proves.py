"""The mark by which a test names the rules of docs/rules.md that it proves."""

import re
from collections.abc import Callable
from typing import TypeVar

import pytest

RULE_ID = re.compile(r"[A-Z][1-9][0-9]*")

Test = TypeVar("Test", bound=Callable[..., object] | type)


def proves(*rule_ids: str) -> Callable[[Test], Test]:
    """Say that a test (or every test of a class) fails when one of these rules is broken.

    An id is a letter and a number, as in `Z2`; anything else raises ValueError where the test is declared.
    """
    if not rule_ids:
        raise ValueError("a test that proves nothing needs no mark; name the rules, as in proves('Z2')")
    for rule_id in rule_ids:
        if not RULE_ID.fullmatch(rule_id):
            raise ValueError(f"{rule_id!r} is no rule id; expected a letter and a number, as in 'Z2'")
    return pytest.mark.proves(rule_ids)
