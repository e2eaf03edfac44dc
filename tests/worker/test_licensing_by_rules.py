"""Licenses by rules: groups, the first match, leaving and coming back, limits, and who is served first (G)."""

from datetime import timedelta

import pytest

from store.times import micros
from tests.proves import proves
from tests.worker.world import Customer, World, actions, counted

STAFF = """
- name: staff
  groups: [Staff]
  license: standard
"""
STAFF_LEAVE = STAFF + "  on_leave: release\n"
STAFF_LEAVE_AT_ONCE = STAFF + "  on_leave: {then: release, after: 0s}\n"


@proves("G1", "G2")
def test_members_of_a_group_are_licensed_and_nobody_else(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    result = contoso.sync()
    assert (result.outcome, result.mode, result.seen) == ("applied", "full", 3)
    assert actions(result) == [
        ("assign", "ada@contoso.example", "standard"),
        ("assign", "ben@contoso.example", "standard"),
    ]
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert contoso.sources() == {"Ada": "rule:staff", "Ben": "rule:staff"}
    assert world.free("standard") == 3
    assert world.is_sound()


@proves("G2")
def test_members_of_nested_groups_count_however_deep_and_in_a_circle(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    leads = contoso.group("Leads", "Ben")
    engineering = contoso.group("Engineering", "Ada", leads)
    staff = contoso.group("Staff", engineering)
    contoso.tenant.add_member(leads, staff)
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    contoso.tenant.add_member(leads, contoso.people["Cy"])
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard", "Cy": "standard"}


@proves("G2")
def test_a_group_that_is_nested_later_brings_its_members_and_takes_them_along(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada")
    sales = contoso.group("Sales", "Ben")
    world.add_lot("standard", 5)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}
    contoso.tenant.add_member(staff, sales)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    contoso.tenant.remove_member(staff, sales)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}


@proves("G1", "G4", "L2")
def test_the_first_rule_that_matches_decides_and_moving_changes_the_reason_alone(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    contoso.group("Executives", "Ada")
    lot = world.add_lot("standard", 5)
    contoso.policy("- {name: executives, groups: [Executives], license: standard}\n" + STAFF_LEAVE_AT_ONCE.strip())
    contoso.sync()
    assert contoso.sources() == {"Ada": "rule:executives"}
    assert world.free("standard") == 4
    since = world.one("SELECT since FROM assignment")
    world.later(hours=1)
    contoso.policy(STAFF_LEAVE_AT_ONCE + "- {name: executives, groups: [Executives], license: standard}\n")
    result = contoso.sync()
    assert actions(result) == [("move", "ada@contoso.example", "standard")]
    assert contoso.sources() == {"Ada": "rule:staff"}
    assert (contoso.lots(), world.one("SELECT since FROM assignment")) == ({"Ada": lot}, since)
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    assert contoso.sources() == {"Ada": "rule:executives"}
    assert "license.released" not in world.happened()


@proves("G2")
def test_guests_rooms_and_the_disabled_are_not_meant_unless_they_are_included(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.hire("Guy", guest=True)
    contoso.hire("Dan", enabled=False)
    contoso.tenant.create_mailbox("Room 1", "room")
    world.add_lot("standard", 9)
    contoso.policy("- {name: all, everyone: true, license: standard}")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}
    contoso.policy("- {name: all, everyone: true, license: standard, include: [disabled, guests]}")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Dan": "standard", "Guy": "standard"}


@proves("G2")
def test_a_rule_that_gives_none_ends_the_search_and_acts_as_leaving(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    contoso.group("Contractors", "Ben")
    world.add_lot("standard", 9)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    contoso.policy("- {name: nobody, groups: [Contractors], license: none}" + STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}


@proves("G4")
def test_leaving_takes_nothing_unless_the_rule_says_so(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.settle()
    world.later(days=100)
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard"}


@proves("G4", "L4")
def test_who_left_is_released_after_the_grace_and_not_before(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    contoso.policy(STAFF_LEAVE, licenses="{retention: 90d}")
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    assert contoso.sync().outcome == "nothing_to_do"
    world.later(days=6, hours=23, minutes=59)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    world.later(minutes=1)
    result = contoso.sync()
    assert actions(result) == [("release", "ada@contoso.example", None)]
    assert contoso.licenses() == {"Ben": "standard"}
    assert contoso.clocks() == {"Ada": timedelta(days=90)}
    assert world.free("standard") == 1
    assert contoso.settle().outcome == "nothing_to_do"
    assert contoso.row().wake_at is None or contoso.row().wake_at > world.clock().timestamp() * 1_000_000


@proves("G4")
def test_the_end_of_a_grace_is_when_the_directory_is_due(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF + "  on_leave: {then: release, after: 20s}\n")
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    in_twenty_seconds = (world.clock() + timedelta(seconds=20)).timestamp() * 1_000_000
    assert contoso.row().due_at == in_twenty_seconds


@proves("G4")
@pytest.mark.parametrize("after, ends", [("14d", 14.0), ("90h", 3.75)])
def test_a_grace_that_an_edit_makes_longer_or_shorter_ends_when_the_rule_says_now(
    world: World, contoso: Customer, after: str, ends: float
) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF_LEAVE)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    began = world.clock()
    world.later(days=3)
    contoso.policy(STAFF + f"  on_leave: {{then: release, after: {after}}}\n")
    contoso.sync()
    end = began + timedelta(days=ends)
    world.later(end - world.clock() - timedelta(minutes=2))
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}
    assert contoso.row().wake_at == micros(end)
    world.later(minutes=2)
    assert counted(contoso.sync()) == {"release": 1}


@proves("G4", "L4")
def test_who_comes_back_within_the_grace_never_left(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF_LEAVE)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    world.later(days=6)
    contoso.tenant.add_member(staff, contoso.people["Ada"])
    contoso.sync()
    world.later(days=30)
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard"}
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    world.later(days=6)
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard"}, "the second grace begins anew"


@proves("G4")
def test_what_leaving_means_is_what_the_rule_says_now(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    contoso.policy(STAFF_LEAVE)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    world.later(days=5)
    contoso.policy(STAFF)
    contoso.sync()
    world.later(days=5)
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    contoso.policy("- {name: others, domains: [elsewhere.example], license: standard, on_leave: release}")
    contoso.sync()
    world.later(days=50)
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}, "the rule is gone: keep"


@proves("G4", "L1")
def test_leaving_may_archive(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(STAFF + "  on_leave: {then: archive, after: 2d}\n")
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    world.later(days=2)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "archived"}
    assert (world.free("standard"), world.free("archived")) == (1, 0)
    assert contoso.clocks() == {}


@proves("L4")
def test_a_license_that_comes_back_stops_the_clock(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    assert contoso.clocks() == {"Ada": timedelta(days=60)}
    world.later(days=20)
    contoso.tenant.add_member(staff, contoso.people["Ada"])
    contoso.sync()
    assert (contoso.licenses(), contoso.clocks()) == ({"Ada": "standard"}, {})


@proves("G5")
def test_the_upper_rule_comes_first_then_who_waited_longer_then_the_address(world: World, contoso: Customer) -> None:
    contoso.hire("Zoe", "Ben", "Ada")
    staff = contoso.group("Staff", "Zoe", "Ben")
    executives = contoso.group("Executives")
    contoso.policy("- {name: executives, groups: [Executives], license: standard}" + STAFF)
    contoso.sync()
    assert contoso.waiting() == dict.fromkeys(["Ben", "Zoe"], "insufficient_licenses")
    world.later(minutes=1)
    contoso.tenant.add_member(staff, contoso.people["Ada"])
    contoso.hire("Eve")
    contoso.tenant.add_member(executives, contoso.people["Eve"])
    contoso.sync()
    served = []
    for _ in range(4):
        world.add_lot("standard", 1)
        served += [name for name in contoso.licenses() if name not in served]
    assert served == ["Eve", "Ben", "Zoe", "Ada"]
    assert contoso.waiting() == {}
    assert world.is_sound()


@proves("G5", "M9")
def test_those_who_wait_are_served_in_the_transaction_that_brings_the_seats(world: World, contoso: Customer) -> None:
    contoso.crowd(3)
    contoso.policy(STAFF)
    contoso.sync()
    transactions = world.one("SELECT count(*) FROM feed")
    world.add_lot("standard", 2)
    assert world.one("SELECT count(*) FROM feed WHERE company <> 0") == transactions - 0 + 1 - world.one(
        "SELECT count(*) FROM feed WHERE company = 0 AND first < (SELECT max(first) FROM feed WHERE company = 0)"
    )
    assert contoso.licenses() == {"Person 000": "standard", "Person 001": "standard"}
    assert contoso.waiting() == {"Person 002": "insufficient_licenses"}


@proves("G5")
def test_a_seat_that_is_released_serves_who_waits_in_the_same_run(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    assert (contoso.licenses(), contoso.waiting()) == ({"Ada": "standard"}, {"Ben": "insufficient_licenses"})
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    result = contoso.sync()
    assert counted(result) == {"release": 1, "assign": 1}
    assert (contoso.licenses(), contoso.waiting()) == ({"Ben": "standard"}, {})


@proves("G5")
def test_who_waits_and_then_leaves_waits_no_more(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("Staff", "Ada")
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.sync()
    assert contoso.waiting() == {}
    world.add_lot("standard", 1)
    assert contoso.licenses() == {}


@proves("G5")
def test_who_leaves_the_line_is_not_served_by_what_the_same_run_frees(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.tenant.remove_member(staff, contoso.people["Ben"])
    contoso.sync()
    assert (contoso.licenses(), contoso.waiting()) == ({}, {})


@proves("G6")
def test_a_rule_gives_no_more_than_its_limit_and_buys_nothing_for_the_rest(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    staff = contoso.group("Staff", "Ada", "Ben", "Cy")
    world.add_lot("standard", 2)
    contoso.policy(STAFF_LEAVE_AT_ONCE + "  limit: 2\n", purchasing="{standard: {auto: true}}")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert contoso.waiting() == {"Cy": "rule_limit"}
    assert world.orders() == []
    world.add_lot("standard", 1)
    assert contoso.waiting() == {"Cy": "rule_limit"}
    contoso.tenant.remove_member(staff, contoso.people["Ben"])
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Cy": "standard"}


@proves("G6", "G4")
def test_those_who_move_into_a_rule_count_against_its_limit(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    contoso.group("Staff", "Ada", "Ben")
    executives = contoso.group("Executives")
    world.add_lot("standard", 9)
    contoso.policy("- {name: executives, groups: [Executives], license: standard, limit: 2}" + STAFF)
    contoso.sync()
    contoso.tenant.add_members(executives, [contoso.people[name] for name in ("Ada", "Cy")])
    contoso.hire("Dot")
    contoso.tenant.add_member(executives, contoso.people["Dot"])
    contoso.sync()
    assert list(contoso.sources().values()).count("rule:executives") == 2
    contoso.tenant.add_member(executives, contoso.people["Ben"])
    contoso.sync()
    assert list(contoso.sources().values()).count("rule:executives") == 2
    assert {"Ada", "Ben"} <= set(contoso.licenses())


@proves("G7")
def test_the_disabled_keep_what_they_have_and_get_nothing_new(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    contoso.tenant.disable(contoso.people["Ben"])
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    contoso.tenant.disable(contoso.people["Ada"])
    contoso.sync()
    assert contoso.states() == {"Ada": "disabled", "Ben": "disabled"}
    assert (contoso.licenses(), contoso.waiting()) == ({"Ada": "standard"}, {})


@proves("G7")
def test_a_rule_may_say_what_becomes_of_the_disabled(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    contoso.policy(STAFF + "  on_disable: {then: release, after: 1d}\n")
    contoso.sync()
    for name in ("Ada", "Ben"):
        contoso.tenant.disable(contoso.people[name])
    contoso.sync()
    world.later(hours=12)
    contoso.tenant.enable(contoso.people["Ben"])
    contoso.sync()
    world.later(hours=12)
    contoso.sync()
    assert contoso.licenses() == {"Ben": "standard"}


@proves("G2")
def test_another_name_or_address_is_still_the_same_account(world: World, contoso: Customer) -> None:
    """Accident 21: a changed address stopped every later sync."""
    contoso.hire("Ada Winter")
    contoso.group("Staff", "Ada Winter")
    world.add_lot("standard", 2)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    contoso.tenant.rename(contoso.people["Ada Winter"], "Ada Summer")
    result = contoso.sync()
    assert (result.outcome, result.changed) == ("nothing_to_do", 1)
    assert contoso.licenses() == {"Ada Summer": "standard"}
    assert world.happened()["license.assigned"] == 1


@proves("L8")
def test_what_a_person_decided_stays(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    world.add_lot("archived", 2)
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    with world.store.begin() as tx:
        tx.execute("INSERT INTO by_hand (account, pinned) SELECT key, name = 'Ben' FROM account")
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.tenant.remove_member(staff, contoso.people["Ben"])
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    contoso.delete("Ada", "Ben")
    contoso.settle()
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}, "a deletion archives, unless pinned"
