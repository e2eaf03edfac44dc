"""What orders are estimated to cost, before and after, and when the lots end that they bring (P5)."""

from datetime import date

import pytest

from store.lots import Listed
from tests.proves import proves
from tests.worker.shop import NEVER, a_shop
from tests.worker.world import PERSON, Customer, World
from worker.operations.ordering import Delivered, fulfill_order
from worker.operations.pool_pass import pass_pools

STAFF = "- {name: staff, groups: [Staff], license: standard}"
BUYS = "{standard: {auto: true, price: 36.50 USD}}"
ANNIVERSARY = "{anniversary: 04-01}"
"""The world begins on 2026-11-02: 150 days before it."""


def fulfilled(world: World, seats: int | None = None, expires: date | None = None) -> Delivered:
    with world.store.read() as tx:
        id = tx.orders.listing(states=["placed"])[-1].id
    return fulfill_order(world.app, id, PERSON, seats=seats, expires=expires)


def estimates(world: World) -> list[tuple[int, str | None]]:
    return world.rows("SELECT seats, estimate FROM orders ORDER BY key")


def lots(world: World) -> list[Listed]:
    with world.store.read() as tx:
        return tx.lots.listing(0)


@proves("P5")
def test_a_yearly_order_costs_the_days_to_the_anniversary_and_its_lot_ends_there(
    world: World, contoso: Customer
) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, licenses=ANNIVERSARY, purchasing=BUYS)
    [buy] = [action for action in contoso.sync(dry=True).actions if action.kind == "buy"]
    assert buy.because == "4 seats: 4 waiting, 0 free, estimated at 60.00 USD", "36.50 × 4 × 150 ÷ 365"
    contoso.sync()
    assert estimates(world) == [(4, "60.00 USD")]
    delivered = fulfilled(world)
    assert (delivered.lot.starts, delivered.lot.expires) == ("2026-11-02", "2027-03-31")
    assert (delivered.estimate, delivered.delivered_estimate) == ("60.00 USD", "60.00 USD")


@proves("P5")
def test_what_came_later_and_for_fewer_is_estimated_by_its_own_days(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, licenses=ANNIVERSARY, purchasing=BUYS)
    contoso.sync()
    world.later(days=30)
    delivered = fulfilled(world, seats=3)
    assert delivered.lot.expires == "2027-03-31"
    assert (delivered.estimate, delivered.delivered_estimate) == ("60.00 USD", "36.00 USD"), "36.50 × 3 × 120 ÷ 365"


@proves("P5")
def test_a_last_day_that_is_said_is_the_last_day_and_what_is_paid_for(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, licenses=ANNIVERSARY, purchasing=BUYS)
    contoso.sync()
    delivered = fulfilled(world, expires=date(2026, 11, 11))
    assert delivered.lot.expires == "2026-11-11"
    assert delivered.delivered_estimate == "4.00 USD", "ten days, the last of them included"


@proves("P5")
def test_without_an_anniversary_a_yearly_lot_ends_with_the_oldest_that_renews(world: World, contoso: Customer) -> None:
    world.add_lot("archived", 1, starts=date(2026, 1, 1), expires=date(2026, 12, 31), renews=False)
    world.add_lot("standard", 1, starts=date(2026, 3, 1), expires=date(2027, 2, 28))
    world.add_lot("standard", 1, starts=date(2026, 6, 1), expires=date(2027, 5, 31))
    contoso.crowd(4)
    contoso.policy(STAFF, purchasing=BUYS)
    contoso.sync()
    assert estimates(world) == [(2, "23.80 USD")], "36.50 × 2 × 119 ÷ 365"
    assert fulfilled(world).lot.expires == "2027-02-28"


@proves("P5")
def test_where_nothing_says_when_years_end_a_yearly_lot_has_a_year_and_its_price(
    world: World, contoso: Customer
) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, purchasing=BUYS)
    contoso.sync()
    assert estimates(world) == [(4, "146.00 USD")]
    delivered = fulfilled(world)
    assert (delivered.lot.expires, delivered.delivered_estimate) == ("2027-11-01", "146.00 USD")


@proves("P5")
def test_a_monthly_lot_knows_no_anniversary(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, licenses=ANNIVERSARY, purchasing="{standard: {auto: true, price: 4.00 USD, term: monthly}}")
    contoso.sync()
    assert estimates(world) == [(4, "16.00 USD")]
    assert fulfilled(world).lot.expires == "2026-12-01"


@proves("P3", "P5")
@pytest.mark.parametrize(("above", "state"), [("60.00 USD", "placed"), ("59.99 USD", "awaiting_approval")])
def test_approval_goes_by_what_is_left_of_the_year(world: World, contoso: Customer, above: str, state: str) -> None:
    contoso.crowd(4)
    contoso.policy(
        STAFF,
        licenses=ANNIVERSARY,
        purchasing=f"{{standard: {{auto: true, price: 36.50 USD, approve_above: {above}}}}}",
    )
    contoso.sync()
    assert world.orders() == [("contoso", "standard", 4, state)]


@proves("P5", "Z1")
def test_a_purchase_that_is_held_tells_its_estimate_and_is_ordered_at_it(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.policy(STAFF, licenses=ANNIVERSARY, purchasing=BUYS, safety="{purchase: {most: 3}}")
    contoso.sync()
    hold = world.hold("purchase")
    assert world.one("SELECT why FROM plan").endswith("4 waiting, 0 free, estimated at 60.00 USD")
    world.approve(hold)
    assert estimates(world) == [(4, "60.00 USD")]


@proves("P5", "P8")
def test_a_seller_that_names_no_end_sells_to_the_anniversary(world: World) -> None:
    with a_shop(world, fulfills_after=NEVER) as shop:
        shop.buys(standard="auto: true, price: 36.50 USD, term: perpetual", licenses=ANNIVERSARY)
        shop.wants()
        shop.relay()
        # What the portal sells for ever it sells without an end; the order says for how long it was meant.
        with world.store.begin() as tx:
            tx.execute("UPDATE orders SET term = 'yearly'")
        [bought] = shop.portal.bought()
        shop.portal.fulfill(bought.id)
        world.later(hours=2)
        shop.relay()
        [lot] = lots(world)
        assert (lot.seats, lot.expires) == (3, "2027-03-31")


@proves("M3", "P5", "P9")
def test_a_renewal_ends_at_the_anniversary_and_costs_and_saves_by_the_day(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.policy(
        STAFF, licenses="{pool: own, anniversary: 04-01, renew: as_needed}", purchasing="{standard: {price: 36.50 USD}}"
    )
    world.add_lot("standard", 5, company="contoso", expires=date(2026, 11, 11))
    contoso.sync()
    pass_pools(world.app)
    assert estimates(world) == [(1, "14.00 USD")], "36.50 × 140 ÷ 365, from the day after the lot's last"
    because = world.one("SELECT because FROM orders")
    assert because.endswith("which ends on 2026-11-11, 4 fewer than before, which saves 56.00 USD")
    delivered = fulfilled(world)
    assert (delivered.lot.starts, delivered.lot.expires) == ("2026-11-12", "2027-03-31")


@proves("M3", "P5")
def test_a_lot_that_ends_at_the_anniversary_is_renewed_for_a_year_at_its_price(world: World, contoso: Customer) -> None:
    contoso.policy(STAFF, licenses="{pool: own, anniversary: 11-12}", purchasing="{standard: {price: 36.50 USD}}")
    world.add_lot("standard", 2, company="contoso", expires=date(2026, 11, 11))
    pass_pools(world.app)
    assert estimates(world) == [(2, "73.00 USD")]
    assert fulfilled(world).lot.expires == "2027-11-11"
