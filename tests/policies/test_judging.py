"""The safety limits: what passes exactly, what is held whole, and the numbers that a person is told."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.judging import Recent, Verdict, judge
from policies.model import Limit, Limited, Safety
from tests.proves import proves

ARCHIVE, RELEASE, PURCHASE = Limited.ARCHIVE, Limited.RELEASE, Limited.PURCHASE


def passes(wanted: int, limit: Limit, *, done: int = 0, held: int = 0) -> bool:
    return Verdict(ARCHIVE, wanted, Recent(done, held), limit).passes


@proves("Z1")
def test_exactly_the_most_passes_and_one_more_is_held() -> None:
    assert passes(50, Limit(50, 0.05), held=100_000)
    assert not passes(51, Limit(50, 0.05), held=100_000)


@proves("Z1")
@pytest.mark.parametrize(
    ("share", "held", "exactly"), [(0.05, 200, 10), (0.29, 100, 29), (0.07, 300, 21), (0.005, 2000, 10), (1.0, 40, 40)]
)
def test_exactly_the_share_passes_and_one_more_is_held(share: float, held: int, exactly: int) -> None:
    assert passes(exactly, Limit(10_000, share), held=held)
    assert not passes(exactly + 1, Limit(10_000, share), held=held)


@proves("Z1")
@given(st.integers(1, 100_000), st.integers(6, 100_000))
def test_a_share_in_thousandths_of_a_percent_is_compared_exactly(thousandths: int, held: int) -> None:
    share = float(Decimal(thousandths) / 100_000)
    allowed = thousandths * held // 100_000
    limit = Limit(10**9, share)
    assert passes(max(allowed, 1), limit, held=held) or allowed == 0
    assert allowed < 5 or not passes(allowed + 1, limit, held=held)


@proves("Z1")
def test_the_share_is_not_looked_at_for_five_or_fewer() -> None:
    assert passes(5, Limit(50, 0.05), held=20)
    assert not passes(6, Limit(50, 0.05), held=20)
    assert not passes(1, Limit(50, 0.05), done=5, held=20)


@proves("Z1")
def test_what_was_done_in_the_last_day_counts_so_that_a_slow_bleed_is_held() -> None:
    assert passes(1, Limit(50), done=49)
    assert not passes(1, Limit(50), done=50)


@proves("Z1")
def test_a_limit_of_nought_holds_every_single_one() -> None:
    assert not passes(1, Limit(0, 1.0), held=1000)


@proves("Z1")
def test_a_limit_by_number_alone_has_no_share() -> None:
    assert passes(50, Limit(50), held=0)


@proves("Z1")
def test_with_nothing_wanted_nothing_is_held_whatever_was_done_before() -> None:
    assert passes(0, Limit(0), done=100)


@proves("Z1")
def test_a_kind_beyond_its_limit_is_held_and_the_rest_proceeds() -> None:
    wanted = {ARCHIVE: 60, RELEASE: 3}
    recent = {ARCHIVE: Recent(0, 1000), RELEASE: Recent(0, 1000)}
    judgement = judge(wanted, Safety(), recent)
    assert judgement.holds(ARCHIVE) and not judgement.holds(RELEASE) and not judgement.holds(PURCHASE)
    assert [verdict.kind for verdict in judgement.held] == [ARCHIVE]


@proves("Z1")
def test_by_default_every_kind_has_a_limit() -> None:
    judgement = judge(dict.fromkeys(Limited, 51), Safety(), {kind: Recent(0, 10**6) for kind in Limited})
    assert {verdict.kind for verdict in judgement.held} == set(Limited)


@proves("Z1")
@given(
    st.integers(0, 200), st.integers(0, 100), st.integers(0, 50), st.integers(0, 2000), st.integers(0, 100),
    st.none() | st.integers(0, 100).map(lambda percent: percent / 100),
)  # fmt: skip
def test_a_kind_that_is_held_stays_held_when_the_plan_grows(
    wanted: int, more: int, done: int, held: int, most: int, share: float | None
) -> None:
    safety, recent = Safety(archive=Limit(most, share)), {ARCHIVE: Recent(done, held)}
    if judge({ARCHIVE: wanted}, safety, recent).holds(ARCHIVE):
        assert judge({ARCHIVE: wanted + more, RELEASE: more}, safety, recent).holds(ARCHIVE)


def test_a_person_is_told_the_numbers() -> None:
    verdict = Verdict(ARCHIVE, 60, Recent(4, 1000), Limit(50, 0.05))
    assert verdict.why == (
        "64 in 24 hours, 4 of them already done, over the limit for archive of 50 or 5% of 1000 licenses"
    )
    assert Verdict(PURCHASE, 60, Recent(0, 0), Limit(50)).why == "60 in 24 hours, over the limit for purchase of 50"
