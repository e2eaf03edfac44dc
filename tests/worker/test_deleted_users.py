"""Deleted users: their licenses are archived, their seats serve others, and nobody is taken for deleted lightly (D)."""

import pytest

from connectors.simulators.microsoft365 import Fault, Habits
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World, actions, counted
from worker.operations.by_hand import by_hand
from worker.operations.importing import import_licenses
from worker.operations.requests import Request, Verb
from worker.operations.selecting import Meant

STAFF = "- {name: staff, groups: [Staff], license: standard}"
STAFF_RELEASE = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 7d}}"


@proves("D1", "L1")
def test_a_deleted_user_is_archived_and_the_seat_serves_who_waits_in_the_same_transaction(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(STAFF)
    contoso.sync()
    assert (contoso.licenses(), contoso.waiting()) == ({"Ada": "standard"}, {"Ben": "insufficient_licenses"})
    contoso.delete("Ada")
    before = world.one("SELECT count(*) FROM feed")
    result = contoso.sync()
    assert actions(result) == [
        ("archive", "ada@contoso.example", "archived"),
        ("assign", "ben@contoso.example", "standard"),
    ]
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}
    assert contoso.sources()["Ada"] == "deleted_user"
    assert contoso.clocks() == {}, "nothing is lost"
    assert world.one("SELECT count(*) FROM feed") == before + 1, "one transaction wrote all of it"
    assert world.is_sound()


@proves("D1", "D4", "G4")
@pytest.mark.parametrize("full", [False, True])
def test_who_is_purged_between_the_read_of_users_and_that_of_groups_has_not_left_a_group(
    world: World, contoso: Customer, full: bool
) -> None:
    """Graph tells a purge as a member who is gone, too."""
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    world.add_lot("archived", 2)
    contoso.policy(STAFF.replace("}", ", on_leave: {then: release, after: 0s}}"))
    contoso.sync()

    def meanwhile(step: str, _number: int) -> None:
        if step == "reading" and (ada := contoso.people.pop("Ada", None)):
            contoso.tenant.purge_user(ada)
            contoso.tenant.remove_member(staff, contoso.people["Ben"])

    result = contoso.sync(full=full, progress=meanwhile)
    assert {action[:2] for action in actions(result)} == {
        ("archive", "ada@contoso.example"),
        ("release", "ben@contoso.example"),
    }
    contoso.settle()
    assert contoso.licenses() == {"Ada": "archived"}
    assert list(contoso.clocks()) == ["Ben"]
    assert world.is_sound()


@proves("D2", "L1")
def test_without_an_archived_seat_the_standard_one_is_kept_until_there_is_one(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}
    assert contoso.waiting() == dict.fromkeys(["Ada", "Ben"], "insufficient_licenses")
    before = world.one("SELECT count(*) FROM feed WHERE company = :c", c=contoso.row().company)
    world.add_lot("archived", 1)
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}
    assert world.one("SELECT count(*) FROM feed WHERE company = :c", c=contoso.row().company) == before + 1


@proves("D2", "P1", "P4")
def test_an_archived_seat_is_bought_when_the_deletion_is_detected(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF, purchasing="{archived: {auto: true, pack: 5}}")
    contoso.sync()
    contoso.delete("Ada")
    result = contoso.sync()
    assert counted(result) == {"wait": 1, "buy": 1}
    assert world.orders() == [("contoso", "archived", 5, "placed")]
    world.fulfill()
    assert contoso.licenses() == {"Ada": "archived"}


@proves("D3")
def test_a_restored_user_moves_back_when_there_is_a_standard_seat(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    contoso.tenant.restore_user(contoso.people["Ada"])
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Ada"])
    contoso.sync()
    assert contoso.states()["Ada"] == "active"
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}, "never unlicensed in between"
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    world.add_lot("standard", 1)
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert contoso.sources()["Ada"] == "rule:staff"
    assert world.free("archived") == 1


@proves("D3", "L8")
def test_what_a_person_gave_comes_back_with_a_restored_user(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 1)
    world.add_lot("archived", 2)
    contoso.policy("- {name: nobody, groups: [Nobody], license: standard}")
    contoso.group("Nobody")
    contoso.sync()
    for verb, license in ((Verb.ASSIGN, "standard"), (Verb.ARCHIVE, "archived")):
        by_hand(world.app, Request(verb, Meant(("ada@contoso.example",)), license), PERSON)
        contoso.delete("Ada")
        contoso.sync()
        assert contoso.licenses() == {"Ada": "archived"}
        by_hand(world.app, Request(Verb.ASSIGN, Meant(("ben@contoso.example",))), PERSON)
        contoso.tenant.restore_user(contoso.people["Ada"])
        contoso.settle()
        waits = {"Ada": "insufficient_licenses"} if verb is Verb.ASSIGN else {}
        assert (contoso.licenses()["Ada"], contoso.waiting()) == ("archived", waits)
        by_hand(world.app, Request(Verb.DEACTIVATE, Meant(("ben@contoso.example",))), PERSON)
        contoso.settle()
        assert contoso.licenses() == {"Ada": license}, "as the person left it"
    assert contoso.sources() == {"Ada": "manual"}
    assert world.is_sound()


@proves("D3", "D2")
def test_who_was_to_be_archived_and_is_restored_waits_for_it_no_more(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(STAFF_RELEASE)
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}
    contoso.tenant.restore_user(contoso.people["Ada"])
    contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Ada"])
    contoso.sync()
    assert contoso.waiting() == {}, "alive again, and outside of every rule: a grace runs now"
    world.add_lot("archived", 1)
    assert contoso.licenses() == {"Ada": "standard"}


@proves("D1")
@pytest.mark.parametrize("policy, held", [("keep", {"Ada": "standard"}), ("release", {})])
def test_a_company_may_want_something_else_for_deleted_users(
    world: World, contoso: Customer, policy: str, held: dict[str, str]
) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(STAFF, deleted_users=policy)
    contoso.sync()
    contoso.delete("Ada")
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard"}
    world.later(days=8)
    contoso.settle()
    assert contoso.licenses() == held


@proves("D4")
def test_both_kinds_of_removal_are_deletions(world: World, contoso: Customer) -> None:
    """Accident 19: only soft deletes were honored."""
    contoso.hire("Ada", "Ben", "Cy")
    contoso.group("Staff", "Ada", "Ben", "Cy")
    world.add_lot("standard", 3)
    world.add_lot("archived", 3)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    contoso.tenant.purge_user(contoso.people["Ben"])
    contoso.sync()
    assert contoso.states() == {"Ada": "deleted", "Ben": "purged", "Cy": "active"}
    assert contoso.licenses() == {"Ada": "archived", "Ben": "archived", "Cy": "standard"}
    for _ in range(6):
        world.later(days=6)
        contoso.settle()
    assert contoso.states()["Ada"] == "purged"
    assert contoso.licenses()["Ada"] == "archived"


@proves("D4", "Z2")
def test_absence_from_a_complete_listing_is_looked_up_before_it_is_believed(world: World, contoso: Customer) -> None:
    contoso.crowd(12)
    world.add_lot("standard", 12)
    world.add_lot("archived", 12)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.purge_user(contoso.people["Person 003"])
    contoso.delete("Person 004")
    world.simulator.order(Fault("expired", "/users/delta"))
    result = contoso.sync()
    assert (result.mode, result.outcome) == ("full", "applied")
    assert {name for name, state in contoso.states().items() if state != "active"} == {"Person 003", "Person 004"}
    assert counted(result)["archive"] == 2
    assert contoso.states()["Person 003"] == "purged" and contoso.states()["Person 004"] == "deleted"


@proves("D4", "Z2")
def test_somebody_left_out_of_a_listing_who_lives_voids_the_listing(wire: World) -> None:
    """Accident 8: a list that ended early was taken for the whole of it."""
    contoso = wire.customer()
    contoso.tenant.habits = Habits(page_size=5)
    contoso.crowd(12)
    wire.add_lot("standard", 12)
    wire.add_lot("archived", 12)
    contoso.policy(STAFF)
    contoso.sync()
    before = contoso.row().cursor
    wire.simulator.order(Fault("short_list", "/users/delta", after=1))
    result = contoso.sync(full=True)
    assert result.outcome == "held"
    assert result.error is not None and "alive" in result.error
    assert set(contoso.states().values()) == {"active"}
    assert set(contoso.licenses().values()) == {"standard"}
    assert contoso.row().cursor == before


@proves("D4", "Z2")
def test_a_look_up_that_fails_changes_nothing(wire: World) -> None:
    """Accident 2: one 503 for one user, and that user was deleted."""
    contoso = wire.customer()
    contoso.crowd(12)
    wire.add_lot("standard", 12)
    wire.add_lot("archived", 12)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Person 003")
    before = contoso.row().cursor
    wire.simulator.order(
        Fault("expired", "/users/delta"), Fault("unavailable", "/directoryObjects/getByIds", times=None)
    )
    result = contoso.sync()
    assert result.outcome == "failed"
    assert set(contoso.states().values()) == {"active"}
    assert contoso.row().cursor == before
    wire.simulator.withdraw_faults()
    contoso.sync()
    assert contoso.states()["Person 003"] == "deleted"


@proves("D4")
def test_told_both_alive_and_deleted_is_settled_by_a_look_up(wire: World) -> None:
    contoso = wire.customer()
    contoso.crowd(3)
    wire.add_lot("standard", 3)
    wire.add_lot("archived", 3)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.update_user(contoso.people["Person 001"], department="Finance")
    wire.simulator.order(Fault("contradict", "/users/delta"))
    contoso.sync()
    assert contoso.states()["Person 001"] == "active"
    assert set(contoso.licenses().values()) == {"standard"}


@proves("D4")
def test_somebody_never_seen_who_is_told_removed_is_nobody(wire: World) -> None:
    """Accident 21: one user already gone stopped every later sync."""
    contoso = wire.customer()
    contoso.crowd(3)
    wire.add_lot("standard", 3)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.update_user(contoso.people["Person 001"], department="Finance")
    wire.simulator.order(Fault("unknown_removed", "/users/delta"))
    result = contoso.sync()
    assert result.outcome == "nothing_to_do"
    assert len(contoso.states()) == 3


@proves("D5")
def test_a_new_user_with_the_address_of_a_deleted_one_is_somebody_else(world: World, contoso: Customer) -> None:
    [old] = contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 2)
    world.add_lot("archived", 1)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    [new] = contoso.hire("Ada")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), new)
    contoso.sync()
    held = world.rows("SELECT a.id, h.license FROM assignment AS h JOIN account AS a ON a.key = h.account")
    assert sorted(held) == sorted([(old, "archived"), (new, "standard")])


@proves("D7")
def test_who_holds_an_imported_license_and_is_deleted_at_the_first_read_is_archived(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 3)
    world.add_lot("archived", 2)
    contoso.delete("Ben")
    contoso.tenant.purge_user(contoso.people["Cy"])
    contoso.policy(STAFF)
    file = world.folder.parent / "licenses.csv"
    lines = [f"{contoso.directory},{contoso.people[name]},standard\n" for name in ("Ada", "Ben", "Cy")]
    file.write_text("directory,account,license\n" + "".join(lines), encoding="utf-8")
    assert import_licenses(world.app, file, PERSON).imported == {"standard": 3}
    contoso.sync()
    held = world.rows("SELECT a.id, h.license FROM assignment AS h JOIN account AS a ON a.key = h.account")
    assert dict(held) == {
        contoso.people["Ada"]: "standard",
        contoso.people["Ben"]: "archived",
        contoso.people["Cy"]: "archived",
    }
    assert world.free("standard") == 2


@proves("D7", "G7")
def test_who_holds_nothing_and_is_deleted_gets_nothing(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    contoso.policy(STAFF)
    contoso.sync()
    assert set(contoso.waiting()) == {"Ada", "Ben"}
    contoso.delete("Ada")
    contoso.sync()
    world.add_lot("standard", 2)
    world.add_lot("archived", 2)
    assert contoso.licenses() == {"Ben": "standard"}
