"""Passes asked for by messages, in this process and over Redis: they carry an id, and may be lost or doubled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from tests.proves import proves
from tests.worker.world import Customer, World, open_app
from worker.actors import Actors, declare
from worker.broker import open_broker
from worker.operations.runs import LEASE
from worker.operations.syncing import sync_leased

RULES = """
- {name: staff, groups: [Staff], license: standard}
- {name: shared, mailboxes: shared, license: standard}
"""
PATIENCE = 30_000


@pytest.fixture(params=["in this process", "redis"])
def broker(request: pytest.FixtureRequest) -> Iterator[dramatiq.Broker]:
    """A broker of each kind."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    opened = open_broker(url)
    if isinstance(opened, StubBroker):
        opened.fail_fast_default = False  # as with Redis, nobody who waits for the others hears of one that failed
    yield opened
    opened.close()


@contextmanager
def working(broker: dramatiq.Broker) -> Iterator[None]:
    """A worker at its work, until the block is left."""
    worker = dramatiq.Worker(broker, worker_timeout=20, worker_threads=4)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def done(broker: dramatiq.Broker, actors: Actors) -> None:
    """Wait until every message was worked on."""
    broker.join(actors.sync_directory.queue_name, timeout=PATIENCE)


def prepared(world: World, contoso: Customer) -> None:
    contoso.crowd(4)
    contoso.mailbox("Careers")
    world.add_lot("standard", 3)
    contoso.policy(RULES, purchasing="{standard: {auto: true}}")


@proves("Z6", "P2")
def test_a_pass_by_message_ends_as_one_that_was_called(
    world: World, contoso: Customer, broker: dramatiq.Broker, database_url: str, copied: Callable[[str], str]
) -> None:
    """Accident 24: the queue delivered a message twice."""
    prepared(world, contoso)
    world.app.close()
    called = replace(world, app=open_app(replace(world.app.settings, database_url=copied(database_url)), world.clock))
    replace(contoso, world=called).settle()
    expected = called.outcome()
    called.app.close()
    actors = declare(world.app, broker)
    with working(broker):
        for _ in range(3):
            actors.sync_directory.send(contoso.directory)
        done(broker, actors)
        for _ in range(2):
            actors.sync_directory.send(contoso.directory)
            done(broker, actors)
    assert world.outcome() == expected
    assert len(world.orders()) == 1
    assert world.is_sound()


@proves("Z9")
def test_one_message_that_fails_keeps_no_other_from_being_worked_on(
    world: World, contoso: Customer, broker: dramatiq.Broker
) -> None:
    fabrikam = world.customer("fabrikam")
    prepared(world, contoso)
    fabrikam.policy(RULES)
    fabrikam.tenant.revoke("User.Read.All")
    actors = declare(world.app, broker)
    with working(broker):
        for directory in ("nobody-knows", fabrikam.directory, contoso.directory):
            actors.sync_directory.send(directory)
        done(broker, actors)
    assert (fabrikam.row().state, contoso.row().state) == ("failing", "healthy")
    assert len(contoso.licenses()) == 4


@proves("Z7")
def test_a_message_that_is_lost_loses_nothing(world: World, contoso: Customer, broker: dramatiq.Broker) -> None:
    prepared(world, contoso)
    actors = declare(world.app, broker)
    actors.sync_directory.send(contoso.directory)
    broker.flush_all()
    with working(broker):
        done(broker, actors)
    assert contoso.licenses() == {}
    with world.store.begin() as tx:
        [lease] = tx.leases.claim_due("a worker", _now(world), 10, LEASE)
    assert sync_leased(world.app, contoso.directory, lease).outcome == "applied"
    assert len(contoso.licenses()) == 4


def _now(world: World) -> int:
    return int(world.clock().timestamp() * 1_000_000)
