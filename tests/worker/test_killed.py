"""Kill a pass wherever it is and start it again: it ends as if nothing had happened (Z6)."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from connectors.simulators.microsoft365 import Fault, Habits
from tests.proves import proves
from tests.worker.dying import die_at
from tests.worker.world import LEASE_RUNS_OUT, PERSON, Customer, World, open_app
from worker.bootstrap import App
from worker.operations.approving import approve
from worker.operations.lots import NewLot, add_lot
from worker.operations.ordering import fulfill_order

pytestmark = pytest.mark.slow

RULES = """
- {name: executives, groups: [Executives], license: standard, limit: 1}
- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}
- {name: guests, groups: [Guests], license: standard}
- {name: shared, mailboxes: shared, license: standard}
"""
Outcome = dict[str, Any]
Copy = Callable[[str], str]


class Killed(BaseException):
    """The process is gone: nothing catches this."""


def prepared(world: World, contoso: Customer) -> None:
    """A tenant of small pages, with less stock than it needs."""
    contoso.tenant.habits = Habits(page_size=3)
    contoso.crowd(6)
    contoso.group("Executives", "Person 005")
    contoso.mailbox("Careers")
    world.add_lot("standard", 4)
    world.add_lot("archived", 1)
    contoso.policy(RULES, purchasing="{standard: {auto: true, pack: 2}, archived: {auto: true}}")


def first_read(world: World, contoso: Customer) -> None:
    """Nothing was read yet; one rule's group is missing, and the list tells somebody twice."""
    prepared(world, contoso)
    world.app.close()
    world.simulator.order(Fault("duplicate", "/users/delta", times=None))


def busy_day(world: World, contoso: Customer) -> None:
    """Hires, a leaver, deletions of both kinds, a converted mailbox, a move between rules, a missing group."""
    prepared(world, contoso)
    contoso.settle()
    contoso.delete("Person 000")
    contoso.tenant.purge_user(contoso.people["Person 001"])
    staff, executives = contoso.tenant.find_group("Staff"), contoso.tenant.find_group("Executives")
    contoso.tenant.remove_member(staff, contoso.people["Person 002"])
    contoso.tenant.convert_mailbox(contoso.people["Person 003"], "shared")
    contoso.tenant.disable(contoso.people["Person 003"])
    contoso.tenant.remove_member(executives, contoso.people["Person 005"])
    contoso.hire("Zoe", "Yan")
    contoso.tenant.add_members(staff, [contoso.people["Zoe"], contoso.people["Yan"]])
    contoso.tenant.add_member(executives, contoso.people["Zoe"])
    world.app.close()


def whole_read(world: World, contoso: Customer) -> None:
    """The same, but everybody is read, and those who are missing have to be looked up."""
    busy_day(world, contoso)


STORIES = [first_read, busy_day, whole_read]


def opened(world: World, url: str, mark: Callable[[str], None] = lambda _step: None) -> World:
    """The same world over another store."""
    return replace(world, app=open_app(replace(world.app.settings, database_url=url), world.clock, mark))


def ended(world: World, contoso: Customer) -> Outcome:
    """How it ends, when passes go on until there is nothing to do."""
    replace(contoso, world=world).settle()
    assert world.is_sound()
    outcome = world.outcome()
    world.app.close()
    return outcome


def differing(one: Outcome, other: Outcome) -> Outcome:
    """What two outcomes do not have in common, for a message that can be read."""
    return {what: (one[what] - other[what], other[what] - one[what]) for what in one if one[what] != other[what]}


def worth_killing_at(world: World, steps: list[str]) -> list[int]:
    """The first and the last step of each name; on PostgreSQL, where a copy of the store takes its time, the first."""
    found = {steps.index(name) for name in steps}
    if world.app.store.dialect.name == "sqlite":
        found |= {len(steps) - 1 - steps[::-1].index(name) for name in steps}
    return sorted(found)


@contextmanager
def killed(app: App, *, before_commit: int) -> Iterator[None]:
    """Kill whoever is about to commit that number of writing transactions; 0 is never."""
    commits = 0

    def on_commit(connection: Any) -> None:
        nonlocal commits
        if connection.get_execution_options().get("seatkeeper_reads"):
            return
        commits += 1
        if commits == before_commit:
            raise Killed

    event.listen(app.store.engine, "commit", on_commit)
    yield
    event.remove(app.store.engine, "commit", on_commit)


@proves("Z6", "Z5", "P2")
@pytest.mark.parametrize("story", STORIES)
def test_a_pass_that_is_killed_at_any_step_ends_as_if_it_had_not_been(
    world: World, contoso: Customer, story: Callable[[World, Customer], None], database_url: str, copied: Copy
) -> None:
    """Accident 19: the cursor was saved before its changes were applied."""
    story(world, contoso)
    steps: list[str] = []
    asked = {"full": story is whole_read}
    calm = opened(world, copied(database_url), steps.append)
    contoso.sync(app=calm.app, **asked)
    undisturbed = ended(calm, contoso)
    assert {"leased", "pulled", "merged", "planned", "applied"} <= set(steps)
    for number in worth_killing_at(world, steps[: steps.index("applied") + 1]):
        left = iter(range(number, -1, -1))

        def mark(_step: str, left: Iterator[int] = left) -> None:
            if next(left, -1) == 0:
                raise Killed

        url = copied(database_url)
        dying = opened(world, url, mark)
        with pytest.raises(Killed):
            contoso.sync(app=dying.app, **asked)
        dying.app.close()
        world.later(LEASE_RUNS_OUT)
        outcome = ended(opened(world, url), contoso)
        assert differing(undisturbed, outcome) == {}, f"killed at step {number}, {steps[number]!r}"


@proves("Z6", "Z2")
def test_a_pass_that_is_killed_before_any_commit_ends_as_if_it_had_not_been(
    world: World, contoso: Customer, database_url: str, copied: Copy
) -> None:
    busy_day(world, contoso)
    undisturbed = ended(opened(world, copied(database_url)), contoso)
    number = 0
    while True:
        number += 1
        url = copied(database_url)
        dying = opened(world, url)
        with killed(dying.app, before_commit=number):
            try:
                contoso.sync(app=dying.app)
            except Killed:
                pass
            else:
                break
        dying.app.close()
        world.later(LEASE_RUNS_OUT)
        outcome = ended(opened(world, url), contoso)
        assert differing(undisturbed, outcome) == {}, f"killed before commit {number}"
    dying.app.close()
    assert number > 3


@proves("Z6", "Z5")
def test_a_process_that_is_really_killed_loses_and_doubles_nothing(
    world: World, contoso: Customer, database_url: str, copied: Copy
) -> None:
    busy_day(world, contoso)
    undisturbed = ended(opened(world, copied(database_url)), contoso)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([die_at.__module__])
    for step in ("page", "merged", "planned", "applied"):
        url = copied(database_url)
        settings = replace(world.app.settings, database_url=url)
        child = processes.Process(target=die_at, args=(step, settings, contoso.directory, world.clock()))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        child.close()
        world.later(LEASE_RUNS_OUT)
        assert differing(undisturbed, ended(opened(world, url), contoso)) == {}, f"killed at {step!r}"


@proves("Z6", "P4")
def test_seats_that_come_are_given_once_or_not_at_all(world: World, contoso: Customer, copied: Copy) -> None:
    prepared(world, contoso)
    contoso.settle()
    assert contoso.waiting() and world.orders()[0][3] == "placed"
    waiting, order = contoso.waiting(), world.one("SELECT id FROM orders WHERE license = 'standard'")
    before = world.outcome()
    for bring in (
        lambda: add_lot(world.app, NewLot("standard", 2, term="perpetual"), PERSON),
        lambda: fulfill_order(world.app, order, PERSON),
    ):
        with killed(world.app, before_commit=1), pytest.raises(Killed):
            bring()
        assert differing(before, world.outcome()) == {}
        assert contoso.waiting() == waiting
    world.fulfill()
    assert "insufficient_licenses" not in contoso.waiting().values()
    assert world.is_sound()


@proves("Z6", "Z1")
def test_an_approval_that_is_killed_is_given_wholly_or_not_at_all(
    world: World, contoso: Customer, database_url: str, copied: Copy
) -> None:
    contoso.crowd(8)
    world.add_lot("standard", 8)
    world.add_lot("archived", 8)
    contoso.policy("- {name: staff, groups: [Staff], license: standard}")
    contoso.settle()
    contoso.delete(*(f"Person {n:03}" for n in range(6)))
    contoso.settle()
    hash = world.hold("archive")
    before = world.outcome()
    for step in ("leased", "planned"):
        dying = opened(world, database_url, lambda name, step=step: _die(name == step))  # type: ignore[misc]
        with pytest.raises(Killed):
            approve(dying.app, hash, PERSON)
        dying.app.close()
        assert differing(before, world.outcome()) == {}
        world.later(LEASE_RUNS_OUT)
    dying = opened(world, database_url, lambda name: _die(name == "applied"))
    with pytest.raises(Killed):
        approve(dying.app, hash, PERSON)
    dying.app.close()
    assert list(contoso.licenses().values()).count("archived") == 6
    assert contoso.settle().outcome == "nothing_to_do"
    assert world.happened()["license.archived"] == 6


def _die(now: bool) -> None:
    if now:
        raise Killed
