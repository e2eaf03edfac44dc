"""What daemons live on goes away and comes back: Redis, PostgreSQL, the disk, the right time, a worker's breath."""

import os
import random
import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from store.schema import metadata
from tests.kill.history import begin, busy_day, hires
from tests.kill.house import House, Ports, a_house
from tests.kill.servers import Killable, a_postgres, a_redis
from tests.proves import proves
from worker.broker import SHORT

pytestmark = pytest.mark.timeout(600)

BEGUN = 9
"""Licenses after the first act."""
LOST = re.compile(r"the lease on .* was lost|is worked on by")
SMALL = 65_536
"""Bytes: the log still has room, and the database has not."""
HOUR = timedelta(hours=1)
FULL = re.compile(r"disk I/O error|disk is full|No space left on device")
"""What SQLite says of a file that cannot grow, and of a disk that has no room; and what PostgreSQL says."""


@contextmanager
def on(folder: Path, database: str, redis_url: str | None, ports: Ports) -> Iterator[House]:
    """A house whose processes run, in which the first act was played."""
    with a_house(folder, database, redis_url, ports) as house:
        begin(house)
        house.start()
        licensed(house, BEGUN)
        yield house


def licensed(house: House, number: int, *, in_real_time: bool = False) -> None:
    """Wait until so many hold a license, and nothing is on order."""
    house.until(
        lambda: len(house.contoso.licenses()) == number and {o[3] for o in house.world.orders()} <= {"fulfilled"},
        lambda: (house.contoso.licenses(), house.world.orders(), house.contoso.row()),
        in_real_time=in_real_time,
    )


def is_whole(house: House) -> None:
    """Nothing was lost or doubled: everybody was licensed once, and outside everything happened once."""
    house.passes()
    assert house.world.is_sound()
    assigned = house.world.rows("SELECT subject FROM audit WHERE what = 'license.assigned'")
    assert len(assigned) == len(set(assigned))
    house.each_effect_once()


@proves("Z7")
def test_redis_that_is_emptied_and_killed_loses_nothing(tmp_path: Path, fresh_postgres: str, ports: Ports) -> None:
    with a_redis() as server, on(tmp_path / "house", fresh_postgres, server.url, ports) as house:
        with redis.Redis.from_url(server.url) as client:
            for _ in range(3):
                lose_messages(house, client)
                house.passes(1)
        server.kill()
        hires(house)
        house.until(lambda: all("check SEATKEEPER_REDIS_URL" in said for said in house.readiness()), house.readiness)
        assert len(house.readiness()) == len(house.roles), "the scheduler says so, and every worker"
        server.start()
        house.until(lambda: house.readiness() == ["ok\n"] * len(house.roles), house.readiness)
        house.may_kill, house.chance = 2, random.Random(1)
        licensed(house, BEGUN + 5)
        is_whole(house)


def lose_messages(house: House, client: "redis.Redis") -> None:
    """Empty Redis while it has messages that nobody has read, since all workers sleep."""
    with house.between_passes():
        for pid in house.pids_of("worker"):
            os.kill(pid, signal.SIGSTOP)
    house.until(lambda: client.llen(f"dramatiq:{SHORT}"), lambda: client.keys("*"), in_real_time=True)
    client.flushall()
    for pid in house.pids_of("worker"):
        os.kill(pid, signal.SIGCONT)


@proves("Z6")
def test_postgres_that_is_killed_or_restarted_in_the_middle_of_everything_loses_and_doubles_nothing(
    tmp_path: Path, redis_url: str, ports: Ports
) -> None:
    with a_postgres() as server, on(tmp_path / "house", server.url, redis_url, ports) as house:
        for step in ("page", "planned", "order leaves", "order answered"):
            house.fate.decide("freeze", step)
        busy_day(house)
        hires(house)
        for number in range(1, 5):
            house.until(lambda: len(house.fate.struck()) >= number, house.fate.struck)  # noqa: B023
            again(server, orderly=number % 2 == 0)
            house.signal(signal.SIGCONT)
        licensed(house, BEGUN + 4)
        assert set(house.ends) <= {0, 1, -signal.SIGKILL}
        is_whole(house)


def again(server: Killable, *, orderly: bool) -> None:
    """Killed, or told to stop at once, which ends connections in another way."""
    (server.stop if orderly else server.kill)()
    server.start()


@proves("Z6", "Z10")
def test_a_full_disk_changes_nothing_is_said_and_is_over_when_there_is_room(tmp_path: Path, ports: Ports) -> None:
    folder = tmp_path / "house"
    with on(folder, f"sqlite:///{folder / 'seatkeeper.db'}", None, ports) as house:
        before = house.outcome()
        [pid] = house.pids
        room = resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL, resource.RLIM_INFINITY))
        hires(house)
        house.until(lambda: FULL.search(house.ready()), lambda: (house.ready(), house.said()[-3:]))
        assert any(FULL.search(str(event["event"])) for event in house.said())
        assert house.outcome() == {**before, "mirror": house.outcome()["mirror"]}
        resource.prlimit(pid, resource.RLIMIT_FSIZE, room)
        house.until(lambda: house.ready() == "ok\n", house.ready)
        licensed(house, BEGUN + 5)
        assert house.ends == [] and house.pids == [pid], "the same process went on"
        is_whole(house)


@contextmanager
def no_room(house: House) -> Iterator[None]:
    """PostgreSQL refuses to write, as it does where its disk is full."""

    def all_tables(statement: str) -> None:
        for table in sorted(metadata.tables):
            with house.world.store.begin() as tx:
                tx.execute(statement.format(table))

    with house.world.store.begin() as tx:
        tx.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
            " 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
    all_tables("CREATE TRIGGER no_room BEFORE INSERT OR UPDATE OR DELETE ON {} EXECUTE FUNCTION no_room()")
    yield
    all_tables("DROP TRIGGER no_room ON {}")


@proves("Z6")
def test_a_database_server_whose_disk_is_full_changes_nothing_and_all_goes_on_when_there_is_room(
    tmp_path: Path, fresh_postgres: str, redis_url: str, ports: Ports
) -> None:
    with on(tmp_path / "house", fresh_postgres, redis_url, ports) as house:
        before, pids = house.outcome(), house.pids
        with no_room(house):
            hires(house)
            house.until(
                lambda: all(FULL.search(said) for said in house.readiness()),
                lambda: (house.readiness(), house.said()[-3:]),
                in_real_time=True,
            )
            assert any(FULL.search(str(event["event"])) for event in house.said())
            assert house.outcome() == before
        house.until(lambda: house.readiness() == ["ok\n"] * len(pids), house.readiness)
        licensed(house, BEGUN + 5)
        assert (house.ends, house.pids) == ([], pids), "the same processes went on"
        assert house.world.happened()["directory.failing"] == 0, "the directory is not to blame"
        is_whole(house)


@proves("Z6", "Z9")
@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_by_an_hour_stops_nobody(
    tmp_path: Path, fresh_postgres: str, redis_url: str, ports: Ports, by: timedelta
) -> None:
    """Who is hired after it gets a license within moments, not within the hour."""
    with on(tmp_path / "house", fresh_postgres, redis_url, ports) as house:
        house.clock.step(by)
        house.contoso.tenant.convert_mailbox(house.contoso.people["Person 003"], "shared")
        house.contoso.tenant.disable(house.contoso.people["Person 003"])
        house.until(lambda: house.contoso.through()["Person 003"] == "entitlement", in_real_time=True)
        house.clock.step(-by)
        hires(house)
        licensed(house, BEGUN + 5, in_real_time=True)
        is_whole(house)


def is_refused(event: dict[str, object]) -> bool:
    """Whether a run that had slept was told so: by the lease, or by the database, where it slept in a transaction."""
    slept_in_transaction = "idle-in-transaction" in str(event.get("traceback"))
    return slept_in_transaction or LOST.search(str(event.get("error"))) is not None


@proves("Z5", "P2", "A2")
def test_whoever_sleeps_beyond_its_lease_and_wakes_up_writes_nothing(
    tmp_path: Path, fresh_postgres: str, redis_url: str, ports: Ports
) -> None:
    """`planned` is in the middle of a transaction: the database ends it, so that nobody waits for its locks."""
    with on(tmp_path / "house", fresh_postgres, redis_url, ports) as house:
        house.roles = ("scheduler", "worker", "worker", "scheduler", "scheduler", "worker")
        house.start()
        steps = {"pulled", "planned", "order leaves", "events sent"}
        for step in steps:
            house.fate.decide("freeze", step)
        hires(house)
        licensed(house, BEGUN + 5)
        house.until(lambda: {step for _, step, _ in house.fate.struck()} == steps, house.fate.struck)
        house.each_effect_once()
        before = house.outcome()
        for _, _, pid in house.fate.struck():
            os.kill(pid, signal.SIGCONT)
        house.until(lambda: any(is_refused(event) for event in house.said()), house.said)
        house.passes()
        assert house.outcome() == before
        assert house.ends == [], "and all of them work on"
        is_whole(house)
