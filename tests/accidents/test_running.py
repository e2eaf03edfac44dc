"""Runs that overlap, and what a run says of itself."""

from collections import Counter
from collections.abc import Callable

from connectors.simulators.microsoft365 import Fault
from tests.accidents.conftest import STAFF
from tests.accidents.town import Town
from tests.proves import proves

Licensed = Callable[..., str]


@proves("Z5", "A1")
def test_accident_23_runs_that_overlap_do_not_fight(town: Town) -> None:
    town.tenant.create_group("Staff", members=town.hire(40))
    town.policy(STAFF)
    town.add("standard", 30)
    town.simulator.order(Fault("slow", "/users/delta", seconds=0.3, times=8))
    running = [town.start("sync", "--json") for _ in range(4)]
    said = [command.said() for command in running]
    assert {one.code for one in said} == {0}
    assert town.licenses() == {"standard": 30}
    given = [event["account"] for event in town("feed", "--json").json if event["type"].endswith("license.assigned")]
    assert len(given) == len(set(given)) == 30
    assert town.is_sound()


@proves("Z1", "Z9")
def test_accident_26_the_exit_code_says_so(town: Town, licensed: Licensed) -> None:
    group = licensed()
    assert town("status", "--check").code == 0
    for member in town.people:
        town.tenant.remove_member(group, member)
    assert Counter((town("sync").code, town("sync").code, town("status", "--check").code)) == {3: 3}
    town.simulator.order(Fault("denied", "/users/delta", times=None))
    assert town("sync").code == 1
    assert town("status", "--check").code == 1
