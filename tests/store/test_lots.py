"""Lots: which seats there are, which are free, and which is used first."""

from datetime import date

import pytest

from store.engine import Store
from store.errors import NotFound
from store.lots import LotRow, day_after, start_of
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW, add_company

AT = micros(NOW)
DAY = 86_400_000_000


def add(store: Store, seats: int = 10, *, expires_at: int | None = None, starts_at: int = AT, pool: int = 0,
        term: str = "yearly", license: str = "standard") -> LotRow:  # fmt: skip
    with store.begin() as tx:
        return tx.lots.add(
            pool=pool, license=license, seats=seats, term=term, starts_at=starts_at, expires_at=expires_at,
            who="cli:kim@host", now=AT, because="bought",
        )  # fmt: skip


def hold(store: Store, lot: LotRow, company: int, accounts: range) -> None:
    with store.begin() as tx:
        tx.copy(
            "assignment",
            ("account", "company", "directory", "license", "through", "lot", "source", "because", "since"),
            [(n, company, 1, lot.license, "seat", lot.key, "rule:a", "", 0) for n in accounts],
        )


@proves("M4")
def test_the_lot_that_ends_first_is_used_first(store: Store) -> None:
    never, late, soon, same = (add(store, expires_at=end) for end in (None, AT + 9 * DAY, AT + DAY, AT + DAY))
    add(store, expires_at=AT)  # over
    add(store, starts_at=AT + 1)  # not yet
    add(store, license="archived")
    add(store, pool=add_company(store, "contoso"))
    with store.begin() as tx:
        tx.lots.lock_pool(0)
        assert [lot.id for lot in tx.lots.free_seats(0, "standard", AT)] == [soon.id, same.id, late.id, never.id]


def test_a_lot_without_a_free_seat_is_not_offered(store: Store, company: int) -> None:
    lot = add(store, 2)
    hold(store, lot, company, range(1))
    with store.read() as tx:
        assert [(free.key, free.free) for free in tx.lots.free_seats(0, "standard", AT)] == [(lot.key, 1)]
    hold(store, lot, company, range(1, 2))
    with store.read() as tx:
        assert tx.lots.free_seats(0, "standard", AT) == []


def test_stock_counts_lots_that_are_valid_and_holders_of_those_that_ended(store: Store, company: int) -> None:
    valid, ending = add(store, 10), add(store, 5, expires_at=AT + DAY)
    hold(store, valid, company, range(3))
    hold(store, ending, company, range(10, 14))
    with store.read() as tx:
        assert tx.lots.stock(0, "standard", AT) == (15, 7, 8, 0)
        assert tx.lots.stock(0, "standard", AT + DAY) == (10, 3, 7, 4)
        assert tx.lots.stock(0, "archived", AT) == (0, 0, 0, 0)


@proves("S1")
def test_purchased_seats_entitle_and_trial_ones_only_where_it_is_said(store: Store) -> None:
    own = add_company(store, "fabrikam")
    other = add_company(store, "woodgrove")
    bought, trial, ended = (
        add(store, 10, pool=own),
        add(store, 4, pool=own, term="trial"),
        add(store, 7, pool=own, expires_at=AT + DAY),
    )
    for n, (lot, company, seats) in enumerate([(bought, own, 3), (trial, own, 2), (ended, own, 5), (bought, other, 1)]):
        hold(store, lot, company, range(100 * n, 100 * n + seats))
    later = AT + 2 * DAY
    with store.read() as tx:
        assert [tx.lots.purchased(own, "standard", at, trial=False) for at in (AT, later)] == [17, 10]
        assert tx.lots.purchased(own, "standard", AT, trial=True) == 21
        assert [tx.lots.purchased_held(own, "standard", at, trial=False) for at in (AT, later)] == [8, 3]
        assert tx.lots.purchased_held(own, "standard", later, trial=True) == 5
        assert tx.lots.purchased_held(other, "standard", AT, trial=True) == 1
        assert tx.lots.purchased_held(other, "archived", AT, trial=True) == 0


@proves("P5")
def test_a_lot_is_valid_through_its_last_day(store: Store) -> None:
    end = day_after(date(2026, 11, 30))
    lot = add(store, expires_at=end, starts_at=start_of(date(2026, 11, 1)))
    with store.read() as tx:
        assert [free.id for free in tx.lots.free_seats(0, "standard", end - 1)] == [lot.id]
        assert tx.lots.free_seats(0, "standard", end) == []
        [listed] = tx.lots.listing(end - 1)
    assert (listed.starts, listed.expires, listed.free) == ("2026-11-01", "2026-11-30", 10)


def test_lots_are_listed_as_scripts_read_them(store: Store) -> None:
    own = add_company(store, "fabrikam")
    lot = add(store, 8, pool=own, expires_at=AT + 3 * DAY)
    hold(store, lot, own, range(3))
    add(store, license="archived")
    with store.read() as tx:
        everything = tx.lots.listing(AT)
        [listed] = tx.lots.listing(AT, pool=own)
        assert [found.license for found in everything] == ["archived", "standard"]
        assert tx.lots.listing(AT, ending_before=AT + 30 * DAY) == [listed]
        assert tx.lots.listing(AT, ending_before=AT + DAY) == []
        assert tx.lots.listing(AT + 9 * DAY, pool=own)[0].free == 0
    assert listed.id == lot.id and listed.id.startswith("lot-")
    assert (listed.pool, listed.company, listed.seats, listed.held, listed.free) == ("own", "fabrikam", 8, 3, 5)
    assert (listed.term, listed.renews, listed.ref) == ("yearly", True, None)
    assert (everything[0].pool, everything[0].company, everything[0].expires) == ("global", None, None)


@proves("A1")
def test_a_lot_is_recorded_in_the_chain_of_its_pool(store: Store) -> None:
    own = add_company(store, "fabrikam")
    lots = {0: add(store), own: add(store, pool=own)}
    with store.read() as tx:
        for pool, lot in lots.items():
            [entry] = tx.audit.entries(pool)
            assert (entry.what, entry.who, entry.subject, entry.because) == (
                "lot.added", "cli:kim@host", lot.id, "bought",
            )  # fmt: skip
            assert (entry.after["seats"], entry.after["license"]) == (10, "standard")
            assert tx.lots.by_id(lot.id) == lot


def test_a_pool_or_lot_that_is_not_there_is_not_found(store: Store) -> None:
    with store.begin() as tx:
        with pytest.raises(NotFound, match="no pool 99"):
            tx.lots.lock_pool(99)
        with pytest.raises(NotFound, match="no lot 'lot-0'"):
            tx.lots.by_id("lot-0")
        assert tx.lots.of_order("order-0") is None
