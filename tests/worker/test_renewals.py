"""Renewals: ordered ahead of the end, never capped, and nobody loses protection while they are open (M3, P9)."""

from datetime import date, timedelta

import pytest

from store.errors import Conflict
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.operations.lots import prunable, prune
from worker.operations.ordering import cancel_order, reject_order, reopen_order
from worker.operations.pool_pass import pass_pools
from worker.operations.renewing import renew_lot

STAFF = """
- name: staff
  groups: [Staff]
  license: standard
"""
LAST_DAY = date(2026, 12, 1)
"""The world begins thirty days before the lot ends."""
PRICES = "{standard: {price: 10.00 USD, most_per_order: 1, most_per_month: 1, approve_above: 1}}"


def owned(world: World, customer: Customer, *names: str, seats: int = 40, **sections: str) -> str:
    """A company with a lot in its own pool, which ends on the last day; the lot's id."""
    customer.hire(*names)
    customer.group("Staff", *names)
    sections = {"licenses": "{pool: own}", "purchasing": PRICES, **sections}
    customer.policy(STAFF, **sections)
    lot = world.add_lot("standard", seats, company=customer.id, expires=LAST_DAY)
    customer.sync()
    return lot


def days_pass(world: World, days: float) -> None:
    world.later(timedelta(days=days))
    pass_pools(world.app)


def expires(world: World) -> list[tuple[int, str | None]]:
    with world.store.read() as tx:
        return [(lot.seats, lot.expires) for lot in tx.lots.listing(0)]


@proves("M3")
def test_a_renewal_is_ordered_fourteen_days_ahead_once_and_passes_every_cap(world: World, contoso: Customer) -> None:
    lot = owned(world, contoso, "Ada")
    days_pass(world, 15)
    assert world.orders() == []
    days_pass(world, 1)
    assert world.orders() == [("contoso", "standard", 40, "placed")]
    [(because, estimate)] = world.rows("SELECT because, estimate FROM orders")
    assert because == f"renewal of {lot}, which ends on 2026-12-01"
    assert estimate == "400.00 USD"
    before = world.dump()
    pass_pools(world.app)
    assert world.dump() == before


@proves("M3")
def test_how_long_ahead_a_renewal_is_ordered_is_a_setting(world: World, contoso: Customer) -> None:
    owned(world, contoso, "Ada", licenses="{pool: own, renew_ahead: 3d}")
    days_pass(world, 26)
    assert world.orders() == []
    days_pass(world, 1)
    assert world.orders() == [("contoso", "standard", 40, "placed")]


@proves("P9")
def test_a_renewal_as_needed_is_for_what_is_held_and_to_spare_and_tells_the_saving(
    world: World, contoso: Customer
) -> None:
    prices = "{standard: {price: 10.00 USD, spare: 3}}"
    owned(world, contoso, "Ada", "Ben", licenses="{pool: own, renew: as_needed}", purchasing=prices)
    days_pass(world, 20)
    assert world.orders() == [("contoso", "standard", 5, "placed")]
    [(because,)] = world.rows("SELECT because FROM orders")
    assert because.endswith("35 fewer than before, which saves 350.00 USD")


@proves("P9")
def test_a_renewal_as_needed_is_for_no_more_than_the_lot_had(world: World, contoso: Customer) -> None:
    prices = "{standard: {spare: 30}}"
    owned(world, contoso, "Ada", seats=2, licenses="{pool: own, renew: as_needed}", purchasing=prices)
    days_pass(world, 20)
    assert world.orders() == [("contoso", "standard", 2, "placed")]


@proves("M3", "P6")
@pytest.mark.parametrize("licenses", ["{pool: own, renew: off}", "{pool: own, trial: true}"])
def test_nothing_is_renewed_where_the_policy_says_so(world: World, contoso: Customer, licenses: str) -> None:
    owned(world, contoso, "Ada", licenses=licenses)
    days_pass(world, 29)
    assert world.orders() == []


@proves("M3")
def test_a_placed_renewal_keeps_its_lot_valid_fourteen_days_past_its_end(world: World, contoso: Customer) -> None:
    lot = owned(world, contoso, "Ada")
    days_pass(world, 20)
    assert expires(world) == [(40, "2026-12-01")]
    days_pass(world, 23)
    assert (contoso.lots(), contoso.waiting()) == ({"Ada": lot}, {})
    assert prunable(world.app, renewing=False, unheld=False) == []
    assert world.happened()["license.expired"] == 0
    days_pass(world, 2)
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    assert world.happened()["license.expired"] == 1
    world.fulfill()
    assert contoso.waiting() == {}


@proves("M3", "M4")
def test_a_renewal_that_comes_early_follows_on_the_lot_without_a_day_between(world: World, contoso: Customer) -> None:
    old = owned(world, contoso, "Ada")
    days_pass(world, 20)
    world.fulfill()
    assert expires(world) == [(40, "2026-12-01"), (40, "2027-12-01")]
    assert contoso.lots() == {"Ada": old}
    days_pass(world, 11)
    assert contoso.lots() != {"Ada": old}
    assert world.happened()["license.exchanged"] == 1
    assert world.happened()["license.expired"] == 0
    with world.store.read() as tx:
        stock = tx.lots.stock(contoso.row().company, "standard", 0)
    assert stock.expired == 0
    assert world.is_sound()


@proves("M3", "M4")
def test_a_renewal_that_comes_late_takes_its_holders_over_at_once(world: World, contoso: Customer) -> None:
    old = owned(world, contoso, "Ada")
    days_pass(world, 20)
    days_pass(world, 15)
    world.fulfill()
    assert contoso.lots() != {"Ada": old}
    assert expires(world) == [(40, "2026-12-01"), (40, "2027-12-01")]
    assert world.happened()["license.expired"] == 0
    assert world.is_sound()


@proves("M3", "A2")
def test_people_are_told_of_an_open_renewal_7_3_and_1_days_before_the_end(world: World, contoso: Customer) -> None:
    owned(world, contoso, "Ada")
    days_pass(world, 20)
    told = []
    for days in (4.0, 1, 1, 2.5, 0.5, 1, 0.5):
        days_pass(world, days)
        told.append(world.happened()["lot.expiring"])
    assert told == [1, 1, 1, 2, 3, 3, 3]


@proves("M3")
def test_a_renewal_that_a_person_cancels_keeps_nothing_and_is_ordered_again_when_reopened(
    world: World, contoso: Customer
) -> None:
    owned(world, contoso, "Ada")
    days_pass(world, 20)
    [(id,)] = world.rows("SELECT id FROM orders")
    cancel_order(world.app, id, PERSON)
    days_pass(world, 1)
    assert world.rows("SELECT count(*) FROM lot WHERE term_ends_at IS NOT NULL") == [(0,)]
    assert world.orders() == [("contoso", "standard", 40, "cancelled")]
    reopen_order(world.app, id, PERSON)
    pass_pools(world.app)
    assert [state for *_, state in world.orders()] == ["cancelled", "placed"]
    pass_pools(world.app)
    assert len(world.orders()) == 2
    with pytest.raises(Conflict):
        reject_order(world.app, id, PERSON)


@proves("M3")
def test_a_lot_of_the_global_pool_is_renewed_by_the_provider(world: World, contoso: Customer) -> None:
    contoso.policy(STAFF)
    world.add_lot("standard", 5, expires=LAST_DAY)
    world.add_lot("standard", 5, expires=LAST_DAY, renews=False)
    days_pass(world, 20)
    assert world.orders() == [("provider", "standard", 5, "placed")]


@proves("M3", "M9")
def test_lots_of_a_frozen_company_are_renewed_too(world: World, contoso: Customer) -> None:
    owned(world, contoso, "Ada")
    contoso.file.unlink()
    world.load()
    days_pass(world, 20)
    assert world.orders() == [("contoso", "standard", 40, "placed")]


@proves("M3")
def test_a_person_renews_a_lot_ahead_of_its_time_and_once(world: World, contoso: Customer) -> None:
    lot = owned(world, contoso, "Ada", licenses="{pool: own, renew: off}")
    order = renew_lot(world.app, lot, PERSON)
    assert (order.seats, order.state, order.decided_by) == (40, "placed", PERSON)
    with pytest.raises(Conflict, match="ordered already"):
        renew_lot(world.app, lot, PERSON)
    with pytest.raises(Conflict, match="never ends"):
        renew_lot(world.app, world.add_lot("standard", 1), PERSON)


@proves("M3", "P1")
def test_while_the_renewal_of_a_lot_that_ended_is_open_nothing_is_bought_in_its_place(
    world: World, contoso: Customer
) -> None:
    owned(world, contoso, "Ada", "Ben", seats=2, purchasing="{standard: {auto: true}}")
    days_pass(world, 16)
    assert world.orders() == [("contoso", "standard", 2, "placed")]
    days_pass(world, 29)
    contoso.sync(whole=True)
    assert set(contoso.waiting().values()) == {"insufficient_licenses"}, "it was kept for fourteen days, and ended"
    assert world.orders() == [("contoso", "standard", 2, "placed")]
    world.fulfill()
    assert (contoso.waiting(), len(contoso.licenses())) == ({}, 2)


@proves("M3", "P1")
def test_a_renewal_by_the_provider_is_not_bought_again_by_the_companies_that_wait_for_it(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    contoso.policy(STAFF, purchasing="{standard: {auto: true}}")
    world.add_lot("standard", 2, expires=LAST_DAY)
    contoso.sync()
    days_pass(world, 16)
    days_pass(world, 29)
    contoso.sync(whole=True)
    assert set(contoso.waiting().values()) == {"insufficient_licenses"}
    assert world.orders() == [("provider", "standard", 2, "placed")]


def two_lots(world: World, contoso: Customer) -> str:
    """Zed holds a seat of one lot and Ada of another, which end on the same day; the first is to be renewed."""
    contoso.hire("Zed")
    staff = contoso.group("Staff", "Zed")
    contoso.policy(STAFF)
    first = world.add_lot("standard", 1, expires=LAST_DAY)
    contoso.sync()
    world.add_lot("standard", 1, expires=LAST_DAY, renews=False)
    contoso.hire("Ada")
    contoso.tenant.add_member(staff, contoso.people["Ada"])
    contoso.sync()
    assert contoso.lots()["Zed"] == first
    days_pass(world, 16)
    assert world.orders() == [("provider", "standard", 1, "placed")]
    return first


@proves("M9", "M3")
def test_a_renewal_that_comes_late_serves_those_whose_lot_it_renews_before_others_whose_lot_ended(
    world: World, contoso: Customer
) -> None:
    two_lots(world, contoso)
    days_pass(world, 29)
    assert set(contoso.waiting()) == {"Ada", "Zed"}
    world.fulfill()
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    assert world.is_sound()


@proves("M9", "M3")
def test_a_renewal_that_came_ahead_serves_those_whose_lot_it_renews_before_others_whose_lot_ends(
    world: World, contoso: Customer
) -> None:
    first = two_lots(world, contoso)
    world.fulfill()
    days_pass(world, 14)
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    assert contoso.lots()["Zed"] != first
    world.add_lot("standard", 1)
    assert contoso.waiting() == {}


@proves("M3", "M5")
def test_a_lot_that_was_removed_is_listed_again_when_its_placed_renewal_makes_it_valid(
    world: World, contoso: Customer
) -> None:
    lot = owned(world, contoso, "Ada", seats=2, licenses="{pool: own, renew: off}")
    days_pass(world, 31)
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    assert [removed.id for removed in prune(world.app, [lot], PERSON)] == [lot]
    assert expires(world) == []
    renew_lot(world.app, lot, PERSON)
    assert (contoso.waiting(), contoso.lots()) == ({}, {"Ada": lot})
    assert expires(world) == [(2, "2026-12-01")]
    assert world.record("contoso").count("lot.kept") == 1
    assert prunable(world.app, renewing=False, unheld=False) == []
    days_pass(world, 14)
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    assert [ended.id for ended in prunable(world.app, renewing=False, unheld=False)] == [lot]


@proves("M3", "P4", "M9")
def test_a_renewal_that_comes_when_its_own_term_would_be_over_begins_on_the_day_that_it_comes(
    world: World, contoso: Customer
) -> None:
    monthly = "{standard: {term: monthly, price: 10.00 USD}}"
    owned(world, contoso, "Ada", seats=2, purchasing=monthly)
    with world.store.begin() as tx:
        tx.execute("UPDATE lot SET term = 'monthly'", {})
    days_pass(world, 20)
    days_pass(world, 45)
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    world.fulfill()
    assert contoso.waiting() == {}
    assert expires(world)[1:] == [(2, "2027-02-05")]
