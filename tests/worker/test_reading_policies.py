"""How soon a daemon reads what is edited in the policy folder (Z4)."""

from datetime import timedelta

from tests.proves import proves
from tests.worker.world import Customer, World
from worker.duties import POLICIES, OnDuty, duties
from worker.pace import Pace

STAFF = "- {{name: staff, groups: [Staff], license: standard, limit: {}}}"


@proves("Z4")
def test_an_edit_is_read_within_five_seconds_and_within_ten_of_another(world: World, contoso: Customer) -> None:
    contoso.policy(STAFF.format(1))
    on_duty = OnDuty(world.app, next(duty for duty in duties(Pace()) if duty.name == POLICIES), Pace())

    def edited(limit: int) -> timedelta:
        """How long it takes until an edit is read, where one looks every half a second as the daemon does."""
        before, begun = in_force(world), world.clock()
        contoso.file.write_text(contoso.file.read_text().replace(f"limit: {limit - 1}", f"limit: {limit}"))
        while in_force(world) == before:
            world.later(seconds=0.5)
            on_duty.look()
        return world.clock() - begun

    for _ in range(7):
        on_duty.look()
        world.later(seconds=9)
    assert edited(2) <= timedelta(seconds=5)
    assert edited(3) <= timedelta(seconds=10.5), "half a second for the look itself"


def in_force(world: World) -> int:
    return int(world.one("SELECT max(n) FROM policy_version"))
