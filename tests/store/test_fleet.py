"""What schedulers and workers share by way of the store: who runs, who does what, what is due, and who waits for it."""

from datetime import timedelta

import pytest

from store.engine import Store
from store.leases import Due, Idle
from store.processes import SCHEDULER, UP, WORKER, Process
from tests.proves import proves
from tests.store.conftest import add_directory

SECOND = 1_000_000
NOW = 1_000_000 * SECOND
LEASE = timedelta(seconds=60)


def process(name: str, role: str, seen_at: int = NOW) -> Process:
    return Process(name, role, "1.0", NOW - SECOND, seen_at)


@pytest.mark.parametrize(
    ("roles", "runs"),
    [([], False), ([UP], True), ([WORKER], False), ([SCHEDULER], False), ([SCHEDULER, WORKER, WORKER], True)],
)
def test_a_daemon_runs_where_somebody_says_what_is_due_and_somebody_does_it(
    store: Store, roles: list[str], runs: bool
) -> None:
    with store.begin() as tx:
        for number, role in enumerate(roles):
            tx.processes.beat(process(f"{role}-{number}", role))
        assert tx.processes.daemon_runs(NOW + 10 * SECOND) is runs
        assert not tx.processes.daemon_runs(NOW + 30 * SECOND), "one that is silent is gone"


def test_a_process_that_has_been_silent_for_an_hour_is_forgotten(store: Store) -> None:
    with store.begin() as tx:
        tx.processes.beat(process("old", UP))
        tx.processes.beat(process("new", UP, NOW + 3_601 * SECOND))
        assert [row.name for row in tx.processes.running(NOW)] == ["new"]


@proves("Z4")
def test_a_duty_stays_with_whoever_took_it_until_that_one_is_silent(store: Store) -> None:
    with store.begin() as tx:
        assert tx.duties.is_due("policies", "one", NOW)
        assert tx.duties.take("policies", "one", NOW, NOW + 30 * SECOND)
        tx.duties.done("policies", "one", NOW + SECOND, NOW + 10 * SECOND, NOW + 30 * SECOND)
        later = NOW + 11 * SECOND
        assert tx.duties.is_due("policies", "one", later) and not tx.duties.is_due("policies", "two", later)
        assert not tx.duties.take("policies", "two", later, later + 30 * SECOND)
        assert tx.duties.take("policies", "one", later, later + 30 * SECOND)
        assert tx.duties.take("policies", "two", later + 31 * SECOND, later + 60 * SECOND)


@proves("Z4")
def test_a_duty_that_takes_long_stays_with_whoever_is_at_it_and_is_heard_of(store: Store) -> None:
    with store.begin() as tx:
        tx.duties.take("policies", "one", NOW, NOW + 20 * SECOND)
        tx.duties.keep("one", NOW + 39 * SECOND)
        assert not tx.duties.take("policies", "two", NOW + 30 * SECOND, NOW + 50 * SECOND)
        tx.duties.done("policies", "one", NOW + 31 * SECOND, NOW + 40 * SECOND, NOW + 60 * SECOND)
        tx.duties.keep("one", NOW + 90 * SECOND)
        assert tx.duties.is_due("policies", "one", NOW + 40 * SECOND), "what is done is left as it is"
        assert tx.duties.take("policies", "two", NOW + 61 * SECOND, NOW + 90 * SECOND)


def test_a_duty_that_somebody_asks_for_is_due_at_once_and_once_more_if_it_is_being_done(store: Store) -> None:
    with store.begin() as tx:
        tx.duties.take("policies", "one", NOW, NOW + 30 * SECOND)
        tx.duties.ask("policies", NOW + 1)
        tx.duties.done("policies", "one", NOW + 2, NOW + 60 * SECOND, NOW + 60 * SECOND)
        assert tx.duties.take("policies", "one", NOW + 3, NOW + 30 * SECOND)
        tx.duties.done("policies", "one", NOW + 4, NOW + 60 * SECOND, NOW + 60 * SECOND)
        assert not tx.duties.is_due("policies", "one", NOW + 5)
        tx.duties.ask("policies", NOW + 6)
        assert tx.duties.is_due("policies", "one", NOW + 6)


def test_who_leaves_lets_others_take_over_at_once(store: Store) -> None:
    with store.begin() as tx:
        tx.duties.take("policies", "one", NOW, NOW + 30 * SECOND)
        tx.duties.leave("one")
        assert tx.duties.take("policies", "two", NOW + 1, NOW + 30 * SECOND)


@proves("Z5", "Z9")
def test_what_is_due_is_told_by_all_and_taken_by_one(store: Store, company: int, directory: int) -> None:
    read = add_directory(store, company, "read")
    asked = add_directory(store, company, "asked")
    with store.begin() as tx:
        tx.execute(
            "UPDATE directory SET cursor = 'c', read_whole_at = :now WHERE key <> :new", {"now": NOW, "new": directory}
        )
        tx.directories.ask(asked, NOW)
        tx.execute("UPDATE directory SET due_at = :later WHERE id = 'read'", {"later": NOW - SECOND})
        due = tx.leases.due(NOW, 10, read_whole_before=NOW)
        assert due == [Due(asked, 0, False), Due(read, NOW - SECOND, False), Due(directory, 0, True)]
        first = tx.leases.take_due([asked, read], "one", NOW, LEASE)
        assert {lease.directory for lease in first} == {asked, read}
        second = tx.leases.take_due([asked, read, directory], "two", NOW, LEASE)
        assert [lease.directory for lease in second] == [directory]
        assert tx.leases.due(NOW, 10, read_whole_before=NOW) == []


@proves("Z9")
def test_however_many_fail_or_are_new_those_that_are_read_in_a_moment_are_told(store: Store, company: int) -> None:
    """Three thousand customers whose consent was withdrawn at once are due for hours."""
    failing = [add_directory(store, company, f"failing-{n}") for n in range(5)]
    whole, short = add_directory(store, company, "whole"), add_directory(store, company, "short")
    with store.begin() as tx:
        tx.execute("UPDATE directory SET cursor = 'c', read_whole_at = :now, due_at = :now", {"now": NOW})
        tx.execute("UPDATE directory SET state = 'failing', due_at = 0 WHERE id LIKE 'failing%'")
        tx.execute("UPDATE directory SET read_whole_at = 0 WHERE key = :key", {"key": whole})
        due = tx.leases.due(NOW, 3, read_whole_before=NOW)
    assert due == [Due(short, NOW, False), Due(whole, NOW, True), *(Due(key, 0, True) for key in failing[:2])]


@proves("Z5")
def test_leases_are_kept_by_their_owner_alone(store: Store, directory: int) -> None:
    with store.begin() as tx:
        [lease] = tx.leases.take_due([directory], "one", NOW, LEASE)
        later = NOW + 50 * SECOND
        tx.leases.keep([directory], "two", later, LEASE)
        tx.leases.keep([directory], "one", later, LEASE)
        assert tx.leases.take_due([directory], "two", later + 59 * SECOND, LEASE) == []
        assert tx.leases.take_due([directory], "two", later + 60 * SECOND, LEASE) != []
        assert not tx.leases.held(lease)


@proves("Z5", "Z12")
def test_many_idle_passes_end_at_once_and_one_that_lost_its_lease_keeps_nothing(store: Store, company: int) -> None:
    keys = [add_directory(store, company, f"d{number}") for number in range(3)]
    with store.begin() as tx:
        leases = tx.leases.take_due(keys, "one", NOW, LEASE)
        tx.execute("UPDATE directory SET fence = fence + 1 WHERE key = :key", {"key": keys[1]})
        tx.leases.release_all_idle([Idle(lease, NOW, "c", "g", NOW + SECOND) for lease in leases])
        rows = [tx.directories.by_key(key) for key in keys]
    assert [(row.cursor, row.groups_cursor, row.due_at) for row in rows] == [
        ("c", "g", NOW + SECOND), (None, None, 0), ("c", "g", NOW + SECOND),
    ]  # fmt: skip


@proves("Z5", "Z9", "Z12")
def test_idle_passes_that_end_at_once_end_as_each_would_alone(store: Store, company: int) -> None:
    """In any order; some lost, some asked for before they began or meanwhile, some without a read or a cursor."""
    keys = {
        name: add_directory(store, company, name) for name in ("plain", "lost", "given", "asked", "wished", "unread")
    }
    with store.begin() as tx:
        tx.directories.ask(keys["asked"], NOW - SECOND)
        leases = {lease.directory: lease for lease in tx.leases.take_due(list(keys.values()), "one", NOW, LEASE)}
        tx.directories.ask(keys["wished"], NOW + SECOND)
        tx.execute("UPDATE directory SET fence = fence + 1 WHERE key = :key", {"key": keys["lost"]})
        tx.execute("UPDATE directory SET lease_owner = 'two' WHERE key = :key", {"key": keys["given"]})
    ended = [
        Idle(leases[key], NOW + 2 * SECOND, '{"link": "https://a\\b/\u00e9"}', None, NOW + 9 * SECOND, name != "unread")
        for name, key in keys.items()
    ]
    with store.begin() as tx:
        assert tx.leases.release_all_idle(ended[::-1]) == 4
        assert tx.leases.release_all_idle(ended) == 0, "they are nobody's now"
        assert tx.leases.release_all_idle([]) == 0
        rows = {name: tx.directories.by_key(key) for name, key in keys.items()}
        told = dict(map(tuple, tx.execute("SELECT id, lease_owner FROM directory")))
    assert {name: (row.due_at, row.asked_at, row.last_success) for name, row in rows.items()} == {
        "plain": (NOW + 9 * SECOND, None, NOW + 2 * SECOND),
        "lost": (0, None, None),
        "given": (0, None, None),
        "asked": (NOW + 9 * SECOND, None, NOW + 2 * SECOND),
        "wished": (NOW + SECOND, NOW + SECOND, NOW + 2 * SECOND),
        "unread": (NOW + 9 * SECOND, None, None),
    }
    assert {name for name, row in rows.items() if row.cursor == '{"link": "https://a\\b/\u00e9"}'} == keys.keys() - {
        "lost", "given",
    }  # fmt: skip
    assert told == {**dict.fromkeys(keys), "lost": "one", "given": "two"}


@proves("Z5", "Z9")
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_passes_that_end_wait_for_nobody_who_works_on_a_directory_that_was_lost(store: Store, company: int) -> None:
    """Whoever took it over may have it locked for minutes, and may wait for one of ours."""
    keys = [add_directory(store, company, f"d{number}") for number in range(2)]
    with store.begin() as tx:
        leases = tx.leases.take_due(keys, "one", NOW, LEASE)
    with store.begin() as tx:
        [taken] = tx.leases.take_due(keys[:1], "two", NOW + 60 * SECOND, LEASE)
    with store.begin() as other, store.begin() as tx:
        other.leases.check(taken, NOW + 61 * SECOND)
        tx.execute("SET LOCAL lock_timeout = '2s'")
        assert tx.leases.release_all_idle([Idle(lease, NOW, "c", "g", NOW + SECOND) for lease in leases]) == 1


def test_a_waiter_hears_of_passes_that_began_after_it_asked(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.waiters.put("w", directory, NOW)
        tx.waiters.tell(directory, "reading", 5_000)
        tx.waiters.answer(directory, NOW - 1, "{}")
        assert tx.waiters.heard("w") == ("reading", 5_000, None)
        tx.waiters.answer(directory, NOW, "{}")
        assert tx.waiters.heard("w") == ("reading", 5_000, "{}")
        tx.waiters.put("w", directory, NOW + 1)
        assert tx.waiters.heard("w") == (None, 0, None)
        tx.waiters.forget(NOW + 2, timedelta(hours=1))
        tx.waiters.leave(["w"])
        assert tx.waiters.heard("w") is None


def test_a_directory_that_should_have_been_run_long_ago_is_told(store: Store, directory: int) -> None:
    late = NOW - 601 * SECOND
    with store.begin() as tx:
        tx.execute("UPDATE directory SET due_at = :late", {"late": late})
        assert tx.views.stuck(NOW) == ["contoso-m365"]
        assert tx.views.stuck(NOW - 2 * SECOND) == []
        gauges = tx.views.gauges(NOW)
        assert (gauges.due, gauges.backlog, gauges.stuck) == (1, 601 * SECOND, 1)
        assert gauges.directories == {"never_run": 1}
        tx.leases.take_due([directory], "one", NOW, LEASE)
        assert tx.views.gauges(NOW)[5:8] == (0, 0, 0), "somebody works on it"
