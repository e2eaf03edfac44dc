"""What schedulers do beside directories, of which each is one scheduler's at a time (Z4)."""

from datetime import timedelta

from store.processes import UP
from tests.proves import proves
from tests.worker.world import World, open_app
from worker.duties import POLICIES, Duty, OnDuty
from worker.pace import SINGLE
from worker.process import Daemon


@proves("Z4")
def test_who_reads_policies_for_long_and_is_heard_of_is_not_relieved_by_one_with_another_folder(world: World) -> None:
    second, read = open_app(world.app.settings, world.clock), list[str]()
    first = Daemon(world.app, UP, SINGLE)
    relief = OnDuty(second, Duty(POLICIES, SINGLE.policies, lambda _app, _now: read.append("second")), SINGLE)

    def reads_for_long() -> None:
        read.append("first")
        for _ in range(12):
            world.later(SINGLE.beat)
            first.beat()
            relief.look()

    OnDuty(world.app, Duty(POLICIES, SINGLE.policies, lambda _app, _now: reads_for_long()), SINGLE).look()
    assert read == ["first"]
    world.later(SINGLE.policies + SINGLE.silent + timedelta(seconds=1))
    relief.look()
    assert read == ["first", "second"], "who is silent is relieved"
    second.close()
