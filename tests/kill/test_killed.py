"""Kill the daemon at every marked step and at random moments, and start it again: it ends as if it had lived (Z6)."""

import random
import re
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import pytest

from tests.e2e.conftest import ROOT
from tests.kill.conftest import Open
from tests.kill.history import ACTS, BETWEEN_PASSES, OF_GOOGLE, STEPS, Act
from tests.kill.house import House, Outcome
from tests.proves import proves
from tests.worker.test_killed import differing

SEED = 20_261_121
AT_RANDOM = 2
"""Kills at random moments in each act, beside those at marked steps."""
ONCE = {"staged": 0, "resolve": 0, "mailboxes": 0, "look-up": 1, "mail leaves": 3, "mail sent": 3}
"""Steps that only one act comes to."""


def test_somebody_is_killed_at_every_step_that_is_marked() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "worker").rglob("*.py"))
    marked = set(re.findall(r"\.(?:mark|step)\(\"([^\"]+)\"\)", sources))
    assert marked | {"commit"} == {*STEPS, *OF_GOOGLE}


def undisturbed(open_house: Open, kind: str) -> list[Outcome]:
    """The outcome after each act, where nobody dies."""
    with open_house(kind) as house:
        outcomes = []
        for act in ACTS:
            with at_a_time_for(act, house):
                act(house)
            house.start()
            outcomes.append(house.settled())
        house.each_effect_once()
        assert house.ends == [], house.said()
        assert house.world.is_sound()
    return outcomes


def at_a_time_for(act: Act, house: House) -> AbstractContextManager[None]:
    return house.between_passes() if act in BETWEEN_PASSES else nullcontext()


def deaths(chance: random.Random) -> list[list[str]]:
    """At which steps somebody dies in which act: once at every step that there is."""
    plan: list[list[str]] = [[] for _ in ACTS]
    for step in STEPS:
        number = ONCE.get(step, chance.randrange(3))
        plan[number].append(step)
    return plan


@proves("Z6", "Z5", "P2", "A1", "A2")
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_daemon_that_is_killed_anywhere_ends_as_if_it_had_not_been(
    open_house: Open, kind: str, kills: int, capsys: pytest.CaptureFixture[str]
) -> None:
    calm, chance, killed = undisturbed(open_house, kind), random.Random(SEED), Counter[str]()
    while killed.total() < kills or not killed:
        with open_house(kind) as house:
            disturbed(house, calm, chance)
            killed += house.kills
    with capsys.disabled():
        sys.stdout.write(
            f"\n{kind}: {killed.total()} kills: {', '.join(f'{n} {k}' for k, n in sorted(killed.items()))}\n"
        )


def disturbed(house: House, calm: Sequence[Outcome], chance: random.Random) -> None:
    """Play the history while somebody dies all the time."""
    house.chance = chance
    for act, expected, steps in zip(ACTS, calm, deaths(chance), strict=True):
        with at_a_time_for(act, house):
            for step in steps:
                house.fate.decide("kill", step)
            act(house)
        house.may_kill += AT_RANDOM
        house.start()
        house.until(lambda: house.outcome() == expected, lambda: differing(expected, house.outcome()))  # noqa: B023
    house.may_kill = 0
    assert house.fate.withdraw() == [], "nobody came to these steps"
    house.kills.update(step for _, step, _ in house.fate.struck())
    house.passes()
    assert differing(calm[-1], house.outcome()) == {}, "and it stays so"
    house.each_effect_once()
    assert house.world.is_sound()
    assert set(house.ends) == {-signal.SIGKILL}, house.said()
