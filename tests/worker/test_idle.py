"""A pass with nothing to do asks for changes alone, writes nothing, and leaves no row behind (Z8, Z12)."""

import re

import pytest
from sqlalchemy import event

from connectors.simulators.microsoft365 import Habits
from tests.proves import proves
from tests.worker.world import Customer, World, counted

RULES = """
- {name: staff, groups: [Staff], license: standard, on_leave: release}
- {name: shared, mailboxes: shared, license: standard}
"""
DELTAS = {"GET /users/delta?$deltatoken", "GET /groups/delta?$deltatoken"}


def prepared(world: World, contoso: Customer) -> None:
    """People with licenses, some who wait, one whose grace runs, a deleted one, an order under way."""
    contoso.crowd(5)
    contoso.mailbox("Careers", "Press")
    world.add_lot("standard", 3)
    world.add_lot("archived", 1)
    contoso.policy(RULES, purchasing="{standard: {auto: true}}")
    contoso.sync()
    contoso.delete("Person 000")
    contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Person 001"])
    contoso.sync()
    assert contoso.waiting() and world.orders()


@proves("Z8")
def test_a_second_pass_asks_for_deltas_alone_and_writes_nothing(world: World, contoso: Customer) -> None:
    """Accident 22: every object rewritten at every run."""
    prepared(world, contoso)
    before = world.dump()
    world.simulator.forget_requests()
    world.later(minutes=1)
    result = contoso.sync()
    assert (result.outcome, result.mode, result.seen, result.changed) == ("nothing_to_do", "delta", 0, 0)
    assert set(world.simulator.requests()) == DELTAS
    after = world.dump()
    assert {table for table in before if before[table] != after[table]} == {"directory"}


@proves("Z8")
def test_nested_groups_are_followed_by_deltas_alone_too(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", contoso.group("Engineering", contoso.group("Graph Team", "Ada")))
    world.add_lot("standard", 1)
    contoso.policy(RULES)
    contoso.sync()
    world.simulator.forget_requests()
    world.later(minutes=1)
    assert contoso.sync().outcome == "nothing_to_do"
    assert set(world.simulator.requests()) == DELTAS


@proves("Z8")
def test_a_whole_read_of_an_unchanged_directory_writes_nothing_but_that_it_was_read(
    world: World, contoso: Customer
) -> None:
    prepared(world, contoso)
    before = world.dump()
    world.later(minutes=1)
    result = contoso.sync(full=True, whole=True)
    assert (result.outcome, result.mode, result.changed) == ("nothing_to_do", "full", 0)
    after = world.dump()
    assert {table for table in before if before[table] != after[table]} <= {"directory", "mailbox_queue"}


@proves("Z12")
def test_an_idle_pass_is_two_updates_of_the_directorys_own_row(world: World, contoso: Customer) -> None:
    prepared(world, contoso)
    contoso.settle()
    world.later(minutes=1)
    writes = []

    def seen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA", "SHOW", "SET", "WITH RECURSIVE")):
            writes.append(statement)

    event.listen(world.store.engine, "before_cursor_execute", seen)
    assert contoso.sync().outcome == "nothing_to_do"
    event.remove(world.store.engine, "before_cursor_execute", seen)
    written = [re.findall(r"(UPDATE|INSERT INTO|DELETE FROM) (\w+)", statement) for statement in writes]
    assert written == [[("UPDATE", "directory")]] * 2


@proves("Z12")
@pytest.mark.slow
def test_two_hundred_idle_passes_leave_no_row_behind(wire: World) -> None:
    contoso = wire.customer()
    prepared(wire, contoso)
    contoso.settle()
    before = wire.sizes()
    for _ in range(200):
        wire.later(minutes=1)
        assert contoso.sync().outcome == "nothing_to_do"
    assert wire.sizes() == before
    assert wire.is_sound()


@proves("Z12")
def test_everybody_is_planned_whole_every_day(world: World, contoso: Customer) -> None:
    """Accident 20: drift in the target went unrepaired for ever."""
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(RULES)
    contoso.sync()
    with world.store.begin() as tx:
        tx.execute("DELETE FROM assignment")
    world.later(hours=23)
    contoso.settle()
    assert contoso.licenses() == {}
    world.later(hours=1)
    assert counted(contoso.sync()) == {"assign": 1}


@proves("Z12")
def test_everybody_is_read_whole_every_week(world: World, contoso: Customer) -> None:
    prepared(world, contoso)
    contoso.settle()
    modes = []
    for _ in range(14):
        world.later(days=0.5)
        modes.append(contoso.sync().mode)
    assert "full" not in modes[:11] and modes.count("full") == 1
    with world.store.begin() as tx:
        tx.execute("UPDATE account SET name = 'Somebody Else' WHERE name = 'Person 003'")
    for _ in range(14):
        world.later(days=0.5)
        contoso.sync()
    assert "Person 003" in contoso.states(), "no drift stays"


@proves("Z8")
def test_what_is_told_again_is_no_change(world: World, contoso: Customer) -> None:
    contoso.tenant.habits = Habits(page_size=2, tells_deleted_in_first_round=True)
    prepared(world, contoso)
    contoso.tenant.update_user(contoso.people["Person 002"], usageLocation="NL")
    before = world.record()
    result = contoso.sync(full=True)
    assert (result.outcome, result.changed) == ("nothing_to_do", 0)
    assert world.record() == before
