"""Passes asked for by messages, in this process and over Redis: they carry an id, and may be lost or doubled."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from sqlalchemy.exc import DBAPIError

from store.leases import Due, Lease
from tests.proves import proves
from tests.worker.world import Customer, World, open_app
from worker import crew
from worker.actors import Actors, declare
from worker.broker import LONG, OLDEST, SHORT, close, open_broker, waiting
from worker.crew import Crew, Slots
from worker.handing_back import HandingBack
from worker.operations.runs import RunResult
from worker.pace import Pace
from worker.scheduler import Scheduler, portions
from worker.telemetry import Telemetry

RULES = """
- {name: staff, groups: [Staff], license: standard}
- {name: shared, mailboxes: shared, license: standard}
"""
PATIENCE = 100_000
PACE = Pace(threads=4, long=2)
AT_WORK: list[Crew] = []


@pytest.fixture(params=["in this process", "redis"])
def broker(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    """A broker of each kind."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    opened = open_broker(url)
    if isinstance(opened, StubBroker):
        opened.fail_fast_default = False  # as with Redis, nobody who waits for the others hears of one that failed
    yield opened
    close(opened)


@pytest.fixture
def actors(broker: dramatiq.Broker) -> Actors:
    """The actors on that broker, for whoever is at work when a message comes."""
    return declare(broker, lambda directories, long: AT_WORK[-1].take_on(directories, long))


@contextmanager
def working(world: World, broker: dramatiq.Broker) -> Iterator[None]:
    """Workers at their work, until the block is left and the runs have ended."""
    crew = Crew(world.app, PACE, Telemetry())
    AT_WORK.append(crew)
    lines = [dramatiq.Worker(broker, queues={queue}, worker_timeout=20, worker_threads=2) for queue in (SHORT, LONG)]
    for line in lines:
        line.start()
    try:
        yield
        for queue in (SHORT, LONG):
            broker.join(queue, timeout=PATIENCE)
    finally:
        for line in lines:
            line.stop()
        assert crew.stop(PATIENCE)


def prepared(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.mailbox("Careers")
    world.add_lot("standard", 3)
    contoso.policy(RULES, purchasing="{standard: {auto: true}}")


@proves("Z6", "P2")
def test_a_pass_by_message_ends_as_one_that_was_called(
    world: World,
    contoso: Customer,
    broker: dramatiq.Broker,
    actors: Actors,
    database_url: str,
    copied: Callable[[str], str],
) -> None:
    """Accident 24: the queue delivered a message twice."""
    prepared(world, contoso)
    world.app.close()
    called = replace(world, app=open_app(replace(world.app.settings, database_url=copied(database_url)), world.clock))
    replace(contoso, world=called).settle()
    expected = called.outcome()
    called.app.close()
    for _ in range(4):
        with working(world, broker):
            for actor in (actors.sync, actors.sync_long, actors.sync):
                actor.send([contoso.key])
        world.later(minutes=1)
    assert world.outcome() == expected
    assert len(world.orders()) == 1
    assert world.is_sound()


@proves("Z9")
def test_one_message_that_fails_keeps_no_other_from_being_worked_on(
    world: World, contoso: Customer, broker: dramatiq.Broker, actors: Actors
) -> None:
    fabrikam = world.customer("fabrikam")
    prepared(world, contoso)
    fabrikam.policy(RULES)
    fabrikam.tenant.revoke("User.Read.All")
    with working(world, broker):
        actors.sync.send(["this is no key"])
        actors.sync.send([10_000, fabrikam.key, contoso.key])
    assert (fabrikam.row().state, contoso.row().state) == ("failing", "healthy")
    assert len(contoso.licenses()) == 4


@proves("Z7")
def test_a_message_that_is_lost_loses_nothing(
    world: World, contoso: Customer, broker: dramatiq.Broker, actors: Actors
) -> None:
    prepared(world, contoso)
    scheduler = Scheduler(world.app, broker, actors, PACE)
    scheduler.look()
    assert waiting(broker, LONG) == 1
    broker.flush_all()
    world.later(seconds=5)
    scheduler.look()
    assert waiting(broker, LONG) == 0, "it was said already"
    world.later(PACE.again)
    scheduler.look()
    assert waiting(broker, LONG) == 1
    with working(world, broker):
        pass
    assert len(contoso.licenses()) == 4


@proves("Z7")
def test_messages_that_nobody_has_worked_on_are_kept_nowhere(
    broker: dramatiq.Broker, actors: Actors, world: World
) -> None:
    """They would be for a week in Redis, and for ever in this process."""
    with working(world, broker):
        for _ in range(3):
            actors.sync.send(None)
    if isinstance(broker, StubBroker):
        assert broker.dead_letters == []
    else:
        assert broker.dead_message_ttl <= OLDEST  # type: ignore[attr-defined]


def test_redis_is_not_asked_for_messages_that_were_delayed(broker: dramatiq.Broker, actors: Actors) -> None:
    """There are none, and each queue of them would be asked for a dozen times a second."""
    assert broker.get_declared_delay_queues() == set()


@proves("Z7", "Z9")
def test_of_two_schedulers_one_speaks_and_the_other_takes_over(
    world: World, contoso: Customer, broker: dramatiq.Broker, actors: Actors
) -> None:
    prepared(world, contoso)
    second = open_app(world.app.settings, world.clock)
    one, two = (Scheduler(app, broker, actors, PACE) for app in (world.app, second))
    one.look()
    two.look()
    assert waiting(broker, LONG) == 1
    world.later(PACE.silent * 2)
    two.look()
    assert waiting(broker, LONG) == 2
    second.close()


@pytest.mark.parametrize(
    ("due", "sizes"), [(0, []), (1, [1]), (40, [40]), (45, [45]), (61, [30, 31]), (77, [38, 39]), (85, [42, 43])]
)
def test_what_is_due_is_said_at_once_and_no_small_rest_by_itself(due: int, sizes: list[int]) -> None:
    said = portions([Due(key, 0, long=False) for key in range(due)], 40)
    assert [len(portion) for portion in said] == sizes
    assert [one.directory for portion in said for one in portion] == list(range(due))


@proves("Z9")
def test_long_passes_leave_threads_to_short_ones() -> None:
    slots = Slots(4, 2)
    assert slots.reserve(10, long=True, timeout=0) == 2
    assert slots.reserve(10, long=True, timeout=0) == 0
    assert slots.reserve(10, long=False, timeout=0) == 2
    slots.give_back(1, long=True)
    assert slots.reserve(10, long=False, timeout=0) == 1
    assert slots.reserve(10, long=True, timeout=0) == 0, "as many are at work as there may be"


def test_directories_are_begun_together_where_threads_come_free_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    slots, lingered = Slots(4, 4), list[float]()
    assert slots.reserve(4, long=False, timeout=0) == 4
    slots.give_back(1, long=False)

    def others_come_free(seconds: float) -> None:
        lingered.append(seconds)
        slots.give_back(3, long=False)

    monkeypatch.setattr(crew, "time", SimpleNamespace(sleep=others_come_free))
    assert slots.reserve(4, long=False, timeout=0, linger=0.5) == 4
    assert lingered == [0.5]


@proves("Z12")
@pytest.mark.slow
def test_a_thousand_idle_passes_of_a_crew_leave_no_row_behind(wire: World) -> None:
    customers = [wire.customer(f"company-{number}") for number in range(10)]
    for customer in customers:
        customer.crowd(2)
        customer.policy(RULES)
        customer.settle()
    before = wire.sizes()
    handing_back = HandingBack(wire.store, PACE)
    crew = Crew(replace(wire.app, hand_back=handing_back.add), PACE, Telemetry())
    keys = [customer.key for customer in customers]
    polls = wire.one("SELECT sum(fence) FROM directory")
    for _ in range(100):
        wire.later(minutes=1)
        crew.take_on(keys, False)
        while wire.one("SELECT count(*) FROM directory WHERE lease_until > 0"):
            handing_back.write()
    assert crew.stop(PATIENCE)
    assert wire.one("SELECT sum(fence) FROM directory") - polls == 1_000
    assert wire.sizes() == before
    assert wire.is_sound()


@proves("Z9")
def test_passes_that_the_database_could_not_take_back_are_handed_back_when_it_can(wire: World) -> None:
    contoso = wire.customer()
    contoso.crowd(2)
    contoso.policy(RULES)
    contoso.settle()
    wire.later(minutes=1)
    handing_back = HandingBack(wire.store, PACE)
    crew = Crew(replace(wire.app, hand_back=handing_back.add), PACE, Telemetry())
    crew.take_on([contoso.key], False)
    assert crew.stop(PATIENCE)
    with wire.store.begin() as tx:
        tx.execute("ALTER TABLE directory RENAME TO elsewhere")
    with pytest.raises(DBAPIError):
        handing_back.write()
    with wire.store.begin() as tx:
        tx.execute("ALTER TABLE elsewhere RENAME TO directory")
    held = "SELECT count(*) FROM directory WHERE lease_until > 0"
    assert wire.one(held) == 1
    handing_back.write()
    assert wire.one(held) == 0


def test_what_stands_for_days_is_logged_once_and_again_when_it_comes_back(
    world: World, contoso: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    prepared(world, contoso)
    contoso.sync()
    caplog.set_level(logging.INFO, "worker.telemetry")
    telemetry, row = Telemetry(), contoso.row()

    def ends(outcome: str, error: str | None = None, actions: int = 0) -> int:
        """How many lines a run is worth that ends like this."""
        caplog.clear()
        with telemetry.run(row, Lease(row.key, "one", 1, 0, 0)) as told:
            told(RunResult(row.id, f"{row.id}-1", outcome, error=error, actions_total=actions))
        return len(caplog.records)

    suspended = "rule 'staff' is suspended: the group 'Staff' is gone"
    assert [ends("nothing_to_do", suspended) for _ in range(3)] == [1, 0, 0]
    assert ends("nothing_to_do", "rule 'staff' is suspended: the group 'Staff' matches no group") == 1
    assert ends("nothing_to_do") == 0
    assert ends("nothing_to_do", suspended) == 1
    assert [ends("partly_held", actions=1), ends("partly_held", actions=1), ends("partly_held")] == [1, 1, 0]
