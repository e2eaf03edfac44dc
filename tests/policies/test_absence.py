"""When a listing is not believed, and when a group is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.absence import group_shrank, judge_absence, judge_count
from tests.proves import proves


def absent(number: int) -> list[str]:
    return [f"id-{n}" for n in range(number)]


@proves("Z2")
def test_a_listing_that_leaves_out_one_who_is_alive_is_held() -> None:
    held = judge_absence(10_000, absent(3), alive=1, confirmed=2)
    assert held is not None
    assert (held.why, held.accounts) == (
        "an account that the listing left out is alive: the listing was not complete",
        ("id-0", "id-1", "id-2"),
    )


@proves("Z2")
def test_those_whose_deletion_is_confirmed_hold_no_listing_however_many_they_are() -> None:
    assert judge_absence(100, absent(100), alive=0, confirmed=100) is None


@proves("Z2")
@pytest.mark.parametrize(
    ("known", "unconfirmed", "held"),
    [
        (10, 5, False),
        (10, 6, True),
        (60, 6, False),
        (59, 6, True),
        (1000, 100, False),
        (1000, 101, True),
        (0, 0, False),
    ],
)
def test_more_than_five_and_more_than_a_tenth_unconfirmed_hold_a_listing(
    known: int, unconfirmed: int, held: bool
) -> None:
    judged = judge_absence(known, absent(unconfirmed + 4), alive=0, confirmed=4)
    assert (judged is not None) is held
    if judged is not None:
        assert (
            judged.why == f"{unconfirmed} of {known} accounts are missing from the listing and could not be looked up"
        )


@proves("Z2")
@given(st.integers(6, 10_000))
def test_a_listing_that_is_suddenly_empty_is_held_unless_look_ups_confirm_it(known: int) -> None:
    assert judge_absence(known, absent(known), alive=0, confirmed=0) is not None


@proves("Z2")
@pytest.mark.parametrize(
    ("listed", "counted", "off"),
    [
        (1000, 1000, False),
        (100, 120, False),
        (100, 121, True),
        (10_000, 10_100, False),
        (10_000, 9_900, False),
        (9_899, 10_000, True),
        (0, 21, True),
        (21, 0, True),
    ],
)
def test_a_listing_must_agree_with_the_directory_s_own_count_to_twenty_or_one_percent(
    listed: int, counted: int, off: bool
) -> None:
    assert judge_count(listed, counted) is off


@proves("Z2")
@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        (0, 0, False),
        (1, 0, True),
        (100, 0, True),
        (10, 4, True),
        (10, 5, False),
        (8, 3, False),
        (12, 5, True),
        (12, 6, False),
        (1000, 500, False),
        (1000, 499, True),
        (10, 30, False),
    ],
)
def test_a_group_that_reads_empty_or_lost_more_than_five_and_half_is_read_again(
    before: int, after: int, again: bool
) -> None:
    assert group_shrank(before, after) is again
