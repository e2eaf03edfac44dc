"""Leases: one run per directory at a time, and no write by a worker that lost its lease."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from store.engine import Store
from store.errors import LeaseLost
from store.leases import Lease
from store.times import micros, span
from store.transaction import Transaction
from tests.proves import proves
from tests.store.conftest import NOW, add_directory

AT = micros(NOW)
TEN = timedelta(minutes=10)
LATER = AT + span(TEN)


def take(store: Store, directory: int, owner: str, now: int = AT) -> Lease | None:
    with store.begin() as tx:
        return tx.leases.take(directory, owner, now, TEN)


def taken(store: Store, directory: int, owner: str, now: int = AT) -> Lease:
    lease = take(store, directory, owner, now)
    assert lease is not None
    return lease


@proves("Z5")
def test_a_directory_has_one_worker_at_a_time(store: Store, directory: int) -> None:
    lease = taken(store, directory, "one")
    assert take(store, directory, "two") is None
    with store.begin() as tx:
        tx.leases.release(lease)
    assert taken(store, directory, "two").fence == lease.fence + 1


@proves("Z5")
def test_a_worker_that_lost_its_lease_cannot_write(store: Store, directory: int) -> None:
    lost = taken(store, directory, "one")
    taken(store, directory, "two", LATER)
    refusals: tuple[Callable[[Transaction], object], ...] = (
        lambda tx: tx.leases.check(lost, LATER),
        lambda tx: tx.leases.renew(lost, LATER, TEN),
        lambda tx: tx.leases.release(lost),
        lambda tx: tx.leases.release_idle(lost, LATER, "stolen", None, LATER),
    )
    for refused in refusals:
        with pytest.raises(LeaseLost, match="contoso-m365 is worked on by two now"), store.begin() as tx:
            refused(tx)
    with store.read() as tx:
        assert tx.directories.by_key(directory).cursor is None


@proves("Z5")
def test_a_lease_taken_and_given_back_by_another_is_lost_all_the_same(store: Store, directory: int) -> None:
    lost = taken(store, directory, "one")
    again = taken(store, directory, "one", LATER)
    with store.begin() as tx:
        tx.leases.release(again)
    with store.begin() as tx:
        assert not tx.leases.held(lost)
        with pytest.raises(LeaseLost, match="somebody else has worked on it since"):
            tx.leases.check(lost, LATER)


@proves("Z5")
def test_a_lease_that_ran_out_is_good_until_somebody_takes_it(store: Store, directory: int) -> None:
    lease = taken(store, directory, "one")
    with store.begin() as tx:
        tx.leases.check(lease, LATER + 1)
        renewed = tx.leases.renew(lease, LATER, TEN)
    assert renewed.until == LATER + span(TEN)
    assert take(store, directory, "two", LATER) is None


@proves("Z5")
def test_workers_that_claim_at_once_get_different_directories(store: Store, company: int) -> None:
    keys = {add_directory(store, company, f"d{n}") for n in range(30)}
    claimed: list[Lease] = []

    def claim(owner: str) -> None:
        while True:
            with store.begin() as tx:
                due = [one.directory for one in tx.leases.due(AT, 4, read_whole_before=0)]
                claimed.extend(tx.leases.take_due(due, owner, AT, TEN))
            if not due:
                return

    threads = [threading.Thread(target=claim, args=(f"worker-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lease.directory for lease in claimed) == sorted(keys)


def test_the_longest_due_is_told_first_and_the_frozen_never(store: Store, company: int) -> None:
    keys = [add_directory(store, company, f"d{n}") for n in range(5)]
    with store.begin() as tx:
        tx.execute("UPDATE directory SET due_at = :at - key", {"at": AT})
        tx.execute("UPDATE directory SET due_at = :at + 1 WHERE key = :key", {"at": AT, "key": keys[0]})
        tx.execute("UPDATE directory SET state = 'frozen' WHERE key = :key", {"key": keys[1]})
        tx.execute("UPDATE directory SET retired = true WHERE key = :key", {"key": keys[2]})
    with store.begin() as tx:
        due = [one.directory for one in tx.leases.due(AT, 10, read_whole_before=0)]
        assert due == [keys[4], keys[3]]
        claimed = tx.leases.take_due(due, "one", AT, TEN)
    assert {lease.fence for lease in claimed} == {1}
    with store.begin() as tx:
        assert tx.leases.due(AT, 10, read_whole_before=0) == [] == tx.leases.take_due(due, "two", AT, TEN)
        tx.leases.give_back(claimed[1:])
        assert [one.directory for one in tx.leases.due(AT, 10, read_whole_before=0)] == [keys[4]]


def test_an_idle_pass_keeps_its_cursors_and_says_when_it_is_due(store: Store, directory: int) -> None:
    lease = taken(store, directory, "one")
    with store.begin() as tx:
        tx.leases.release_idle(lease, AT + 5, "delta-2", "groups-2", AT + 60)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.cursor, row.groups_cursor, row.last_success, row.due_at) == ("delta-2", "groups-2", AT + 5, AT + 60)
    assert take(store, directory, "two") is not None


@proves("Z9")
def test_a_wish_during_a_pass_makes_the_next_one_due_at_once(store: Store, directory: int) -> None:
    lease = taken(store, directory, "one")
    with store.begin() as tx:
        tx.directories.ask(directory, AT + 7)
        tx.leases.release_idle(lease, AT + 8, None, None, AT + 60)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.due_at, row.asked_at) == (AT + 7, AT + 7)
    lease = taken(store, directory, "one", AT + 9)
    with store.begin() as tx:
        tx.leases.release(lease, due_at=AT + 70)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.due_at, row.asked_at) == (AT + 70, None)
