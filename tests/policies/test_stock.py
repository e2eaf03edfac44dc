"""Who gets a seat and who waits, what comes back on the way, and how much is bought."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.model import NOTHING
from policies.planner import RANK_ARCHIVE, RANK_NEW, RANK_RETURN, RANK_TO_ENTITLEMENT
from policies.stock import FreeLot, Need, Outcome, Stock, allocate, seats_to_buy, turn
from tests.policies.strategies.by_hand import DAY, NOW, claim
from tests.policies.strategies.ledger import LICENSES
from tests.policies.strategies.worlds import World, worlds
from tests.proves import proves


def stock(
    standard: int = 0,
    archived: int = 0,
    *,
    entitled: int | None = 0,
    archived_entitled: int | None = 0,
    room: int | None = None,
    rules: dict[str, int] | None = None,
    entitles: int = 0,
) -> Stock:
    """One lot of each license with these free seats: lot 1 is standard, lot 2 archived."""
    return Stock(
        {"standard": [FreeLot(1, "lot-1", standard)], "archived": [FreeLot(2, "lot-2", archived)]},
        {"standard": entitled, "archived": archived_entitled},
        {"standard": room, "archived": None},
        rules or {},
        entitles,
    )


def told(outcomes: list[Outcome]) -> list[int | str | None]:
    """The lot of each who was served, the reason of each who waits."""
    return [outcome.reason or outcome.lot for outcome in outcomes]


ARCHIVE: Final[dict[str, Any]] = {
    "kind": "archive",
    "rank": RANK_ARCHIVE,
    "held_license": "standard",
    "source": "deleted_user",
    "rule": "",
}
RESTORE: Final[dict[str, Any]] = {
    "kind": "restore",
    "rank": RANK_RETURN,
    "held_license": "archived",
    "held_through": "seat",
}
TO_ENTITLEMENT: Final[dict[str, Any]] = {
    "kind": "move", "rank": RANK_TO_ENTITLEMENT, "held_license": "standard", "held_through": "seat", "held_lot": 1,
    "through": "entitlement",
}  # fmt: skip


# --- too few seats (G5, M9) ---


@proves("G5")
def test_the_line_is_ordered_by_rule_then_by_waiting_then_by_address() -> None:
    line = [
        claim(1, rule_position=1, since=NOW - DAY, address="a@contoso.example"),
        claim(2, rule_position=0, since=NOW, address="z@contoso.example"),
        claim(3, rule_position=0, since=NOW, address="b@contoso.example"),
        claim(4, rule_position=0, since=NOW - DAY, address="y@contoso.example"),
    ]
    line.sort(key=lambda each: turn(each.proposal))
    assert [each.proposal.account for each in line] == [4, 3, 2, 1]


@proves("G5")
def test_with_too_few_seats_the_first_in_line_are_served_and_the_rest_wait() -> None:
    assert told(list(allocate([claim(key) for key in (1, 2, 3)], stock(2)))) == [1, 1, "insufficient_licenses"]


def test_accounts_that_are_archived_or_return_come_before_new_ones() -> None:
    assert RANK_ARCHIVE < RANK_TO_ENTITLEMENT < RANK_RETURN < RANK_NEW


@proves("D1", "G5")
def test_an_archived_account_s_seat_is_free_at_once_for_the_next_in_line_even_where_the_lot_was_full() -> None:
    line = [claim(1, "archived", held_through="seat", held_lot=1, **ARCHIVE), claim(2), claim(3)]
    assert told(list(allocate(line, stock(0, 1)))) == [2, 1, "insufficient_licenses"]


@proves("D2", "L1")
def test_an_account_that_cannot_be_archived_keeps_its_seat_and_waits() -> None:
    pool = stock(0, 0)
    line = [claim(1, "archived", held_through="seat", held_lot=1, **ARCHIVE), claim(2)]
    assert told(list(allocate(line, pool))) == ["insufficient_licenses", "insufficient_licenses"]
    assert pool.free("standard") == 0


@proves("D3")
def test_a_returning_account_gives_its_archived_seat_back_once_it_has_a_standard_one() -> None:
    pool = stock(1, 0)
    line = [claim(key, held_lot=2, held_source="deleted_user", **RESTORE) for key in (1, 2)]
    assert told(list(allocate(line, pool))) == [1, "insufficient_licenses"]
    assert pool.free("archived") == 1


@proves("G5")
def test_a_seat_that_comes_back_is_for_the_first_who_waits_for_it_and_nobody_is_served_past_it() -> None:
    pool = stock(1, 0)
    waits = claim(1, "archived", held_through="seat", held_lot=1, **ARCHIVE)
    returns = claim(2, held_lot=2, held_source="deleted_user", **RESTORE)
    late = claim(3, "archived")
    assert told(list(allocate([waits, returns, late], pool))) == [
        "insufficient_licenses", 1, "insufficient_licenses",
    ]  # fmt: skip
    assert told(list(allocate([waits, late], pool))) == [2, "insufficient_licenses"]


@proves("G5")
def test_once_the_first_who_waited_is_served_the_next_can_be() -> None:
    pool = stock(0)
    line = [claim(key) for key in (1, 2, 3)]
    assert told(list(allocate(line, pool))) == ["insufficient_licenses"] * 3
    pool.give_back("standard", "seat", 1, None)
    pool.give_back("standard", "seat", 1, None)
    assert told(list(allocate(line, pool))) == [1, 1, "insufficient_licenses"]


@proves("G5", "S2")
@given(worlds())
def test_nobody_is_served_past_an_earlier_claim_that_waits_for_the_same(world: World) -> None:
    waiting: set[tuple[str | None, str | None]] = set()
    earlier = None
    for outcome in world.ledger.apply(world.plan(), NOW):
        wanted = outcome.claim.proposal
        if earlier is not None and turn(wanted) <= earlier:
            waiting.clear()  # the next round begins
        earlier = turn(wanted)
        if outcome.reason == "insufficient_licenses":
            waiting.add((wanted.license, wanted.through))
        elif outcome.reason is None:
            assert (wanted.license, wanted.through) not in waiting


# --- stocks and lots (L1, L3) ---


@proves("L1")
def test_free_seats_of_one_license_serve_nobody_who_needs_the_other() -> None:
    line = [claim(1, "archived"), claim(2, "standard")]
    assert told(list(allocate(line, stock(5, 0)))) == ["insufficient_licenses", 1]


@proves("L3")
def test_the_lot_that_is_listed_first_is_used_first() -> None:
    lots = {"standard": [FreeLot(7, "ends-first", 1), FreeLot(3, "full", 0), FreeLot(5, "ends-later", 1)]}
    pool = Stock(lots, {}, {}, {})
    assert told(list(allocate([claim(key) for key in (1, 2, 3)], pool))) == [7, 5, "insufficient_licenses"]


def test_a_seat_that_comes_back_to_an_earlier_lot_is_used_first() -> None:
    pool = Stock({"standard": [FreeLot(1, "ends-first", 0), FreeLot(2, "ends-later", 5)]}, {}, {}, {})
    assert told([pool.serve(claim(1))]) == [2]
    pool.give_back("standard", "seat", 1, None)
    assert told([pool.serve(claim(2)), pool.serve(claim(3))]) == [1, 2]


@proves("L3")
def test_the_seat_of_a_lot_that_ended_is_free_for_nobody() -> None:
    pool = stock(0, 1, room=1)
    archive = claim(1, "archived", held_through="seat", held_lot=99, **ARCHIVE)
    assert told(list(allocate([archive, claim(2)], pool))) == [2, "insufficient_licenses"]


@proves("L1", "L3")
@given(worlds())
def test_stocks_are_never_mixed_and_no_lot_is_over_used_on_the_way(world: World) -> None:
    outcomes = world.ledger.apply(world.plan(), NOW)  # the ledger recounts every lot after every change
    lots = {lot.key: lot for lot in world.ledger.lots}
    for outcome in outcomes:
        if outcome.lot is not None:
            assert lots[outcome.lot].license == outcome.claim.proposal.license
            assert lots[outcome.lot].valid
    for step in world.ledger.steps:
        for held in step.values():
            assert held.license is None or (held.through == "seat") == (held.lot is not None)
            if held.lot is not None:
                assert lots[int(held.lot)].license == held.license


@given(worlds())
def test_the_same_accounts_are_served_for_any_order_of_the_plan(world: World) -> None:
    before = dict(world.ledger.holdings)
    world.ledger.apply(world.plan(), NOW)
    forward = dict(world.ledger.holdings)
    world.ledger.holdings.clear()
    world.ledger.holdings.update(before)
    world.ledger.apply(world.plan(world.accounts[::-1]), NOW)
    assert world.ledger.holdings == forward


# --- limits (G6, M1) ---


@proves("G6")
def test_a_rule_gives_no_more_than_its_limit_whatever_is_free() -> None:
    line = [claim(1), claim(2), claim(3, source="rule:others", rule="others")]
    assert told(list(allocate(line, stock(9, rules={"staff": 1})))) == [1, "rule_limit", 1]


@proves("G6")
def test_what_a_member_of_the_rule_gives_back_is_room_for_another() -> None:
    pool = stock(9, 9, rules={"staff": 0})
    archive = claim(1, "archived", held_through="seat", held_lot=1, held_source="rule:staff", **ARCHIVE)
    assert pool.exhausted_rules() == ("staff",)
    assert told(list(allocate([archive, claim(2), claim(3)], pool))) == [2, 1, "rule_limit"]


@proves("G6", "S5")
def test_a_member_of_a_full_rule_that_only_moves_makes_no_room_in_it() -> None:
    pool = stock(9, entitled=5, rules={"staff": 0})
    assert told(list(allocate([claim(1, held_source="rule:staff", **TO_ENTITLEMENT), claim(2)], pool))) == [
        None, "rule_limit",
    ]  # fmt: skip


@proves("G4", "G6")
def test_moving_to_another_rule_counts_against_its_limit_and_makes_room_in_the_first() -> None:
    pool = stock(9, rules={"executives": 1, "staff": 0})
    assert pool.rename("rule:staff", "rule:executives")
    assert not pool.rename("rule:staff", "rule:executives")
    assert pool.rename("imported", "rule:others")
    assert pool.exhausted_rules() == ("executives",)
    assert told([pool.serve(claim(1)), pool.serve(claim(2))]) == [1, "rule_limit"]


@proves("G6")
@given(worlds())
def test_no_rule_ever_gives_more_than_its_limit(world: World) -> None:
    before = {rule.name: world.ledger.by_rule(rule.name) for rule in world.policy.rules}
    world.ledger.apply(world.plan(), NOW)
    for rule in world.policy.rules:
        if rule.limit is not None:
            assert world.ledger.by_rule(rule.name) <= max(rule.limit, before[rule.name])


@proves("M1")
def test_a_company_holds_no_more_than_its_limit_whatever_is_free() -> None:
    assert told(list(allocate([claim(1), claim(2), claim(3, "archived")], stock(9, 9, room=1)))) == [
        1, "company_limit", 2,
    ]  # fmt: skip


@proves("M1")
def test_a_seat_of_an_ended_lot_that_is_given_up_makes_room_below_the_company_s_limit() -> None:
    archive = claim(1, "archived", held_through="seat", held_lot=99, **ARCHIVE)
    assert told(list(allocate([archive, claim(2)], stock(1, 1, room=0)))) == [2, 1]


@proves("M1")
@given(worlds())
def test_no_company_grows_beyond_its_limit(world: World) -> None:
    before = {license: world.ledger.count(license, "seat") for license in LICENSES}
    world.ledger.apply(world.plan(), NOW)
    for license in LICENSES:
        limit = world.ledger.limit(license)
        if limit is not None:
            assert world.ledger.count(license, "seat") <= max(limit, before[license])


# --- entitlements (S) ---


@proves("S1", "S2")
def test_shared_mailboxes_use_the_entitlement_and_wait_beyond_it_whatever_is_free() -> None:
    pool = stock(9, entitled=1)
    line = [claim(key, through="entitlement") for key in (1, 2)]
    assert told(list(allocate(line, pool))) == [None, "entitlement"]
    assert pool.free("standard") == 9


@proves("S1")
def test_without_a_limit_every_shared_mailbox_is_served() -> None:
    line = [claim(key, through="entitlement") for key in range(5)]
    assert told(list(allocate(line, stock(entitled=None)))) == [None] * 5


@proves("S1", "S2")
def test_a_seat_held_from_the_global_pool_brings_an_entitlement_and_takes_it_along_when_it_goes() -> None:
    pool = stock(1, entitled=0, entitles=1)
    mailbox = claim(2, through="entitlement")
    assert told([pool.serve(mailbox), pool.serve(claim(1)), pool.serve(mailbox)]) == ["entitlement", 1, None]
    pool.give_back("standard", "seat", 1, None)
    assert pool.room("standard", "entitlement") == -1


@proves("S1")
def test_a_seat_on_trial_brings_no_entitlement() -> None:
    pool = Stock({"standard": [FreeLot(1, "trial", 1, purchased=False)]}, {"standard": 0}, {}, {}, entitles=1)
    assert told([pool.serve(claim(1)), pool.serve(claim(2, through="entitlement"))]) == [1, "entitlement"]


@proves("S3")
def test_a_deleted_shared_mailbox_moves_to_the_archived_entitlement_and_makes_room_in_the_standard_one() -> None:
    gone = claim(1, "archived", "entitlement", held_through="entitlement", **ARCHIVE)
    line = [gone, claim(2, through="entitlement")]
    assert told(list(allocate(line, stock(archived_entitled=1)))) == [None, None]
    assert told(list(allocate(line, stock(archived_entitled=0)))) == ["entitlement", "entitlement"]


@proves("S5")
def test_a_mailbox_that_moves_to_the_entitlement_frees_its_seat_for_the_next() -> None:
    line = [claim(1, held_source="rule:staff", **TO_ENTITLEMENT), claim(2)]
    assert told(list(allocate(line, stock(0, entitled=1)))) == [None, 1]


@proves("S5")
def test_a_mailbox_keeps_its_seat_until_an_entitlement_is_free() -> None:
    line = [claim(1, held_source="rule:staff", **TO_ENTITLEMENT), claim(2)]
    assert told(list(allocate(line, stock(0, entitled=0)))) == ["entitlement", "insufficient_licenses"]


@proves("S1", "S5")
def test_a_mailbox_keeps_its_seat_where_the_only_entitlement_is_the_one_that_the_seat_brings() -> None:
    move = claim(1, held_source="rule:staff", **TO_ENTITLEMENT)
    assert told([stock(entitled=1, entitles=1).serve(move)]) == ["entitlement"]
    pool = stock(entitled=2, entitles=1)
    assert told([pool.serve(move)]) == [None]
    assert pool.room("standard", "entitlement") == 0


@proves("S5")
def test_a_shared_mailbox_turned_back_waits_for_a_seat_and_then_frees_its_entitlement() -> None:
    back = claim(1, kind="move", rank=RANK_RETURN, held_license="standard", held_through="entitlement")
    pool = stock(0)
    assert told([pool.serve(back)]) == ["insufficient_licenses"]
    assert pool.room("standard", "entitlement") == 0
    pool = stock(1)
    assert told([pool.serve(back), pool.serve(claim(2, through="entitlement"))]) == [1, None]


@proves("S1")
@given(worlds())
def test_entitlements_are_counted_right_at_every_step_and_never_given_out_beyond(world: World) -> None:
    before = {license: world.ledger.count(license, "entitlement") for license in LICENSES}
    seats = {key: held for key, held in world.ledger.holdings.items() if held.through == "seat"}
    world.ledger.apply(world.plan(), NOW)  # the ledger compares the stock's arithmetic with a count from nothing
    for license in LICENSES:
        whole, used = world.ledger.entitlement(license), world.ledger.count(license, "entitlement")
        given_up = sum(
            held.license == license and world.ledger.holdings.get(key, NOTHING).lot != held.lot
            for key, held in seats.items()
        )
        if whole is not None:
            assert used <= max(whole + given_up, before[license])


# --- how much to buy (P1) ---


def to_buy(**said: int | None) -> Need:
    plain = {
        "waiting": 0, "spare": 0, "free": 0, "on_order": 0, "pack": 1, "most_per_order": 50, "left_this_month": 100,
        "left_for_company": None,
    }  # fmt: skip
    return seats_to_buy(**{**plain, **said})  # type: ignore[arg-type]


@proves("P1")
@pytest.mark.parametrize(
    ("said", "seats", "short"),
    [
        ({}, 0, 0),
        ({"waiting": 3}, 3, 0),
        ({"waiting": 13, "spare": 5, "free": 2, "pack": 10}, 20, 0),
        ({"waiting": 3, "free": 3}, 0, 0),
        ({"waiting": 3, "free": 9}, 0, 0),
        ({"spare": 5}, 5, 0),
        ({"spare": 5, "free": 5}, 0, 0),
        ({"waiting": 3, "on_order": 2}, 1, 0),
        ({"waiting": 3, "on_order": 10}, 0, 0),
        ({"waiting": 60}, 50, 10),
        ({"waiting": 60, "pack": 7}, 49, 11),
        ({"waiting": 60, "most_per_order": 80, "left_this_month": 30}, 30, 30),
        ({"waiting": 3, "left_this_month": 0}, 0, 3),
        ({"waiting": 3, "left_this_month": -5}, 0, 3),
        ({"waiting": 8, "pack": 5, "left_for_company": 7}, 5, 3),
        ({"waiting": 8, "pack": 5, "left_for_company": 4}, 0, 8),
        ({"waiting": 1, "pack": 10, "left_for_company": 9}, 0, 1),
        ({"waiting": 1, "pack": 60}, 0, 1),
        ({"waiting": 1, "pack": 50}, 50, 0),
        ({"waiting": 1, "most_per_order": 0}, 0, 1),
    ],
)
def test_the_need_is_rounded_up_to_packs_and_then_down_to_what_the_caps_allow(
    said: dict[str, int | None], seats: int, short: int
) -> None:
    assert to_buy(**said) == Need(seats, short)


counts = st.integers(0, 300)


@proves("P1")
@given(counts, counts, counts, counts, st.integers(1, 60), counts, st.integers(-50, 300), st.none() | counts)
def test_an_order_is_whole_packs_within_every_cap_and_no_pack_more_than_needed(
    waiting: int, spare: int, free: int, on_order: int, pack: int, most: int, month: int, company: int | None
) -> None:
    need = waiting + spare - free - on_order
    seats, short = seats_to_buy(
        waiting=waiting, spare=spare, free=free, on_order=on_order, pack=pack, most_per_order=most,
        left_this_month=month, left_for_company=company,
    )  # fmt: skip
    caps = [most, month, *([] if company is None else [company])]
    assert seats % pack == 0
    assert seats == 0 or (seats <= min(caps) and seats - pack < need)
    assert short == max(0, need - seats)
    assert short == 0 or seats + pack > min(caps)
