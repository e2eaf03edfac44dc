"""A crash of the database server empties what is unlogged there, also under a run that goes on after it (Z2)."""

from dataclasses import replace

import pytest

from connectors.simulators.microsoft365 import Habits
from store.schema import UNLOGGED
from tests.proves import proves
from tests.worker.test_killed import differing
from tests.worker.world import Customer, World

RULES = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"


@proves("Z2", "Z6")
@pytest.mark.parametrize("step, full", [("staged", True), ("pulled", True), ("pulled", False)])
def test_a_run_that_loses_what_it_staged_merges_nothing_and_reads_anew(
    world: World, contoso: Customer, step: str, full: bool
) -> None:
    contoso.tenant.habits = Habits(page_size=3)
    contoso.crowd(8)
    world.add_lot("standard", 20)
    contoso.policy(RULES)
    if not full:
        contoso.settle()
        staff = contoso.tenant.find_group("Staff")
        contoso.tenant.remove_member(staff, contoso.people["Person 002"])
        contoso.tenant.add_members(staff, contoso.hire("Zoe"))
    before = world.outcome()

    def crash(name: str) -> None:
        if name == step:
            with world.store.begin() as tx:
                for table in UNLOGGED:
                    tx.execute(f"DELETE FROM {table.name}")

    result = contoso.sync(app=replace(world.app, mark=crash))
    assert (result.outcome, world.holds()) == ("failed", [])
    assert differing(before, world.outcome()).keys() == {"record"}, "it is told that it failed, and no more"
    world.later(minutes=2)
    contoso.settle()
    assert len(contoso.licenses()) == 8
    assert ("Person 002" in contoso.licenses()) is full
