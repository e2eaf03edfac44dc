"""What is asked for ahead: told as if it had been asked in turn, and left behind by nobody."""

import threading
from datetime import timedelta

import pytest

from connectors.ahead import ahead
from connectors.asking import Asker
from connectors.errors import NeedsPerson, Transient
from connectors.google_workspace.wire import DIALECT
from connectors.http import HttpClient
from tests.connectors.world import World
from tests.proves import proves

PATIENT = 30.0


def asker(world: World) -> Asker:
    return Asker(HttpClient(), DIALECT, world.surroundings())


def are_ahead() -> list[str]:
    """The threads that ask ahead."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_it_is_asked_while_the_block_goes_on() -> None:
    asked, done = threading.Event(), threading.Event()

    def ask(_: Asker) -> bool:
        asked.set()
        return done.wait(PATIENT)

    with ahead(asker(World()), ask, "users") as coming:
        assert asked.wait(PATIENT) and are_ahead()
        done.set()
        assert coming() is True
    assert are_ahead() == []


@pytest.mark.parametrize("problem", [NeedsPerson("no", remedy="do"), Transient("busy", retry_after=7.0), KeyError("k")])
def test_what_goes_wrong_ahead_is_raised_where_the_answer_is_wanted(problem: Exception) -> None:
    def ask(_: Asker) -> None:
        raise problem

    with ahead(asker(World()), ask, "users") as coming, pytest.raises(type(problem)) as raised:
        coming()
    assert raised.value is problem


def test_what_goes_wrong_ahead_of_a_block_that_is_left_is_told_to_nobody() -> None:
    def ask(_: Asker) -> None:
        raise Transient("busy")

    with ahead(asker(World()), ask, "users"):
        pass
    assert are_ahead() == []


def waits(asker: Asker) -> None:
    asker.world.wait(timedelta(days=3650).total_seconds())


def test_a_block_that_is_left_early_waits_out_no_pause() -> None:
    """A vendor may ask for minutes; whoever wants no answer any more does not wait for that either."""
    with pytest.raises(ZeroDivisionError), ahead(asker(World()), waits, "users"):
        raise ZeroDivisionError
    with ahead(asker(World()), waits, "users"):
        pass
    assert are_ahead() == []


@proves("Z10")
def test_a_stop_ends_the_waiting_ahead() -> None:
    world = World()
    with ahead(asker(world), waits, "users") as coming:
        world.stopped = True
        with pytest.raises(Transient, match="stopped"):
            coming()


@proves("Z10")
def test_nothing_is_given_out_after_a_stop() -> None:
    world = World()
    with ahead(asker(world), lambda _: "a page", "groups") as coming:
        world.stopped = True
        with pytest.raises(Transient, match="stopped") as stopped:
            coming()
    assert stopped.value.feature == "groups"
