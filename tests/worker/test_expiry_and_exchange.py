"""What becomes of seats when their lot ends: exchanged, or expired and first in line (M4, M9)."""

from datetime import date, timedelta

import pytest

from store.times import micros
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.errors import Insufficient
from worker.operations.by_hand import by_hand
from worker.operations.exchanging import exchange_expired
from worker.operations.importing import import_licenses
from worker.operations.lots import prunable, prune
from worker.operations.pool_pass import pass_pool, pass_pools
from worker.operations.requests import Request, Verb
from worker.operations.selecting import Meant

STAFF = """
- name: staff
  groups: [Staff]
  license: standard
  on_leave: {then: archive, after: 30d}
"""
LAST_DAY = date(2026, 11, 9)
"""A week after the world begins."""
AFTER = timedelta(days=8)


def a_week_later(world: World) -> None:
    """The lots that end on the last day have ended, and the pools were looked at."""
    world.later(AFTER)
    pass_pools(world.app)


def staffed(world: World, customer: Customer, *names: str, seats: int | None = None, **sections: str) -> str:
    """A company whose staff holds seats of a lot that ends within a week; the lot's id."""
    customer.hire(*names)
    customer.people["the staff"] = customer.group("Staff", *names)
    lot = world.add_lot("standard", seats or len(names), expires=LAST_DAY, renews=False)
    customer.policy(STAFF, **sections)
    customer.sync()
    assert set(customer.lots().values()) == {lot}
    return lot


@proves("M4", "A1")
def test_seats_of_a_lot_that_ended_move_to_free_ones_and_keep_their_reason(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada", "Ben")
    new = world.add_lot("standard", 5)
    before = world.rows("SELECT account, license, through, source, because, since FROM assignment ORDER BY account")
    a_week_later(world)
    assert contoso.lots() == {"Ada": new, "Ben": new}
    after = world.rows("SELECT account, license, through, source, because, since FROM assignment ORDER BY account")
    assert after == before
    assert world.happened()["license.exchanged"] == 2
    assert world.happened()["license.expired"] == 0
    [(lots,)] = set(world.rows("SELECT before || after FROM audit WHERE what = 'license.exchanged'"))
    assert old in lots and new in lots
    assert contoso.waiting() == {}
    assert world.is_sound()


@proves("M4")
def test_a_lot_is_valid_through_its_last_day(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada")
    world.add_lot("standard", 5)
    world.later(days=7, hours=15)
    pass_pools(world.app)
    assert contoso.lots() == {"Ada": old}
    world.later(hours=1)
    pass_pools(world.app)
    assert contoso.lots() != {"Ada": old}


@proves("M4")
def test_the_lot_that_ends_first_is_used_first_by_an_exchange(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada", "Ben", "Cy")
    forever = world.add_lot("standard", 5)
    soon = world.add_lot("standard", 2, expires=date(2026, 12, 31))
    a_week_later(world)
    assert contoso.lots() == {"Ada": soon, "Ben": soon, "Cy": forever}


@proves("M4", "Z8", "A2")
def test_who_cannot_be_moved_is_expired_told_once_and_keeps_its_lot(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada", "Ben", "Cy")
    new = world.add_lot("standard", 1)
    a_week_later(world)
    assert contoso.lots() == {"Ada": new, "Ben": old, "Cy": old}
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard", "Cy": "standard"}
    assert contoso.waiting() == {"Ben": "insufficient_licenses", "Cy": "insufficient_licenses"}
    with world.store.read() as tx:
        told = [event for event in tx.audit.feed(0) if event.type == "seatkeeper.license.expired"]
        row = tx.views.account(tx.views.account_by_name("ben@contoso.example").key, micros(world.clock()))
    assert sorted(str(event.account) for event in told) == sorted([contoso.people["Ben"], contoso.people["Cy"]])
    assert row.protection == "expired"
    before = world.dump()
    pass_pools(world.app)
    assert world.dump() == before


@proves("M4", "Z8")
def test_runs_leave_expired_holders_in_line(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada", "Ben")
    a_week_later(world)
    contoso.sync(whole=True)
    contoso.settle()
    assert contoso.waiting() == {"Ada": "insufficient_licenses", "Ben": "insufficient_licenses"}
    before = world.rows("SELECT * FROM assignment"), world.rows("SELECT * FROM waiting"), world.record()
    contoso.sync(whole=True)
    pass_pools(world.app)
    assert (world.rows("SELECT * FROM assignment"), world.rows("SELECT * FROM waiting"), world.record()) == before


@proves("M9", "M4")
def test_expired_holders_are_served_before_everybody_who_waits(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ben")
    contoso.hire("Ada")
    contoso.tenant.add_member(contoso.people["the staff"], contoso.people["Ada"])
    contoso.sync()
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    a_week_later(world)
    new = world.add_lot("standard", 1)
    assert contoso.lots()["Ben"] == new
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    world.add_lot("standard", 1)
    assert contoso.waiting() == {}
    assert world.is_sound()


@proves("M9")
def test_a_seat_that_a_run_frees_goes_to_an_expired_holder_first(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ben")
    keeper = world.customer("fabrikam")
    keeper.hire("Zoe")
    keeper.group("Staff", "Zoe")
    valid = world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    keeper.policy(STAFF)
    keeper.sync()
    contoso.hire("Ada")
    contoso.tenant.add_member(contoso.people["the staff"], contoso.people["Ada"])
    contoso.sync()
    a_week_later(world)
    keeper.delete("Zoe")
    keeper.sync()
    assert contoso.lots()["Ben"] == valid
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    assert world.is_sound()


@proves("M9", "M4")
def test_a_run_that_comes_before_the_pool_pass_gives_no_seat_past_those_whose_lot_has_just_ended(
    world: World, contoso: Customer
) -> None:
    staffed(world, contoso, "Ada", "Ben")
    world.add_lot("standard", 2, starts=LAST_DAY + timedelta(days=1))
    world.later(AFTER)
    contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    contoso.sync()
    pass_pools(world.app)
    assert (set(contoso.licenses()), contoso.waiting()) == ({"Ada", "Ben"}, {"Zoe": "insufficient_licenses"})


def assign_by_hand(world: World, name: str, *, as_many_as_fit: bool = False) -> int:
    """A person gives somebody of contoso standard; how many got it."""
    meant = Meant((f"{name.lower()}@contoso.example",), None)
    return len(by_hand(world.app, Request(Verb.ASSIGN, meant, as_many_as_fit=as_many_as_fit), PERSON).assigned)


@proves("M9", "M4", "L6")
def test_a_person_gives_no_seat_past_those_whose_lot_has_just_ended(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada", "Ben")
    contoso.hire("Zoe")
    contoso.sync()
    new = world.add_lot("standard", 1)
    world.later(AFTER)
    assert assign_by_hand(world, "Zoe") == 0
    assert contoso.lots() == {"Ada": old, "Ben": old}, "refused whole, nothing is done"
    assert assign_by_hand(world, "Zoe", as_many_as_fit=True) == 0
    assert contoso.lots() == {"Ada": new, "Ben": old}
    assert world.is_sound()


@proves("M9", "G5")
def test_a_person_gives_no_seat_of_a_lot_that_has_just_begun_past_those_who_wait(
    world: World, contoso: Customer
) -> None:
    staffed(world, contoso, "Ada")
    contoso.hire("Ben", "Zoe")
    contoso.tenant.add_member(contoso.people["the staff"], contoso.people["Ben"])
    contoso.sync()
    world.add_lot("standard", 2, starts=LAST_DAY + timedelta(days=2))
    a_week_later(world)
    assert set(contoso.waiting()) == {"Ada", "Ben"}
    world.later(days=1)
    assert assign_by_hand(world, "Zoe", as_many_as_fit=True) == 0
    assert (set(contoso.licenses()), contoso.waiting()) == ({"Ada", "Ben"}, {})
    assert len(set(contoso.lots().values())) == 1


@proves("M9", "M4", "L6")
def test_an_import_takes_no_seat_past_those_whose_lot_has_just_ended(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada")
    contoso.hire("Zoe")
    contoso.sync()
    new = world.add_lot("standard", 1)
    world.later(AFTER)
    file = world.folder.parent / "had.csv"
    file.write_text(f"directory,account,license\n{contoso.directory},zoe@contoso.example,standard\n")
    with pytest.raises(Insufficient):
        import_licenses(world.app, file, PERSON)
    pass_pools(world.app)
    assert contoso.lots() == {"Ada": new}


@proves("M4")
def test_a_limit_that_is_used_up_stops_no_exchange(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada", licenses="{limit: {standard: 1}}")
    a_week_later(world)
    new = world.add_lot("standard", 1)
    assert contoso.lots() == {"Ada": new}


@proves("M4")
def test_nothing_is_exchanged_where_the_policy_says_so(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada", licenses="{exchange_expired: false}")
    world.add_lot("standard", 1)
    a_week_later(world)
    assert contoso.lots() == {"Ada": old}
    assert contoso.waiting() == {}
    assert world.happened()["license.expired"] == 1
    contoso.policy(STAFF)
    pass_pools(world.app)
    assert contoso.lots() != {"Ada": old}
    assert world.happened()["license.expired"] == 1


@proves("M4")
def test_a_policy_that_ends_the_exchange_takes_its_holders_out_of_line(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada")
    a_week_later(world)
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    contoso.policy(STAFF, licenses="{exchange_expired: false}")
    pass_pools(world.app)
    assert contoso.waiting() == {}
    world.add_lot("standard", 1)
    assert contoso.lots() == {"Ada": old}


@proves("M9", "Z11")
def test_seats_of_a_frozen_company_are_exchanged_too(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada", "Ben")
    one = world.add_lot("standard", 1)
    contoso.file.unlink()
    world.load()
    assert contoso.row().state == "frozen"
    a_week_later(world)
    assert contoso.lots()["Ada"] == one
    two = world.add_lot("standard", 1)
    assert contoso.lots() == {"Ada": one, "Ben": two}


@proves("M4", "G4")
def test_an_exchange_leaves_a_grace_that_runs_as_it_is(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada")
    group = contoso.people["the staff"]
    contoso.tenant.remove_member(group, contoso.people["Ada"])
    contoso.sync()
    grace = world.rows("SELECT * FROM grace")
    assert len(grace) == 1
    a_week_later(world)
    new = world.add_lot("standard", 1)
    assert contoso.lots() == {"Ada": new}
    assert world.rows("SELECT * FROM grace") == grace


@proves("D2", "M4")
def test_who_waits_for_an_archived_seat_goes_on_waiting_for_it(world: World, contoso: Customer) -> None:
    staffed(world, contoso, "Ada")
    contoso.delete("Ada")
    contoso.sync()
    a_week_later(world)
    assert world.rows("SELECT license, kind FROM waiting") == [("archived", "archive")]
    world.add_lot("archived", 1)
    assert contoso.licenses() == {"Ada": "archived"}


@proves("M4", "L1")
def test_archived_seats_are_exchanged_for_archived_ones(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    old = world.add_lot("archived", 1, expires=LAST_DAY, renews=False)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    assert contoso.lots() == {"Ada": old}
    a_week_later(world)
    assert contoso.lots() == {"Ada": old}
    new = world.add_lot("archived", 1)
    assert contoso.lots() == {"Ada": new}
    assert world.free("standard") == 1


@proves("P1", "M4")
def test_what_expired_holders_are_short_of_is_bought_once(world: World, contoso: Customer) -> None:
    buying = "{standard: {auto: true, pack: 5}}"
    old = staffed(world, contoso, "Ada", "Ben", purchasing=buying)
    a_week_later(world)
    pass_pools(world.app)
    contoso.sync(whole=True)
    assert world.orders() == [("contoso", "standard", 5, "placed")]
    world.fulfill()
    assert contoso.waiting() == {}
    assert set(contoso.lots().values()).isdisjoint({old})


@proves("P1", "M1", "M4")
def test_what_expired_holders_are_short_of_is_bought_although_the_company_holds_all_that_it_may(
    world: World, contoso: Customer
) -> None:
    old = staffed(
        world, contoso, "Ada", "Ben", licenses="{limit: {standard: 2}}", purchasing="{standard: {auto: true}}"
    )
    a_week_later(world)
    assert world.orders() == [("contoso", "standard", 2, "placed")]
    world.fulfill()
    assert (contoso.waiting(), old in contoso.lots().values()) == ({}, False)
    contoso.sync(whole=True)
    assert len(world.orders()) == 1


@proves("Z6", "M4")
def test_an_exchange_that_dies_with_its_process_is_done_by_the_next_pass(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada")
    new = world.add_lot("standard", 1)
    world.later(AFTER)
    try:
        with world.store.begin() as tx:
            tx.lots.lock_pool(0)
            exchange_expired(world.app, tx, 0, micros(world.clock()))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert contoso.lots() == {"Ada": old}
    pass_pool(world.app, 0, micros(world.clock()))
    assert contoso.lots() == {"Ada": new}
    assert world.happened()["license.exchanged"] == 1
    assert world.is_sound()


@proves("M5", "M4")
def test_a_lot_that_is_removed_leaves_its_holders_expired_and_first_in_line(world: World, contoso: Customer) -> None:
    old = staffed(world, contoso, "Ada")
    a_week_later(world)
    assert prunable(world.app, renewing=False, unheld=True) == []
    [lot] = prunable(world.app, renewing=False, unheld=False)
    assert (lot.id, lot.held) == (old, 1)
    assert [removed.id for removed in prune(world.app, [old], PERSON)] == [old]
    assert prune(world.app, [old], PERSON) == []
    assert prunable(world.app, renewing=False, unheld=False) == []
    assert contoso.licenses() == {"Ada": "standard"}
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    with world.store.read() as tx:
        status = tx.views.status(micros(world.clock()))
    assert [pool.expired for pool in status.pools if pool.license == "standard"] == [1]
    new = world.add_lot("standard", 1)
    assert contoso.lots() == {"Ada": new}


@proves("M5")
def test_a_lot_that_is_valid_is_not_removed(world: World, contoso: Customer) -> None:
    lot = staffed(world, contoso, "Ada")
    assert prune(world.app, [lot], PERSON) == []
    assert world.rows("SELECT removed FROM lot") in ([(0,)], [(False,)])
