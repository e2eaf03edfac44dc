"""Databases that end a transaction, or cannot go on: that is nobody's fault who works with them (Z5, Z9)."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import monotonic

import psycopg.errors
import pytest
from sqlalchemy import exc

from store.connections import was_ended
from store.engine import Store, open_store
from tests.proves import proves
from tests.services.waiting import until

MANY = 40
"""More than any process has threads that ask an embedded store at once."""


@pytest.fixture
def postgresql(fresh_postgres: str) -> Iterator[Store]:
    opened = open_store(fresh_postgres)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(fresh_sqlite: str) -> Iterator[Store]:
    opened = open_store(fresh_sqlite, pool_size=16)
    yield opened
    opened.close()


def raised(work: Callable[[], object]) -> Exception:
    with pytest.raises(exc.SQLAlchemyError) as caught:
        work()
    return caught.value


@proves("Z5", "Z9")
def test_who_said_nothing_for_too_long_in_a_transaction_was_ended_by_the_database(postgresql: Store) -> None:
    def falls_asleep() -> None:
        with postgresql.begin() as tx:
            tx.execute("SET idle_in_transaction_session_timeout = 10")
            mine = tx.execute("SELECT pg_backend_pid()").scalar_one()
            until(lambda: not alive(mine))
            tx.execute("SELECT 1")

    def alive(pid: int) -> bool:
        with postgresql.read() as tx:
            return bool(tx.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid", {"pid": pid}).scalar_one())

    assert was_ended(raised(falls_asleep)) is not None


@proves("Z9")
def test_of_two_who_wait_for_each_other_the_one_that_is_ended_is_not_to_blame(postgresql: Store) -> None:
    both = threading.Barrier(2)

    def locks(first: int, second: int) -> Exception | None:
        try:
            with postgresql.begin() as tx:
                tx.execute("SET LOCAL deadlock_timeout = 10")
                tx.execute("SELECT pg_advisory_xact_lock(:key)", {"key": first})
                both.wait()
                tx.execute("SELECT pg_advisory_xact_lock(:key)", {"key": second})
        except exc.SQLAlchemyError as problem:
            return problem
        return None

    with ThreadPoolExecutor(2) as pool:
        ended = [problem for problem in pool.map(locks, (1, 2), (2, 1)) if problem is not None]
    assert [said for problem in ended if (said := was_ended(problem))] == ["deadlock detected"]


@proves("Z9")
@pytest.mark.parametrize(
    "problem", [psycopg.errors.DiskFull, psycopg.errors.TooManyConnections, psycopg.errors.LockNotAvailable]
)
def test_a_server_that_has_no_room_is_to_blame_itself(problem: type[psycopg.Error]) -> None:
    assert was_ended(exc.OperationalError("UPDATE", {}, problem("there is no room"))) == "there is no room"


@proves("Z9")
def test_who_waits_in_vain_for_a_busy_file_is_not_to_blame(sqlite: Store) -> None:
    with sqlite.read() as waits:
        waits.execute("SELECT 1")
        with sqlite.begin() as tx:
            tx.execute("SELECT 1")
            waits.connection.connection.driver_connection.execute("PRAGMA busy_timeout = 1")  # type: ignore[union-attr]
            said = was_ended(raised(lambda: waits.execute("DELETE FROM process")))
    assert said == "database is locked"


def test_a_statement_that_is_wrong_is_our_fault(postgresql: Store, sqlite: Store) -> None:
    for store in (postgresql, sqlite):
        with store.read() as tx:
            assert was_ended(raised(lambda tx=tx: tx.execute("SELECT nothing FROM nowhere"))) is None  # type: ignore[misc]


@proves("Z9")
def test_an_embedded_store_has_a_connection_for_every_thread(sqlite: Store) -> None:
    """Those who wait for the one that writes hold up nobody who reads."""
    began = monotonic()
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(sqlite.read())
    assert monotonic() - began < 25


@proves("Z9")
def test_a_server_that_vanishes_is_noticed_in_half_a_minute(postgresql: Store) -> None:
    """A machine that is gone says nothing: whoever waits for its answer would wait for hours."""
    with postgresql.read() as tx:
        raw: psycopg.Connection = tx.connection.connection.driver_connection  # type: ignore[assignment]
        said = raw.info.get_parameters()
    assert {name: said[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives_idle")} == {
        "connect_timeout": "10", "tcp_user_timeout": "30000", "keepalives_idle": "10",
    }  # fmt: skip
    assert int(said["keepalives_idle"]) + int(said["keepalives_interval"]) * int(said["keepalives_count"]) <= 30
    assert said["target_session_attrs"] == "read-write", "a standby that was the primary is not held on to"


def test_what_the_url_says_of_connections_comes_first(fresh_postgres: str) -> None:
    mark = "&" if "?" in fresh_postgres else "?"
    opened = open_store(f"{fresh_postgres}{mark}connect_timeout=3&tcp_user_timeout=7000")
    with opened.read() as tx:
        raw: psycopg.Connection = tx.connection.connection.driver_connection  # type: ignore[assignment]
        said = raw.info.get_parameters()
    opened.close()
    assert (said["connect_timeout"], said["tcp_user_timeout"], said["keepalives_idle"]) == ("3", "7000", "10")
