"""Shared mailboxes: what comes free with purchased licenses, conversions, and kinds that are not known (S)."""

from datetime import date, timedelta

import pytest

from tests.proves import proves
from tests.worker.world import PERSON, Customer, World, actions
from worker.operations.by_hand import by_hand
from worker.operations.pool_pass import pass_pools
from worker.operations.requests import Request, Verb
from worker.operations.selecting import Meant

STAFF = "- {name: staff, groups: [Staff], license: standard}"
SHARED = "- {name: shared, mailboxes: shared, license: standard}"
BOTH = f"{STAFF}\n{SHARED}"


def two_weeks_on(world: World, contoso: Customer) -> None:
    """Mailbox kinds are asked for again after about two weeks, whatever else happens."""
    world.later(days=16)
    contoso.sync()


@proves("S1", "S2")
def test_each_purchased_seat_that_is_held_brings_one_shared_mailbox(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    contoso.mailbox("Careers", "Invoices", "Press")
    world.add_lot("standard", 9)
    contoso.policy(BOTH)
    contoso.sync()
    assert contoso.through() == {"Ada": "seat", "Ben": "seat", "Careers": "entitlement", "Invoices": "entitlement"}
    assert contoso.waiting() == {"Press": "entitlement"}
    assert world.free("standard") == 7, "shared mailboxes use no seat"
    assert world.is_sound()


@proves("S1", "S2")
def test_the_order_of_the_rules_does_not_keep_a_mailbox_from_what_its_users_bring(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.mailbox("Careers", "Invoices")
    world.add_lot("standard", 1)
    contoso.policy(f"{SHARED}\n{STAFF}")
    result = contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Careers": "standard"}
    assert contoso.waiting() == {"Invoices": "entitlement"}
    assert ("assign", "careers@contoso.example", "standard") in actions(result)


@proves("S2", "G5")
def test_more_seats_serve_the_mailboxes_that_wait(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    contoso.mailbox("Careers", "Invoices")
    world.add_lot("standard", 1)
    contoso.policy(BOTH, purchasing="{standard: {auto: true}}")
    contoso.sync()
    assert contoso.waiting() == {"Ben": "insufficient_licenses", "Invoices": "entitlement"}
    assert world.orders() == [("contoso", "standard", 1, "placed")], "mailboxes never buy"
    world.fulfill()
    assert contoso.waiting() == {}
    assert contoso.through()["Invoices"] == "entitlement"


@proves("S1")
@pytest.mark.parametrize("setting, served", [("unlimited", 3), ("2", 2), ("0", 0)])
def test_how_many_mailboxes_come_free_is_a_setting(wire: World, setting: str, served: int) -> None:
    contoso = wire.customer()
    contoso.mailbox("Careers", "Invoices", "Press")
    contoso.policy(SHARED, licenses=f"{{shared_mailboxes: {setting}}}")
    contoso.sync()
    assert len(contoso.licenses()) == served
    assert len(contoso.waiting()) == 3 - served


@proves("S1", "M1")
def test_in_a_pool_of_its_own_a_company_has_the_mailboxes_of_all_its_seats(world: World, contoso: Customer) -> None:
    contoso.mailbox("Careers", "Invoices", "Press")
    contoso.policy(SHARED, licenses="{pool: own}")
    contoso.sync()
    assert contoso.licenses() == {}
    world.add_lot("standard", 2, company="contoso")
    assert contoso.licenses() == {"Careers": "standard", "Invoices": "standard"}
    assert contoso.waiting() == {"Press": "entitlement"}
    world.add_lot("standard", 5, company="contoso", term="trial", expires=date(2026, 12, 1))
    assert contoso.waiting() == {"Press": "entitlement"}, "trial lots do not count"


@proves("S1")
@pytest.mark.parametrize("trial_entitles, waiting", [("false", {"Careers": "entitlement"}), ("true", {})])
def test_a_seat_on_trial_brings_a_mailbox_only_where_that_is_said(
    world: World, contoso: Customer, trial_entitles: str, waiting: dict[str, str]
) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.mailbox("Careers")
    world.add_lot("standard", 5, term="trial", expires=date(2026, 12, 1))
    contoso.policy(BOTH, licenses=f"{{trial_entitles: {trial_entitles}}}")
    contoso.settle()
    assert contoso.licenses()["Ada"] == "standard"
    assert contoso.waiting() == waiting


@proves("S3", "D1")
def test_a_deleted_shared_mailbox_moves_to_the_archived_entitlement(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    contoso.mailbox("Careers", "Invoices", "Press")
    world.add_lot("standard", 2)
    contoso.policy(BOTH)
    contoso.sync()
    assert contoso.waiting() == {"Press": "entitlement"}
    contoso.delete("Careers")
    contoso.sync()
    assert contoso.licenses()["Careers"] == "standard"
    assert contoso.waiting() == {"Careers": "entitlement", "Press": "entitlement"}, "no archived seat brings one yet"
    world.add_lot("archived", 1)
    contoso.delete("Ben")
    contoso.sync()
    assert contoso.licenses()["Ben"] == "archived"
    assert (contoso.licenses()["Careers"], contoso.through()["Careers"]) == ("archived", "entitlement")


@proves("S3", "S6")
def test_a_deleted_mailbox_keeps_its_kind(world: World, contoso: Customer) -> None:
    contoso.mailbox("Careers")
    contoso.policy(SHARED, licenses="{shared_mailboxes: unlimited}")
    contoso.sync()
    contoso.delete("Careers")
    contoso.settle()
    for _ in range(4):
        world.later(days=6)
        contoso.settle()
    assert contoso.kinds() == {"Careers": "shared_mailbox"}
    assert contoso.row().due_at > world.clock().timestamp() * 1_000_000, "nobody asks for it again and again"


@proves("S4")
def test_when_the_entitlement_shrinks_below_use_nothing_is_dropped_and_nothing_new_is_given(
    world: World, contoso: Customer
) -> None:
    contoso.mailbox("Careers", "Invoices")
    contoso.policy(SHARED, licenses="{pool: own}")
    world.add_lot("standard", 1, company="contoso")
    world.add_lot("standard", 1, company="contoso", expires=date(2026, 11, 10))
    contoso.sync()
    assert len(contoso.licenses()) == 2
    world.later(days=9)
    contoso.settle()
    contoso.mailbox("Press")
    contoso.settle()
    assert set(contoso.licenses()) == {"Careers", "Invoices"}
    assert contoso.waiting() == {"Press": "entitlement"}


@proves("S4")
def test_an_entitlement_that_is_used_beyond_its_end_is_told_once_and_again_after_it_recovered(
    world: World, contoso: Customer
) -> None:
    contoso.mailbox("Careers", "Invoices")
    contoso.policy(SHARED, licenses="{pool: own}")
    world.add_lot("standard", 1, company="contoso")
    for told, lasts in ((1, 9), (2, 19)):
        ends = (world.clock() + timedelta(days=lasts - 1)).date()
        world.add_lot("standard", 1, company="contoso", expires=ends, renews=False)
        contoso.sync()
        for _ in range(2):
            pass_pools(world.app)
        assert world.happened()["stock.over_entitled"] == told - 1
        world.later(days=lasts)
        for _ in range(2):
            pass_pools(world.app)
        assert world.happened()["stock.over_entitled"] == told
    assert world.rows("SELECT because FROM audit WHERE what = 'stock.over_entitled'")[0] == (
        "2 shared mailboxes hold standard, and purchased licenses bring 1",
    )
    assert len(contoso.licenses()) == 2


@proves("S4")
def test_a_company_whose_shared_mailboxes_are_all_gone_is_over_entitled_no_more(
    world: World, contoso: Customer
) -> None:
    contoso.mailbox("Careers", "Invoices")
    contoso.policy(SHARED, licenses="{pool: own, shared_mailboxes: 2}")
    contoso.sync()
    contoso.policy(SHARED, licenses="{pool: own, shared_mailboxes: 1}")
    pass_pools(world.app)
    assert world.happened()["stock.over_entitled"] == 1
    contoso.policy(SHARED, licenses="{pool: own, shared_mailboxes: 2}")
    pass_pools(world.app)
    assert world.rows("SELECT * FROM stock_warning") == []


@proves("S5")
def test_a_mailbox_turned_into_a_shared_one_moves_to_the_entitlement_and_frees_its_seat(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    contoso.group("Staff", "Ada", "Ben", "Cy")
    world.add_lot("standard", 2)
    contoso.policy(BOTH)
    contoso.sync()
    assert contoso.waiting() == {"Cy": "insufficient_licenses"}
    contoso.tenant.convert_mailbox(contoso.people["Ada"], "shared")
    contoso.tenant.disable(contoso.people["Ada"])
    contoso.sync()
    assert contoso.kinds()["Ada"] == "shared_mailbox"
    assert contoso.through() == {"Ada": "entitlement", "Ben": "seat", "Cy": "seat"}
    assert contoso.waiting() == {}
    assert contoso.clocks() == {}, "never unlicensed in between"
    assert "license.released" not in world.happened()


@proves("S5", "G4")
def test_turning_a_mailbox_into_a_shared_one_is_not_leaving(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    contoso.policy(STAFF.replace("}", ", on_leave: {then: release, after: 0s}}", 1))
    contoso.sync()
    contoso.tenant.convert_mailbox(contoso.people["Ada"], "shared")
    contoso.tenant.disable(contoso.people["Ada"])
    contoso.settle()
    assert contoso.through() == {"Ada": "entitlement", "Ben": "seat"}
    assert contoso.clocks() == {}
    contoso.tenant.remove_member(staff, contoso.people["Ada"])
    contoso.settle()
    assert contoso.licenses() == {"Ben": "standard"}, "leaving the group is"


@proves("S5", "L8")
def test_what_a_person_gave_moves_with_the_mailbox_and_stays_theirs(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ben")
    world.add_lot("standard", 2)
    contoso.policy(STAFF)
    contoso.sync()
    by_hand(world.app, Request(Verb.ASSIGN, Meant(("ada@contoso.example",))), PERSON)
    contoso.tenant.convert_mailbox(contoso.people["Ada"], "shared")
    contoso.tenant.disable(contoso.people["Ada"])
    contoso.settle()
    assert contoso.through() == {"Ada": "entitlement", "Ben": "seat"}
    assert contoso.sources()["Ada"] == "manual"
    contoso.tenant.convert_mailbox(contoso.people["Ada"], "user")
    contoso.tenant.enable(contoso.people["Ada"])
    contoso.hire("Cy")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Cy"])
    two_weeks_on(world, contoso)
    contoso.settle()
    assert contoso.through() == {"Ada": "seat", "Ben": "seat"}, "a user's mailbox needs a seat, whoever gave it"
    assert contoso.sources()["Ada"] == "manual"
    assert contoso.waiting() == {"Cy": "insufficient_licenses"}
    assert world.is_sound()


@proves("S5")
def test_a_conversion_that_touches_nothing_else_is_found_when_mailboxes_are_asked_for_again(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 2)
    contoso.policy(BOTH)
    contoso.sync()
    contoso.tenant.convert_mailbox(contoso.people["Ada"], "shared")
    assert contoso.settle().outcome == "nothing_to_do"
    two_weeks_on(world, contoso)
    assert contoso.through() == {"Ada": "entitlement", "Ben": "seat"}


@proves("S5")
def test_without_a_free_entitlement_a_converted_mailbox_keeps_its_seat(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 1)
    contoso.policy(BOTH)
    contoso.sync()
    contoso.tenant.convert_mailbox(contoso.people["Ada"], "shared")
    contoso.tenant.disable(contoso.people["Ada"])
    contoso.settle()
    assert (contoso.through(), contoso.waiting()) == ({"Ada": "seat"}, {"Ada": "entitlement"})
    contoso.hire("Ben", "Cy")
    contoso.tenant.add_members(contoso.tenant.find_group("Staff"), [contoso.people["Ben"], contoso.people["Cy"]])
    world.add_lot("standard", 1)
    contoso.settle()
    assert contoso.through() == {"Ada": "entitlement", "Ben": "seat", "Cy": "seat"}


@proves("S5")
def test_a_shared_mailbox_turned_back_needs_a_seat_first(world: World, contoso: Customer) -> None:
    contoso.hire("Ben")
    contoso.group("Staff", "Ben")
    contoso.mailbox("Careers")
    world.add_lot("standard", 1)
    contoso.policy(f"{BOTH}\n- {{name: all, everyone: true, license: standard}}")
    contoso.sync()
    assert contoso.through() == {"Ben": "seat", "Careers": "entitlement"}
    contoso.tenant.convert_mailbox(contoso.people["Careers"], "user")
    contoso.tenant.enable(contoso.people["Careers"])
    contoso.settle()
    assert contoso.through() == {"Ben": "seat", "Careers": "entitlement"}
    assert contoso.waiting() == {"Careers": "insufficient_licenses"}
    world.add_lot("standard", 1)
    assert contoso.through() == {"Ben": "seat", "Careers": "seat"}


@proves("S6")
def test_where_mailboxes_may_not_be_looked_at_nobody_gets_anything_new_and_the_remedy_is_told(
    world: World, contoso: Customer
) -> None:
    contoso.tenant.revoke("MailboxSettings.Read")
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.mailbox("Careers")
    world.add_lot("standard", 5)
    contoso.policy(BOTH, purchasing="{standard: {auto: true}}")
    contoso.sync()
    assert contoso.waiting() == dict.fromkeys(["Ada", "Careers"], "kind_unknown")
    assert world.orders() == [], "that is no shortage"
    row = contoso.row()
    assert row.state == "healthy"
    assert "mailbox" in row.mailbox_problem and row.mailbox_remedy
    assert row.due_at > world.clock().timestamp() * 1_000_000
    contoso.tenant.grant("MailboxSettings.Read")
    world.later(hours=1)
    contoso.sync()
    assert contoso.through() == {"Ada": "seat", "Careers": "entitlement"}
    assert (contoso.waiting(), contoso.row().mailbox_problem) == ({}, None)


@proves("S6", "Z8")
def test_a_refused_permission_is_tried_again_once_an_hour_and_writes_nothing(world: World, contoso: Customer) -> None:
    contoso.tenant.revoke("MailboxSettings.Read")
    contoso.hire("Ada", "Ben")
    contoso.policy(BOTH.replace("groups: [Staff]", "everyone: true"))
    contoso.settle()
    world.simulator.forget_requests()
    before = world.sizes()
    for _ in range(12):
        world.later(minutes=10)
        contoso.sync()
    asked = [number for label, number in world.simulator.requests().items() if "mailboxSettings" in label]
    assert asked == [4], "two mailboxes, twice"
    assert world.sizes() == before


@proves("S6")
def test_the_provider_may_take_unknown_mailboxes_for_users(world: World, contoso: Customer) -> None:
    contoso.tenant.revoke("MailboxSettings.Read")
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(BOTH, directory="unknown_mailboxes: user")
    contoso.sync()
    assert contoso.through() == {"Ada": "seat"}


@proves("S6")
def test_one_mailbox_that_is_shielded_waits_and_the_others_do_not(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.hire("Eve", mailbox="denied")
    contoso.group("Staff", "Ada", "Ben", "Eve")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    assert set(contoso.licenses()) == {"Ada", "Ben"}
    assert contoso.waiting() == {"Eve": "kind_unknown"}


@proves("S6")
def test_mailboxes_that_could_not_be_asked_for_are_asked_soon_again(wire: World) -> None:
    from connectors.simulators.microsoft365 import Fault

    contoso = wire.customer()
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    wire.add_lot("standard", 5)
    contoso.policy(STAFF)
    wire.simulator.order(Fault("unavailable", "/users/*/mailboxSettings*", times=None))
    contoso.sync()
    assert contoso.waiting() == {"Ada": "kind_unknown"}
    wire.simulator.withdraw_faults()
    wire.later(timedelta(minutes=10))
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}
