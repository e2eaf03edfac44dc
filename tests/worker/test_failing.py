"""A directory that fails says what is wrong and what to do, and delays no other (Z9, Z10)."""

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, Fault, Habits
from store.leases import Lease
from tests.connectors.test_ahead import are_ahead
from tests.proves import proves
from tests.worker.world import Customer, World
from worker.errors import Stopped
from worker.operations.syncing import Asked, sync
from worker.telemetry import Telemetry

STAFF = "- {name: staff, groups: [Staff], license: standard}"


def minutes_until_due(customer: Customer) -> float:
    return float(customer.row().due_at / 60_000_000 - customer.world.clock().timestamp() / 60)


@proves("Z9")
def test_a_directory_that_fails_says_what_to_do_and_leaves_others_alone(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    for customer in (contoso, fabrikam):
        customer.crowd(2)
        customer.policy(STAFF)
        customer.sync()
    contoso.tenant.withdraw_consent(SIMULATED_CLIENT_ID)
    world.later(hours=2)
    failed, well = contoso.sync(), fabrikam.sync()
    assert failed.outcome == "failed"
    row = contoso.row()
    assert row.state == "failing"
    assert row.problem == failed.error is not None
    assert row.remedy == failed.remedy is not None and "consent" in row.remedy
    assert row.failing_since is not None
    assert (well.outcome, fabrikam.row().state) == ("nothing_to_do", "healthy")
    world.add_lot("standard", 4)
    assert (len(contoso.licenses()), len(fabrikam.licenses())) == (0, 2)


@proves("Z9")
def test_it_is_retried_with_growing_delay_and_told_once(world: World, contoso: Customer) -> None:
    contoso.crowd(1)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.revoke("User.Read.All")
    world.later(hours=2)
    delays = []
    for _ in range(9):
        contoso.sync()
        delays.append(minutes_until_due(contoso))
        world.later(minutes=delays[-1])
    assert delays == sorted(delays) and delays[0] < 2 and 59 < delays[-1] < 70
    assert world.happened()["directory.failing"] == 1
    contoso.tenant.grant("User.Read.All")
    contoso.sync()
    assert minutes_until_due(contoso) <= 1
    assert (contoso.row().state, contoso.row().failures) == ("healthy", 0)
    assert world.happened()["directory.recovered"] == 1


@proves("Z9")
def test_what_the_vendor_asks_for_is_waited_for(world: World, contoso: Customer) -> None:
    contoso.crowd(1)
    contoso.policy(STAFF)
    contoso.sync()
    world.simulator.order(Fault("throttle", "/users/delta", retry_after=7200))
    contoso.sync()
    assert minutes_until_due(contoso) >= 120


@proves("Z9")
def test_a_first_read_that_fails_leaves_a_directory_that_can_begin_anew(world: World, contoso: Customer) -> None:
    contoso.crowd(2)
    contoso.tenant.revoke("User.Read.All")
    contoso.policy(STAFF)
    assert contoso.sync().outcome == "failed"
    assert (contoso.row().state, contoso.states()) == ("failing", {})
    contoso.tenant.grant("User.Read.All")
    world.later(hours=2)
    contoso.sync()
    assert (contoso.row().state, len(contoso.waiting())) == ("healthy", 2)


@proves("Z10")
@pytest.mark.parametrize("step", ["leased", "page", "group page", "mailboxes", "pulled", "merged", "planned"])
def test_a_stop_takes_effect_before_the_next_write(world: World, contoso: Customer, step: str) -> None:
    contoso.crowd(3)
    world.add_lot("standard", 3)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.habits = Habits(page_size=1)
    contoso.hire("Ada", "Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    before = world.outcome()
    app = world.restart()
    stopping = app.stopping
    world.restart(lambda name: stopping.set() if name == step else None)
    object.__setattr__(world.app, "stopping", stopping)
    result = contoso.sync()
    assert result.outcome == "failed" and result.error is not None and "stop" in result.error
    assert are_ahead() == [], "what was asked for ahead is over, too"
    changed = {what for what, rows in world.outcome().items() if rows != before[what]}
    assert changed <= ({"mirror", "memberships", "unplanned"} if step in ("merged", "planned") else set())
    row = contoso.row()
    assert (row.state, row.failures) == ("healthy", 0), "nothing is wrong with the directory"
    stopping.clear()
    world.restart()
    contoso.sync()
    assert contoso.waiting() == {"Zoe": "insufficient_licenses"}


@pytest.mark.parametrize("step", ["page", "group page"])
def test_a_pass_that_ends_in_a_way_nobody_foresaw_asks_for_nothing_more(
    world: World, contoso: Customer, step: str
) -> None:
    """Not even while its problem is known, which may be long: problems that know themselves are seldom found."""
    contoso.crowd(3)
    contoso.group("Guests", "Person 000")
    contoso.tenant.habits = Habits(page_size=1)
    contoso.policy(f"{STAFF}\n- {{name: guests, groups: [Guests], license: standard}}")

    def breaks(name: str) -> None:
        if name == step:
            raise ZeroDivisionError

    world.restart(breaks)
    with pytest.raises(ZeroDivisionError) as known:
        contoso.sync()
    assert known.tb is not None
    assert are_ahead() == []


@proves("Z10")
def test_a_stop_while_a_request_is_retried_is_no_failure_of_the_directory(wire: World) -> None:
    contoso = wire.customer()
    contoso.crowd(1)
    contoso.policy(STAFF)
    contoso.sync()
    stopping = wire.restart().stopping
    wire.simulator.order(Fault("throttle", "/users/delta", times=None, retry_after=5))
    object.__setattr__(wire.app, "sleep", lambda _seconds: stopping.set())
    result = contoso.sync()
    assert (result.outcome, result.error) == ("failed", Stopped.TOLD)
    assert (contoso.row().state, contoso.row().problem) == ("healthy", None)


@proves("Z10")
def test_a_run_that_was_told_to_stop_is_nothing_to_warn_of(wire: World, caplog: pytest.LogCaptureFixture) -> None:
    contoso = wire.customer()
    contoso.crowd(1)
    contoso.policy(STAFF)
    row, stopping = contoso.row(), threading.Event()
    wire.restart(lambda name: stopping.set() if name == "pulled" else None)
    object.__setattr__(wire.app, "stopping", stopping)
    caplog.set_level(logging.INFO, "worker.telemetry")
    with Telemetry().run(row, Lease(row.key, "one", 1, 0, 0)) as told:
        told(contoso.sync())
    [said] = [record for record in caplog.records if record.name == "worker.telemetry"]
    assert (said.getMessage(), said.levelno) == ("run ended: failed", logging.INFO)


@proves("Z10")
def test_a_stop_after_the_last_write_is_too_late_to_matter(wire: World) -> None:
    contoso = wire.customer()
    contoso.crowd(1)
    wire.add_lot("standard", 1)
    contoso.policy(STAFF)
    stopping = threading.Event()
    wire.restart(lambda name: stopping.set() if name == "applied" else None)
    object.__setattr__(wire.app, "stopping", stopping)
    assert contoso.sync().outcome == "applied"


@proves("Z9")
def test_a_run_of_more_than_four_hours_ends_and_the_next_one_goes_on(world: World, contoso: Customer) -> None:
    contoso.tenant.habits = Habits(page_size=1)
    contoso.crowd(3)
    contoso.policy(STAFF)
    world.add_lot("standard", 3)

    def slow(step: str) -> None:
        if step == "pulled":
            world.clock.advance(timedelta(hours=4, minutes=1))

    result = contoso.sync(app=replace(world.app, mark=slow))
    assert result.outcome == "failed" and result.error is not None
    assert result.error.startswith("the run took longer than four hours; it goes on when it is due again")
    assert contoso.licenses() == {} and contoso.row().state == "failing"
    world.later(hours=1)
    assert contoso.sync().outcome == "applied"
    assert len(contoso.licenses()) == 3


@proves("Z9")
def test_many_directories_at_once_do_not_disturb_each_other(world: World, contoso: Customer) -> None:
    customers = [contoso, *(world.customer(f"customer-{n}") for n in range(3))]
    for customer in customers:
        customer.crowd(4)
        customer.policy(STAFF)
    customers[1].tenant.revoke("User.Read.All")
    world.add_lot("standard", 9)
    results = {}

    def run(customer: Customer) -> None:
        results[customer.id] = sync(world.app, customer.directory, Asked()).outcome

    threads = [threading.Thread(target=run, args=[customer]) for customer in customers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[customer.id] for customer in customers] == ["applied", "failed", "applied", "applied"]
    assert sum(len(customer.licenses()) for customer in customers) == 9
    assert sum(len(customer.waiting()) for customer in customers) == 3
    assert world.is_sound()


@proves("Z9")
def test_what_a_clock_that_moves_on_makes_of_tokens_and_cursors_is_overcome(wire: World) -> None:
    contoso = wire.customer()
    contoso.crowd(2)
    wire.add_lot("standard", 3)
    contoso.policy(STAFF)
    contoso.sync()
    for days in (0.1, 1, 8):
        wire.later(timedelta(days=days))
        contoso.hire(f"After {days}")
        contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people[f"After {days}"])
        contoso.sync()
        assert contoso.row().state == "healthy"
    assert len(contoso.licenses()) == 3
