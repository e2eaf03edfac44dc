"""Things that are done again and again: what fails for hours fills no disk with what is said of it."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.services.waiting import PATIENCE, until
from worker import loops
from worker.loops import Loop


def turned(monkeypatch: pytest.MonkeyPatch, action: Callable[[int], object], times: int) -> int:
    """A loop that did something so many times at least; how often."""
    monkeypatch.setattr(loops, "_AFTER_A_FAILURE", 0.0)
    done: list[int] = []

    def act() -> None:
        done.append(len(done))
        action(done[-1])

    loop = Loop("orders", timedelta(0), act).start()
    until(lambda: len(done) > times)
    assert loop.stop(PATIENCE)
    return len(done)


def test_what_fails_again_and_again_is_logged_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_turn: int) -> None:
        raise OSError("the database is gone")

    times = turned(monkeypatch, fails, 1_000)
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == times.bit_length() and said[0].exc_info is not None
    assert said[0].message == "orders failed, and is tried again: the database is gone"


def test_another_problem_is_told_at_once_and_that_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def fails(turn: int) -> None:
        if turn < 7:
            raise OSError("the database is gone" if turn < 6 else "the disk is full")

    turned(monkeypatch, fails, 20)
    assert [record.message.partition(", ")[2] or record.message for record in caplog.records] == [
        *["and is tried again: the database is gone"] * 3,
        "and is tried again: the disk is full",
        "orders goes on after 7 failures",
    ]
