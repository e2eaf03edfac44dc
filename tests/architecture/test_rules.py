"""Every rule that docs/rules.md marks as built has a test that names it, and no other has one."""

from pathlib import Path

import pytest

from tests.architecture.rules import Proof, Unreadable, disagreements, proofs_below, read_proofs, read_rules

ROOT = Path(__file__).parents[2]

RULES = """
# Rules

### G1 — First match decides

Status: **built**

Why it is so.

### Z12 — Nothing twice
Status: **not yet**
"""


def test_what_is_built_is_proven_and_nothing_else_is() -> None:
    rules = read_rules((ROOT / "docs" / "rules.md").read_text(), "docs/rules.md")
    assert rules
    assert disagreements(rules, proofs_below(ROOT / "tests")) == []


def test_a_rule_is_a_heading_and_its_status() -> None:
    assert read_rules(RULES, "rules.md") == {"G1": True, "Z12": False}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("### G1: first match decides", r"rules\.md:1: expected '### Z2 — the rule', found"),
        ("### G1 — a\nStatus: **built**\n### G1 — b\nStatus: **built**", r"rules\.md:3: G1 is already there"),
        (
            "### G1 — a\n\nStatus: built",
            r"rules\.md:1: expected one of Status: \*\*built\*\*, .* found 'Status: built'",
        ),
        ("### G1 — a", r"rules\.md:1: expected one of .* found ''"),
    ],
)
def test_a_rule_that_is_written_otherwise_is_pointed_at(text: str, complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint):
        read_rules(text, "rules.md")


def test_proofs_are_found_on_functions_methods_and_classes() -> None:
    source = """
@proves("G1", "Z12")
def test_a(): ...

@marks.proves("G2")
class TestB:
    @proves("G3")
    async def test_c(self): ...
"""
    found = {(proof.rule_id, proof.where) for proof in read_proofs(source, "a.py")}
    assert found == {("G1", "a.py:2"), ("Z12", "a.py:2"), ("G2", "a.py:5"), ("G3", "a.py:7")}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("@proves('G1')\ndef world(): ...", r"a\.py:1: world is no test"),
        ("@proves(*IDS)\ndef test_a(): ...", r"a\.py:1: expected a rule id in quotes, found \*IDS"),
    ],
)
def test_a_mark_that_proves_nothing_is_pointed_at(source: str, complaint: str) -> None:
    with pytest.raises(Unreadable, match=complaint):
        list(read_proofs(source, "a.py"))


def test_each_disagreement_is_a_sentence() -> None:
    rules = {"G1": True, "G2": True, "G3": False}
    proofs = [Proof("G2", "a.py:1"), Proof("G3", "a.py:2"), Proof("G4", "a.py:3")]
    assert disagreements(rules, proofs) == [
        "G1 is built, and no test proves it",
        "a.py:3: there is no rule G4",
        "a.py:2: G3 is not built yet",
    ]
