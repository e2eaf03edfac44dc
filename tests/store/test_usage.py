"""What was held from day to day, against a recount that knows every moment."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.audit import Entry
from store.engine import Store
from store.times import micros, span
from store.transaction import Transaction
from store.usage import DAY, Change, Measure, measured
from tests.examples import share
from tests.proves import proves
from tests.store.conftest import NOW, add_company
from tests.store.test_counters import add_lots, assign

AT = micros(NOW)
TODAY = AT // DAY
HOUR = span(timedelta(hours=1))

STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.tuples(st.integers(1, 6), st.none() | st.just(1)), max_size=4)),
    max_size=8,
)
"""Hours that pass, then one transaction: accounts that get (or lose, where they have it) a seat or an entitlement."""


def record(tx: Transaction, company: int, now: int) -> None:
    tx.audit.append(company, [Entry("system", "license.assigned", "a", None, None, None, None)], now)


def change(store: Store, company: int, accounts: Sequence[tuple[int, int | None]], now: int) -> None:
    """One transaction that gives a license to each of these accounts, or takes the one that it has."""
    with store.begin() as tx:
        for account, lot in accounts:
            if not tx.execute("DELETE FROM assignment WHERE account = :a", {"a": account}).rowcount:
                assign(tx, account, company, lot)
        record(tx, company, now)


def held(store: Store) -> dict[str, int]:
    with store.read() as tx:
        rows = tx.execute("SELECT through, count(*) FROM assignment GROUP BY through").all()
    return {row[0]: row[1] for row in rows}


def usage(store: Store, first: int, last: int) -> dict[str, Measure]:
    with store.read() as tx:
        found = list(tx.usage.between(first, last))
    return {way: measure for _, _, way, measure in found if measure.peak}


def recounted(moments: list[tuple[int, int]], first: int, last: int) -> Measure:
    """Day by day, what was held at its beginning and after each transaction in it."""
    peaks, level = [], 0
    for day in range(first, last + 1):
        before = [n for at, n in moments if at < day * DAY]
        within = [n for at, n in moments if at // DAY == day]
        peaks.append(max([before[-1] if before else 0, *within]))
        level = ([0, *before, *within])[-1]
    return Measure(max(peaks), level, sum(peaks))


@given(STEPS, st.integers(-1, 3), st.integers(0, 9))
@settings(max_examples=share(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_usage_is_what_a_recount_of_every_moment_finds(
    store: Store, steps: list[tuple[int, list[tuple[int, int | None]]]], start: int, days: int
) -> None:
    with store.begin() as tx:
        for table in ("assignment", "holding_count", "usage_day", "lot"):
            tx.execute(f"DELETE FROM {table}")
        company = tx.execute("SELECT max(key) FROM company").scalar_one() or 0
        add_lots(tx, 8)
    company = company or add_company(store, "contoso")
    moments: dict[str, list[tuple[int, int]]] = {"seat": [], "entitlement": []}
    now = AT
    for hours, accounts in steps:
        now += hours * HOUR
        change(store, company, accounts, now)
        for way, seen in moments.items():
            seen.append((now, held(store).get(way, 0)))
    first, last = TODAY + start, TODAY + start + days
    expected = {way: recounted(seen, first, last) for way, seen in moments.items()}
    assert usage(store, first, last) == {way: measure for way, measure in expected.items() if measure.peak}


def test_a_seat_that_changes_hands_within_a_transaction_is_one(store: Store, company: int) -> None:
    with store.begin() as tx:
        add_lots(tx, 8)
    change(store, company, [(1, 1)], AT)
    change(store, company, [(2, 1), (1, 1)], AT)  # the second gets its seat before the first gives it back
    assert usage(store, TODAY, TODAY) == {"seat": Measure(1, 1, 1)}


def test_who_holds_a_seat_of_a_lot_that_ended_stands_apart(store: Store, company: int) -> None:
    with store.begin() as tx:
        add_lots(tx, 8)
    change(store, company, [(1, 1), (2, 1)], AT)
    with store.begin() as tx:
        tx.execute("UPDATE lot SET ended = true")
        record(tx, company, AT + DAY)
    assert usage(store, TODAY, TODAY + 2) == {"seat": Measure(2, 0, 4), "expired": Measure(2, 2, 4)}


@proves("Z8")
def test_what_changes_no_license_writes_no_usage(store: Store, company: int) -> None:
    with store.begin() as tx:
        add_lots(tx, 8)
    change(store, company, [(1, 1)], AT)
    change(store, company, [], AT + DAY)
    with store.read() as tx:
        assert tx.execute("SELECT day, peak, held FROM usage_day").all() == [(TODAY, 1, 1)]


def test_a_clock_that_was_put_back_confuses_no_day(store: Store, company: int) -> None:
    with store.begin() as tx:
        add_lots(tx, 8)
    change(store, company, [(1, 1)], AT)
    change(store, company, [(2, 1), (3, 1)], AT - DAY)
    change(store, company, [(2, 1)], AT)
    assert usage(store, TODAY - 1, TODAY + 1) == {"seat": Measure(3, 2, 5)}


def test_one_company_can_be_asked_for(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    with store.begin() as tx:
        add_lots(tx, 8)
    change(store, company, [(1, 1)], AT)
    change(store, other, [(2, 1)], AT)
    with store.read() as tx:
        companies = [id for id, _, _, measure in tx.usage.between(TODAY, TODAY, other) if measure.peak]
        both = [id for id, _, _, measure in tx.usage.between(TODAY, TODAY) if measure.peak]
        assert tx.usage.untrue() == []
    assert (companies, both) == (["fabrikam"], ["contoso", "fabrikam"])


def test_usage_that_is_not_what_is_held_is_found(store: Store, company: int) -> None:
    with store.begin() as tx:
        add_lots(tx, 8)
        assign(tx, 1, company, 1)  # beside the record, which no code of ours does
    with store.read() as tx:
        assert tx.usage.untrue() == ["contoso"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], Measure(0, 0, 0)),
        ([Change(9, 0, 5)], Measure(5, 5, 15)),  # what was held before, and did not change
        ([Change(9, 0, 5), Change(10, 5, 0)], Measure(5, 0, 5)),
        ([Change(12, 7, 1)], Measure(7, 1, 7)),
        ([Change(9, 0, 2), Change(11, 3, 1)], Measure(3, 1, 2 + 3 + 1)),
    ],
)
def test_a_span_of_three_days(changes: list[Change], expected: Measure) -> None:
    assert measured(changes, 10, 12) == expected
