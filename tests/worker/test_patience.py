"""A portal that asks for patience is left alone by every order of every company that buys there (P7)."""

from datetime import timedelta

import pytest

from connectors.simulators.seller.faults import Fault
from tests.proves import proves
from tests.worker.shop import STAFF, Shop, a_shop
from tests.worker.world import Customer, World
from worker.relay import relay_once


def buys_too(world: World, shop: Shop, company: str = "fabrikam") -> Customer:
    """Another company that buys at the same portal."""
    fabrikam = world.customer(company)
    fabrikam.crowd(2)
    seller = f"{{kind: http, url: '{shop.url}', secret: {{file: portal}}}}"
    fabrikam.policy(STAFF, purchasing=f"{{seller: {seller}, standard: {{auto: true}}}}")
    return fabrikam


def posted(shop: Shop) -> int:
    return sum(number for request, number in shop.asked().items())


@proves("P7")
def test_what_a_portal_wants_to_be_spared_it_is_spared_by_all_orders(world: World) -> None:
    with a_shop(world) as shop:
        other = buys_too(world, shop)
        shop.portal.order(Fault("throttle", retry_after=600))
        shop.buyer.sync()
        other.sync()
        assert shop.relay() == 2
        assert posted(shop) == 1, "the first was told to wait, and the second did not ask"
        states = world.rows("SELECT o.state, b.asked, b.error FROM orders AS o JOIN outbox AS b ON b.subject = o.id")
        assert [state for state, *_ in states] == ["wanted", "wanted"]
        assert sum("nothing is asked there before 2026-11-02T08:10:00Z" in error for *_, error in states) == 1
        world.later(timedelta(minutes=9))
        shop.relay(asked=True)
        assert posted(shop) == 1
        world.later(timedelta(minutes=2))
        shop.relay()
        assert world.orders() == [("contoso", "standard", 3, "fulfilled"), ("fabrikam", "standard", 2, "fulfilled")]
        assert len(shop.bought) == 2 and world.is_sound()


@proves("P7")
def test_an_order_that_was_only_kept_back_can_still_be_cancelled(world: World) -> None:
    with a_shop(world) as shop:
        other = buys_too(world, shop)
        shop.portal.order(Fault("throttle", retry_after=600))
        shop.wants()
        shop.relay()
        other.sync()
        shop.relay()
        assert posted(shop) == 1
        shop.cancel(shop.order.id)
        assert [state for *_, state in world.orders()] == ["wanted", "cancelled"]


@proves("P7")
def test_another_portal_is_not_concerned(world: World) -> None:
    with a_shop(world) as shop:
        shop.portal.order(Fault("throttle", retry_after=600))
        shop.wants()
        shop.relay()
        with world.store.begin() as tx:
            assert tx.outbox.paused(shop.url, 0) is not None
            assert tx.outbox.paused("https://portal.other.example", 0) is None


@proves("P7")
@pytest.mark.parametrize(("second", "minutes"), [(60, 10), (3_600, 60)])
def test_of_two_times_the_later_one_holds(world: World, second: int, minutes: int) -> None:
    until = 1_000_000 * 60
    with world.store.begin() as tx:
        tx.outbox.pause("https://portal.example", 600 * 1_000_000, "first", 0)
        tx.outbox.pause("https://portal.example", second * 1_000_000, "second", 0)
        pause = tx.outbox.paused("https://portal.example", 0)
        assert pause is not None and pause.until == minutes * until
        assert tx.outbox.paused("https://portal.example", minutes * until) is None


@proves("P7")
def test_while_a_portal_is_left_alone_nothing_is_written_for_orders_that_are_not_due(world: World) -> None:
    with a_shop(world) as shop:
        shop.portal.order(Fault("throttle", retry_after=600))
        shop.wants()
        shop.relay()
        before = world.dump()
        world.later(timedelta(minutes=5))
        assert relay_once(world.app, world.clock()) == 0
        assert world.dump() == before


@proves("P7", "Z9")
def test_a_portal_that_hangs_holds_up_who_buys_elsewhere_once_and_not_for_every_order(world: World) -> None:
    """A distributor that is down has the orders of many companies; it would be waited for with each of them."""

    def hangs(step: str) -> None:
        if step == "order leaves":
            world.later(seconds=100)

    with a_shop(world) as shop:
        others = [buys_too(world, shop, f"company-{number}") for number in range(4)]
        shop.portal.order(Fault("reset", times=None))
        for customer in (shop.buyer, *others):
            customer.sync()
        world.restart(hangs)
        began = world.clock()
        assert shop.relay() == 5
        assert world.clock() - began == timedelta(seconds=100)
        assert posted(shop) == 1

        shop.portal.withdraw_faults()
        world.restart()
        world.later(minutes=2)
        assert shop.relay() == 5
        assert {state for *_, state in world.orders()} == {"fulfilled"}, "and they are served when it is there again"


@proves("Z9")
def test_one_round_of_orders_ends_although_everybody_hangs(world: World) -> None:
    """Who carries them for hours is taken for stuck."""
    with a_shop(world) as shop:
        others = [buys_too(world, shop, f"company-{number}") for number in range(12)]
        for customer in (shop.buyer, *others):
            customer.sync()
        world.restart(lambda step: world.later(seconds=100) if step == "order leaves" else None)
        began = world.clock()
        shop.relay()
        assert world.clock() - began < timedelta(minutes=12)
        shop.relay()
        shop.relay()
        assert {state for *_, state in world.orders()} == {"fulfilled"}
