"""Buying from a seller that is asked over HTTP: once, whatever gets lost, and only what was ordered (P2, P4, P7)."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from connectors.simulators.seller import Fault, Simulator, serve
from store.errors import Conflict
from store.order_rows import OrderRow
from tests.proves import proves
from tests.services.kept import nobody_listens
from tests.worker.shop import CLAIM_RUNS_OUT, NEVER, Shop, a_shop, at_once
from tests.worker.world import PERSON, World
from worker.operations.ordering import fulfill_order
from worker.relay import relay_once

STORY = [
    ("lot.added", "system"),
    ("order.wanted", "system"),
    ("order.placed", "system"),
    ("order.fulfilled", "system"),
    *[("license.assigned", "rule:staff")] * 3,
]
"""One purchase from its beginning to its end; the lot stands in the provider's chain, which is told first."""
LOST = ("lost_reply", "late_error", "cut", "cut_connection", "blank")


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    """A portal that delivers at once."""
    with a_shop(world) as opened:
        yield opened


@pytest.fixture
def slow(world: World) -> Iterator[Shop]:
    """A portal that delivers when somebody says so."""
    with a_shop(world, fulfills_after=NEVER) as opened:
        yield opened


def killed_at(step: str) -> Callable[[str], None]:
    def mark(reached: str) -> None:
        if reached == step:
            raise Killed

    return mark


# What is ordered comes


@proves("P4", "P8")
def test_what_is_short_is_bought_and_served_in_the_pass_that_finds_it_short(shop: Shop) -> None:
    [result] = shop.sync().results

    assert result.outcome == "applied" and result.held == []
    assert (shop.order.state, shop.order.seller_ref, shop.order.problem) == ("fulfilled", "po-00001", None)
    assert shop.bought == [(shop.order.idempotency_key, 3)]
    assert shop.lots == [(3, "po-00001")]
    assert set(shop.buyer.licenses().values()) == {"standard"} and len(shop.buyer.licenses()) == 3
    assert shop.buyer.waiting() == {}
    assert shop.story() == STORY
    assert shop.world.is_sound()


@proves("P8")
def test_the_seller_is_told_who_orders_what_and_why(shop: Shop) -> None:
    shop.sync()

    [bought] = shop.portal.bought()
    wanted = bought.wanted
    assert (wanted.company, wanted.license, wanted.seats, wanted.term) == ("contoso", "standard", 3, "yearly")
    assert wanted.note == shop.order.because == "3 waiting, 0 free"


@proves("P4", "P5")
def test_the_lot_ends_when_the_seller_says(slow: Shop) -> None:
    slow.sync()
    slow.portal.fulfill("po-00001", expires=date(2027, 3, 31))
    slow.sync()

    with slow.world.store.read() as tx:
        [lot] = tx.lots.listing(0)
        assert (lot.starts, lot.expires, lot.term) == ("2026-11-02", "2027-03-31", "yearly")


@proves("P4")
def test_an_order_that_is_placed_brings_nothing_until_it_is_fulfilled(slow: Shop) -> None:
    slow.sync()
    assert (slow.order.state, slow.lots, slow.buyer.licenses()) == ("placed", [], {})
    assert set(slow.buyer.waiting().values()) == {"insufficient_licenses"}

    slow.sync()
    assert slow.order.state == "placed" and len(slow.bought) == 1
    slow.portal.fulfill("po-00001")
    slow.sync()

    assert (slow.order.state, slow.lots, len(slow.buyer.licenses())) == ("fulfilled", [(3, "po-00001")], 3)
    assert slow.story() == STORY
    assert slow.asked() == {"POST /orders": 1, "GET /orders/{id}": 2}


def test_a_placed_order_is_looked_at_less_often_as_it_grows_older_and_at_once_when_a_person_asks(slow: Shop) -> None:
    slow.wants()
    slow.relay()
    waits = [slow.next_attempt() for _ in range(12)]
    assert waits[:2] == [63, 63] and waits == sorted(waits) and 600 < waits[-1] <= 3_780
    slow.world.later(hours=30)
    slow.relay()
    assert slow.next_attempt() == 3_780

    slow.portal.fulfill("po-00001")
    assert slow.relay() == 0
    assert slow.relay(asked=True) == 1
    assert slow.order.state == "fulfilled"


@proves("P4")
def test_fewer_seats_than_ordered_are_taken_and_the_rest_is_ordered_again(slow: Shop) -> None:
    slow.sync()
    slow.portal.fulfill("po-00001", seats=2)
    slow.sync()
    assert (slow.lots, len(slow.buyer.licenses())) == ([(2, "po-00001")], 2)

    slow.sync()

    assert [seats for _, seats in slow.bought] == [3, 1]
    assert slow.world.orders() == [("contoso", "standard", 3, "fulfilled"), ("contoso", "standard", 1, "placed")]


@proves("P1")
def test_what_a_cap_left_out_is_bought_when_the_order_came_although_nothing_else_changes(shop: Shop) -> None:
    shop.buys(standard="auto: true, most_per_order: 2")
    shop.sync()
    shop.sync()
    assert [seats for _, seats in shop.bought] == [2, 1]
    assert len(shop.buyer.licenses()) == 3


@proves("Z8")
def test_when_nothing_is_open_nothing_is_asked_and_nothing_is_written(shop: Shop) -> None:
    shop.sync()
    shop.sync()
    before, asked = shop.world.dump(), shop.asked()

    assert shop.relay(asked=True) == 0

    assert (shop.world.dump(), shop.asked()) == (before, asked)


@proves("Z3")
def test_a_dry_run_sends_nothing(shop: Shop) -> None:
    shop.sync(dry=True)

    assert (shop.world.orders(), shop.asked()) == ([], {})


@proves("P3")
def test_an_order_that_waits_for_a_person_leaves_once_it_is_approved(shop: Shop) -> None:
    shop.buys(standard="auto: true, approve_above: 2")
    shop.sync()
    assert (shop.order.state, shop.asked()) == ("awaiting_approval", {})

    shop.approve()
    shop.sync()

    assert (shop.order.state, len(shop.bought), len(shop.buyer.licenses())) == ("fulfilled", 1, 3)


def test_nobody_is_asked_while_a_transaction_is_open(slow: Shop) -> None:
    slow.portal.order(Fault("lost_reply"))
    slow.wants()
    slow.relay()
    slow.next_attempt()
    slow.next_attempt()

    assert len(slow.open_while_asked) == 3 and set(slow.open_while_asked) == {0}


# Killed at any moment


@proves("P2", "Z6")
@pytest.mark.parametrize("delay", [timedelta(0), timedelta(hours=2)], ids=["at-once", "later"])
@pytest.mark.parametrize("step", ["applied", "order claimed", "order leaves", "order answered", "order recorded"])
def test_a_purchase_that_is_killed_at_any_step_is_made_once(world: World, step: str, delay: timedelta) -> None:
    with a_shop(world, fulfills_after=delay) as shop:
        shop.world.restart(killed_at(step))
        with pytest.raises(Killed):
            shop.sync_one()
        shop.world.restart()
        for _ in range(5):
            shop.world.later(max(CLAIM_RUNS_OUT, delay))
            shop.sync()

        assert [seats for _, seats in shop.bought] == [3]
        assert (shop.lots, len(shop.buyer.licenses())) == ([(3, "po-00001")], 3)
        assert shop.story() == STORY
        assert shop.asked().get("POST /orders") == 1
        assert shop.world.is_sound()


@proves("P2", "Z6")
@pytest.mark.parametrize("step", ["order claimed", "order answered", "order recorded"])
def test_a_look_that_is_killed_is_taken_again(slow: Shop, step: str) -> None:
    slow.sync()
    slow.portal.fulfill("po-00001")
    slow.world.restart(killed_at(step))
    with pytest.raises(Killed):
        slow.relay(asked=True)
    slow.world.restart()
    slow.world.later(CLAIM_RUNS_OUT)
    slow.relay()

    assert (len(slow.bought), slow.lots, slow.story()) == (1, [(3, "po-00001")], STORY)


@proves("P2")
def test_what_was_never_sent_is_taken_up_only_when_its_claim_has_run_out(shop: Shop) -> None:
    shop.wants()
    shop.world.restart(killed_at("order claimed"))
    with pytest.raises(Killed):
        shop.relay()
    shop.world.restart()

    assert shop.relay() == 0
    shop.world.later(CLAIM_RUNS_OUT)
    assert shop.relay() == 1
    assert len(shop.bought) == 1


# Whatever gets lost


@proves("P2", "P7")
@pytest.mark.parametrize("kind", LOST)
def test_an_order_whose_answer_got_lost_is_looked_up_before_it_is_sent_again(shop: Shop, kind: str) -> None:
    shop.portal.order(Fault(kind))  # type: ignore[arg-type]
    shop.wants()
    shop.relay()
    assert (shop.order.state, shop.lots, len(shop.bought)) == ("wanted", [], 1)
    assert shop.order.problem is not None and shop.order.problem.startswith("POST http://127.0.0.1")

    assert shop.next_attempt() == 32

    assert (shop.order.state, shop.lots, shop.story()) == ("fulfilled", [(3, "po-00001")], STORY)
    assert shop.asked() == {"POST /orders": 1, "GET /orders?idempotency_key": 1}


@proves("P2")
def test_an_order_that_got_lost_on_its_way_there_is_sent_again_under_its_key(shop: Shop) -> None:
    shop.portal.order(Fault("reset", times=2))
    shop.wants()
    shop.relay()
    assert shop.bought == []

    shop.next_attempt()  # the look-up gets lost, too: then nothing is sent
    assert shop.asked() == {"POST /orders": 1, "GET /orders?idempotency_key": 1}
    shop.next_attempt()

    assert shop.asked() == {"POST /orders": 2, "GET /orders?idempotency_key": 2}
    assert (shop.bought, shop.story()) == ([(shop.order.idempotency_key, 3)], STORY)


@proves("P2")
def test_a_seller_that_lists_an_order_twice_has_it_once(shop: Shop) -> None:
    shop.portal.order(Fault("lost_reply"), Fault("twice"))
    shop.wants()
    shop.relay()
    shop.next_attempt()

    assert (len(shop.bought), shop.lots) == (1, [(3, "po-00001")])


@proves("P2")
def test_a_seller_that_forgets_for_a_moment_is_sent_the_same_key(shop: Shop) -> None:
    shop.portal.order(Fault("lost_reply"), Fault("unknown"))
    shop.wants()
    shop.relay()
    shop.next_attempt()

    assert (len(shop.bought), shop.lots, shop.asked()["POST /orders"]) == (1, [(3, "po-00001")], 2)


@proves("Z2")
def test_a_placed_order_that_the_seller_does_not_know_any_more_stays_as_it_is(slow: Shop) -> None:
    slow.sync()
    slow.portal.order(Fault("unknown"))
    slow.relay(asked=True)
    assert slow.order.state == "placed"
    assert slow.order.problem is not None and "status 404" in slow.order.problem

    slow.portal.fulfill("po-00001")
    slow.next_attempt()

    assert (len(slow.bought), slow.lots) == (1, [(3, "po-00001")])
    assert [row.problem for row in listed(slow)] == [None]


# Attempts


@proves("P7")
def test_a_seller_that_cannot_be_asked_is_asked_further_and_further_apart(shop: Shop) -> None:
    shop.portal.order(Fault("error", times=None, status=503))
    shop.wants()
    shop.relay()

    assert [shop.next_attempt() for _ in range(9)] == [32, 63, 126, 252, 504, 1_008, 2_016, 3_780, 3_780]
    assert (shop.order.state, shop.bought) == ("wanted", [])
    shop.portal.withdraw_faults()
    shop.next_attempt()
    assert shop.story() == STORY


@proves("P7")
@pytest.mark.parametrize("fault", [Fault("throttle", retry_after=7_200), Fault("error", status=503, retry_after=7_200)])
def test_a_seller_that_asks_to_be_left_alone_is_whoever_asks(shop: Shop, fault: Fault) -> None:
    shop.portal.order(fault)
    shop.sync()
    shop.world.later(hours=1, minutes=59)
    shop.sync()
    assert shop.asked() == {"POST /orders": 1}

    assert shop.next_attempt() >= 60
    assert shop.order.state == "fulfilled"


def test_sellers_are_not_asked_in_step(shop: Shop) -> None:
    """Chance adds up to a tenth, so that many who were turned away do not come back together."""
    shop.portal.order(Fault("throttle", retry_after=600))
    shop.wants()
    shop.relay()

    assert shop.next_attempt() == 630


def test_an_order_that_nobody_could_hear_can_be_taken_back(shop: Shop) -> None:
    with nobody_listens() as port:
        address = f"127.0.0.1:{port}"
        shop.allows(address)
        shop.buys(seller=f"{{kind: http, url: 'http://{address}', secret: {{file: portal}}}}")
        shop.wants()
        shop.relay()
    assert shop.order.problem is not None and "could not be reached" in shop.order.problem

    shop.cancel()

    assert shop.order.state == "cancelled"
    shop.world.later(hours=2)
    assert shop.relay() == 0


@proves("P2")
def test_an_order_that_somebody_may_have_heard_cannot_be_taken_back(shop: Shop) -> None:
    shop.portal.order(Fault("reset"))
    shop.wants()
    shop.relay()

    with pytest.raises(Conflict, match="may have reached the seller"):
        shop.cancel()


def test_an_order_that_is_taken_back_while_it_is_claimed_does_not_leave(shop: Shop) -> None:
    shop.wants()

    def cancelled(step: str) -> None:
        if step == "order claimed":
            shop.cancel()

    shop.world.restart(cancelled)
    shop.relay()

    assert (shop.order.state, shop.asked()) == ("cancelled", {})


# No


@proves("P7")
@pytest.mark.parametrize("status, why", [(402, "card_declined"), (409, "credit_limit")])
def test_a_refusal_ends_the_order_and_stops_buying_and_is_told_once(shop: Shop, status: int, why: str) -> None:
    shop.portal.order(Fault("refuse", status=status, refused=why))
    shop.sync()
    for number in range(3):
        shop.buyer.hire(f"Newcomer {number}")
        shop.buyer.tenant.add_members(shop.buyer.tenant.find_group("Staff"), [shop.buyer.people[f"Newcomer {number}"]])
        shop.world.later(hours=1)
        shop.sync()

    assert shop.world.orders() == [("contoso", "standard", 3, "failed")]
    assert shop.order.problem == why
    assert shop.asked() == {"POST /orders": 1}
    assert len(shop.buyer.waiting()) == 6
    assert shop.told()["order.failed"] == 1
    with shop.world.store.read() as tx:
        [failed] = [entry for entry in tx.audit.entries(shop.buyer.row().company) if entry.what == "order.failed"]
        assert (failed.because, failed.who, failed.subject) == (why, "system", shop.order.id)


@proves("P7")
def test_buying_goes_on_when_a_person_has_reopened_the_order(shop: Shop) -> None:
    shop.portal.order(Fault("refuse"))
    shop.sync()
    shop.reopen()
    shop.sync()

    assert shop.world.orders() == [("contoso", "standard", 3, "failed"), ("contoso", "standard", 3, "fulfilled")]
    assert len(shop.buyer.licenses()) == 3


@proves("P7")
def test_buying_goes_on_when_the_policy_has_changed(shop: Shop) -> None:
    shop.portal.order(Fault("refuse"))
    shop.sync()
    shop.world.later(minutes=1)
    shop.sync()
    assert len(shop.world.orders()) == 1

    shop.buys(standard="auto: true, spare: 1")
    shop.sync()

    assert shop.world.orders()[-1] == ("contoso", "standard", 4, "fulfilled")


@proves("P7")
def test_what_was_wanted_beside_a_refused_order_waits_unless_a_person_approved_it(shop: Shop) -> None:
    shop.wants()
    company = shop.buyer.row().company
    for number, approved_by in enumerate((None, PERSON), 1):
        with shop.world.store.begin() as tx:
            tx.orders.want(
                company=company, pool=0, license="archived", seats=number, term="yearly", seller="http", estimate=None,
                because="", shortage=1, awaits_approval=False, now=0, approved_by=approved_by,
            )  # fmt: skip
    shop.portal.order(Fault("refuse"))
    with shop.world.store.begin() as tx:
        tx.execute("UPDATE outbox SET due = 1 WHERE key > (SELECT min(key) FROM outbox)")
        tx.execute("UPDATE outbox SET due = 0 WHERE key = (SELECT min(key) FROM outbox)")

    assert shop.relay() == 3

    assert [(license, seats, state) for _, license, seats, state in shop.world.orders()] == [
        ("standard", 3, "failed"), ("archived", 1, "wanted"), ("archived", 2, "fulfilled"),
    ]  # fmt: skip
    with shop.world.store.read() as tx:
        waiting = tx.orders.listing(states=["wanted"])[0]
        assert waiting.problem is not None and "seatkeeper orders reopen" in waiting.problem
        [failed] = tx.orders.listing(states=["failed"])
    shop.reopen(failed.id)
    shop.next_attempt()
    assert ("contoso", "archived", 1, "fulfilled") in shop.world.orders()


@proves("P7")
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_any_other_no_is_a_persons_matter_and_the_order_stays(shop: Shop, status: int) -> None:
    shop.portal.order(Fault("error", status=status))
    shop.sync()

    assert shop.order.state == "wanted"
    assert shop.order.problem is not None
    assert f"status {status}; look at the seller's" in shop.order.problem
    shop.next_attempt()
    assert shop.story() == STORY


# Only what was ordered


@proves("Z2", "P4")
@pytest.mark.parametrize(
    "fault, seats", [(Fault("more_seats", times=None, seats=997), 1000), (Fault("no_seats", times=None), 0)]
)
def test_more_seats_than_were_ordered_or_none_are_held_and_nothing_is_applied(
    shop: Shop, fault: Fault, seats: int
) -> None:
    shop.portal.order(fault)
    [result] = shop.sync().results

    assert [(held.kind, held.total) for held in result.held] == [("delivery", seats)]
    assert result.outcome == "partly_held"
    assert (shop.order.state, shop.lots, shop.buyer.licenses()) == ("wanted", [], {})
    assert shop.world.holds() == [("delivery", seats)]
    assert (
        shop.order.problem is not None and "3 were ordered; look: `seatkeeper plan show sha256:" in shop.order.problem
    )
    for _ in range(4):
        shop.next_attempt()
    assert (shop.lots, len(shop.bought), shop.told()["plan.held"]) == ([], 1, 1)
    [result] = shop.sync().results
    assert (result.outcome, [held.kind for held in result.held]) == ("held", ["delivery"])


@proves("Z2")
def test_an_answer_that_was_wrong_for_a_moment_is_forgotten(shop: Shop) -> None:
    shop.portal.order(Fault("more_seats", seats=997))
    shop.sync()
    assert shop.world.holds() == [("delivery", 1000)]

    shop.next_attempt()

    assert (shop.world.holds(), shop.lots, len(shop.buyer.licenses())) == ([], [(3, "po-00001")], 3)


@proves("Z1", "Z2")
def test_a_person_can_take_what_was_delivered(shop: Shop) -> None:
    shop.portal.order(Fault("more_seats", times=None, seats=2))
    shop.sync()
    shop.world.approve(shop.world.hold("delivery"))

    assert (shop.order.state, shop.lots, len(shop.buyer.licenses())) == ("fulfilled", [(5, "po-00001")], 3)
    assert ("order.fulfilled", PERSON) in shop.story() and ("plan.approved", PERSON) in shop.story()
    assert shop.world.is_sound()


@proves("Z1")
def test_an_approval_is_of_the_answer_that_was_held_and_of_no_other(shop: Shop) -> None:
    shop.portal.order(Fault("more_seats", seats=2), Fault("more_seats", times=None, seats=500))
    shop.sync()
    shop.world.approve(shop.world.hold("delivery"))

    assert (shop.order.state, shop.lots) == ("wanted", [])
    assert shop.world.holds() == [("delivery", 503)]


def test_a_person_can_take_for_true_that_nothing_comes(shop: Shop) -> None:
    shop.portal.order(Fault("no_seats", times=None))
    shop.sync()
    shop.world.approve(shop.world.hold("delivery"))
    assert (shop.order.state, shop.lots, shop.world.holds()) == ("cancelled", [], [])

    shop.world.later(hours=1)
    shop.sync()

    assert len(shop.world.orders()) == 1, "it is not made again until more is short"


@proves("Z1")
def test_a_rejected_answer_stays_rejected_while_the_seller_repeats_it(shop: Shop) -> None:
    shop.portal.order(Fault("more_seats", times=4, seats=2))
    shop.sync()
    shop.world.reject(shop.world.hold("delivery"))
    for _ in range(3):
        shop.next_attempt()
    assert (shop.order.state, shop.lots, shop.world.holds()) == ("wanted", [], [])

    shop.next_attempt()

    assert shop.lots == [(3, "po-00001")]


def test_seats_that_ended_already_are_held(slow: Shop) -> None:
    slow.sync()
    slow.portal.fulfill("po-00001", expires=date(2026, 11, 1))
    slow.sync()

    assert (slow.order.state, slow.lots, slow.world.holds()) == ("placed", [], [("delivery", 3)])
    assert slow.order.problem is not None and "end on 2026-11-01, before they begin" in slow.order.problem
    slow.portal.fulfill("po-00001", expires=date(2026, 11, 2))
    slow.next_attempt()
    assert slow.lots == [(3, "po-00001")]


# Two at once


def want_many(shop: Shop, number: int) -> None:
    company = shop.buyer.row().company
    with shop.world.store.begin() as tx:
        for _ in range(number):
            tx.orders.want(
                company=company, pool=0, license="standard", seats=1, term="yearly", seller="http", estimate=None,
                because="", shortage=1, awaits_approval=False, now=0,
            )  # fmt: skip


@proves("P2")
def test_two_relays_at_once_buy_once(shop: Shop) -> None:
    want_many(shop, 12)

    at_once(shop.relay, shop.relay, shop.relay)

    assert shop.asked() == {"POST /orders": 12}
    assert sorted(shop.bought) == sorted((row.idempotency_key, 1) for row in listed(shop))
    assert {row.state for row in listed(shop)} == {"fulfilled"} and len(shop.lots) == 12
    assert shop.world.is_sound()


@proves("P2")
def test_two_syncs_at_once_buy_once(shop: Shop) -> None:
    at_once(shop.sync, shop.sync)

    assert [seats for _, seats in shop.bought] == [3]
    assert (shop.lots, len(shop.buyer.licenses())) == ([(3, "po-00001")], 3)


def listed(shop: Shop) -> list[OrderRow]:
    with shop.world.store.read() as tx:
        return tx.orders.listing()


@proves("P2")
def test_a_relay_that_slept_through_its_claim_finds_the_order_done(shop: Shop) -> None:
    shop.wants()
    steps: list[str] = []

    def overtaken(step: str) -> None:
        steps.append(step)
        if steps == ["order claimed", "order leaves", "order answered"]:
            shop.world.later(CLAIM_RUNS_OUT)
            assert relay_once(shop.app, shop.app.clock()) == 1
            assert shop.order.state == "fulfilled"

    shop.world.restart(overtaken)
    shop.relay()

    assert (len(shop.bought), shop.lots, shop.story()) == (1, [(3, "po-00001")], STORY)


@proves("P2")
def test_a_relay_that_slept_before_it_asked_orders_under_the_same_key(shop: Shop) -> None:
    shop.wants()
    steps: list[str] = []

    def overtaken(step: str) -> None:
        steps.append(step)
        if steps == ["order claimed", "order leaves"]:
            shop.world.later(CLAIM_RUNS_OUT)
            assert relay_once(shop.app, shop.app.clock()) == 1

    shop.world.restart(overtaken)
    shop.relay()

    assert (len(shop.bought), shop.lots, shop.story()) == (1, [(3, "po-00001")], STORY)


@proves("P2")
def test_a_person_who_fulfills_an_order_while_it_is_asked_about_is_not_doubled(slow: Shop) -> None:
    slow.sync()
    slow.portal.fulfill("po-00001")

    def by_hand(step: str) -> None:
        if step == "order answered":
            slow.world.fulfill()

    slow.world.restart(by_hand)
    slow.relay(asked=True)

    assert (slow.order.state, [seats for seats, _ in slow.lots]) == ("fulfilled", [3])
    slow.world.later(hours=2)
    assert slow.relay(asked=True) == 0


def test_an_order_that_a_person_fulfilled_is_asked_about_no_more(shop: Shop) -> None:
    shop.portal.order(Fault("lost_reply"))
    shop.wants()
    shop.relay()
    fulfill_order(shop.app, shop.order.id, PERSON, seats=3)
    shop.world.later(hours=2)

    assert (shop.relay(asked=True), shop.order.problem, [seats for seats, _ in shop.lots]) == (0, None, [3])


# Another seller


@proves("P2")
def test_an_order_that_may_have_reached_one_seller_is_never_sent_to_another(shop: Shop) -> None:
    shop.portal.order(Fault("lost_reply"))
    shop.wants()
    shop.relay()
    other = Simulator(shop.world.clock)
    with serve(other) as server:
        first, second = (url.partition("//")[2] for url in (shop.url, server.url))
        shop.allows(first, second)
        shop.buys(seller=f"{{kind: http, url: '{server.url}', secret: {{file: portal}}}}")
        shop.next_attempt()
        assert other.requests() == {}
        assert shop.order.problem is not None and f"may have reached {shop.url}" in shop.order.problem

    shop.buys()
    shop.next_attempt()
    assert (len(shop.bought), shop.lots) == (1, [(3, "po-00001")])


def test_an_order_whose_seller_is_no_longer_named_waits_for_a_person(shop: Shop) -> None:
    shop.wants()
    shop.buys(seller="{kind: manual}")
    shop.relay()
    assert shop.asked() == {}
    assert shop.order.problem is not None and "names none" in shop.order.problem

    shop.cancel()
    assert shop.order.state == "cancelled"


@pytest.mark.parametrize("hosts", [(), ("localhost",), ("127.0.0.1:1",)])
def test_a_seller_on_this_machine_must_be_allowed(shop: Shop, hosts: tuple[str, ...]) -> None:
    shop.allows(*hosts)
    shop.sync()

    assert shop.asked() == {}
    assert shop.order.problem is not None and "allowed_hosts in provider.yaml" in shop.order.problem
    shop.allows("127.0.0.1")
    shop.world.load()
    shop.next_attempt()
    assert shop.order.state == "fulfilled"


def test_a_secret_that_is_missing_is_told_and_nothing_leaves(shop: Shop) -> None:
    secret = shop.app.settings.secrets_dir / "portal"
    written = secret.read_text()
    secret.unlink()
    shop.sync()

    assert shop.asked() == {}
    assert shop.order.problem is not None and "the secret file portal cannot be read" in shop.order.problem
    secret.touch(mode=0o600)
    secret.write_text(written)
    shop.next_attempt()
    assert shop.order.state == "fulfilled"


@proves("Z11")
def test_nothing_new_is_bought_for_a_company_whose_policy_is_gone(slow: Shop) -> None:
    slow.sync()
    want_many(slow, 1)
    slow.buyer.file.unlink()
    slow.world.load()
    slow.portal.fulfill("po-00001")
    slow.relay(asked=True)

    assert slow.world.orders() == [("contoso", "standard", 3, "fulfilled"), ("contoso", "standard", 1, "wanted")]
    assert slow.order.problem is not None and "contoso is frozen" in slow.order.problem
    assert len(slow.bought) == 1


@proves("M3", "Z11")
def test_what_a_company_has_is_renewed_even_when_its_policy_is_gone(slow: Shop) -> None:
    slow.buys(licenses="{pool: own}")
    slow.sync()
    slow.portal.fulfill("po-00001", expires=date(2026, 12, 1))
    slow.sync()
    slow.buyer.file.unlink()
    slow.world.later(days=20)
    slow.sync()
    assert slow.bought[1:] == [(slow.order.idempotency_key, 3)] and slow.order.state == "placed"

    slow.portal.fulfill("po-00002", expires=date(2026, 12, 1))
    slow.sync()
    assert slow.world.holds() == [("delivery", 3)], "it would have ended before it began"
    slow.portal.fulfill("po-00002", expires=date(2027, 12, 1))
    slow.world.later(hours=2)
    slow.sync()

    with slow.world.store.read() as tx:
        lots = tx.lots.listing(0)
    assert [(lot.starts, lot.expires) for lot in lots] == [("2026-11-02", "2026-12-01"), ("2026-12-02", "2027-12-01")]


@proves("M3", "Z2")
def test_a_renewal_whose_seats_have_ended_by_the_time_of_the_answer_is_held(slow: Shop) -> None:
    slow.buys(licenses="{pool: own}")
    slow.sync()
    slow.portal.fulfill("po-00001", expires=date(2026, 12, 1))
    slow.sync()
    slow.world.later(days=20)
    slow.sync()
    slow.world.later(days=60)
    slow.portal.fulfill("po-00002", expires=date(2027, 1, 5))
    slow.sync()
    assert (slow.order.state, slow.world.holds(), len(slow.lots)) == ("placed", [("delivery", 3)], 1)
