"""What is not believed of a directory's answers, and what a failed read leaves behind: nothing (Z2)."""

from collections.abc import Callable

import pytest

from connectors.simulators.microsoft365 import Fault, Habits
from tests.proves import proves
from tests.worker.world import Customer, World

STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"


def settled(world: World, number: int = 12, page_size: int = 5) -> Customer:
    """A customer whose people all hold licenses, and a tenant whose pages are small."""
    contoso = world.customer()
    contoso.tenant.habits = Habits(page_size=page_size)
    contoso.crowd(number)
    world.add_lot("standard", number)
    world.add_lot("archived", number)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.settle()
    assert len(contoso.licenses()) == number
    return contoso


def everybody_is_well(contoso: Customer, number: int = 12) -> bool:
    return (
        list(contoso.states().values()) == ["active"] * number
        and list(contoso.licenses().values()) == ["standard"] * number
    )


FAULTS: dict[str, tuple[Fault, ...]] = {
    "an error in the middle of the list": (Fault("error", "/users/delta", after=1, times=None),),
    "an error at its beginning": (Fault("error", "/users/delta", status=503, times=None),),
    "a page cut short": (Fault("cut", "/users/delta", after=1, times=None),),
    "a connection that breaks": (Fault("reset", "/users/delta", after=1, times=None),),
    "a page without a link": (Fault("no_link", "/users/delta", after=1),),
    "a link to somebody else": (Fault("foreign_link", "/users/delta", after=1),),
    "throttled for longer than we wait": (Fault("throttle", "/users/delta", after=1, retry_after=3600),),
    "forbidden": (Fault("denied", "/users/delta", times=None),),
    "groups that fail": (Fault("error", "/groups/delta", times=None),),
    "nobody can be looked up": (
        Fault("empty_list", "/users/delta"),
        Fault("error", "/directoryObjects/getByIds", times=None),
    ),
}


@proves("Z2", "Z9")
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
def test_a_read_that_does_not_complete_changes_nothing(wire: World, faults: tuple[Fault, ...]) -> None:
    """Accidents 1, 4, 8: an error in a read was taken for an answer."""
    contoso = settled(wire)
    contoso.delete("Person 001")
    before, row = wire.outcome(), contoso.row()
    wire.simulator.order(*faults)
    result = contoso.sync(full=True)
    assert result.outcome == "failed" and result.error
    after = contoso.row()
    assert (after.cursor, after.groups_cursor, after.read_whole_at) == (
        row.cursor,
        row.groups_cursor,
        row.read_whole_at,
    )
    assert (after.state, after.problem, after.failures) == ("failing", result.error, 1)
    changed = {what: rows for what, rows in wire.outcome().items() if rows != before[what]}
    assert set(changed) == {"record"}, "only that it fails is written, once"
    assert wire.happened()["directory.failing"] == 1
    wire.simulator.withdraw_faults()
    wire.later(hours=2)
    assert contoso.sync().outcome == "applied"
    assert contoso.licenses()["Person 001"] == "archived"
    assert contoso.row().state == "healthy" and contoso.row().problem is None
    assert wire.happened()["directory.recovered"] == 1


BRIEF: dict[str, tuple[Fault, ...]] = {
    "one error": (Fault("error", "/users/delta", after=1),),
    "throttled for a moment": (Fault("throttle", "/users/delta", after=1, retry_after=5),),
    "an empty page on the way": (Fault("empty_page", "/users/delta", after=1),),
    "a page twice": (Fault("repeat_page", "/users/delta", after=1),),
    "entries twice": (Fault("duplicate", "/users/delta", entries=3),),
    "a cursor that died": (Fault("expired", "/users/delta"),),
    "a cursor that Graph calls malformed": (Fault("malformed", "/users/delta"),),
    "a round anew": (Fault("resync", "/users/delta"),),
    "changes told again": (Fault("replay", "/users/delta"),),
    "a token refused": (Fault("unauthorized", "/users/delta"),),
    "a challenge for claims": (Fault("claims", "/users/delta"),),
}


@proves("Z2")
@pytest.mark.parametrize("faults", BRIEF.values(), ids=BRIEF.keys())
@pytest.mark.parametrize("full", [False, True], ids=["delta", "full"])
def test_what_goes_wrong_for_a_moment_is_overcome(wire: World, faults: tuple[Fault, ...], full: bool) -> None:
    """Accident 7: the first page was taken for the whole."""
    contoso = settled(wire)
    for n in range(6):
        contoso.tenant.update_user(contoso.people[f"Person {n:03}"], department="Finance")
    contoso.delete("Person 001")
    wire.simulator.order(*faults)
    result = contoso.sync(full=full)
    assert result.outcome == "applied", result
    assert {name for name, license in contoso.licenses().items() if license == "archived"} == {"Person 001"}
    assert len(contoso.licenses()) == 12


@proves("Z2", "D4")
def test_an_emptied_listing_with_status_200_is_held(world: World) -> None:
    """Accidents 1, 3, 5: a listing that succeeded, and was empty."""
    contoso = settled(world)
    before = contoso.row()
    world.simulator.order(Fault("empty_list", "/users/delta"))
    result = contoso.sync(full=True)
    assert result.outcome == "held"
    assert [(held.kind, held.total) for held in result.held] == [("read", 12)]
    assert everybody_is_well(contoso)
    after = contoso.row()
    assert (after.cursor, after.read_whole_at) == (before.cursor, before.read_whole_at)
    assert after.state == "failing" and "plan approve" in after.remedy
    contoso.sync()
    assert everybody_is_well(contoso)
    assert contoso.row().state == "healthy"


@proves("Z2")
def test_many_who_are_missing_and_cannot_be_found_out_about_are_held(wire: World) -> None:
    contoso = settled(wire)
    for n in range(7):
        contoso.tenant.purge_user(contoso.people[f"Person {n:03}"])
    wire.simulator.order(Fault("expired", "/users/delta"), Fault("denied", "/directory/deletedItems/*", times=None))
    result = contoso.sync()
    assert result.outcome == "held"
    assert result.error is not None and "7 of 12" in result.error
    assert everybody_is_well(contoso)


@proves("Z2", "Z1")
def test_a_person_may_believe_a_reading_that_was_held(world: World) -> None:
    contoso = settled(world)
    contoso.policy(STAFF.replace(", on_leave: {then: release, after: 0s}", ""))
    contoso.sync()
    for n in range(7):
        contoso.tenant.purge_user(contoso.people[f"Person {n:03}"])
    world.simulator.order(Fault("expired", "/users/delta"), Fault("denied", "/directory/deletedItems/*", times=None))
    contoso.sync()
    contoso.hire("Zoe")
    world.later(minutes=1)
    result = world.approve(world.hold("read"))
    assert result is not None and result.outcome in ("applied", "nothing_to_do"), result
    assert "Zoe" in contoso.states()
    assert contoso.row().state == "healthy"
    assert list(contoso.licenses().values()) == ["standard"] * 12, "unknown is not gone: nobody is archived for it"
    assert world.holds() == []


@proves("Z2")
def test_a_count_that_differs_is_believed_once_and_not_twice(wire: World) -> None:
    contoso = settled(wire, 30, page_size=50)
    wire.simulator.order(Fault("short_count", "/users/$count", entries=25, times=2))
    assert contoso.sync(full=True).outcome == "nothing_to_do"
    result = contoso.sync(full=True)
    assert result.outcome == "held"
    assert result.error is not None and "twice in a row" in result.error
    assert everybody_is_well(contoso, 30)
    wire.later(minutes=1)
    assert contoso.sync(full=True).outcome == "nothing_to_do"
    assert contoso.row().state == "healthy"
    assert wire.holds() == []


@proves("Z2")
def test_counts_that_agree_in_between_begin_anew(wire: World) -> None:
    contoso = settled(wire, 30, page_size=50)
    for _ in range(2):
        wire.simulator.order(Fault("short_count", "/users/$count", entries=25))
        assert contoso.sync(full=True).outcome == "nothing_to_do"
        assert contoso.sync(full=True).outcome == "nothing_to_do"


@proves("Z2")
def test_a_group_that_lost_half_its_members_is_read_again(wire: World) -> None:
    """Accident 9: a large group was read in part."""
    contoso = settled(wire, 14, page_size=200)
    wire.simulator.order(Fault("empty_list", "/groups/delta"), Fault("short_list", "/groups/*/members"))
    contoso.tenant.habits = Habits(page_size=6)
    contoso.sync(full=True)
    assert everybody_is_well(contoso, 14)


@proves("Z2")
def test_a_group_that_loses_half_its_members_by_a_change_is_read_again_too(wire: World) -> None:
    contoso = settled(wire, 14)
    staff = contoso.tenant.find_group("Staff")
    for n in range(8):
        contoso.tenant.remove_member(staff, contoso.people[f"Person {n:03}"])
    wire.simulator.order(Fault("error", "/groups/*/members", times=None))
    assert contoso.sync().outcome == "failed"
    edges = "SELECT count(*) FROM edge"
    assert wire.one(edges) == 14, "not believed before it was read again"
    wire.simulator.withdraw_faults()
    wire.later(hours=1)
    assert contoso.sync().outcome != "failed"
    assert wire.one(edges) == 6


@proves("Z2")
@pytest.mark.parametrize("members", [4, 5, 6, 10, 11, 21])
def test_groups_of_all_sizes_around_a_page_are_read_whole(wire: World, members: int) -> None:
    """Accident 7: members 101 and up were removed, again and again."""
    contoso = settled(wire, members, page_size=5)
    assert contoso.sync(full=True).changed == 0
    assert everybody_is_well(contoso, members)


@proves("Z2")
@pytest.mark.slow
def test_more_people_than_one_stage_holds_are_read_page_by_page_and_merged_at_once(world: World) -> None:
    contoso = world.customer()
    contoso.tenant.habits = Habits(page_size=4_000)
    contoso.tenant.populate(11_000)
    contoso.policy("- {name: nobody, groups: [Nobody], license: standard}")
    contoso.tenant.revoke("MailboxSettings.Read")
    seen: list[int] = []
    stop = _stops_at("page", 2)
    world.restart(stop)
    with pytest.raises(_Stop):
        contoso.sync()
    assert world.one("SELECT count(*) FROM account") == 0
    assert world.one("SELECT staged FROM pull") == 8_000
    world.restart()
    world.later(minutes=11)
    world.simulator.forget_requests()
    result = contoso.sync(progress=lambda step, n: seen.append(n) if step == "reading" else None)
    assert result.seen == 11_000 + (4_000 if seen[0] == 4_000 else 0)
    assert seen[0] > 8_000, "it goes on where the interrupted walk was"
    assert world.one("SELECT count(*) FROM account") == 11_000


class _Stop(BaseException):
    """The process is gone."""


def _stops_at(step: str, time: int) -> Callable[[str], None]:
    left = time

    def mark(name: str) -> None:
        nonlocal left
        left -= name == step
        if left == 0:
            raise _Stop

    return mark
