"""Orders: written before they are sent, decided by people, and fulfilled once."""

import threading
from typing import Any

import pytest

from store.engine import Store
from store.errors import Conflict, NotFound
from store.lots import LotRow
from store.orders import ANY_SHORTAGE, Order
from store.times import micros
from store.transaction import Transaction
from tests.proves import proves
from tests.store.conftest import NOW, add_company

AT = micros(NOW)
HOUR = 3_600_000_000
KIM = "cli:kim@host"


def want(store: Store, company: int, **changes: Any) -> Order:
    with store.begin() as tx:
        return want_in(tx, company, **changes)


def want_in(tx: Transaction, company: int, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "company": company, "pool": 0, "license": "standard", "seats": 10, "term": "yearly", "seller": "http",
        "estimate": "480.00 USD", "because": "8 waiting, 0 free", "shortage": 8, "awaits_approval": False, "now": AT,
    }  # fmt: skip
    return tx.orders.want(**{**values, **changes})


def decide(store: Store, verb: str, order: Order) -> Order:
    with store.begin() as tx:
        decided: Order = getattr(tx.orders, verb)(order.id, KIM, AT + HOUR)
        return decided


def fulfill(store: Store, order: Order, **changes: Any) -> LotRow:
    with store.begin() as tx:
        return tx.orders.fulfill(order.id, KIM, AT + HOUR, **{"expires_at": None, **changes})


def state(store: Store, order: Order) -> str:
    with store.read() as tx:
        return tx.orders.by_id(order.id).state


def open_seats(store: Store, company: int | None = None) -> int:
    with store.read() as tx:
        return tx.orders.open_seats(0, "standard", company)


def rejected_shortage(store: Store, company: int, license: str = "standard") -> int:
    with store.read() as tx:
        return tx.orders.rejected_shortage(company, license)


def outbox(store: Store) -> list[tuple[str, str, bool]]:
    with store.read() as tx:
        rows = tx.execute("SELECT subject, idempotency_key, done_at IS NOT NULL FROM outbox ORDER BY key")
        return [(row[0], row[1], bool(row[2])) for row in rows]


def events(store: Store, company: int) -> list[tuple[str, str]]:
    with store.read() as tx:
        return [(entry.what, entry.who) for entry in tx.audit.entries(company)]


@proves("P2")
def test_an_order_is_written_with_its_key_and_its_place_in_the_outbox(store: Store, company: int) -> None:
    order = want(store, company)
    assert order.state == "wanted"
    assert outbox(store) == [(order.id, order.idempotency_key, False)]
    assert events(store, company) == [("order.wanted", "system")]
    with store.read() as tx:
        assert tx.orders.by_idempotency_key(order.idempotency_key) == order
        assert tx.orders.by_idempotency_key("another") is None


@proves("P2")
def test_an_order_whose_transaction_fails_leaves_nothing_to_send(store: Store, company: int) -> None:
    with pytest.raises(Conflict), store.begin() as tx:
        tx.plans.reopen(tx.plans.hold_purchase(company, "standard", want_in(tx, company).seats, "", AT), KIM, AT)
    assert outbox(store) == []
    assert open_seats(store) == 0


@proves("P8")
def test_an_order_from_the_manual_seller_is_placed_at_once(store: Store, company: int) -> None:
    order = want(store, company, seller="manual")
    assert order.state == "placed"
    assert outbox(store) == []
    assert events(store, company) == [("order.wanted", "system"), ("order.placed", "system")]


def test_orders_are_listed_as_scripts_read_them(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    first = want(store, company)
    second = want(store, other, seller="manual", estimate=None)
    with store.read() as tx:
        newest, oldest = tx.orders.listing()
        assert (oldest.id, oldest.company, oldest.license, oldest.seats) == (first.id, "contoso", "standard", 10)
        assert (oldest.state, oldest.estimate, oldest.seller_ref) == ("wanted", "480.00 USD", None)
        assert (oldest.idempotency_key, oldest.because) == (first.idempotency_key, "8 waiting, 0 free")
        assert (newest.id, newest.estimate, newest.created) == (second.id, None, "2026-11-02T09:00:00Z")
        assert [row.id for row in tx.orders.listing(company=company)] == [first.id]
        assert [row.id for row in tx.orders.listing(states=["placed"])] == [second.id]
        assert [row.id for row in tx.orders.listing(limit=1)] == [second.id]
        assert [row.id for row in tx.orders.listing(limit=1, before=second.id)] == [first.id]


@proves("P3")
def test_an_order_that_waits_for_a_person_is_sent_once_approved(store: Store, company: int) -> None:
    order = want(store, company, awaits_approval=True)
    assert order.state == "awaiting_approval"
    assert outbox(store) == []
    assert decide(store, "approve", order).state == "wanted"
    assert outbox(store) == [(order.id, order.idempotency_key, False)]
    assert events(store, company) == [("order.wanted", "system"), ("order.approved", KIM)]
    with store.read() as tx:
        assert tx.orders.by_id(order.id).decided_by == KIM
    with pytest.raises(Conflict, match="is wanted by cli:kim@host; there is nothing to approve"):
        decide(store, "approve", order)


@proves("P3", "P8")
def test_an_approved_order_from_the_manual_seller_is_placed(store: Store, company: int) -> None:
    order = want(store, company, seller="manual", awaits_approval=True)
    assert decide(store, "approve", order).state == "placed"
    assert outbox(store) == []
    assert events(store, company) == [("order.wanted", "system"), ("order.approved", KIM), ("order.placed", KIM)]


@proves("P3")
def test_a_rejection_stands_up_to_the_shortage_that_was_rejected(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    assert rejected_shortage(store, company) == 0
    order = want(store, company, awaits_approval=True, shortage=8)
    assert rejected_shortage(store, company) == 0
    decide(store, "reject", order)
    assert (state(store, order), open_seats(store)) == ("rejected", 0)
    assert rejected_shortage(store, company) == 8
    assert rejected_shortage(store, company, "archived") == 0
    assert rejected_shortage(store, other) == 0
    assert events(store, company)[-1] == ("order.rejected", KIM)


@proves("P3")
def test_a_rejection_that_a_larger_shortage_overtook_stands_no_more(store: Store, company: int) -> None:
    decide(store, "reject", want(store, company, awaits_approval=True, shortage=8))
    want(store, company, shortage=9, now=AT + 2 * HOUR)
    assert rejected_shortage(store, company) == 0


@proves("P3")
def test_rejections_add_up_and_stand_beside_what_was_ordered_before_them_or_by_hand(store: Store, company: int) -> None:
    first, second = (want(store, company, awaits_approval=True, shortage=shortage) for shortage in (8, 2))
    decide(store, "reject", first)
    assert rejected_shortage(store, company) == 8
    decide(store, "reject", second)
    want(store, company, shortage=0, wanted_by=KIM, now=AT + 2 * HOUR)
    assert rejected_shortage(store, company) == 10


@proves("P3")
def test_a_rejected_order_may_be_made_again_once_reopened(store: Store, company: int, directory: int) -> None:
    order = want(store, company, awaits_approval=True)
    decide(store, "reject", order)
    decide(store, "reopen", order)
    assert rejected_shortage(store, company) == 0
    assert state(store, order) == "rejected"
    assert events(store, company)[-1] == ("order.reopened", KIM)
    with store.read() as tx:
        assert tx.execute("SELECT plan_some FROM directory WHERE key = :d", {"d": directory}).scalar_one()


@proves("P3")
@pytest.mark.parametrize(
    "changes", [{"awaits_approval": True}, {}, {"seller": "manual"}], ids=["awaiting", "not sent", "manual"]
)
def test_an_order_can_be_cancelled_before_it_was_sent(store: Store, company: int, changes: dict[str, Any]) -> None:
    order = want(store, company, **changes)
    decide(store, "cancel", order)
    assert state(store, order) == "cancelled"
    assert all(done for _, _, done in outbox(store))
    assert rejected_shortage(store, company) == 8
    assert events(store, company)[-1] == ("order.cancelled", KIM)


@proves("P2")
def test_an_order_that_may_have_left_cannot_be_cancelled(store: Store, company: int) -> None:
    order = want(store, company)
    with store.begin() as tx:
        tx.execute("UPDATE outbox SET asked = true")
    with pytest.raises(Conflict, match="may have reached the seller"):
        decide(store, "cancel", order)
    with store.begin() as tx:
        tx.orders.placed(order.id, "S-1", AT)
    with pytest.raises(Conflict, match="is placed; there is nothing to cancel"):
        decide(store, "cancel", order)
    assert state(store, order) == "placed"


@proves("P2")
def test_a_seller_that_answers_twice_is_heard_once(store: Store, company: int) -> None:
    order = want(store, company)
    with store.begin() as tx:
        assert tx.orders.placed(order.id, "S-1", AT).seller_ref == "S-1"
        tx.orders.placed(order.id, "S-1", AT)
    assert events(store, company) == [("order.wanted", "system"), ("order.placed", "system")]
    with store.begin() as tx:
        tx.orders.failed(order.id, "card declined", AT)
        tx.orders.failed(order.id, "card declined", AT)
    assert events(store, company)[2:] == [("order.failed", "system")]


@proves("P7")
def test_a_refusal_stops_buying_for_the_company_until_reopened(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    order = want(store, company)
    with store.begin() as tx:
        tx.orders.failed(order.id, "card declined", AT)
    for license in ("standard", "archived"):
        assert rejected_shortage(store, company, license) == ANY_SHORTAGE
    assert rejected_shortage(store, other) == 0
    decide(store, "reopen", order)
    assert rejected_shortage(store, company) == 0


@proves("P4")
def test_seats_exist_when_the_order_is_fulfilled(store: Store, company: int) -> None:
    order = want(store, company, seller="manual")
    with store.read() as tx:
        assert tx.lots.free_seats(0, "standard", AT + HOUR) == []
    lot = fulfill(store, order, expires_at=AT + 24 * HOUR, ref="INV-7")
    assert (lot.pool, lot.license, lot.seats, lot.term) == (0, "standard", 10, "yearly")
    assert (lot.starts_at, lot.expires_at) == (AT + HOUR, AT + 24 * HOUR)
    assert (lot.order_id, lot.ref) == (order.id, "INV-7")
    with store.read() as tx:
        assert [free.free for free in tx.lots.free_seats(0, "standard", AT + HOUR)] == [10]
        assert tx.orders.by_id(order.id).seller_ref == "INV-7"
    assert (state(store, order), open_seats(store)) == ("fulfilled", 0)
    assert events(store, company)[-1] == ("order.fulfilled", KIM)


@proves("P4")
def test_an_order_is_fulfilled_once(store: Store, company: int) -> None:
    order = want(store, company, seller="manual")
    fulfill(store, order)
    with pytest.raises(Conflict, match="is fulfilled; there is nothing to fulfill"):
        fulfill(store, order)
    with store.read() as tx:
        assert sum(free.free for free in tx.lots.free_seats(0, "standard", AT + HOUR)) == 10


@proves("P2", "P4")
def test_of_two_who_fulfill_an_order_at_once_one_is_refused(store: Store, company: int) -> None:
    order = want(store, company, seller="manual")
    outcomes: list[str] = []

    def deliver() -> None:
        try:
            outcomes.append(fulfill(store, order).license)
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "standard"]
    with store.read() as tx:
        assert sum(free.free for free in tx.lots.free_seats(0, "standard", AT + HOUR)) == 10


def test_an_order_can_be_fulfilled_with_less_and_never_with_more(store: Store, company: int) -> None:
    order = want(store, company, seller="manual")
    for seats in (0, 11):
        with pytest.raises(Conflict, match=f"is for 10 seats; it cannot be fulfilled with {seats}"):
            fulfill(store, order, seats=seats)
    assert fulfill(store, order, seats=7).seats == 7


def test_an_order_that_waits_for_a_person_cannot_be_fulfilled(store: Store, company: int) -> None:
    order = want(store, company, awaits_approval=True)
    with pytest.raises(Conflict, match="is awaiting approval; there is nothing to fulfill"):
        fulfill(store, order)


def test_an_unknown_order_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no order order-0"), store.begin() as tx:
        tx.orders.approve("order-0", KIM, AT)


@proves("P1")
def test_seats_on_order_are_those_not_yet_there(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    want(store, company, seats=1)
    want(store, company, seats=2, awaits_approval=True)
    want(store, company, seats=4, seller="manual")
    fulfill(store, want(store, company, seats=8))
    decide(store, "cancel", want(store, company, seats=16))
    want(store, company, seats=32, license="archived")
    want(store, company, seats=64, pool=company)
    want(store, company, seats=128, renews_lot=1)
    want(store, other, seats=256)
    assert open_seats(store, company) == 1 + 2 + 4
    assert open_seats(store) == 1 + 2 + 4 + 256


@proves("P1")
def test_a_month_counts_what_came_of_its_orders_and_what_is_on_its_way(store: Store, company: int) -> None:
    want(store, company, seats=1, now=AT - 1)
    want(store, company, seats=2)
    fulfill(store, want(store, company, seats=4))
    decide(store, "reject", want(store, company, seats=8, awaits_approval=True))
    want(store, company, seats=16, renews_lot=1)
    with store.read() as tx:
        assert tx.orders.bought_since(company, "standard", AT) == 2 + 4
    fulfill(store, want(store, company, seats=32), seats=8)
    with store.read() as tx:
        assert tx.orders.bought_since(company, "standard", AT) == 2 + 4 + 8


@proves("Z1")
def test_a_day_counts_what_no_person_approved(store: Store, company: int) -> None:
    want(store, company, seats=1, now=AT - 24 * HOUR)
    want(store, company, seats=2, now=AT - 23 * HOUR)
    want(store, company, seats=4, awaits_approval=True)
    decide(store, "approve", want(store, company, seats=8, awaits_approval=True))
    want(store, company, seats=16, approved_by=KIM)
    want(store, company, seats=32, renews_lot=1)
    want(store, company, seats=64, license="archived")
    with store.read() as tx:
        assert tx.orders.ordered_in_a_day(company, AT) == 2 + 4 + 64
