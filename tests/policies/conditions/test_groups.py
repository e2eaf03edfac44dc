"""`groups`: members of the groups as the policy writes them."""

from policies.conditions.groups import Groups
from policies.model import GroupRef, Mark
from tests.policies.conditions.accounts import IN_NONE, account, in_groups
from tests.proves import proves

STAFF = Groups((GroupRef("Backup Staff"), GroupRef("exec@contoso.example")), rule="staff", mark=Mark("a.yaml", 3, 5))


@proves("G2")
def test_a_member_of_one_of_the_groups_is_selected() -> None:
    because = STAFF.matches(account(), in_groups("Others", "exec@contoso.example"))
    assert because is not None and because.text == "member of exec@contoso.example"


def test_the_first_group_of_the_file_is_the_reason() -> None:
    because = STAFF.matches(account(), in_groups("exec@contoso.example", "Backup Staff"))
    assert str(because) == "member of Backup Staff"


def test_the_reason_carries_rule_and_place() -> None:
    because = STAFF.matches(account(), in_groups("Backup Staff"))
    assert because is not None and because.rule == "staff" and str(because.mark) == "a.yaml:3:5"


def test_who_is_in_other_groups_or_in_none_is_not_selected() -> None:
    assert STAFF.matches(account(), in_groups("Others")) is None
    assert STAFF.matches(account(), IN_NONE) is None


def test_the_condition_says_which_groups_must_be_found() -> None:
    assert STAFF.refs == ("Backup Staff", "exec@contoso.example")
