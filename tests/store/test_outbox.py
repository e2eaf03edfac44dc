"""The outbox: each entry is one worker's at a time, and what may have been heard is never forgotten (P2)."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from store.engine import Store
from store.errors import Conflict
from store.orders import Order
from store.outbox import Outgoing
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW, add_company

AT = micros(NOW)
MINUTE = 60_000_000
LEASE = timedelta(minutes=10)
KIM = "cli:kim@host"
PORTAL = "https://portal.example"


def want(store: Store, company: int, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "company": company, "pool": 0, "license": "standard", "seats": 10, "term": "yearly", "seller": "http",
        "estimate": None, "because": "8 waiting, 0 free", "shortage": 8, "awaits_approval": False, "now": AT,
    }  # fmt: skip
    with store.begin() as tx:
        return tx.orders.want(**{**values, **changes})


def claim(store: Store, at: int = AT, limit: int = 10) -> list[Outgoing]:
    with store.begin() as tx:
        return tx.outbox.claim("order", at, limit, LEASE)


def leave(store: Store, entry: Outgoing, place: str = PORTAL) -> bool:
    with store.begin() as tx:
        return tx.outbox.leave(entry, place)


def postpone(store: Store, entry: Outgoing, due: int, error: str | None = None, *, unsent: bool = False) -> bool:
    with store.begin() as tx:
        return tx.outbox.postpone(entry, due, error, unsent=unsent)


def problem(store: Store) -> str | None:
    with store.read() as tx:
        [row] = tx.orders.listing()
        return row.problem


@proves("P2")
def test_what_is_claimed_is_nobody_elses_until_its_time_is_over(store: Store, company: int) -> None:
    first, second = want(store, company), want(store, company, now=AT - MINUTE)
    claimed = claim(store)

    assert [(entry.subject, entry.attempts, entry.asked) for entry in claimed] == [
        (first.id, 1, False),
        (second.id, 1, False),
    ]
    assert claim(store, AT + 9 * MINUTE) == []
    again = claim(store, AT + 10 * MINUTE)
    assert [(entry.subject, entry.attempts, entry.asked) for entry in again] == [
        (first.id, 2, False),
        (second.id, 2, False),
    ]


def test_the_longest_due_goes_first(store: Store, company: int) -> None:
    want(store, company)
    older = want(store, company, now=AT - MINUTE)

    [entry] = claim(store, limit=1)

    assert (entry.subject, entry.idempotency_key) == (older.id, older.idempotency_key)
    assert claim(store, AT - 2 * MINUTE) == []


@proves("P2")
def test_two_at_once_never_claim_the_same(store: Store, company: int) -> None:
    wanted = {want(store, company).id for _ in range(30)}
    together = threading.Barrier(3)
    found: list[str] = []

    def take() -> None:
        together.wait()
        while entries := claim(store, limit=2):
            found.extend(entry.subject for entry in entries)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == sorted(wanted)


def test_a_claim_does_not_wait_for_another_one(store: Store, company: int) -> None:
    if store.dialect.name == "sqlite":
        return  # one writer at a time: there is nothing to pass over
    first, second = want(store, company, now=AT - MINUTE), want(store, company)
    with store.begin() as tx:
        [mine] = tx.outbox.claim("order", AT, 1, LEASE)
        [other] = claim(store)

    assert (mine.subject, other.subject) == (first.id, second.id)


@proves("P2")
def test_what_left_is_known_to_have_left_and_where_to(store: Store, company: int) -> None:
    want(store, company)
    [entry] = claim(store)
    assert leave(store, entry)

    [again] = claim(store, AT + 10 * MINUTE)

    assert (again.asked, again.sent_to, again.attempts) == (True, PORTAL, 2)


@proves("P2")
def test_who_was_overtaken_changes_nothing_any_more(store: Store, company: int) -> None:
    want(store, company)
    [slow] = claim(store)
    [quick] = claim(store, AT + 10 * MINUTE)

    assert not leave(store, slow)
    assert not postpone(store, slow, AT, "too late")
    assert leave(store, quick)
    assert problem(store) is None


def test_an_order_that_was_claimed_can_be_cancelled_until_it_leaves(store: Store, company: int) -> None:
    order = want(store, company)
    [entry] = claim(store)
    with store.begin() as tx:
        tx.orders.cancel(order.id, KIM, AT)

    assert not leave(store, entry)
    assert claim(store, AT + 60 * MINUTE) == []


@proves("P2")
def test_an_order_that_may_have_been_heard_cannot_be_cancelled(store: Store, company: int) -> None:
    order = want(store, company)
    [entry] = claim(store)
    leave(store, entry)
    postpone(store, entry, AT + 20 * MINUTE, "it did not answer in time")

    with pytest.raises(Conflict, match="may have reached the seller"), store.begin() as tx:
        tx.orders.cancel(order.id, KIM, AT)
    assert problem(store) == "it did not answer in time"
    [again] = claim(store, AT + 20 * MINUTE)
    assert again.asked


@proves("P2")
def test_only_what_was_never_heard_is_as_if_it_had_not_been_sent(store: Store, company: int) -> None:
    order = want(store, company)
    [entry] = claim(store)
    leave(store, entry)
    postpone(store, entry, AT, "it could not be reached", unsent=True)
    [entry] = claim(store)
    assert (entry.asked, entry.sent_to) == (False, None)

    leave(store, entry)
    postpone(store, entry, AT, "it did not answer in time")
    [entry] = claim(store)
    postpone(store, entry, AT, "it could not be reached", unsent=True)
    [entry] = claim(store)

    assert (entry.asked, entry.sent_to, entry.attempts) == (True, PORTAL, 4)
    with pytest.raises(Conflict), store.begin() as tx:
        tx.orders.cancel(order.id, KIM, AT)


def test_what_is_finished_is_never_claimed_again(store: Store, company: int) -> None:
    want(store, company)
    [entry] = claim(store)
    postpone(store, entry, AT, "it did not answer in time")
    with store.begin() as tx:
        tx.outbox.finish(entry.idempotency_key, AT)

    assert claim(store, AT + 600 * MINUTE) == []
    assert problem(store) is None


def test_a_person_who_asks_has_placed_orders_looked_at_now(store: Store, company: int) -> None:
    calm, troubled, unheard = (want(store, company) for _ in range(3))
    with store.begin() as tx:
        for order in (calm, troubled):
            tx.orders.placed(order.id, f"po-{order.key}", AT)
    for entry in claim(store):
        postpone(store, entry, AT + 60 * MINUTE, None if entry.subject == calm.id else "it asked us to wait")

    with store.begin() as tx:
        tx.outbox.hasten(AT)
    assert [entry.subject for entry in claim(store)] == [calm.id]
    with store.begin() as tx:
        tx.outbox.hasten(AT, troubled.id)
    assert [entry.subject for entry in claim(store)] == [troubled.id]
    assert [entry.subject for entry in claim(store, AT + 60 * MINUTE)] == [calm.id, troubled.id, unheard.id]


# Answers that wait for a person


def hold(store: Store, order: Order, seats: int, day: str | None = None, at: int = AT) -> str:
    with store.begin() as tx:
        tx.lots.lock_pool(order.pool)
        return tx.plans.hold_delivery(order, seats, day, f"{seats} seats, {order.seats} were ordered", at)


def open_holds(store: Store) -> list[tuple[str, str, int, str]]:
    with store.read() as tx:
        return [(plan.company, plan.kind, plan.total, plan.hash) for plan in tx.plans.listing()]


@proves("Z2")
def test_an_answer_that_nobody_ordered_is_held_once(store: Store, company: int) -> None:
    order = want(store, company)
    hash = hold(store, order, 1000)

    assert hold(store, order, 1000) == hash
    assert open_holds(store) == [("contoso", "delivery", 1000, hash)]
    with store.read() as tx:
        [action] = tx.plans.actions(hash, 10)
        assert (action.kind, action.account, action.license) == ("delivery", None, "standard")
        assert action.because == "1000 seats, 10 were ordered"
        assert tx.plans.order_of(tx.plans.held(hash)) == order.id
        assert [entry.what for entry in tx.audit.entries(company)] == ["order.wanted", "plan.held"]


def test_another_answer_takes_the_place_of_the_one_held(store: Store, company: int) -> None:
    order, other = want(store, company), want(store, company)
    first = hold(store, order, 1000)
    second, third = hold(store, order, 0), hold(store, other, 1000)

    assert len({first, second, third, hold(store, other, 1000, "2020-01-01")}) == 4
    assert (0, second) in [(total, hash) for _, _, total, hash in open_holds(store)]
    with store.begin() as tx:
        tx.plans.withdraw_delivery(order, AT)
        tx.plans.withdraw_delivery(order, AT)
    assert [total for _, _, total, _ in open_holds(store)] == [1000]


@proves("Z1")
def test_an_approval_is_of_this_very_answer(store: Store, company: int) -> None:
    order = want(store, company)
    hash = hold(store, order, 1000, "2027-11-01")
    with store.begin() as tx:
        assert tx.plans.delivery_approved(order, 1000, "2027-11-01") is None
        tx.plans.approve(tx.plans.held(hash), KIM, AT)

    with store.read() as tx:
        assert tx.plans.delivery_approved(order, 1000, "2027-11-01") == KIM
        assert tx.plans.delivery_approved(order, 1001, "2027-11-01") is None
        assert tx.plans.delivery_approved(order, 1000, None) is None


@proves("Z1")
def test_a_rejected_answer_is_not_held_again(store: Store, company: int) -> None:
    order = want(store, company)
    hash = hold(store, order, 1000)
    with store.begin() as tx:
        tx.plans.reject(tx.plans.held(hash), KIM, AT)
    hold(store, order, 1000)
    assert open_holds(store) == []

    with store.begin() as tx:
        tx.plans.reopen(hash, KIM, AT)
    hold(store, order, 1000)
    assert [found for *_, found in open_holds(store)] == [hash]


# A refusal that stands


@proves("P7")
def test_a_refusal_stands_until_it_is_reopened_or_the_policy_changes(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    order = want(store, company)
    with store.begin() as tx:
        tx.versions.store_good("contoso", "company: contoso", "contoso.yaml", None, AT)
        assert not tx.orders.refused(company)
        tx.orders.failed(order.id, "card_declined", AT)
        assert tx.orders.refused(company) and not tx.orders.refused(other)
        tx.versions.store_good("contoso", "company: contoso", "contoso.yaml", None, AT + MINUTE)
        assert tx.orders.refused(company)
        tx.versions.store_good("contoso", "company: contoso # another card", "contoso.yaml", None, AT + MINUTE)
        assert not tx.orders.refused(company)

    again = want(store, company, now=AT + 2 * MINUTE)
    with store.begin() as tx:
        tx.orders.failed(again.id, "card_declined", AT + 2 * MINUTE)
        assert tx.orders.refused(company)
        tx.orders.reopen(again.id, KIM, AT + 3 * MINUTE)
        assert not tx.orders.refused(company)
