"""What a policy's values answer by themselves."""

import pickle

import pytest

from policies.conditions.groups import Groups
from policies.conditions.org_units import OrgUnits
from policies.document import Policy, Rule, SharedMailboxes, group_refs
from policies.model import CompanyId, GroupRef
from policies.reader import read_policy
from tests.policies.kinds import KINDS
from tests.policies.texts import EXAMPLES


def contoso() -> Policy:
    return read_policy((EXAMPLES / "contoso.yaml").read_text(), "contoso.yaml", KINDS)


def test_the_groups_of_a_policy_are_those_of_its_rules_in_order_and_once() -> None:
    staff = Rule("staff", 0, "standard", (Groups((GroupRef("B"), GroupRef("A"))), OrgUnits(("/",))))
    board = Rule("board", 1, "standard", (Groups((GroupRef("C"), GroupRef("B"))),))
    assert group_refs(Policy(CompanyId("a"), "a", rules=(staff, board))) == ("B", "A", "C")


def test_the_groups_of_exceptions_belong_to_them() -> None:
    assert group_refs(contoso()) == (
        "exec@contoso.example",
        "Backup Staff",
        "8d0c3f6e-2b6f-4a1d-9c55-7f1e60a4d9b2",
        "Contractors",
    )


def test_a_rule_is_found_by_the_name_that_a_license_carries() -> None:
    rule = contoso().rule_named("staff")
    assert rule is not None and rule.position == 2
    assert contoso().rule_named("gone") is None


@pytest.mark.parametrize(
    "address, org_unit, groups, covered",
    [
        ("sales-team@contoso.example", "/", [], True),
        ("Sales-Team@Contoso.example", "/", [], True),
        ("team@contoso.example", "/", [], False),
        ("sales-team@contoso.example.org", "/", [], False),
        ("sales_team@contosoXexample", "/", [], False),
        ("ada@contoso.example", "/Shared/Sales", [], True),
        ("ada@contoso.example", "/SharedToo", [], False),
        ("ada@contoso.example", "", ["Desks"], True),
        ("ada@contoso.example", "", ["Others"], False),
    ],
)
def test_what_stands_for_a_shared_mailbox_is_what_the_entry_declares(
    address: str, org_unit: str, groups: list[GroupRef], covered: bool
) -> None:
    declared = SharedMailboxes(("/Shared",), (GroupRef("Desks"),), ("*-team@contoso.example",))
    assert declared.cover(address, org_unit, groups) is covered


@pytest.mark.parametrize("pattern", ["*-team@bücher.example", "*-TEAM@XN--BCHER-KVA.*", "ü*-team@*"])
@pytest.mark.parametrize("domain", ["bücher.example", "xn--bcher-kva.example"])
def test_patterns_are_of_addresses_in_both_spellings(pattern: str, domain: str) -> None:
    declared = SharedMailboxes(addresses=(pattern,))
    assert declared.cover(f"Ümit-Team@{domain}", "")
    assert not declared.cover("Ümit-Team@bucher.org", "") or pattern.endswith("@*")


def test_a_policy_can_be_handed_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(contoso())) == contoso()


def test_reading_the_same_text_twice_gives_equal_values() -> None:
    assert contoso() == contoso()
