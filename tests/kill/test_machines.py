"""A machine is gone with everything on it, and another one with another name takes its place (Z5, Z6)."""

from tests.kill.conftest import Open
from tests.kill.history import ACTS, begin, busy_day, hires, mass_deletion
from tests.kill.house import House
from tests.kill.test_killed import at_a_time_for, undisturbed
from tests.proves import proves
from tests.worker.test_killed import differing
from worker.held import LEASE

LOST_AT = {begin: "group page", busy_day: "pulled", hires: "order answered", mass_deletion: "applied"}
"""In which act the machine is lost, and at which step somebody on it is just then."""
READING = ("group page", "pulled")
"""At these steps a worker has the directory."""


@proves("Z5", "Z6", "P2")
def test_another_machine_takes_over_when_the_lease_ends_and_comes_to_the_same_end(open_house: Open) -> None:
    calm = undisturbed(open_house, "postgresql")
    with open_house("postgresql") as house:
        for act, expected in zip(ACTS, calm, strict=True):
            with at_a_time_for(act, house):
                if act in LOST_AT:
                    house.fate.decide("freeze", LOST_AT[act])
                act(house)
            house.start()
            if act in LOST_AT:
                lose(house, LOST_AT[act])
            house.until(lambda: house.outcome() == expected, lambda: differing(expected, house.outcome()))  # noqa: B023
        assert house.machine == "5"
        assert house.ends == [], "nobody died but with a machine"
        house.each_effect_once()
        assert house.world.is_sound()


def lose(house: House, step: str) -> None:
    """The machine on which somebody is at that step is lost with all on it; another one has the same parts."""
    old, before = house.machine, len(house.fate.struck())
    house.until(lambda: len(house.fate.struck()) > before, house.fate.struck, in_real_time=True)
    house.end()
    reads = house.lease()
    house.machine = str(int(old) + 1)
    house.start()
    house.until(lambda: house.machine in house.machines(), house.machines, in_real_time=True)
    if step in READING:
        assert reads is not None and reads[0].startswith(f"{old}:")
        assert house.lease() == reads, "nobody takes the directory before its lease ends"
        house.world.later(LEASE)
        house.until(lambda: house.fence() > reads[1], house.lease, in_real_time=True)
