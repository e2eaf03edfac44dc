"""What goes with time in an installation where nothing but a timer runs `sync` (Z12)."""

from datetime import timedelta

from store import housekeeping
from store.housekeeping import Tidied
from store.times import micros
from tests.proves import proves
from tests.worker.world import Customer, World
from worker.operations.on_demand import Wanted, sync_now
from worker.operations.tidying import tidy, tidy_daily

EVERYBODY = "- {name: all, everyone: true, license: standard}"
GONE = ("run", "removal", "movement", "stage", "proposal")
STAYS = ("audit", "feed", "assignment", "policy_version", "usage_day")


def a_month_of_news(world: World, contoso: Customer) -> None:
    """Somebody is hired on every third day, and one walk was left lying."""
    world.add_lot("standard", 100)
    contoso.hire("Ada")
    contoso.policy(EVERYBODY)
    for day in range(10):
        sync_now(world.app, Wanted())
        world.later(days=3)
        contoso.hire(f"Person {day}")
    with world.store.begin() as tx:
        tx.execute("INSERT INTO stage (batch, n, id) VALUES (:batch, 1, 'a')", {"batch": (contoso.key << 32) | 1})


@proves("Z12")
def test_sync_lets_go_once_a_day_what_is_thirty_days_old_and_keeps_the_record(world: World, contoso: Customer) -> None:
    a_month_of_news(world, contoso)
    world.later(days=5)
    before = world.sizes()
    sync_now(world.app, Wanted())
    after = world.sizes()
    assert world.one("SELECT count(*) FROM stage") == 0
    assert world.one("SELECT min(finished_at) FROM run") >= micros(world.clock() - timedelta(days=30))
    assert world.one("SELECT min(at) FROM movement") >= micros(world.clock() - timedelta(days=31))
    assert after["run"] < before["run"]
    assert all(after[table] >= before[table] for table in STAYS)
    assert world.is_sound()
    world.later(days=60)
    sync_now(world.app, Wanted())
    assert {table: world.sizes()[table] for table in GONE} == {"run": 0} | dict.fromkeys(GONE[1:], 0)


@proves("Z12", "Z8")
def test_tidying_is_due_once_a_day_and_otherwise_writes_nothing(world: World) -> None:
    assert tidy_daily(world.app) == Tidied(0, 0, 0, 0)
    before = world.dump()
    world.later(hours=23)
    assert tidy_daily(world.app) is None
    assert world.dump() == before
    world.later(hours=1)
    assert tidy_daily(world.app) == Tidied(0, 0, 0, 0)
    assert world.sizes()["duty"] == 1


def test_who_is_killed_while_tidying_is_followed_within_the_hour(world: World) -> None:
    now = micros(world.clock())
    with world.store.begin() as tx:
        assert tx.duties.take("tidying", "somebody:else", now, now + 3_600_000_000)
    assert tidy_daily(world.app) is None
    world.later(hours=1)
    assert tidy_daily(world.app) is not None


@proves("Z10")
def test_a_stop_ends_it_before_the_next_transaction(world: World) -> None:
    with world.store.begin() as tx:
        tx.execute("INSERT INTO run (id, directory, started_at, finished_at, mode) VALUES ('r', 1, 0, 0, 'full')")
    world.app.stopping.set()
    assert tidy(world.app, micros(world.clock())) == Tidied(0, 0, 0, 0)
    assert world.sizes()["run"] == 1


def test_a_lot_of_it_goes_in_short_transactions(world: World) -> None:
    with world.store.begin() as tx:
        for n in range(5):
            tx.execute(
                "INSERT INTO run (id, directory, started_at, finished_at, mode) VALUES (:id, 1, 0, 0, 'full')",
                {"id": f"r{n}"},
            )
    with world.store.begin() as tx:
        assert housekeeping.tidy(tx, micros(world.clock()), most=2).runs == 2
    assert tidy(world.app, micros(world.clock())).runs == 3
