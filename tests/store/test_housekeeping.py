"""What goes with time, and what stays for good."""

from datetime import timedelta

from store.engine import Store
from store.housekeeping import Tidied, tidy
from store.schema import SEEN
from store.staging import Walk
from store.times import micros, span
from tests.proves import proves
from tests.store.conftest import NOW

AT = micros(NOW)
DAY = span(timedelta(days=1))


def count(store: Store, table: str) -> int:
    with store.read() as tx:
        return int(tx.execute(f"SELECT count(*) FROM {table}").scalar_one())


def tidied(store: Store, now: int = AT) -> Tidied:
    with store.begin() as tx:
        return tidy(tx, now)


@proves("Z12")
def test_finished_runs_go_after_thirty_days(store: Store, directory: int) -> None:
    with store.begin() as tx:
        for n, at in enumerate((AT - 31 * DAY, AT - 29 * DAY)):
            tx.execute(
                "INSERT INTO run (id, directory, started_at, finished_at, mode) VALUES (:id, 1, :at, :at, 'delta')",
                {"id": f"run-{n}", "at": at},
            )
        tx.execute("INSERT INTO run (id, directory, started_at, mode) VALUES ('open', 1, 0, 'full')")
    assert tidied(store).runs == 1
    with store.read() as tx:
        assert tx.execute("SELECT id FROM run ORDER BY id").all() == [("open",), ("run-1",)]


@proves("Z12")
def test_staging_goes_that_no_walk_can_go_on_with(store: Store, directory: int) -> None:
    batches = {fence: (directory << 32) | fence for fence in (1, 2, 3)}
    rows = [(id, *(None,) * (len(SEEN) - 1)) for id in ("a", "b")]
    with store.begin() as tx:
        tx.execute("UPDATE directory SET fence = 3")
        for fence in (1, 2):  # the walk of fence 1 was never written down as one to take up
            tx.staging.add(directory, Walk(batches[fence], "next", 0, True, AT - DAY), rows)
        tx.staging.add_edges(batches[1], [("group", "a", "account", False)], 0)
        tx.staging.add_edges(batches[3], [("group", "a", "account", False)], 0)
    assert [tidied(store).staged for _ in range(2)] == [3, 0]
    with store.read() as tx:
        assert tx.execute("SELECT DISTINCT batch FROM stage").all() == [(batches[2],)]
        assert tx.execute("SELECT DISTINCT batch FROM stage_edge").all() == [(batches[3],)]
        assert tx.staging.under_way(directory) is not None
    assert tidied(store, AT + 30 * DAY).staged == 2
    assert (count(store, "stage"), count(store, "pull")) == (0, 0)


@proves("Z12")
def test_what_limits_counted_goes_when_no_limit_looks_back_so_far(store: Store, company: int) -> None:
    with store.begin() as tx:
        for at in (AT - 32 * DAY, AT - DAY):
            tx.execute(
                "INSERT INTO removal (company, kind, license, at, n) VALUES (:c, 'archive', 'standard', :at, 1)",
                {"c": company, "at": at},
            )
            tx.execute(
                "INSERT INTO movement (company, license, at, change) VALUES (:c, 'standard', :at, 1)",
                {"c": company, "at": at},
            )
    assert tidied(store).counts == 2
    assert (count(store, "removal"), count(store, "movement")) == (1, 1)


@proves("Z12")
def test_plans_that_were_replaced_lose_their_actions_and_those_that_stand_do_not(store: Store, company: int) -> None:
    with store.begin() as tx:
        for key, (state, since) in enumerate(
            [("superseded", AT - 31 * DAY), ("superseded", AT - DAY), ("held", AT - 90 * DAY), ("rejected", 0)], 1
        ):
            tx.execute(
                "INSERT INTO plan (key, hash, company, kind, state, total, since)"
                " VALUES (:key, 'h', :company, 'archive', :state, 1, :since)",
                {"key": key, "company": company, "state": state, "since": since},
            )
            tx.execute(
                "INSERT INTO plan_action (plan, account, kind, rule, because, address, id, footing)"
                " VALUES (:key, 1, 'archive', '', '', '', '', '')",
                {"key": key},
            )
    assert tidied(store).actions == 1
    assert count(store, "plan") == 4
    with store.read() as tx:
        assert tx.execute("SELECT plan FROM plan_action ORDER BY plan").all() == [(2,), (3,), (4,)]


@proves("Z12", "Z8")
def test_with_nothing_to_tidy_nothing_goes(store: Store, directory: int) -> None:
    assert tidied(store) == (0, 0, 0, 0)
