"""One run per directory at a time, across machines, and no write without the lease (Z5)."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import Habits
from store.errors import LeaseLost
from tests.proves import proves
from tests.worker.world import LEASE_RUNS_OUT, Customer, World, in_world, open_app
from worker.crew import Crew
from worker.held import LEASE
from worker.pace import Pace
from worker.telemetry import Telemetry

STAFF = "- {name: staff, groups: [Staff], license: standard}"


def prepared(world: World, contoso: Customer) -> None:
    contoso.crowd(3)
    world.add_lot("standard", 3)
    contoso.policy(STAFF)


@proves("Z5")
def test_a_second_worker_finds_the_directory_busy(world: World, contoso: Customer) -> None:
    """Accident 23: overlapping runs fought each other."""
    prepared(world, contoso)
    second = open_app(world.app.settings, world.clock)
    outcomes = []
    world.restart(lambda step: outcomes.append(contoso.sync(app=second).outcome) if step == "merged" else None)
    assert contoso.sync().outcome == "applied"
    assert outcomes == ["busy"]
    assert contoso.sync(app=second).outcome == "nothing_to_do"
    second.close()
    assert world.happened()["license.assigned"] == 3


@proves("Z5", "Z6")
@pytest.mark.parametrize("step", ["page", "staged", "pulled", "merged"])
def test_a_worker_that_lost_its_lease_cannot_write(world: World, contoso: Customer, step: str) -> None:
    prepared(world, contoso)
    contoso.tenant.habits = Habits(page_size=1)
    second = open_app(world.app.settings, world.clock)
    taken_over: list[str] = []

    def sleeps_too_long(name: str) -> None:
        if name == step and not taken_over:
            taken_over.append(name)
            world.later(LEASE_RUNS_OUT)
            contoso.hire("Zoe")
            assert contoso.sync(app=second).outcome == "applied"
            world.later(minutes=1)

    world.restart(sleeps_too_long)
    result = contoso.sync()
    second.close()
    assert taken_over, "the step exists"
    assert result.outcome == "failed" and result.error is not None
    assert world.happened()["license.assigned"] == 3
    assert "Zoe" in contoso.states()
    assert contoso.settle().outcome == "nothing_to_do"
    assert world.is_sound()


@proves("Z5")
def test_while_the_plan_is_applied_nobody_can_take_over(world: World, contoso: Customer) -> None:
    """What is checked under a lock holds until the transaction ends, so a lease that runs out meanwhile is no harm."""
    prepared(world, contoso)
    world.restart(lambda step: world.later(LEASE_RUNS_OUT) if step == "planned" else None)
    assert contoso.sync().outcome == "applied"


@proves("Z5")
def test_a_lease_is_renewed_while_a_long_walk_goes_on(world: World, contoso: Customer) -> None:
    prepared(world, contoso)
    second = open_app(world.app.settings, world.clock)
    outcomes = []

    def takes_its_time(step: str) -> None:
        if step in ("page", "group page", "resolve"):
            world.later(LEASE * 0.6)
            outcomes.append(contoso.sync(app=second).outcome)

    contoso.tenant.habits = Habits(page_size=1)
    world.restart(takes_its_time)
    result = contoso.sync()
    second.close()
    assert result.outcome == "applied", result
    assert len(outcomes) > 3 and set(outcomes) == {"busy"}


@proves("Z5")
def test_a_process_that_died_keeps_its_directory_for_two_minutes_and_no_longer(world: World, contoso: Customer) -> None:
    prepared(world, contoso)

    class Died(BaseException):
        """The process is gone."""

    def die(step: str) -> None:
        if step == "pulled":
            raise Died

    world.restart(die)
    with pytest.raises(Died):
        contoso.sync()
    world.restart()
    assert contoso.sync().outcome == "busy"
    world.later(LEASE)
    assert contoso.sync().outcome == "applied"


@proves("Z5")
def test_fencing_numbers_only_grow(world: World, contoso: Customer) -> None:
    prepared(world, contoso)
    for _ in range(3):
        contoso.sync()
        world.later(minutes=1)
    assert world.one("SELECT fence FROM directory") == 3
    with world.store.begin() as tx:
        lease = tx.leases.take(contoso.key, "somebody", 0, LEASE)
        assert lease is not None and lease.fence == 4
        with pytest.raises(LeaseLost):
            tx.leases.check(lease._replace(fence=3), 0)


@pytest.fixture
def many(tmp_path: Path, fresh_postgres: str) -> Iterator[World]:
    """An installation of several machines."""
    yield from in_world(tmp_path, fresh_postgres)


def frozen_in_the_middle_of_its_plan(world: World, contoso: Customer, *, taken_over: bool) -> None:
    """A worker's pass stands still in a transaction until the database ends it, and goes on then."""
    prepared(world, contoso)
    second = open_app(world.app.settings, world.clock)
    frozen: list[str] = []

    def freeze(step: str) -> None:
        if step != "planned" or frozen:
            return
        frozen.append(step)
        with second.store.begin() as tx:
            tx.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        if taken_over:
            world.later(LEASE_RUNS_OUT)
            assert contoso.sync(app=second).outcome == "applied"

    world.restart(freeze)
    crew = Crew(world.app, Pace(threads=2, long=1), Telemetry())
    crew.take_on([contoso.key], False)
    assert crew.stop(30) and frozen
    second.close()


@proves("Z5")
def test_a_worker_that_wakes_up_too_late_says_so_and_leaves_the_work_to_others(
    many: World, caplog: pytest.LogCaptureFixture
) -> None:
    contoso = many.customer()
    frozen_in_the_middle_of_its_plan(many, contoso, taken_over=True)
    [said] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.exc_info is None
    assert "contoso-m365 lost its lease, and is left to whoever has it now" in said.message
    assert (contoso.row().state, contoso.row().problem) == ("healthy", None)
    assert many.happened()["license.assigned"] == 3 and many.is_sound()


@proves("Z5", "Z9")
def test_a_pass_whose_transaction_the_database_ended_is_done_again_and_its_directory_is_not_to_blame(
    many: World, caplog: pytest.LogCaptureFixture
) -> None:
    contoso = many.customer()
    frozen_in_the_middle_of_its_plan(many, contoso, taken_over=False)
    [said] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.exc_info is None and "the database" in said.message and "again" in said.message
    row = contoso.row()
    assert (row.state, row.problem, row.due_at > many.clock().timestamp() * 1_000_000) == ("never_run", None, True)
    many.later(minutes=2)
    assert contoso.sync().outcome == "applied"
    assert many.happened()["license.assigned"] == 3 and many.is_sound()
