"""What is asked for ahead: told as if it had been asked in turn, and left behind by nobody."""

import gc
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ahead import Ask, ahead
from connectors.asking import Asker
from connectors.errors import NeedsPerson, Transient
from connectors.google_workspace.wire import DIALECT
from connectors.http import HttpClient
from tests.connectors.world import World
from tests.proves import proves

PATIENT = 30.0
HTTP = HttpClient()


def asker(world: World) -> Asker:
    return Asker(HTTP, DIALECT, world.surroundings())


def are_ahead() -> list[str]:
    """The threads that ask ahead."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


def numbers(last: int, ask: Callable[[int, Asker], int] = lambda n, _: n, world: World | None = None) -> Iterator[int]:
    """A walk from 0 up to a number; `ask` is asked for each but the first."""

    def then(n: int) -> Ask[int] | None:
        return None if n == last else lambda asker: ask(n + 1, asker)

    return ahead(asker(world or World()), 0, then, "users")


@given(st.integers(0, 20))
def test_all_come_in_their_order(last: int) -> None:
    assert list(numbers(last)) == list(range(last + 1))
    assert are_ahead() == []


def test_the_next_is_asked_for_while_the_last_is_worked_on_and_no_other() -> None:
    asked = [threading.Event() for _ in range(4)]

    def ask(n: int, _: Asker) -> int:
        asked[n].set()
        return n

    walk = numbers(3, ask)
    for n in (0, 1, 2):
        assert next(walk) == n
        assert asked[n + 1].wait(PATIENT)
        assert [event.is_set() for event in asked[n + 2 :]] == [False] * (2 - n)
        assert len(are_ahead()) == 1
    assert list(walk) == [3] and are_ahead() == []


def test_one_answer_alone_begins_no_thread() -> None:
    assert [are_ahead() for _ in numbers(0)] == [[]]


@pytest.mark.parametrize("problem", [NeedsPerson("no", remedy="do"), Transient("busy", retry_after=7.0), KeyError("k")])
def test_what_goes_wrong_ahead_is_raised_where_the_answer_is_wanted(problem: Exception) -> None:
    def ask(n: int, _: Asker) -> int:
        if n == 2:
            raise problem
        return n

    walk = numbers(3, ask)
    assert [next(walk), next(walk)] == [0, 1]
    with pytest.raises(type(problem)) as raised:
        next(walk)
    assert raised.value is problem and are_ahead() == []


def test_what_goes_wrong_ahead_of_a_walk_that_is_left_is_told_to_nobody() -> None:
    def ask(_n: int, _: Asker) -> int:
        raise Transient("busy")

    walk = numbers(3, ask)
    next(walk)
    del walk
    assert are_ahead() == []


class Answer:
    """One that is large, and by its number."""

    def __init__(self, number: int) -> None:
        self.number = number


@pytest.mark.parametrize("left_at", [None, 2])
def test_a_walk_that_went_wrong_keeps_no_answer_until_somebody_looks_for_garbage(left_at: int | None) -> None:
    """Which is seldom done where directories are read, and a fleet that fails would hold two pages of each."""
    answers: list[ref[Answer]] = []

    def made(number: int) -> Answer:
        answer = Answer(number)
        answers.append(ref(answer))
        return answer

    def then(last: Answer) -> Ask[Answer]:
        number = last.number + 1
        return lambda _: made(number)

    def ask(_: Asker) -> Answer:
        raise Transient("busy")

    def walked() -> None:
        walk = ahead(asker(World()), made(0), lambda last: ask if last.number == 2 else then(last), "users")
        for number, _answer in enumerate(walk):
            if number == left_at:
                break

    gc.disable()
    try:
        try:
            walked()
        except Transient:
            assert left_at is None
        assert [answer() for answer in answers] == [None, None, None]
    finally:
        gc.enable()


def waits(_: int, asker: Asker) -> int:
    asker.world.wait(timedelta(days=3650).total_seconds())
    return 0


def test_a_walk_that_is_left_early_waits_out_no_pause() -> None:
    """A vendor may ask for minutes; whoever wants no answer any more does not wait for that either."""
    with pytest.raises(ZeroDivisionError):
        [1 / n for n in numbers(3, waits)]
    walk = numbers(3, waits)
    next(walk)
    del walk
    assert are_ahead() == []


def test_nothing_is_asked_for_after_a_walk_was_left() -> None:
    asked, done = threading.Event(), threading.Event()
    numbers_asked = []

    def ask(n: int, _: Asker) -> int:
        numbers_asked.append(n)
        asked.set()
        assert done.wait(PATIENT)
        return n

    walk = numbers(3, ask)
    next(walk)
    assert asked.wait(PATIENT)
    threading.Timer(0, done.set).start()
    del walk
    assert numbers_asked == [1] and are_ahead() == []


@proves("Z10")
def test_a_stop_ends_the_waiting_ahead() -> None:
    world = World()
    walk = numbers(3, waits, world)
    next(walk)
    world.stopped = True
    with pytest.raises(Transient, match="stopped"):
        next(walk)


@proves("Z10")
def test_nothing_is_given_out_after_a_stop() -> None:
    world = World()
    walk = numbers(3, world=world)
    next(walk)
    world.stopped = True
    with pytest.raises(Transient, match="stopped") as stopped:
        next(walk)
    assert stopped.value.feature == "users" and are_ahead() == []
