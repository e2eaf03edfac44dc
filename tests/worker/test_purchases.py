"""Buying what is short from the manual seller, and who is served by what comes (P, M)."""

from collections import Counter
from datetime import date

import pytest

from store.errors import Conflict
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World, counted
from worker.operations.ordering import approve_order, cancel_order, reject_order, reopen_order, want_order
from worker.operations.pool_pass import pass_pools

STAFF = "- {name: staff, groups: [Staff], license: standard}"


def buys(standard: str = "") -> str:
    """A purchasing section that buys standard licenses by itself."""
    return f"{{standard: {{auto: true{', ' if standard else ''}{standard}}}}}"


def only_order(world: World) -> str:
    with world.store.read() as tx:
        [order] = tx.orders.listing()
    return order.id


@proves("P1", "P4", "P8")
def test_a_shortage_is_ordered_in_packs_and_served_when_the_order_is_fulfilled(world: World, contoso: Customer) -> None:
    contoso.crowd(7)
    contoso.policy(STAFF, purchasing=buys("pack: 5, spare: 2"))
    result = contoso.sync()
    assert counted(result) == {"wait": 7, "buy": 1}
    assert world.orders() == [("contoso", "standard", 10, "placed")]
    assert contoso.licenses() == {}, "seats exist when the order is fulfilled, not when it is placed"
    contoso.settle()
    assert len(world.orders()) == 1
    before = world.one("SELECT count(*) FROM feed WHERE company = :c", c=contoso.row().company)
    world.fulfill()
    assert len(contoso.licenses()) == 7 and contoso.waiting() == {}
    assert world.one("SELECT count(*) FROM feed WHERE company = :c", c=contoso.row().company) == before + 1
    assert world.free("standard") == 3
    contoso.settle()
    assert world.orders() == [("contoso", "standard", 10, "fulfilled")]
    assert world.is_sound()


@proves("P1")
def test_a_purchase_stays_within_its_caps_and_the_rest_waits(world: World, contoso: Customer) -> None:
    contoso.crowd(9)
    contoso.policy(STAFF, purchasing=buys("pack: 2, most_per_order: 5, most_per_month: 6"))
    contoso.sync()
    assert world.orders() == [("contoso", "standard", 4, "placed")]
    world.fulfill()
    contoso.policy(STAFF, purchasing=buys("pack: 2, most_per_order: 5, most_per_month: 6, spare: 1"))
    contoso.sync()
    assert [order[2:] for order in world.orders()] == [(4, "fulfilled"), (2, "placed")]
    assert len(contoso.waiting()) == 5
    world.later(days=30)
    contoso.settle()
    assert [order[2] for order in world.orders()] == [4, 2, 4], "another month"


@proves("P1")
def test_what_a_cap_left_out_is_ordered_when_the_order_came_although_nothing_else_changes(
    world: World, contoso: Customer
) -> None:
    contoso.crowd(9)
    contoso.policy(STAFF, purchasing=buys("most_per_order: 5"))
    contoso.settle()
    world.fulfill()
    contoso.settle()
    assert [order[2:] for order in world.orders()] == [(5, "fulfilled"), (4, "placed")]


@proves("P1")
def test_a_partly_fulfilled_order_leaves_the_rest_short(world: World, contoso: Customer) -> None:
    contoso.crowd(5)
    contoso.policy(STAFF, purchasing=buys())
    contoso.sync()
    world.fulfill(seats=3)
    assert len(contoso.licenses()) == 3
    contoso.sync()
    assert [order[2:] for order in world.orders()] == [(5, "fulfilled"), (2, "placed")]


@proves("P1", "P4")
def test_what_a_partly_fulfilled_order_did_not_bring_counts_for_no_month(world: World, contoso: Customer) -> None:
    contoso.crowd(5)
    contoso.policy(STAFF, purchasing=buys("most_per_month: 5"))
    contoso.sync()
    world.fulfill(seats=2)
    contoso.sync()
    assert [order[2:] for order in world.orders()] == [(5, "fulfilled"), (3, "placed")]
    world.fulfill(seats=1)
    contoso.sync()
    world.fulfill()
    contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    contoso.sync(whole=True)
    assert [order[2] for order in world.orders()] == [5, 3, 2], "five were bought this month"
    assert contoso.waiting() == {"Zoe": "insufficient_licenses"}


@proves("P3")
@pytest.mark.parametrize(
    "above", ["approve_above: 3", "price: 10.00 USD, approve_above: 39.00 USD", "approve_above: 9.00 USD"]
)
def test_a_large_order_waits_for_a_person(world: World, contoso: Customer, above: str) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, purchasing=buys(above))
    contoso.sync()
    assert world.orders() == [("contoso", "standard", 4, "awaiting_approval")]
    contoso.settle()
    approve_order(world.app, only_order(world), PERSON)
    assert world.orders() == [("contoso", "standard", 4, "placed")]
    world.fulfill()
    assert len(contoso.licenses()) == 4


@proves("P3")
def test_a_rejected_order_is_not_made_again_until_the_shortage_grows(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, purchasing=buys("approve_above: 0"))
    contoso.sync()
    reject_order(world.app, only_order(world), PERSON)
    world.later(days=2)
    contoso.settle()
    assert [state for *_, state in world.orders()] == ["rejected"]
    contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    contoso.sync()
    assert [order[2:] for order in world.orders()] == [(4, "rejected"), (5, "awaiting_approval")]


@proves("P3")
def test_a_rejected_order_is_made_again_when_it_is_reopened(world: World, contoso: Customer) -> None:
    contoso.crowd(2)
    contoso.policy(STAFF, purchasing=buys())
    contoso.sync()
    order = only_order(world)
    cancel_order(world.app, order, PERSON)
    assert contoso.settle().outcome == "nothing_to_do"
    reopen_order(world.app, order, PERSON)
    contoso.sync()
    assert [state for *_, state in world.orders()] == ["cancelled", "placed"]


def hire_into_staff(contoso: Customer, name: str) -> None:
    contoso.hire(name)
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people[name])


@proves("P3")
def test_of_two_orders_that_wait_for_a_person_the_rejected_one_is_not_made_again(
    world: World, contoso: Customer
) -> None:
    contoso.crowd(3)
    contoso.policy(STAFF, purchasing=buys("approve_above: 0"))
    contoso.sync()
    first = only_order(world)
    hire_into_staff(contoso, "Zoe")
    contoso.sync()
    world.later(minutes=1)
    reject_order(world.app, first, PERSON)
    contoso.sync(whole=True)
    assert [order[2:] for order in world.orders()] == [(3, "rejected"), (1, "awaiting_approval")]


@proves("P3")
def test_an_order_by_hand_does_not_undo_a_rejection(world: World, contoso: Customer) -> None:
    contoso.crowd(3)
    contoso.policy(STAFF, purchasing=buys("approve_above: 1"))
    contoso.sync()
    reject_order(world.app, only_order(world), PERSON)
    world.later(minutes=1)
    want_order(world.app, "standard", 1, PERSON, company="contoso")
    contoso.sync(whole=True)
    assert [order[2:] for order in world.orders()] == [(3, "rejected"), (1, "placed")]


@proves("P1", "G6")
def test_no_more_is_bought_than_a_rule_may_give(world: World, contoso: Customer) -> None:
    contoso.crowd(10)
    contoso.policy(STAFF.replace("}", ", limit: 3}"), purchasing=buys())
    contoso.sync()
    assert world.orders() == [("contoso", "standard", 3, "placed")]
    world.fulfill()
    assert len(contoso.licenses()) == 3
    contoso.sync(whole=True)
    assert (set(contoso.waiting().values()), len(world.orders())) == ({"rule_limit"}, 1)


@proves("P6")
def test_a_company_on_trial_buys_nothing(world: World, contoso: Customer) -> None:
    contoso.crowd(2)
    contoso.policy(STAFF, purchasing=buys(), licenses="{trial: true}")
    contoso.sync()
    assert world.orders() == []
    assert set(contoso.waiting().values()) == {"insufficient_licenses"}


@proves("P1", "Z1")
def test_a_purchase_beyond_the_safety_limit_is_held_and_not_ordered(world: World, contoso: Customer) -> None:
    contoso.crowd(8)
    contoso.policy(STAFF, purchasing=buys(), safety="{purchase: {most: 5}}")
    result = contoso.sync()
    assert (result.outcome, [(held.kind, held.total) for held in result.held]) == ("partly_held", [("purchase", 8)])
    assert (world.orders(), world.holds()) == ([], [("purchase", 8)])
    assert contoso.sync().outcome == "held", "it stands in the way at every pass"
    world.approve(world.hold("purchase"))
    assert world.orders() == [("contoso", "standard", 8, "placed")]
    assert contoso.settle().outcome == "nothing_to_do"
    assert len(world.orders()) == 1


@proves("P1", "Z1")
def test_the_safety_limit_counts_what_is_ordered_of_all_licenses_together(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.hire("Olga", "Otto")
    contoso.group("Former", "Olga", "Otto")
    former = "- {name: former, groups: [Former], license: archived}"
    both = "{standard: {auto: true}, archived: {auto: true}}"
    contoso.policy(f"{STAFF}\n{former}", purchasing=both, safety="{purchase: {most: 5}}")
    contoso.sync()
    assert (world.orders(), world.holds()) == ([("contoso", "standard", 4, "placed")], [("purchase", 2)])
    world.later(hours=25)
    contoso.sync()
    assert (world.orders()[1:], world.holds()) == ([("contoso", "archived", 2, "placed")], [])


@proves("P1", "Z1")
def test_a_held_purchase_that_is_rejected_is_not_held_again(world: World, contoso: Customer) -> None:
    contoso.crowd(8)
    contoso.policy(STAFF, purchasing=buys(), safety="{purchase: {most: 5}}")
    contoso.sync()
    world.reject(world.hold("purchase"))
    result = contoso.settle()
    assert (result.outcome, result.held) == ("nothing_to_do", [])
    assert (world.orders(), world.holds()) == ([], [])


@proves("P1", "Z1")
def test_a_held_purchase_that_is_needed_no_more_is_withdrawn(world: World, contoso: Customer) -> None:
    contoso.crowd(8)
    contoso.policy(STAFF, purchasing=buys(), safety="{purchase: {most: 5}}")
    contoso.sync()
    world.add_lot("standard", 8)
    assert contoso.sync().outcome == "nothing_to_do"
    assert world.holds() == []


@proves("P1", "Z1")
def test_a_held_purchase_of_more_than_is_short_by_now_is_not_approved(world: World, contoso: Customer) -> None:
    contoso.crowd(8)
    contoso.policy(STAFF, purchasing=buys(), safety="{purchase: {most: 5}}")
    contoso.sync()
    held = world.hold("purchase")
    world.add_lot("standard", 6)
    with pytest.raises(Conflict, match="2 seats would be ordered now: 8 of standard would be too many"):
        world.approve(held)
    assert world.orders() == []
    contoso.sync()
    assert (world.orders(), world.holds()) == ([("contoso", "standard", 2, "placed")], [])


@proves("M1")
def test_a_company_holds_no_more_of_the_global_pool_than_its_limit(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    world.add_lot("standard", 9)
    contoso.policy(STAFF, licenses="{limit: {standard: 2}}", purchasing=buys())
    contoso.sync()
    assert len(contoso.licenses()) == 2
    assert set(contoso.waiting().values()) == {"company_limit"}
    assert world.orders() == []
    contoso.policy(STAFF, licenses="{limit: {standard: 3}}", purchasing=buys())
    contoso.sync()
    assert len(contoso.licenses()) == 3


@proves("M10", "M1")
def test_a_limit_lowered_below_what_is_held_takes_nothing_away(world: World, contoso: Customer) -> None:
    contoso.crowd(3)
    world.add_lot("standard", 9)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    contoso.policy(STAFF, licenses="{limit: {standard: 1}}")
    contoso.sync()
    assert len(contoso.licenses()) == 3
    assert contoso.waiting() == {"Zoe": "company_limit"}


@proves("M1", "P1")
def test_no_more_is_bought_than_the_company_may_hold(world: World, contoso: Customer) -> None:
    contoso.crowd(6)
    contoso.policy(STAFF, licenses="{limit: {standard: 4}}", purchasing=buys())
    contoso.sync()
    assert world.orders() == [("contoso", "standard", 4, "placed")]
    world.fulfill()
    contoso.settle()
    assert len(contoso.licenses()) == 4 and len(world.orders()) == 1


@proves("M4")
def test_the_lot_that_ends_first_is_used_first(world: World, contoso: Customer) -> None:
    contoso.crowd(5)
    never = world.add_lot("standard", 9)
    later = world.add_lot("standard", 2, expires=date(2027, 6, 30))
    soon = world.add_lot("standard", 2, expires=date(2026, 12, 31))
    world.add_lot("standard", 2, starts=date(2027, 1, 1), expires=date(2027, 2, 1))
    contoso.policy(STAFF)
    contoso.sync()
    assert Counter(contoso.lots().values()) == {soon: 2, later: 2, never: 1}


@proves("M4", "P5")
def test_a_lot_is_used_through_its_last_day_and_not_after(world: World, contoso: Customer) -> None:
    contoso.crowd(1)
    world.add_lot("standard", 1, expires=date(2026, 11, 3))
    world.later(hours=39, minutes=59)
    contoso.policy(STAFF)
    contoso.sync()
    assert len(contoso.licenses()) == 1, "23:59 of the last day"
    fabrikam = world.customer("fabrikam")
    fabrikam.crowd(1)
    fabrikam.policy(STAFF)
    world.add_lot("standard", 1, expires=date(2026, 11, 3))
    world.later(minutes=1)
    fabrikam.sync()
    assert fabrikam.licenses() == {}


@proves("M9", "G5")
def test_a_lot_that_begins_later_serves_who_waits_for_it_on_its_first_day(world: World, contoso: Customer) -> None:
    contoso.crowd(2)
    contoso.policy(STAFF)
    contoso.sync()
    world.add_lot("standard", 2, starts=date(2026, 11, 3))
    pass_pools(world.app)
    assert contoso.licenses() == {}
    world.later(hours=17)
    pass_pools(world.app)
    assert (len(contoso.licenses()), contoso.waiting()) == (2, {})
    before = world.dump()
    pass_pools(world.app)
    assert world.dump() == before


@proves("M8")
def test_the_company_that_has_waited_longest_is_served_first(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    fabrikam.crowd(2)
    fabrikam.policy(STAFF)
    fabrikam.sync()
    world.later(minutes=1)
    contoso.crowd(2)
    contoso.policy(STAFF)
    contoso.sync()
    world.add_lot("standard", 3)
    assert (len(fabrikam.licenses()), len(contoso.licenses())) == (2, 1)


@proves("M8", "G6")
@pytest.mark.parametrize("seats_first", [True, False])
def test_who_waits_for_a_limit_keeps_no_place_in_line_for_its_company(
    world: World, contoso: Customer, seats_first: bool
) -> None:
    fabrikam = world.customer("fabrikam")
    fabrikam.hire("Ann", "Bob", "Cid")
    fabrikam.group("Few", "Ann", "Bob")
    others = fabrikam.group("Staff")
    fabrikam.policy(f"- {{name: few, groups: [Few], license: standard, limit: 1}}\n{STAFF}")
    if seats_first:
        world.add_lot("standard", 1)
    fabrikam.sync()
    if not seats_first:
        world.add_lot("standard", 1)
    assert (set(fabrikam.licenses()), fabrikam.waiting()) == ({"Ann"}, {"Bob": "rule_limit"})
    world.later(days=1)
    contoso.crowd(1)
    contoso.policy(STAFF)
    contoso.sync()
    world.later(days=1)
    fabrikam.tenant.add_member(others, fabrikam.people["Cid"])
    fabrikam.sync()
    assert fabrikam.waiting() == {"Bob": "rule_limit", "Cid": "insufficient_licenses"}
    world.add_lot("standard", 1)
    assert (len(contoso.licenses()), set(fabrikam.licenses())) == (1, {"Ann"})
    world.add_lot("standard", 1)
    assert set(fabrikam.licenses()) == {"Ann", "Cid"}
    assert world.is_sound()


@proves("M1", "Z8")
def test_who_is_beyond_the_limit_of_the_company_waits_for_it_as_soon_as_it_is_used_up(
    world: World, contoso: Customer
) -> None:
    contoso.crowd(3)
    contoso.policy(STAFF, licenses="{limit: {standard: 1}}")
    contoso.sync()
    assert set(contoso.waiting().values()) == {"insufficient_licenses"}
    world.add_lot("standard", 2)
    assert list(contoso.waiting().values()) == ["company_limit"] * 2
    assert world.happened()["account.waiting"] == 5
    contoso.sync(whole=True)
    assert world.happened()["account.waiting"] == 5, "each is told of once"


@proves("M8")
def test_a_seat_that_one_company_gives_back_serves_the_longest_wait_of_all(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    contoso.crowd(2)
    fabrikam.crowd(1)
    world.add_lot("standard", 1)
    leaves = STAFF.replace("}", ", on_leave: {then: release, after: 0s}}")
    contoso.policy(leaves)
    contoso.sync()
    world.later(minutes=1)
    fabrikam.policy(STAFF)
    fabrikam.sync()
    assert (set(contoso.waiting()), set(fabrikam.waiting())) == ({"Person 001"}, {"Person 000"})
    staff = contoso.tenant.find_group("Staff")
    contoso.tenant.remove_member(staff, contoso.people["Person 000"])
    contoso.sync()
    assert set(contoso.licenses()) == {"Person 001"}, "contoso's own has waited longer"
    contoso.tenant.remove_member(staff, contoso.people["Person 001"])
    contoso.hire("Zoe")
    contoso.tenant.add_member(staff, contoso.people["Zoe"])
    contoso.sync()
    assert set(fabrikam.licenses()) == {"Person 000"}, "and fabrikam's longer than anybody new"
    assert contoso.waiting() == {"Zoe": "insufficient_licenses"}
    assert world.is_sound()


@proves("M9", "P4")
def test_seats_go_first_to_the_company_that_they_were_bought_for(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    fabrikam.crowd(2)
    fabrikam.policy(STAFF)
    fabrikam.sync()
    world.later(minutes=1)
    contoso.crowd(2)
    contoso.policy(STAFF, purchasing=buys("pack: 3"))
    contoso.sync()
    world.fulfill()
    assert (len(contoso.licenses()), len(fabrikam.licenses())) == (2, 1), "and what is left to who waited longest"
    assert world.is_sound()


@proves("M9")
def test_who_is_to_be_archived_comes_before_everybody_new_of_any_company(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    fabrikam.crowd(1)
    fabrikam.policy("- {name: staff, groups: [Staff], license: archived}")
    fabrikam.sync()
    world.later(minutes=1)
    contoso.crowd(2)
    world.add_lot("standard", 1)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete(*contoso.licenses())
    contoso.sync()
    assert (set(fabrikam.waiting()), len(contoso.waiting())) == ({"Person 000"}, 2)
    world.add_lot("archived", 1)
    assert sorted(contoso.licenses().values()) == ["archived", "standard"], "and its seat is somebody's at once"
    assert fabrikam.licenses() == {}
    assert world.is_sound()


@proves("M9")
def test_an_archived_seat_that_a_run_gives_back_goes_to_who_is_to_be_archived_before_its_own_who_are_new(
    world: World, contoso: Customer
) -> None:
    fabrikam = world.customer("fabrikam")
    fabrikam.hire("Ada", "Cy")
    fabrikam.group("Former", "Ada", "Cy")
    staff = fabrikam.group("Staff")
    fabrikam.policy(STAFF + "\n- {name: former, groups: [Former], license: archived}")
    world.add_lot("archived", 1)
    fabrikam.sync()
    world.later(minutes=1)
    contoso.crowd(1)
    contoso.policy(STAFF)
    world.add_lot("standard", 1)
    contoso.sync()
    contoso.delete("Person 000")
    contoso.sync()
    world.add_lot("standard", 1)
    fabrikam.tenant.add_member(staff, fabrikam.people["Ada"])
    fabrikam.sync()
    assert (fabrikam.licenses(), fabrikam.waiting()) == ({"Ada": "standard"}, {"Cy": "insufficient_licenses"})
    assert contoso.licenses() == {"Person 000": "archived"}


@proves("M8", "M1")
def test_a_company_at_its_limit_lets_others_by(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    contoso.crowd(2)
    contoso.policy(STAFF, licenses="{limit: {standard: 1}}")
    contoso.sync()
    world.later(minutes=1)
    fabrikam.crowd(2)
    fabrikam.policy(STAFF)
    fabrikam.sync()
    world.add_lot("standard", 3)
    assert (len(contoso.licenses()), len(fabrikam.licenses())) == (1, 2)


@proves("M9", "Z9")
def test_seats_for_a_directory_that_fails_are_given_when_it_is_well_again(world: World, contoso: Customer) -> None:
    contoso.crowd(2)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.revoke("User.Read.All")
    world.later(hours=2)
    assert contoso.sync().outcome == "failed"
    world.add_lot("standard", 2)
    assert contoso.licenses() == {}, "who knows whether they are still there"
    contoso.tenant.grant("User.Read.All")
    contoso.sync()
    assert len(contoso.licenses()) == 2
