"""What has to change: leaving, deletion, return, converted mailboxes, what a person did, and what is left alone."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.deciding import decide
from policies.model import NOTHING, Account, AccountId, GroupRef, Holding, Leave, Mark
from policies.planner import RANK_NEW, RANK_RETURN, Context, footing, make_plan
from policies.stock import turn
from tests.policies.strategies.by_hand import (
    ARCHIVE_AT_ONCE,
    DAY,
    NOW,
    RELEASE_AFTER_A_WEEK,
    RELEASE_AT_ONCE,
    account,
    book,
    holding,
    policy,
    proposed,
    rule,
)
from tests.policies.strategies.ledger import SERVED
from tests.policies.strategies.worlds import World, worlds
from tests.proves import proves

ADA = account(1)
DISABLED = account(1, state="disabled")
DELETED = account(1, state="deleted")
SHARED = account(1, kind="shared_mailbox", state="disabled")
UNKNOWN = account(1, kind="unknown")

STAFF = rule("staff", groups=["staff"])
EXECUTIVES = rule("executives", groups=["exec"])
KEPT = rule("leavers", "archived", groups=["leavers"])
MAILBOXES = rule("mailboxes", mailboxes="shared")
NOBODY = rule("nobody", None, groups=["never"])
GONE = "rule:gone"


# --- a rule gives (G1) ---


@proves("G1")
def test_whom_a_rule_selects_is_proposed_its_license_with_the_reason() -> None:
    plan = proposed(policy(EXECUTIVES, STAFF), ADA, NOTHING, "staff")
    assert plan is not None
    assert (plan.kind, plan.license, plan.through, plan.rank) == ("assign", "standard", "seat", RANK_NEW)
    assert (plan.rule, plan.rule_position, plan.source, plan.because) == ("staff", 1, "rule:staff", "member of staff")


@proves("G1")
def test_who_holds_what_the_rule_gives_is_left_alone() -> None:
    assert proposed(policy(STAFF), ADA, holding(source="rule:staff"), "staff") is None


@proves("L1")
def test_another_license_is_one_action_that_names_both() -> None:
    company = policy(STAFF, KEPT)
    archive = proposed(company, ADA, holding(source="rule:staff"), "leavers")
    restore = proposed(company, ADA, holding("archived", "rule:leavers"), "staff")
    assert archive is not None and restore is not None
    assert (archive.kind, archive.held_license, archive.license) == ("archive", "standard", "archived")
    assert (restore.kind, restore.held_license, restore.license) == ("restore", "archived", "standard")


@proves("G5")
def test_who_waits_already_keeps_its_place_in_line() -> None:
    since = NOW - 3 * DAY
    waits = Holding(waiting_for="standard", waiting_since=since, waiting_reason="insufficient_licenses")
    again = proposed(policy(STAFF), ADA, waits, "staff")
    other = proposed(policy(KEPT), ADA, waits, "leavers")
    assert again is not None and again.since == since
    assert other is not None and other.since == NOW


# --- leaving (G4) ---


@proves("G4")
def test_moving_between_rules_that_give_the_same_license_changes_nothing_but_the_reason() -> None:
    plan = proposed(policy(EXECUTIVES, STAFF), ADA, holding(source="rule:staff"), "exec", "staff")
    assert plan is not None
    assert (plan.kind, plan.license, plan.held_license) == ("move", "standard", "standard")
    assert (plan.through, plan.held_through, plan.source) == ("seat", "seat", "rule:executives")


@proves("G4")
def test_leaving_the_last_rule_keeps_the_license_unless_the_rule_says_otherwise() -> None:
    assert proposed(policy(STAFF), ADA, holding(source="rule:staff")) is None


@proves("G4")
def test_the_rule_that_gave_the_license_says_as_it_stands_now_what_leaving_means() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AT_ONCE), replace(EXECUTIVES, on_leave=ARCHIVE_AT_ONCE))
    release = proposed(company, ADA, holding(source="rule:staff"))
    archive = proposed(company, ADA, holding(source="rule:executives"))
    assert release is not None and archive is not None
    assert (release.kind, release.license, release.rule, release.source) == ("release", None, "staff", "on_leave")
    assert (archive.kind, archive.license, archive.rule, archive.source) == (
        "archive", "archived", "executives", "on_leave",
    )  # fmt: skip
    assert release.because == "no longer selected by rule staff"


@proves("G4")
def test_a_license_whose_rule_is_gone_from_the_file_is_kept() -> None:
    assert proposed(policy(replace(STAFF, on_leave=RELEASE_AT_ONCE)), ADA, holding(source=GONE)) is None


@proves("G4")
def test_a_grace_starts_runs_and_ends() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AFTER_A_WEEK))
    held = holding(source="rule:staff")
    starts = proposed(company, ADA, held)
    assert starts is not None
    assert (starts.kind, starts.source, starts.since, starts.rule) == ("grace", "on_leave", NOW + 7 * DAY, "staff")
    running = held._replace(grace="on_leave", grace_started=NOW)
    assert proposed(company, ADA, running, now=NOW + 7 * DAY - 1) is None
    ends = proposed(company, ADA, running, now=NOW + 7 * DAY)
    assert ends is not None and ends.kind == "release"


@proves("G4")
def test_coming_back_within_the_grace_cancels_it() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AFTER_A_WEEK))
    running = holding(source="rule:staff", grace="on_leave", grace_started=NOW - 6 * DAY)
    back = proposed(company, ADA, running, "staff")
    assert back is not None and back.kind == "settle"


@proves("G4")
def test_a_grace_that_a_policy_edit_shortens_or_drops_follows_the_rule_as_it_stands_now() -> None:
    running = holding(source="rule:staff", grace="on_leave", grace_started=NOW - 2 * DAY)
    shorter = replace(STAFF, on_leave=Leave("release", timedelta(days=1)))
    assert (ended := proposed(policy(shorter), ADA, running)) is not None and ended.kind == "release"
    assert (dropped := proposed(policy(STAFF), ADA, running)) is not None and dropped.kind == "settle"


@proves("G4")
def test_an_archive_that_still_waits_when_its_grace_is_over_stays_in_line() -> None:
    company = policy(replace(STAFF, on_leave=Leave("archive", timedelta(days=7))))
    waits = holding(
        source="rule:staff", grace="on_leave", grace_started=NOW - 9 * DAY,
        waiting_for="archived", waiting_since=NOW - 2 * DAY, waiting_reason="insufficient_licenses",
    )  # fmt: skip
    plan = proposed(company, ADA, waits)
    assert plan is not None
    assert (plan.kind, plan.since) == ("archive", NOW - 2 * DAY)


@proves("G2", "G4")
def test_none_acts_as_leaving_on_what_is_held() -> None:
    company = policy(NOBODY, replace(STAFF, on_leave=RELEASE_AT_ONCE), EXECUTIVES)
    released = proposed(company, ADA, holding(source="rule:staff"), "never", "staff")
    assert released is not None
    assert (released.kind, released.because) == ("release", "rule nobody says none")
    assert proposed(company, ADA, holding(source="rule:executives"), "never", "exec") is None


def test_automation_never_takes_an_archived_license() -> None:
    company = policy(NOBODY, replace(STAFF, on_leave=RELEASE_AT_ONCE, on_disable=RELEASE_AT_ONCE))
    for about in (ADA, DISABLED):
        assert proposed(company, about, holding("archived", "rule:staff"), "never") is None


# --- disabled (G7) ---


@proves("G7")
def test_a_disabled_user_keeps_its_license_unless_the_rule_says_otherwise() -> None:
    held = holding(source="rule:staff")
    assert proposed(policy(replace(STAFF, on_leave=RELEASE_AT_ONCE)), DISABLED, held, "staff") is None
    archive = proposed(policy(replace(STAFF, on_disable=ARCHIVE_AT_ONCE)), DISABLED, held, "staff")
    assert archive is not None
    assert (archive.kind, archive.source, archive.rule) == ("archive", "on_disable", "staff")


@proves("G7")
def test_a_disabled_user_has_a_grace_of_its_own_that_enabling_ends() -> None:
    company = policy(replace(STAFF, on_disable=RELEASE_AFTER_A_WEEK))
    starts = proposed(company, DISABLED, holding(source="rule:staff"), "staff")
    assert starts is not None and (starts.kind, starts.source) == ("grace", "on_disable")
    running = holding(source="rule:staff", grace="on_disable", grace_started=NOW - DAY)
    back = proposed(company, ADA, running, "staff")
    assert back is not None and back.kind == "settle"


@proves("G4", "G7")
def test_a_grace_for_leaving_is_not_taken_for_one_for_being_disabled() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AFTER_A_WEEK, on_disable=RELEASE_AFTER_A_WEEK))
    left_long_ago = holding(source="rule:staff", grace="on_leave", grace_started=NOW - 30 * DAY)
    plan = proposed(company, DISABLED, left_long_ago, "staff")
    assert plan is not None
    assert (plan.kind, plan.source, plan.since) == ("grace", "on_disable", NOW + 7 * DAY)


@proves("G7")
def test_a_disabled_user_that_holds_nothing_gets_nothing() -> None:
    assert proposed(policy(STAFF), DISABLED, NOTHING, "staff") is None


@proves("D7", "G7")
@pytest.mark.parametrize("source", ["imported", GONE])
def test_an_imported_license_of_a_disabled_user_follows_the_rule_that_would_select_it(source: str) -> None:
    company = policy(replace(STAFF, on_disable=ARCHIVE_AT_ONCE))
    plan = proposed(company, DISABLED, holding(source=source), "staff")
    assert plan is not None
    assert (plan.kind, plan.rule, plan.rule_position) == ("archive", "staff", 0)


# --- deleted (D) ---


@proves("D1")
@pytest.mark.parametrize("state", ["deleted", "purged"])
def test_a_deleted_user_is_archived_by_default_without_a_grace(state: str) -> None:
    plan = proposed(policy(STAFF), account(1, state=state), holding(source="rule:staff"), "staff")
    assert plan is not None
    assert (plan.kind, plan.license, plan.through, plan.source) == ("archive", "archived", "seat", "deleted_user")


@proves("D1")
def test_what_becomes_of_a_deleted_user_is_the_policy_s_to_say() -> None:
    held = holding(source="rule:staff")
    assert proposed(policy(STAFF, deleted_users=Leave("keep")), DELETED, held) is None
    starts = proposed(policy(STAFF, deleted_users=RELEASE_AFTER_A_WEEK), DELETED, held)
    assert starts is not None and (starts.kind, starts.source) == ("grace", "deleted_user")
    running = held._replace(grace="deleted_user", grace_started=NOW - 7 * DAY)
    ends = proposed(policy(STAFF, deleted_users=RELEASE_AFTER_A_WEEK), DELETED, running)
    assert ends is not None and ends.kind == "release"


@proves("D2")
def test_a_deleted_user_for_whom_there_is_no_archived_seat_goes_on_asking_and_keeps_its_place() -> None:
    waits = holding(waiting_for="archived", waiting_since=NOW - DAY, waiting_reason="insufficient_licenses")
    plan = proposed(policy(STAFF), DELETED, waits)
    assert plan is not None
    assert (plan.kind, plan.held_license, plan.since) == ("archive", "standard", NOW - DAY)


@proves("D3")
def test_a_restored_user_asks_for_standard_and_keeps_its_archive_until_then() -> None:
    plan = proposed(policy(STAFF), ADA, holding("archived", "deleted_user"), "staff")
    assert plan is not None
    assert (plan.kind, plan.held_license, plan.license, plan.rank) == ("restore", "archived", "standard", RANK_RETURN)


@proves("D3")
def test_a_restored_user_whom_no_rule_selects_stays_archived() -> None:
    assert proposed(policy(STAFF), ADA, holding("archived", "deleted_user")) is None


@proves("D3")
def test_a_user_restored_while_its_archive_waited_has_nothing_more_to_wait_for() -> None:
    waits = holding(
        source="rule:staff", waiting_for="archived", waiting_since=NOW, waiting_reason="insufficient_licenses"
    )
    plan = proposed(policy(STAFF), ADA, waits, "staff")
    assert plan is not None and plan.kind == "settle"


@proves("D7")
def test_an_imported_license_of_an_already_deleted_user_is_archived_at_once() -> None:
    plan = proposed(policy(), DELETED, holding(source="imported"))
    assert plan is not None and plan.kind == "archive"


@proves("D7")
@pytest.mark.parametrize("gone", [DELETED, account(1, state="purged")], ids=lambda gone: str(gone.state))
def test_a_deleted_user_that_holds_nothing_gets_nothing(gone: Account) -> None:
    assert proposed(policy(STAFF, KEPT), gone, NOTHING, "staff", "leavers") is None
    waits = Holding(waiting_for="standard", waiting_since=NOW, waiting_reason="insufficient_licenses")
    settled = proposed(policy(STAFF), gone, waits, "staff")
    assert settled is not None and settled.kind == "settle"


def test_a_new_user_with_a_deleted_user_s_address_is_another_account() -> None:
    old, new = DELETED._replace(address="ada@contoso.example"), account(2, address="ada@contoso.example")
    members = {old.key: frozenset({GroupRef("staff")}), new.key: frozenset({GroupRef("staff")})}
    company = policy(STAFF)
    plan = list(make_plan(decide([old, new], members, book(STAFF)), {old.key: holding()}, Context(company, NOW)))
    assert [(each.account, each.kind) for each in plan] == [(1, "archive"), (2, "assign")]


# --- shared mailboxes (S) ---


@proves("S1", "S2")
def test_a_shared_mailbox_asks_for_an_entitlement_and_not_for_a_seat() -> None:
    plan = proposed(policy(MAILBOXES), SHARED)
    assert plan is not None
    assert (plan.kind, plan.through) == ("assign", "entitlement")


@proves("S3")
def test_a_deleted_shared_mailbox_asks_for_an_archived_entitlement() -> None:
    gone = SHARED._replace(state="deleted")
    plan = proposed(policy(MAILBOXES), gone, holding(source="rule:mailboxes", through="entitlement"))
    assert plan is not None
    assert (plan.kind, plan.license, plan.through) == ("archive", "archived", "entitlement")


@proves("S3")
def test_a_deleted_mailbox_of_unknown_kind_is_archived_as_what_it_was() -> None:
    gone = UNKNOWN._replace(state="deleted")
    plan = proposed(policy(), gone, holding(through="entitlement"))
    assert plan is not None and plan.through == "entitlement"


@proves("S5")
@pytest.mark.parametrize("rules", [(STAFF, MAILBOXES), (STAFF,)], ids=["selected by a rule", "selected by none"])
def test_a_mailbox_turned_into_a_shared_one_moves_to_the_entitlement(rules: tuple[object, ...]) -> None:
    plan = proposed(policy(*rules), SHARED, holding(source="rule:staff"), "staff")  # type: ignore[arg-type]
    assert plan is not None
    assert (plan.kind, plan.held_through, plan.through) == ("move", "seat", "entitlement")
    assert (plan.held_license, plan.license) == ("standard", "standard")


@proves("S5")
def test_a_shared_mailbox_turned_back_asks_for_a_seat_and_keeps_the_entitlement_until_then() -> None:
    for groups in ((), ("staff",)):
        plan = proposed(policy(STAFF, MAILBOXES), ADA, holding(source="rule:mailboxes", through="entitlement"), *groups)
        assert plan is not None
        assert (plan.kind, plan.held_through, plan.through) == ("move", "entitlement", "seat")


@proves("S5", "G4", "G7")
@pytest.mark.parametrize("leave", [RELEASE_AT_ONCE, ARCHIVE_AT_ONCE, RELEASE_AFTER_A_WEEK])
def test_a_mailbox_that_is_turned_into_another_kind_has_not_left_its_rule(leave: Leave) -> None:
    company = policy(replace(STAFF, on_leave=leave, on_disable=leave), replace(MAILBOXES, on_leave=leave))
    staff_only = policy(replace(STAFF, on_leave=leave, on_disable=leave))
    for rules, about, held, groups in (
        (staff_only, SHARED, holding(source="rule:staff"), ("staff",)),
        (company, ADA, holding(source="rule:mailboxes", through="entitlement"), ()),
        (company, DISABLED, holding(source="rule:mailboxes", through="entitlement"), ()),
    ):
        plan = proposed(rules, about, held, *groups)
        assert plan is not None and (plan.kind, plan.license) == ("move", "standard")
        moved = held._replace(through=plan.through)
        assert proposed(rules, about, moved, *groups) is None
    left = proposed(staff_only, SHARED, holding(source="rule:staff"))
    assert left is not None and left.kind in ("release", "archive", "grace"), "who is not in the group either has left"
    left = proposed(company, ADA, holding(source="rule:staff"))
    assert left is not None and left.kind in ("release", "archive", "grace"), "and who never was a shared mailbox"


@proves("S5", "L8")
@pytest.mark.parametrize("source", ["manual", "pinned"])
def test_what_a_person_gave_rests_on_what_the_mailbox_is(source: str) -> None:
    company = policy(STAFF, MAILBOXES)
    for about, through, other in ((SHARED, "seat", "entitlement"), (ADA, "entitlement", "seat")):
        plan = proposed(company, about, holding(source=source, through=through), "staff")
        assert plan is not None
        assert (plan.kind, plan.license, plan.through, plan.source) == ("move", "standard", other, source)
        assert proposed(company, about, holding(source=source, through=other), "staff") is None


@proves("S5")
def test_an_archived_mailbox_that_is_turned_into_a_shared_one_frees_its_archived_seat() -> None:
    plan = proposed(policy(STAFF), SHARED, holding("archived", "on_leave"))
    assert plan is not None
    assert (plan.kind, plan.license, plan.through) == ("move", "archived", "entitlement")


def test_what_an_account_of_unknown_kind_holds_stays_as_it_is() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AT_ONCE), MAILBOXES)
    for through in ("seat", "entitlement"):
        assert proposed(company, UNKNOWN, holding(source="rule:staff", through=through)) is None
    assert proposed(company, UNKNOWN, holding("archived", "rule:staff")) is not None


def test_an_account_of_unknown_kind_waits_once_for_what_it_might_get() -> None:
    waits = proposed(policy(STAFF), UNKNOWN, NOTHING, "staff")
    assert waits is not None
    assert (waits.kind, waits.license, waits.reason) == ("wait", "standard", "kind_unknown")
    already = Holding(waiting_for="standard", waiting_since=NOW, waiting_reason="kind_unknown")
    assert proposed(policy(STAFF), UNKNOWN, already, "staff") is None
    assert proposed(policy(STAFF), UNKNOWN) is None


# --- suspended rules (G3) ---


@proves("G3")
def test_whom_a_suspended_rule_might_select_keeps_what_it_has() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AT_ONCE, on_disable=RELEASE_AT_ONCE), KEPT)
    for about in (ADA, DISABLED):
        held = holding(source="rule:staff")
        assert proposed(company, about, held, "leavers", suspended={"staff": ["staff"]}) is None


@proves("G3")
def test_whom_a_suspended_rule_might_select_waits_and_gets_nothing_new() -> None:
    company = policy(STAFF, rule("all", everyone=True))
    waits = proposed(company, ADA, NOTHING, suspended={"staff": ["staff"]})
    assert waits is not None
    assert (waits.kind, waits.license, waits.reason, waits.rule) == ("wait", "standard", "rule_suspended", "staff")
    again = Holding(waiting_for="standard", waiting_since=NOW, waiting_reason="rule_suspended")
    assert proposed(company, ADA, again, suspended={"staff": ["staff"]}) is None


@proves("G3")
def test_an_archived_account_waits_as_well_for_what_a_suspended_rule_might_give_it() -> None:
    waits = proposed(policy(STAFF), ADA, holding("archived", "deleted_user"), suspended={"staff": ["staff"]})
    assert waits is not None
    assert (waits.kind, waits.license, waits.held_license) == ("wait", "standard", "archived")


@proves("G3")
def test_a_change_that_was_waiting_does_not_happen_while_its_rule_is_suspended() -> None:
    waits = holding(waiting_for="archived", waiting_since=NOW - DAY, waiting_reason="insufficient_licenses")
    plan = proposed(policy(STAFF), ADA, waits, suspended={"staff": ["staff"]})
    assert plan is not None and plan.kind == "settle"


@proves("G3")
def test_a_grace_does_not_end_while_the_rule_is_suspended() -> None:
    company = policy(replace(STAFF, on_leave=RELEASE_AFTER_A_WEEK))
    over = holding(source="rule:staff", grace="on_leave", grace_started=NOW - 8 * DAY)
    assert proposed(company, ADA, over, suspended={"staff": ["staff"]}) is None


@proves("G3")
def test_those_who_would_get_nothing_do_not_wait_for_a_suspended_none() -> None:
    assert proposed(policy(NOBODY, STAFF), ADA, NOTHING, suspended={"nobody": ["never"]}) is None


@proves("G3")
@given(worlds())
def test_nothing_is_given_to_or_taken_from_those_whom_a_suspended_rule_might_select(world: World) -> None:
    verdicts = {said.account.key: said for said in decide(world.accounts, world.memberships, world.book)}
    for each in world.plan():
        said = verdicts[each.account]
        if said.standing == "suspended" and said.account.state in ("active", "disabled"):
            held = world.ledger.holdings[each.account]
            stays_by_hand = each.kind == "move" and each.source == held.source and each.license == held.license
            assert each.kind in ("wait", "settle") or stays_by_hand, (each, held)


# --- what a person did (L8) ---


@proves("L8")
@pytest.mark.parametrize("source", ["manual", "pinned"])
@pytest.mark.parametrize("groups", [(), ("staff",), ("leavers",), ("never",)])
@pytest.mark.parametrize("held", [NOTHING, holding(), holding("archived")], ids=["nothing", "standard", "archived"])
def test_rules_neither_take_from_nor_give_to_whom_a_person_decided_about(
    held: Holding, groups: tuple[str, ...], source: str
) -> None:
    company = policy(NOBODY, replace(STAFF, on_leave=RELEASE_AT_ONCE, on_disable=RELEASE_AT_ONCE), KEPT)
    for about in (ADA, DISABLED, UNKNOWN):
        assert proposed(company, about, held._replace(source=source), *groups) is None
    moved = proposed(company, SHARED, held._replace(source=source), *groups)
    assert moved is None or (moved.kind, moved.license, moved.source) == ("move", held.license, source)


@proves("L8", "D1")
def test_a_deletion_archives_what_a_person_assigned_unless_it_is_pinned() -> None:
    plan = proposed(policy(STAFF), DELETED, holding(source="manual"))
    assert plan is not None and plan.kind == "archive"
    assert proposed(policy(STAFF), DELETED, holding(source="pinned")) is None


@proves("L8")
@pytest.mark.parametrize("leave", [RELEASE_AT_ONCE, RELEASE_AFTER_A_WEEK, Leave("keep")], ids=lambda leave: leave.then)
def test_a_deletion_never_releases_what_a_person_assigned(leave: Leave) -> None:
    assert proposed(policy(STAFF, deleted_users=leave), DELETED, holding(source="manual")) is None


@proves("L8")
@given(worlds())
def test_nothing_is_taken_from_those_a_person_decided_about(world: World) -> None:
    states = {each.key: each.state for each in world.accounts}
    before = dict(world.ledger.holdings)
    world.ledger.apply(world.plan(), NOW)
    for key, held in world.ledger.holdings.items():
        was = before.get(key, NOTHING)
        if was.source == "pinned" or (was.source == "manual" and states[key] not in ("deleted", "purged")):
            assert held.license == was.license
            assert held.source == was.source
        elif was.source == "manual":
            assert held.license == was.license or (was.license, held.license) == ("standard", "archived")


@proves("Z2")
@pytest.mark.parametrize("held", [NOTHING, holding(), holding("archived")], ids=["nothing", "standard", "archived"])
def test_an_account_whose_state_is_unknown_keeps_what_it_has_and_gets_nothing(held: Holding) -> None:
    company = policy(KEPT, replace(STAFF, on_leave=RELEASE_AT_ONCE))
    for groups in ((), ("staff",), ("leavers",)):
        assert proposed(company, account(1, state="unknown"), held, *groups) is None


# --- plans as a whole ---


@given(worlds(), st.randoms(use_true_random=False))
def test_the_same_plan_for_any_order_of_the_accounts(world: World, random: object) -> None:
    shuffled = list(world.accounts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(world.plan(shuffled), key=turn) == sorted(world.plan(), key=turn)


@given(worlds(), st.integers(0, 8))
def test_the_same_plan_however_the_accounts_are_cut_into_chunks(world: World, cut: int) -> None:
    assert world.plan(world.accounts[:cut]) + world.plan(world.accounts[cut:]) == world.plan()


@given(worlds())
def test_an_account_has_one_proposal_at_the_most(world: World) -> None:
    accounts = [each.account for each in world.plan()]
    assert len(accounts) == len(set(accounts))


@given(worlds())
def test_after_a_plan_is_applied_the_next_one_changes_nothing(world: World) -> None:
    world.ledger.apply(world.plan(), NOW)
    applied = dict(world.ledger.holdings)
    again = world.plan()
    assert all(each.kind in SERVED for each in again), "only those who still wait ask again"
    world.ledger.apply(again, NOW)
    assert world.ledger.holdings == applied


@given(worlds())
def test_who_held_a_license_is_unlicensed_only_by_a_release(world: World) -> None:
    held_before = {key for key, held in world.ledger.holdings.items() if held.license is not None}
    plan = world.plan()
    released = {each.account for each in plan if each.kind == "release"}
    world.ledger.apply(plan, NOW)
    for step in world.ledger.steps:
        assert all(step[key].license is not None for key in held_before - released)


@proves("L1")
@given(worlds())
def test_automation_releases_standard_licenses_only(world: World) -> None:
    assert all(each.held_license == "standard" for each in world.plan() if each.kind == "release")


@proves("G4", "G7")
@given(worlds())
def test_nothing_is_taken_before_its_grace_has_run(world: World) -> None:
    week = timedelta(days=7)
    rules = [
        replace(each, on_leave=replace(each.on_leave, after=week), on_disable=replace(each.on_disable, after=week))
        for each in world.policy.rules
    ]
    started = {key: held.grace_started for key, held in world.ledger.holdings.items()}
    for each in replace(world, policy=replace(world.policy, rules=tuple(rules))).plan():
        if each.kind in ("release", "archive") and each.source in ("on_leave", "on_disable"):
            since = started[each.account]
            assert since is not None and since <= NOW - 7 * DAY


# --- what a rejection rests on (Z1) ---


def test_the_footing_changes_with_the_account_its_groups_and_its_rule() -> None:
    staff = frozenset({"staff"})
    told = {
        footing(ADA, staff, STAFF),
        footing(DISABLED, staff, STAFF),
        footing(ADA, frozenset({"staff", "exec"}), STAFF),
        footing(ADA, staff, replace(STAFF, on_leave=RELEASE_AT_ONCE)),
        footing(ADA, staff, rule("staff", groups=["staff"], but={"accounts": ("eve@contoso.example",)})),
        footing(ADA, staff, None),
    }
    assert len(told) == 6


def test_the_footing_does_not_change_with_the_place_of_the_rule_in_the_file() -> None:
    moved = replace(
        STAFF, position=7, mark=Mark("contoso.yaml", 90, 1),
        conditions=tuple(replace(each, mark=Mark("contoso.yaml", 91, 1)) for each in STAFF.conditions),
    )  # fmt: skip
    assert footing(ADA, [], moved) == footing(ADA, [], STAFF)


def test_the_footing_does_not_depend_on_the_store_s_numbers_or_the_order_of_groups() -> None:
    assert footing(account(2, id=AccountId("id-1"), address=ADA.address, name=ADA.name), ["a", "b"], STAFF) == footing(
        ADA, ["b", "a"], STAFF
    )


FOOTING = """
from policies.planner import footing
from tests.policies.strategies.by_hand import account, rule
include = ["disabled", "guests", "rooms", "resources"]
print(footing(account(1), frozenset({"a", "b", "c"}), rule("all", everyone=True, include=include)))
"""


def test_the_footing_is_the_same_in_every_process() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", FOOTING],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(told) == 1
