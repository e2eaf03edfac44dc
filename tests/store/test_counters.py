"""Counters and limits that the database itself keeps: `lot.held` (L3), one license an account (L2), the counts."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError

from store.engine import Store
from store.transaction import Transaction
from tests.examples import share
from tests.proves import proves
from tests.store.conftest import add_company

ACCOUNTS, COMPANIES, LOTS = st.integers(1, 8), st.integers(1, 2), st.integers(1, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("assign"), ACCOUNTS, COMPANIES, st.none() | LOTS, st.sampled_from(["rule:a", "manual"])),
        st.tuples(st.just("move"), ACCOUNTS, COMPANIES, st.none() | LOTS, st.sampled_from(["rule:a", "manual"])),
        st.tuples(st.just("take"), ACCOUNTS),
        st.tuples(st.just("take all of"), COMPANIES),
        st.tuples(st.just("license"), ACCOUNTS, COMPANIES, LOTS),
        st.tuples(st.just("exchange"), ACCOUNTS, LOTS),
        st.tuples(st.just("take from"), ACCOUNTS),
        st.tuples(st.just("wait"), ACCOUNTS, COMPANIES, st.sampled_from(["insufficient_licenses", "entitlement"])),
        st.tuples(st.just("wait for"), ACCOUNTS, st.sampled_from(["insufficient_licenses", "entitlement"])),
        st.tuples(st.just("served"), ACCOUNTS),
    ),
    max_size=12,
)


def add_lots(tx: Transaction, *seats: int) -> None:
    for key, number in enumerate(seats, 1):
        tx.execute(
            "INSERT INTO lot (key, id, pool, license, seats, term, starts_at)"
            " VALUES (:key, :id, 0, 'standard', :seats, 'yearly', 0)",
            {"key": key, "id": f"lot-{key}", "seats": number},
        )


def assign(tx: Transaction, account: int, company: int, lot: int | None, source: str = "rule:a") -> None:
    tx.execute(
        "INSERT INTO assignment (account, company, directory, license, through, lot, source, because, since)"
        " VALUES (:account, :company, 1, 'standard', :through, :lot, :source, 'because', 0)",
        {"account": account, "company": company, "lot": lot, "source": source, "through": through(lot)},
    )


def license_endpoint(tx: Transaction, endpoint: int, company: int, lot: int) -> None:
    tx.execute(
        "INSERT INTO endpoint_assignment (endpoint, company, license, lot, source, because, since)"
        " VALUES (:endpoint, :company, 'standard', :lot, 'manual', 'because', 0)",
        {"endpoint": endpoint, "company": company, "lot": lot},
    )


def through(lot: int | None) -> str:
    return "entitlement" if lot is None else "seat"


def carry_out(tx: Transaction, step: tuple[Any, ...]) -> None:
    verb, first = step[0], step[1]
    if verb == "assign":
        held = tx.execute("SELECT 1 FROM assignment WHERE account = :a", {"a": first}).one_or_none()
        if held is None:
            assign(tx, first, *step[2:])
    elif verb == "move":
        company, lot, source = step[2:]
        tx.execute(
            "UPDATE assignment SET company = :company, lot = :lot, source = :source, through = :through"
            " WHERE account <= :a",
            {"a": first, "company": company, "lot": lot, "source": source, "through": through(lot)},
        )
    elif verb in ("take", "served"):
        table = "assignment" if verb == "take" else "waiting"
        tx.execute(f"DELETE FROM {table} WHERE account = :a", {"a": first})
    elif verb == "license":
        held = tx.execute("SELECT 1 FROM endpoint_assignment WHERE endpoint = :a", {"a": first}).one_or_none()
        if held is None:
            license_endpoint(tx, first, *step[2:])
    elif verb == "exchange":
        tx.execute("UPDATE endpoint_assignment SET lot = :lot WHERE endpoint <= :a", {"a": first, "lot": step[2]})
    elif verb == "take from":
        tx.execute("DELETE FROM endpoint_assignment WHERE endpoint = :a", {"a": first})
    elif verb == "take all of":
        tx.execute("DELETE FROM assignment WHERE company = :c", {"c": first})
    elif verb == "wait":
        tx.execute(
            "INSERT INTO waiting (account, company, directory, license, through, rank, rule_position, rule, since,"
            " address, id, reason, kind, source, because) VALUES (:a, :c, 1, 'standard', 'seat', 30, 0, 'a', 0, '', '',"
            " :reason, 'assign', 'rule:a', '') ON CONFLICT (account) DO NOTHING",
            {"a": first, "c": step[2], "reason": step[3]},
        )
    else:
        tx.execute("UPDATE waiting SET reason = :reason WHERE account >= :a", {"a": first, "reason": step[2]})


HELD = (
    "(SELECT company, license, through, lot, source FROM assignment UNION ALL"
    " SELECT company, license, through, lot, source FROM endpoint_assignment) AS h"
)
COUNTED = {
    "SELECT key, held FROM lot WHERE held <> 0 ORDER BY key":
        f"SELECT lot, count(*) FROM {HELD} WHERE lot IS NOT NULL GROUP BY lot ORDER BY lot",
    "SELECT company, license, through, lot, source, held FROM holding_count WHERE held <> 0"
    " ORDER BY company, license, through, lot, source":
        f"SELECT company, license, through, coalesce(lot, 0), source, count(*) FROM {HELD}"
        " GROUP BY company, license, through, lot, source ORDER BY company, license, through, coalesce(lot, 0), source",
    "SELECT company, reason, n FROM waiting_count WHERE n <> 0 ORDER BY company, reason":
        "SELECT company, reason, count(*) FROM waiting GROUP BY company, reason ORDER BY company, reason",
}  # fmt: skip


@proves("L3")
@given(STEPS)
@settings(max_examples=share(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counters_are_true_whatever_is_written(store: Store, steps: list[tuple[Any, ...]]) -> None:
    with store.begin() as tx:
        for table in ("assignment", "endpoint_assignment", "waiting", "lot"):
            tx.execute(f"DELETE FROM {table}")
        add_lots(tx, 16, 16, 16)
    for step in steps:
        with store.begin() as tx:
            carry_out(tx, step)
    with store.read() as tx:
        for counter, counted in COUNTED.items():
            assert tx.execute(counter).all() == tx.execute(counted).all(), counter


@proves("L3")
def test_a_lot_never_has_more_seats_held_than_it_has(store: Store) -> None:
    company = add_company(store, "contoso")
    with store.begin() as tx:
        add_lots(tx, 2)
        assign(tx, 1, company, 1)
        assign(tx, 2, company, 1)
    with pytest.raises(IntegrityError), store.begin() as tx:
        assign(tx, 3, company, 1)
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.execute("UPDATE lot SET seats = 1")
    with store.read() as tx:
        assert tx.execute("SELECT held FROM lot").scalar_one() == 2
        assert tx.execute("SELECT count(*) FROM assignment").scalar_one() == 2


@proves("L3")
def test_a_whole_set_of_seats_beyond_the_lot_is_refused_whole(store: Store) -> None:
    company = add_company(store, "contoso")
    with store.begin() as tx:
        add_lots(tx, 2)
    columns = ("account", "company", "directory", "license", "through", "lot", "source", "because", "since")
    rows = [(n, company, 1, "standard", "seat", 1, "rule:a", "", 0) for n in range(3)]
    with pytest.raises(Exception, match="held_within_seats"), store.begin() as tx:
        tx.copy("assignment", columns, rows)
    with store.read() as tx:
        assert tx.execute("SELECT held FROM lot").scalar_one() == 0


@proves("L2")
def test_an_account_holds_one_license_at_a_time(store: Store) -> None:
    company = add_company(store, "contoso")
    with store.begin() as tx:
        add_lots(tx, 2, 2)
        assign(tx, 1, company, 1)
    with pytest.raises(IntegrityError), store.begin() as tx:
        assign(tx, 1, company, 2)
    with store.read() as tx:
        assert tx.execute("SELECT lot FROM assignment").all() == [(1,)]


@proves("L2", "L3")
def test_endpoints_hold_one_license_each_and_share_the_seats_of_a_lot_with_accounts(store: Store) -> None:
    company = add_company(store, "contoso")
    with store.begin() as tx:
        add_lots(tx, 2, 2)
        assign(tx, 1, company, 1)
        license_endpoint(tx, 1, company, 1)
    with pytest.raises(IntegrityError), store.begin() as tx:
        license_endpoint(tx, 2, company, 1)
    with pytest.raises(IntegrityError), store.begin() as tx:
        license_endpoint(tx, 1, company, 2)
    with store.read() as tx:
        assert tx.execute("SELECT held FROM lot ORDER BY key").all() == [(2,), (0,)]


def test_a_seat_names_its_lot_and_an_entitlement_has_none(store: Store) -> None:
    company = add_company(store, "contoso")
    with store.begin() as tx:
        add_lots(tx, 2)
        assign(tx, 1, company, 1)
    with pytest.raises(DBAPIError), store.begin() as tx:
        tx.execute("UPDATE assignment SET lot = NULL")
