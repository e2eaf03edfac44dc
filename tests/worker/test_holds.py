"""Safety limits: what goes beyond them waits for a person, whole, under the hash of its actions (Z1)."""

import pytest

from store.errors import Conflict, NotFound
from tests.proves import proves
from tests.worker.world import Customer, World, counted

STAFF = "- {name: staff, groups: [Staff], license: standard}"
STAFF_LEAVE_AT_ONCE = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"


def licensed(world: World, contoso: Customer, number: int = 20, rule: str = STAFF) -> None:
    """So many people with licenses, and archived seats for all of them."""
    contoso.crowd(number)
    world.add_lot("standard", number)
    world.add_lot("archived", number)
    contoso.policy(rule)
    contoso.sync()
    assert len(contoso.licenses()) == number


def people(first: int, last: int) -> list[str]:
    return [f"Person {n:03}" for n in range(first, last)]


@proves("Z1")
def test_few_deletions_go_ahead_and_many_are_held_whole(world: World, contoso: Customer) -> None:
    """Accident 15: a whole tenant archived at once."""
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    world.add_lot("standard", 1)
    result = contoso.sync()
    assert result.outcome == "partly_held", "the rest proceeds"
    assert [(held.kind, held.total) for held in result.held] == [("archive", 6)]
    assert counted(result) == {"assign": 1}
    assert set(contoso.licenses().values()) == {"standard"}
    assert len(contoso.licenses()) == 21
    assert world.holds() == [("archive", 6)]
    with world.store.read() as tx:
        [hold] = tx.plans.listing()
    assert "6 in 24 hours, over the limit for archive of 50 or 5% of 20 licenses" in hold.why


@proves("Z1")
def test_five_may_always_go(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 5))
    assert counted(contoso.sync()) == {"archive": 5}
    assert world.holds() == []


@proves("Z1")
def test_a_hold_stands_at_every_pass_under_the_same_hash_and_writes_nothing_more(
    world: World, contoso: Customer
) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    first = contoso.sync()
    contoso.settle()
    before = world.sizes()
    for _ in range(3):
        world.later(minutes=1)
        result = contoso.sync()
        assert (result.outcome, result.held) == ("held", first.held)
    assert world.sizes() == before
    world.later(days=1)
    contoso.tenant.update_user(contoso.people["Person 015"], department="Finance")
    assert contoso.sync().held == first.held, "nor does a whole plan name it anew"
    assert world.happened()["plan.held"] == 1


@proves("Z1")
def test_an_approved_hold_is_applied_at_once_and_nothing_else(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.sync()
    result = world.approve(world.hold("archive"))
    assert result is not None and counted(result) == {"archive": 6}
    assert contoso.licenses()["Person 000"] == "archived"
    assert world.holds() == []
    assert "plan.approved" in world.record()
    contoso.delete(*people(6, 11))
    assert counted(contoso.sync()) == {"archive": 5}, "what a person approved is not counted again"
    assert world.is_sound()


@proves("Z1")
def test_what_is_newer_than_the_hash_stays_held_under_its_own(world: World, contoso: Customer) -> None:
    licensed(world, contoso, 30)
    contoso.delete(*people(0, 6))
    contoso.sync()
    old = world.hold("archive")
    contoso.delete(*people(6, 13))
    contoso.sync()
    assert world.holds() == [("archive", 13)]
    with pytest.raises(NotFound):
        world.approve(old)
    seven_more = world.hold("archive")
    contoso.delete(*people(13, 20))
    contoso.world.app.store  # the deletions are not read before the approval  # noqa: B018
    result = world.approve(seven_more)
    assert result is not None and counted(result) == {"archive": 13}
    contoso.sync()
    assert world.holds() == [("archive", 7)]
    assert list(contoso.licenses().values()).count("archived") == 13


@proves("Z1")
def test_an_approval_is_refused_when_one_of_its_actions_is_proposed_no_more(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.sync()
    hash = world.hold("archive")
    with world.store.begin() as tx:
        tx.execute("UPDATE account SET state = 'active' WHERE name = 'Person 003'")
    with pytest.raises(Conflict, match="1 of the 6 actions are no longer proposed"):
        world.approve(hash)
    assert set(contoso.licenses().values()) == {"standard"}
    assert world.holds() == [("archive", 6)]
    assert contoso.sync().outcome in ("held", "nothing_to_do"), "the lease was handed back"


@proves("Z1")
def test_those_who_come_back_while_they_are_held_are_held_no_more(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.sync()
    for name in people(0, 6):
        contoso.tenant.restore_user(contoso.people[name])
    contoso.sync()
    assert world.holds() == []
    assert contoso.settle().outcome == "nothing_to_do"
    assert len(contoso.licenses()) == 20 and set(contoso.licenses().values()) == {"standard"}


@proves("Z1")
def test_a_rejected_action_is_not_proposed_again_until_its_footing_changes(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.sync()
    world.reject(world.hold("archive"))
    assert contoso.settle().outcome == "nothing_to_do"
    world.later(days=2)
    contoso.settle()
    assert (world.holds(), set(contoso.licenses().values())) == ([], {"standard"})
    contoso.tenant.purge_user(contoso.people["Person 000"])
    contoso.sync()
    assert [name for name, license in contoso.licenses().items() if license == "archived"] == ["Person 000"]


@proves("Z1")
def test_another_rule_that_reads_attributes_is_no_new_footing_and_a_new_attribute_is(
    world: World, contoso: Customer
) -> None:
    licensed(world, contoso)
    for name in people(0, 6):
        contoso.tenant.update_user(contoso.people[name], department="Finance")
    contoso.sync()
    rule = STAFF_LEAVE_AT_ONCE.replace("groups:", "domains: [elsewhere.example], groups:")
    contoso.policy(rule)
    contoso.sync()
    world.reject(world.hold("release"))
    contoso.policy(f"{rule}\n- {{name: legal, attributes: {{department: [Legal]}}, license: standard}}")
    assert contoso.settle().outcome == "nothing_to_do"
    assert (world.holds(), len(contoso.licenses())) == ([], 20)
    contoso.policy(rule)
    contoso.settle()
    contoso.tenant.update_user(contoso.people["Person 000"], department="Sales")
    assert counted(contoso.sync()) == {"release": 1}


@proves("Z1")
def test_what_was_rejected_is_proposed_again_when_it_is_reopened(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.sync()
    hash = world.hold("archive")
    world.reject(hash)
    contoso.settle()
    world.reopen(hash)
    assert contoso.sync().outcome == "held"
    assert world.holds() == [("archive", 6)]


@proves("Z1")
def test_a_slow_bleed_trips_the_limit_too(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    for first in (0, 3):
        contoso.delete(*people(first, first + 3))
        contoso.sync()
        world.later(hours=2)
    assert list(contoso.licenses().values()).count("archived") == 3
    assert world.holds() == [("archive", 3)]
    world.later(hours=23)
    contoso.settle()
    assert world.holds() == [], "a day after the first three, three more may go"
    assert list(contoso.licenses().values()).count("archived") == 6


@proves("Z1", "D2")
def test_a_slow_bleed_that_waits_for_seats_counts_as_well(world: World, contoso: Customer) -> None:
    contoso.crowd(20)
    world.add_lot("standard", 20)
    contoso.policy(STAFF)
    contoso.sync()
    for first in (0, 3):
        contoso.delete(*people(first, first + 3))
        contoso.sync()
        world.later(hours=2)
    assert (len(contoso.waiting()), world.holds()) == (3, [("archive", 3)])
    world.add_lot("archived", 20)
    assert list(contoso.licenses().values()).count("archived") == 3


@proves("Z1", "D2")
def test_those_who_were_let_into_the_line_are_not_held_later_for_being_many(world: World, contoso: Customer) -> None:
    contoso.crowd(20)
    world.add_lot("standard", 20)
    contoso.policy(STAFF)
    contoso.sync()
    for first in (0, 4):
        contoso.delete(*people(first, first + 4))
        contoso.settle()
        world.later(days=2)
        contoso.settle()
    assert (len(contoso.waiting()), world.holds()) == (8, [])
    world.add_lot("archived", 20)
    assert list(contoso.licenses().values()).count("archived") == 8


@proves("Z1", "D2")
def test_what_a_person_approved_is_not_counted_when_its_seat_comes_later(world: World, contoso: Customer) -> None:
    contoso.crowd(40)
    world.add_lot("standard", 40)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete(*people(0, 6))
    contoso.sync()
    world.approve(world.hold("archive"))
    assert len(contoso.waiting()) == 6
    world.later(hours=1)
    world.add_lot("archived", 20)
    assert list(contoso.licenses().values()).count("archived") == 6
    contoso.delete(*people(6, 11))
    assert counted(contoso.sync()) == {"archive": 5}


@proves("Z1", "D2", "D3")
def test_an_approval_stands_for_one_archiving_and_not_for_the_next(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 6))
    contoso.sync()
    world.approve(world.hold("archive"))
    world.later(hours=1)
    for name in people(0, 6):
        contoso.tenant.restore_user(contoso.people[name])
    contoso.settle()
    world.later(hours=1)
    contoso.delete(*people(0, 4))
    assert counted(contoso.sync()) == {"archive": 4}
    contoso.delete(*people(4, 8))
    contoso.sync()
    assert world.holds() == [("archive", 4)]


@proves("Z1", "G8")
def test_a_policy_edit_that_narrows_the_scope_is_held_like_any_other_loss(world: World, contoso: Customer) -> None:
    """Accidents 5, 6: a filter edit removed everybody."""
    licensed(world, contoso, rule=STAFF_LEAVE_AT_ONCE)
    contoso.policy(STAFF_LEAVE_AT_ONCE.replace("groups:", "domains: [elsewhere.example], groups:"))
    result = contoso.sync()
    assert [(held.kind, held.total) for held in result.held] == [("release", 20)]
    assert len(contoso.licenses()) == 20
    contoso.policy(STAFF_LEAVE_AT_ONCE)
    contoso.sync()
    assert world.holds() == [], "set right again, nothing is proposed"
    assert len(contoso.licenses()) == 20


@proves("Z1", "G4")
def test_an_emptied_group_is_held_when_its_grace_is_over(world: World, contoso: Customer) -> None:
    """Accident 11: group licensing emptied by mistake."""
    licensed(world, contoso, rule=STAFF_LEAVE_AT_ONCE.replace("0s", "1d"))
    staff = contoso.tenant.find_group("Staff")
    for person in contoso.people.values():
        contoso.tenant.remove_member(staff, person)
    contoso.settle()
    assert (len(contoso.licenses()), world.holds()) == (20, [])
    world.later(days=1)
    result = contoso.sync()
    assert [(held.kind, held.total) for held in result.held] == [("release", 20)]
    contoso.settle()
    now = world.clock().timestamp() * 1_000_000
    assert contoso.row().due_at > now, "a hold does not make the directory due without pause"
    before = world.sizes()
    world.later(minutes=1)
    assert contoso.sync().outcome == "held"
    assert world.sizes() == before
    world.approve(world.hold("release"))
    assert contoso.licenses() == {}


@proves("Z1")
def test_a_limit_of_nothing_holds_everything(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.policy(STAFF, safety="{archive: {most: 0}}")
    contoso.delete("Person 000")
    contoso.sync()
    assert world.holds() == [("archive", 1)]


@proves("Z1")
def test_a_raised_limit_lets_a_held_kind_go(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.delete(*people(0, 8))
    contoso.sync()
    assert world.holds() == [("archive", 8)]
    contoso.policy(STAFF, safety="{archive: {most: 10, share: 100%}}")
    contoso.sync()
    assert world.holds() == []
    assert list(contoso.licenses().values()).count("archived") == 8


@proves("Z1")
def test_limits_count_over_all_directories_of_a_company_and_not_over_others(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    for customer in (contoso, fabrikam):
        licensed(world, customer)
        customer.delete(*people(0, 5))
        assert counted(customer.sync()) == {"archive": 5}
    assert world.holds() == []
