"""Somebody waits for a pass that a daemon makes, whatever becomes of the process that makes it (Z6, Z9)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from store.processes import UP, Process
from store.times import micros
from tests.proves import proves
from tests.worker.test_leases import STAFF, prepared
from tests.worker.world import Customer, World
from worker.crew import Crew
from worker.operations.approving import approve
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked
from worker.operations.through_daemon import Waiting
from worker.pace import Pace
from worker.telemetry import Telemetry

DIED = timedelta(seconds=60)
"""When a directory is due again whose pass ended in a way that nobody foresaw."""


def waits(contoso: Customer, pass_ends: Callable[[], bool]) -> tuple[RunResult, timedelta]:
    """What somebody hears who waits, and after how long; `pass_ends` takes the place of passes until it is done."""
    world, over = contoso.world, False

    def daemon(seconds: float) -> None:
        nonlocal over
        world.later(seconds=seconds)
        now = micros(world.clock())
        with world.store.begin() as tx:
            tx.processes.beat(Process("ops:1", UP, "0", now, now))
        if contoso.row().asked_at is None:
            return
        if not over:
            over = pass_ends()
            return
        crew = Crew(world.app, Pace(threads=2, long=1), Telemetry())
        crew.take_on([contoso.key], False)
        assert crew.stop(60)

    daemon(0)
    began = world.clock()
    app = replace(world.app, sleep=daemon)
    result = Waiting(app, contoso.directory, Asked(), began + timedelta(minutes=10))()
    return result, world.clock() - began


@proves("Z6")
def test_who_waits_for_a_pass_that_died_without_a_word_hears_of_the_next(world: World, contoso: Customer) -> None:
    """As when the database was restarted under it: its directory was handed back, and nobody was told."""
    prepared(world, contoso)

    def dies() -> bool:
        now = micros(world.clock())
        with world.store.begin() as tx:
            [lease] = tx.leases.take_due([contoso.key], "ops:1", now, world.app.lease)
            tx.leases.release(lease, due_at=now + micros_of(DIED))
        return True

    result, waited = waits(contoso, dies)
    assert (result.outcome, len(contoso.licenses())) == ("applied", 3)
    assert waited < timedelta(seconds=15), "and that at once, not when it is due by itself"


@proves("Z6")
def test_who_waits_while_somebody_else_approves_a_hold_hears_of_a_pass_all_the_same(
    world: World, contoso: Customer
) -> None:
    """An approval takes the lease, reads nothing, and answers nobody who waits for a pass."""
    prepared(world, contoso)
    contoso.settle()
    contoso.policy(STAFF, safety="{archive: {most: 0}}")
    contoso.delete("Person 000")
    contoso.sync()
    contoso.hire("Zoe")
    hash = world.hold("archive")

    def approves() -> bool:
        approve(world.app, hash, "cli:kim@ops")
        return True

    result, waited = waits(contoso, approves)
    assert result.outcome != "busy" and "Zoe" in contoso.states()
    assert waited < timedelta(seconds=15)


def micros_of(delay: timedelta) -> int:
    return delay // timedelta(microseconds=1)
