"""Who should hold what: the first rule that matches, whom a rule means, and what cannot be decided."""

from dataclasses import replace

import pytest
from hypothesis import given

from policies.conditions.groups import Groups
from policies.deciding import decide, rule_book, suspended_rules
from policies.document import Rule
from policies.model import Account, GroupRef, Mark
from tests.policies.strategies.by_hand import account, book, entry, policy, rule, verdict
from tests.policies.strategies.worlds import World, worlds
from tests.proves import proves

ADA = account(1)
DISABLED = account(1, state="disabled")
SHARED = account(1, kind="shared_mailbox", state="disabled")
UNKNOWN = account(1, kind="unknown")

EXECUTIVES = rule("executives", groups=["exec"])
STAFF = rule("staff", groups=["staff"])
KEPT = rule("leavers", "archived", groups=["leavers"])
EVERYONE = rule("everyone", everyone=True)
NOBODY = rule("nobody", None, groups=["never"])
MAILBOXES = rule("mailboxes", mailboxes="shared")


# --- the first rule that matches (G1) ---


@proves("G1")
def test_the_first_rule_that_matches_decides() -> None:
    said = verdict(book(EXECUTIVES, KEPT, STAFF), ADA, "leavers", "staff")
    assert (said.license, said.rule and said.rule.name, said.standing) == ("archived", "leavers", "matched")


@proves("G1")
def test_a_member_of_the_groups_of_several_rules_is_decided_about_once() -> None:
    members = {ADA.key: frozenset({GroupRef("exec"), GroupRef("staff"), GroupRef("leavers")})}
    (said,) = decide([ADA], members, book(EXECUTIVES, KEPT, STAFF))
    assert said.rule is not None and said.rule.name == "executives"


@proves("G1")
def test_whom_no_rule_selects_gets_nothing() -> None:
    said = verdict(book(EXECUTIVES, STAFF), ADA, "others")
    assert (said.license, said.rule, said.standing) == (None, None, "left")


def test_the_reason_names_the_rule_what_matched_and_the_line_of_the_file() -> None:
    line = Mark("contoso.yaml", 31, 5)
    staff = replace(STAFF, conditions=(Groups((GroupRef("staff"),), rule="staff", mark=line),))
    because = verdict(book(staff), ADA, "staff").because
    assert because is not None
    assert (because.rule, because.text, str(because.mark)) == ("staff", "member of staff", "contoso.yaml:31:5")


# --- whom a rule means (G2) ---


@proves("G2")
def test_all_conditions_of_a_rule_must_hold_and_the_values_of_one_are_alternatives() -> None:
    rules = book(rule("both", groups=["a", "b"], domains=["contoso.example", "fabrikam.example"]))
    elsewhere = account(1, address="ada@elsewhere.example")
    assert verdict(rules, ADA, "b").because is not None
    assert str(verdict(rules, ADA, "b").because) == "member of b and address in contoso.example"
    assert verdict(rules, ADA, "c").standing == "left"
    assert verdict(rules, elsewhere, "a").standing == "left"


@proves("G2")
@pytest.mark.parametrize(
    "but",
    [
        {"groups": (GroupRef("contractors"),)},
        {"accounts": ("user1@contoso.example",)},
        {"accounts": ("ID-1",)},
        {"domains": ("contoso.example",)},
        {"org_units": ("/sales",)},
        {"attributes": {"department": ("legal",)}},
    ],
)
def test_whom_a_rule_excepts_is_left_to_the_rules_below(but: dict[str, object]) -> None:
    lawyer = account(1, {"department": "Legal"}, org_unit="/Sales/EMEA")
    said = verdict(book(rule("all but some", everyone=True, but=but), KEPT), lawyer, "contractors", "leavers")
    assert said.rule is not None and said.rule.name == "leavers"


@proves("G2")
@pytest.mark.parametrize(
    "other",
    [DISABLED, *(account(1, kind=kind) for kind in ("guest", "room", "resource", "shared_mailbox"))],
    ids=lambda other: f"{other.kind} {other.state}",
)
def test_a_rule_means_enabled_users_and_nobody_else(other: Account) -> None:
    assert verdict(book(EVERYONE), ADA).standing == "matched"
    assert verdict(book(EVERYONE), other).license is None


@proves("G2")
@pytest.mark.parametrize(
    ("extra", "other"),
    [
        ("disabled", DISABLED),
        ("guests", account(1, kind="guest")),
        ("rooms", account(1, kind="room")),
        ("resources", account(1, kind="resource")),
    ],
)
def test_include_widens_a_rule(extra: str, other: Account) -> None:
    rules = book(rule("more", everyone=True, include=[extra]))
    assert verdict(rules, other).standing == "matched"
    assert verdict(rules, ADA).standing == "matched"


@proves("G2")
def test_include_does_not_let_a_disabled_guest_in_by_one_half() -> None:
    guest = account(1, kind="guest", state="disabled")
    assert verdict(book(rule("guests", everyone=True, include=["guests"])), guest).license is None
    assert verdict(book(rule("both", everyone=True, include=["guests", "disabled"])), guest).license == "standard"


@proves("G2", "S2")
@pytest.mark.parametrize("state", ["active", "disabled"])
def test_a_rule_for_shared_mailboxes_selects_them_whatever_their_sign_in_state(state: str) -> None:
    rules = book(MAILBOXES)
    assert verdict(rules, account(1, kind="shared_mailbox", state=state)).license == "standard"
    assert verdict(rules, account(1, state=state)).standing == "turned"


@proves("G2")
def test_a_rule_for_shared_mailboxes_can_include_rooms() -> None:
    rules = book(rule("not people", mailboxes="shared", include=["rooms"]))
    assert str(verdict(rules, account(1, kind="room")).because) == "room"
    assert str(verdict(rules, SHARED).because) == "shared mailbox"
    assert verdict(rules, ADA).license is None


@proves("G2")
def test_none_stops_the_search_for_those_it_selects() -> None:
    rules = book(NOBODY, EVERYONE)
    said = verdict(rules, ADA, "never")
    assert (said.license, said.rule and said.rule.name, said.standing) == (None, "nobody", "none")
    assert verdict(rules, ADA).license == "standard"


@proves("G2")
def test_a_rule_is_for_the_directories_that_it_names() -> None:
    elsewhere = rule("elsewhere", everyone=True, directories=("contoso-gws",))
    assert verdict(book(elsewhere), ADA).standing == "left"
    assert verdict(book(elsewhere, id="contoso-gws"), ADA).standing == "matched"


@proves("G2")
def test_a_rule_is_passed_over_in_a_directory_that_cannot_evaluate_it() -> None:
    company = policy(
        rule("units", org_units=["/"]),
        rule("all but contractors", everyone=True, but={"groups": (GroupRef("contractors"),)}),
        rule("domain", domains=["contoso.example"]),
    )
    neither = rule_book(company, entry(), org_units=False, groups=False)
    assert [line.rule.name for line in neither.lines] == ["domain"]
    assert len(rule_book(company, entry()).lines) == 3


# --- groups that cannot be found (G3) ---


@proves("G3")
def test_a_rule_with_a_group_that_cannot_be_found_is_suspended_exceptions_included() -> None:
    company = policy(STAFF, rule("all", everyone=True, but={"groups": (GroupRef("contractors"),)}), KEPT)
    missing = [GroupRef("contractors"), GroupRef("leavers")]
    assert suspended_rules(company, missing) == {"all": ("contractors",), "leavers": ("leavers",)}


@proves("G3")
def test_whom_a_suspended_rule_might_select_gets_nothing_from_rules_below() -> None:
    said = verdict(book(STAFF, EVERYONE, suspended={"staff": ["staff"]}), ADA)
    assert (said.standing, said.rule and said.rule.name, said.license) == ("suspended", "staff", "standard")


@proves("G3")
def test_a_rule_above_the_suspended_one_decides_as_always() -> None:
    said = verdict(book(EXECUTIVES, STAFF, suspended={"staff": ["staff"]}), ADA, "exec")
    assert (said.standing, said.rule and said.rule.name) == ("matched", "executives")


@proves("G3")
def test_whom_the_other_conditions_of_a_suspended_rule_do_not_admit_is_not_concerned() -> None:
    narrow = rule("narrow", groups=["gone"], domains=["fabrikam.example"], but={"groups": (GroupRef("contractors"),)})
    rules = book(narrow, EVERYONE, suspended={"narrow": ["gone"]})
    fabrikam = account(1, address="ada@fabrikam.example")
    assert verdict(rules, ADA).standing == "matched"
    assert verdict(rules, fabrikam, "contractors").standing == "matched"
    assert verdict(rules, fabrikam).standing == "suspended"
    assert verdict(rules, account(1, kind="guest", address="eve@fabrikam.example")).standing == "left"


@proves("G3")
def test_an_exception_that_cannot_be_found_makes_the_rule_uncertain_for_everybody_it_might_mean() -> None:
    staff = rule("staff", groups=["staff"], but={"groups": (GroupRef("gone"),)})
    rules = book(staff, suspended={"staff": ["gone"]})
    assert verdict(rules, ADA, "staff").standing == "suspended"
    assert verdict(rules, ADA).standing == "left"


@proves("G3")
def test_a_disabled_account_is_not_told_to_have_left_by_a_suspended_rule() -> None:
    said = verdict(book(STAFF, suspended={"staff": ["staff"]}), DISABLED)
    assert (said.standing, said.rule) == ("suspended", None)


@proves("G3")
def test_a_suspended_rule_that_means_enabled_users_leaves_disabled_ones_to_a_rule_that_includes_them() -> None:
    rules = book(STAFF, rule("all", everyone=True, include=["disabled"]), suspended={"staff": ["staff"]})
    said = verdict(rules, DISABLED)
    assert (said.standing, said.rule and said.rule.name) == ("matched", "all")


@proves("G3")
def test_a_suspended_none_makes_those_wait_who_would_get_a_license_from_a_rule_below() -> None:
    rules = book(NOBODY, KEPT, STAFF, suspended={"nobody": ["never"]})
    said = verdict(rules, ADA, "leavers")
    assert (said.standing, said.license, said.rule and said.rule.name) == ("suspended", "archived", "nobody")
    outside = verdict(rules, ADA)
    assert (outside.standing, outside.license, outside.rule) == ("suspended", None, None)


@proves("G3")
@given(worlds())
def test_what_is_decided_while_groups_cannot_be_found_would_be_decided_whoever_is_in_them(world: World) -> None:
    now_ = list(decide(world.accounts, world.memberships, world.book))
    for resolved in world.whatever_the_missing_groups_hold():
        for said, would in zip(now_, decide(world.accounts, resolved, world.book_if_resolved), strict=True):
            if said.standing == "turned":
                assert would.standing in ("turned", "left")
            elif said.standing not in ("suspended", "kind_unknown"):
                assert said[1:3] == would[1:3] and said.standing == would.standing
            elif said.rule is None and said.standing == "suspended":
                assert would.standing != "matched"


@proves("G3")
@given(worlds())
def test_a_directory_in_which_every_group_is_found_suspends_nobody(world: World) -> None:
    assert all(
        said.standing != "suspended" for said in decide(world.accounts, world.memberships, world.book_if_resolved)
    )


# --- who cannot sign in (G7) ---


@proves("G7")
def test_a_disabled_user_has_not_left_the_rule_that_would_select_it() -> None:
    said = verdict(book(EXECUTIVES, STAFF, EVERYONE), DISABLED, "staff")
    assert (said.standing, said.rule and said.rule.name, said.license) == ("disabled", "staff", None)


@proves("G7")
def test_a_disabled_user_is_licensed_by_a_rule_further_down_that_includes_disabled_ones() -> None:
    said = verdict(book(STAFF, rule("all", everyone=True, include=["disabled"])), DISABLED, "staff")
    assert (said.standing, said.rule and said.rule.name) == ("matched", "all")


# --- kinds that are not known yet (S6) ---


@pytest.mark.parametrize("only", [EVERYONE, MAILBOXES], ids=lambda only: str(only.name))
def test_an_account_of_unknown_kind_waits_if_it_might_get_a_license_either_way(only: Rule) -> None:
    said = verdict(book(only), UNKNOWN)
    assert (said.standing, said.license, said.rule and said.rule.name) == ("kind_unknown", "standard", only.name)


def test_an_account_of_unknown_kind_waits_for_nothing_that_no_rule_would_give() -> None:
    said = verdict(book(STAFF, NOBODY), UNKNOWN, "never")
    assert (said.standing, said.license, said.rule) == ("kind_unknown", None, None)


def test_the_provider_can_say_that_unknown_mailboxes_are_users() -> None:
    rules = book(MAILBOXES, EVERYONE, unknown_mailboxes="user")
    said = verdict(rules, UNKNOWN)
    assert (said.standing, said.rule and said.rule.name) == ("matched", "everyone")


@given(worlds())
def test_an_account_of_unknown_kind_that_waits_for_nothing_would_get_nothing_as_either(world: World) -> None:
    for said in decide([each._replace(kind="unknown") for each in world.accounts], world.memberships, world.book):
        if said.standing == "kind_unknown" and said.rule is None:
            for kind in ("user", "shared_mailbox"):
                known = world.book.verdict(said.account._replace(kind=kind), world.memberships)
                assert known.standing != "matched"


# --- why (G9) ---


def test_each_rule_says_why_it_did_or_did_not_select() -> None:
    gone = rule("gone", groups=["gone"], domains=["contoso.example"])
    rules = book(MAILBOXES, EXECUTIVES, STAFF, EVERYONE, KEPT, gone, suspended={"gone": ["gone"]})
    members = {ADA.key: frozenset({GroupRef("staff")})}
    assert [(each.rule.name, each.said) for each in rules.explain(ADA, members)] == [
        ("mailboxes", "selects shared mailboxes, and this is a user"),
        ("executives", "does not match"),
        ("staff", "matches: member of staff"),
        ("everyone", "not reached: a rule above decides"),
        ("leavers", "does not match, and a rule above decides"),
        ("gone", "not reached: a rule above decides"),
    ]


def test_a_rule_says_why_it_cannot_decide() -> None:
    rules = book(STAFF, EVERYONE, suspended={"staff": ["staff"]})
    assert [each.said for each in rules.explain(DISABLED, {})] == [
        "suspended: a group that the rule names cannot be found",
        "would match (everyone), but the account is disabled",
    ]
    assert [each.said for each in rules.explain(ADA, {})] == [
        "suspended: a group that the rule names cannot be found",
        "not reached: a rule above decides",
    ]
    assert [each.said for each in book(EVERYONE).explain(UNKNOWN, {})] == [
        "might match (everyone): it selects users, and what this is is not known yet"
    ]


@given(worlds())
def test_the_same_verdicts_whatever_the_order_of_the_accounts(world: World) -> None:
    forward = list(decide(world.accounts, world.memberships, world.book))
    assert list(decide(world.accounts[::-1], world.memberships, world.book))[::-1] == forward
