"""When people are told that backups will go (R1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.retaining import DAY, DISTANCES, Clock, Step, step
from tests.proves import proves


@proves("R1")
@pytest.mark.parametrize(
    ("days", "noticed", "passed", "expected"),
    [
        (60, 0, 29, (None, 30)), (60, 0, 30, (30, 53)), (60, 30, 31, (None, 53)), (60, 30, 53, (7, 59)),
        (60, 7, 59, (1, 60)), (60, 1, 59, (None, 60)),
        (30, 0, 0, (30, 23)), (10, 0, 0, (None, 3)), (7, 0, 0, (7, 6)),
        (60, 0, 58, (30, None)), (60, 0, 59, (30, None)), (60, 0, 80, (30, None)), (60, 1, 80, (None, 60)),
    ],
)  # fmt: skip
def test_notices_go_out_at_their_days_and_the_longest_that_was_missed_first(
    days: int, noticed: int, passed: int, expected: tuple[int | None, int | None]
) -> None:
    notice, next_day = expected
    found = step(Clock(0, days * DAY, noticed), passed * DAY)
    assert found == Step(notice, None if next_day is None else next_day * DAY)


@proves("R1")
@given(length=st.integers(0, 400 * DAY), passed=st.integers(0, 500 * DAY))
def test_every_clock_is_told_of_at_least_once_and_of_no_distance_twice(length: int, passed: int) -> None:
    clock, told = Clock(0, length), list[int]()
    for _ in range(len(DISTANCES) + 1):
        found = step(clock, max(passed, length))
        if found.notice is not None:
            told.append(found.notice)
            clock = clock._replace(noticed=found.notice)
    assert told == sorted(set(told), reverse=True)
    assert told[-1] == DISTANCES[-1]
