"""The simulators' time."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.simulators.clock import SimulatedClock

START = datetime(2026, 1, 2, tzinfo=UTC)


def test_it_stands_still_until_it_is_moved_on() -> None:
    clock = SimulatedClock(START)

    assert clock() == clock() == START
    assert clock.advance(timedelta(days=8)) == clock() == START + timedelta(days=8)


def test_without_a_start_it_runs_ahead_of_the_real_time() -> None:
    clock = SimulatedClock()
    clock.advance(timedelta(days=1))

    assert timedelta(hours=23) < clock() - datetime.now(UTC) < timedelta(hours=25)


def test_it_does_not_go_back_and_knows_its_zone() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        SimulatedClock(START).advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="aware"):
        SimulatedClock(datetime(2026, 1, 2))  # noqa: DTZ001
