"""What nobody waits for: times that a wrong clock wrote, and locks of machines that are gone."""

from datetime import UTC, datetime, timedelta

from store.engine import Store, open_store
from store.set_back import set_back
from store.times import micros
from tests.proves import proves

NOW = micros(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
HOUR = 3_600_000_000
LEASE, CLAIM = timedelta(minutes=2), timedelta(minutes=10)


@proves("Z9")
def test_what_a_clock_that_was_ahead_has_written_is_due_now(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.execute("UPDATE directory SET due_at = :then, lease_until = :then", {"then": NOW + HOUR})
        tx.duties.take("pools", "ops:1", NOW + HOUR, NOW + HOUR)
        assert set_back(tx, NOW, LEASE, CLAIM) == 4
        assert [due.directory for due in tx.leases.due(NOW + 120_000_000, 9, read_whole_before=0)] == [directory]
        assert tx.duties.is_due("pools", "ops:2", NOW + 120_000_000)
        assert set_back(tx, NOW, LEASE, CLAIM) == 0, "and nothing is moved twice"


@proves("Z9")
def test_who_fails_keeps_the_time_at_which_it_is_tried_again(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.directories.failed(directory, NOW, "no consent", "ask for it", retry_at=NOW + HOUR)
        assert set_back(tx, NOW, LEASE, CLAIM) == 0


def test_a_machine_that_is_gone_in_a_transaction_loses_its_locks_in_a_minute(fresh_postgres: str) -> None:
    store = open_store(fresh_postgres)
    with store.begin() as tx:
        assert tx.execute("SHOW idle_in_transaction_session_timeout").scalar_one() == "1min"
    store.close()
