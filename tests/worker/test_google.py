"""The pass over a Google Workspace directory: lists that lie, access that is lost, and what costs nothing (Z2, D4)."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from connectors.simulators.google_workspace import SIMULATED_CLIENT_ID, Fault
from store.account_filters import AccountFilter
from store.overview import overview
from store.times import micros
from tests.proves import proves
from tests.worker import google
from tests.worker.google import EVERYONE, NAMES, SALES, STAFF, GoogleCustomer
from tests.worker.world import counted
from worker.operations.explaining import explain

contoso, anywhere = google.contoso, google.anywhere
LISTS = 3
"""Pages of a read of few: those who live, those who are deleted, and the end."""


def settled(contoso: GoogleCustomer, rules: str = EVERYONE, **more: str) -> dict[str, str]:
    """Everybody holds what the rules give; who holds which license."""
    contoso.world.add_lot("standard", 50)
    contoso.world.add_lot("archived", 50)
    contoso.policy(rules, **more)
    contoso.sync()
    result = contoso.sync()
    assert (result.outcome, result.changed, result.error) == ("nothing_to_do", 0, None)
    return contoso.licenses()


TROUBLES: dict[str, tuple[Fault, ...]] = {
    "a short list": (Fault("lost_rows", "/users", entries=5, times=None),),
    "an empty list": (Fault("empty_list", "/users", times=None),),
    "a list without the administrator": (Fault("without_admin", "/users", times=None),),
    "a list that is empty twice": (Fault("empty_list", "/users*", times=None),),
    "another customer's users": (Fault("wrong_customer", "/users", times=None),),
    "pages that lead in a circle": (Fault("repeat_token", "/users", times=None),),
    "a body that breaks off": (Fault("cut", "/users", times=None),),
    "throttled as forbidden": (Fault("throttle", "/users", times=None),),
    "throttled for the quota": (Fault("throttle", "/users", reason="quotaExceeded", times=None),),
    "throttled for long": (Fault("throttle", "/users", status=429, retry_after=3600, times=None),),
    "a lost scope": (Fault("lost_scope", "/users", times=None),),
    "an API that is switched off": (Fault("not_configured", times=None),),
    "API access that is switched off": (Fault("api_switched_off", times=None),),
    "no tenant": (Fault("domain_not_found", "/users", times=None),),
    "the deleted ones cannot be listed": (Fault("error", "/users?showDeleted=true", status=503, times=None),),
    "no token": (Fault("refuse", "login/token", times=None), Fault("unauthorized", times=None)),
}


@proves("Z2", "Z9", "D4")
@pytest.mark.parametrize("faults", TROUBLES.values(), ids=TROUBLES.keys())
def test_whatever_goes_wrong_on_the_wire_changes_no_license(contoso: GoogleCustomer, faults: tuple[Fault, ...]) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    contoso.wire.order(*faults)
    result = contoso.sync(full=True)
    assert result.outcome in ("failed", "held") and result.error
    assert contoso.licenses() == before and len(before) == 13
    assert set(contoso.states().values()) == {"active"}
    contoso.wire.withdraw_faults()
    contoso.world.later(hours=2)
    healed = contoso.sync()
    assert (healed.outcome, healed.error, contoso.row().state) == ("nothing_to_do", None, "healthy")


ACCESS: dict[str, tuple[Callable[[GoogleCustomer], None], str]] = {
    "the administrator is suspended": (lambda c: c.gws.suspend(c.gws.reader), "is not suspended"),
    "the administrator has no role any more": (lambda c: c.gws.appoint(c.gws.reader), "Users > Read"),
    "the delegation was withdrawn": (lambda c: c.gws.withdraw(SIMULATED_CLIENT_ID), "Domain-wide delegation"),
    "the key was rotated": (lambda c: c.wire.account.rotate(), "create a new JSON key"),
}


@proves("Z9")
@pytest.mark.parametrize("lose, remedy", ACCESS.values(), ids=ACCESS.keys())
def test_access_that_is_lost_changes_no_license_and_says_what_to_do(
    contoso: GoogleCustomer, lose: Callable[[GoogleCustomer], None], remedy: str
) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    lose(contoso)
    contoso.world.later(hours=2)
    result = contoso.sync()
    assert result.outcome == "failed" and result.remedy is not None and remedy in result.remedy
    assert contoso.licenses() == before


@proves("Z2")
def test_of_a_short_list_a_single_person_alive_voids_it_all(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.wire.order(Fault("lost_rows", "/users", entries=1))
    result = contoso.sync()
    assert result.outcome == "held" and "was not complete" in (result.error or "")
    contoso.world.later(minutes=5)
    assert contoso.sync().outcome == "nothing_to_do"
    assert contoso.world.holds() == []


@proves("Z8", "Z12")
def test_an_unchanged_customer_costs_reads_only(anywhere: GoogleCustomer) -> None:
    anywhere.gws.create_unit("/Sales")
    anywhere.hire(*NAMES, unit="/Sales")
    anywhere.group("staff", *NAMES[:5])
    settled(anywhere, f"{STAFF}\n{SALES}")
    before = anywhere.world.dump()
    anywhere.wire.forget_requests()
    anywhere.world.later(minutes=5)
    result = anywhere.sync()
    assert (result.outcome, result.mode, result.changed) == ("nothing_to_do", "full", 0)
    after = anywhere.world.dump()
    assert {table for table in before if before[table] != after[table]} == {"directory"}
    asked = {what: times for what, times in anywhere.wire.requests().items() if "login" not in what}
    assert set(asked.values()) == {1} and len(asked) == 5
    assert all(what.startswith("GET ") for what in asked)


@proves("D1", "D4")
def test_a_leaver_is_archived_in_the_pass_that_sees_it(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.delete("Person 03")
    result = contoso.sync()
    assert counted(result) == {"archive": 1}
    assert contoso.licenses()["Person 03"] == "archived"
    assert contoso.states()["Person 03"] == "deleted"


@proves("D1", "D4", "G4")
def test_who_is_deleted_between_the_read_of_users_and_that_of_groups_has_not_left_a_group(
    contoso: GoogleCustomer,
) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("staff", "Ada", "Ben")
    settled(contoso, STAFF)

    read = count(1)

    def meanwhile(step: str, _number: int) -> None:
        if step == "reading" and next(read) == LISTS:
            contoso.delete("Ada")

    contoso.sync(progress=meanwhile)
    assert next(read) == LISTS + 1
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}
    contoso.settle()
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"} and contoso.clocks() == {}


@proves("D3")
def test_a_leaver_who_comes_back_is_restored(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.delete("Person 03")
    contoso.sync()
    contoso.gws.restore_user(contoso.people["Person 03"])
    contoso.world.later(minutes=5)
    assert counted(contoso.sync()) == {"restore": 1}
    assert contoso.licenses()["Person 03"] == "standard"


@proves("D4")
def test_who_was_deleted_while_nobody_looked_is_found_by_id(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.delete("Person 03")
    contoso.world.later(days=21)
    contoso.sync()
    assert contoso.licenses()["Person 03"] == "archived"
    assert contoso.states()["Person 03"] == "purged"


@proves("G7")
def test_suspended_and_archived_people_keep_their_licenses(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    contoso.gws.suspend(contoso.people["Person 01"])
    contoso.gws.archive(contoso.people["Person 02"])
    contoso.sync()
    assert contoso.licenses() == before
    assert [contoso.states()[name] for name in NAMES[:3]] == ["active", "disabled", "disabled"]


@proves("Z2")
def test_flags_that_are_missing_are_unknown_and_not_false(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    contoso.gws.suspend(contoso.people["Person 01"])
    settled(contoso)
    contoso.wire.order(Fault("without_flags", "/users", times=None))
    result = contoso.sync()
    assert result.changed == 0 and contoso.states()["Person 01"] == "disabled"


@proves("Z2", "S6")
@pytest.mark.parametrize("declared", ["", "shared_mailboxes_are: {groups: [shared@contoso.example]}"])
def test_whoever_is_new_and_may_be_suspended_gets_nothing_yet(contoso: GoogleCustomer, declared: str) -> None:
    contoso.hire(*NAMES)
    contoso.group("shared", "Person 01")
    before = settled(contoso, directory=declared)
    contoso.hire("Ada", "Ben")
    contoso.gws.suspend(contoso.people["Ada"])
    contoso.wire.order(Fault("without_flags", "/users", times=None))
    contoso.world.later(minutes=5)
    contoso.sync()
    assert contoso.licenses() == before
    assert contoso.waiting() == {"Ada": "kind_unknown", "Ben": "kind_unknown"}
    contoso.wire.withdraw_faults()
    contoso.world.later(minutes=5)
    contoso.sync()
    assert contoso.licenses() == {**before, "Ben": "standard"} and contoso.waiting() == {}


def test_people_who_swap_addresses_keep_what_is_theirs(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    contoso.gws.swap_addresses(contoso.people["Person 01"], contoso.people["Person 02"])
    result = contoso.sync()
    assert (result.actions_total, result.changed) == (0, 2)
    assert contoso.licenses() == before


def test_a_renamed_domain_is_no_mass_change(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    contoso.gws.rename_domain("contoso.test")
    contoso.policy(EVERYONE)
    result = contoso.sync()
    assert (result.actions_total, contoso.licenses()) == (0, before)


# Organizational units


@proves("G2", "G3")
def test_a_unit_that_is_renamed_or_moved_keeps_its_licenses(contoso: GoogleCustomer) -> None:
    contoso.gws.create_unit("/Sales/EMEA")
    contoso.gws.create_unit("/Field")
    contoso.hire("Ada", unit="/Sales")
    contoso.hire("Ben", unit="/Sales/EMEA")
    contoso.hire("Cy", unit="/Field")
    before = settled(contoso, SALES)
    assert before == {"Ada": "standard", "Ben": "standard"}
    contoso.gws.rename_unit("/Sales", "Revenue")
    renamed = contoso.sync()
    assert (renamed.changed, renamed.actions_total, contoso.licenses()) == (0, 0, before)
    contoso.gws.move_unit("/Revenue", "/Field")
    assert (contoso.sync().actions_total, contoso.licenses()) == (0, before)
    contoso.gws.create_unit("/Sales")
    contoso.hire("Eve", unit="/Sales")
    contoso.sync()
    assert contoso.licenses() == before, "a new unit of the old name is not the one that was meant"


@proves("G3")
def test_a_unit_that_is_gone_suspends_the_rule(contoso: GoogleCustomer) -> None:
    contoso.gws.create_unit("/Sales")
    contoso.hire("Ada", unit="/Sales")
    before = settled(contoso, SALES)
    contoso.gws.move(contoso.people["Ada"], "/")
    contoso.gws.delete_unit("/Sales")
    result = contoso.sync()
    assert "'/Sales' was deleted" in (result.error or "") and result.remedy
    assert contoso.licenses() == before


@proves("G3")
def test_units_that_may_not_be_read_suspend_what_needs_them_and_nothing_else(anywhere: GoogleCustomer) -> None:
    anywhere.gws.create_unit("/Sales")
    anywhere.hire("Ada", unit="/Sales")
    anywhere.hire("Ben")
    anywhere.group("staff", "Ben")
    before = settled(anywhere, f"{STAFF}\n{SALES}")
    anywhere.gws.withdraw(SIMULATED_CLIENT_ID, "admin.directory.orgunit.readonly")
    anywhere.hire("Cy", unit="/Sales")
    anywhere.hire("Dan")
    anywhere.gws.add_member(anywhere.gws.find_group("staff@contoso.example"), anywhere.people["Dan"])
    anywhere.world.later(hours=2)
    result = anywhere.sync()
    assert "organizational units cannot be read" in (result.error or "")
    assert "orgunit.readonly" in (result.remedy or "")
    assert anywhere.licenses() == {**before, "Dan": "standard"}
    anywhere.gws.delegate(SIMULATED_CLIENT_ID, "admin.directory.orgunit.readonly")
    anywhere.world.later(minutes=5)
    anywhere.sync()
    assert anywhere.licenses() == {**before, "Dan": "standard", "Cy": "standard"}


# Groups


@proves("G2")
def test_all_users_of_the_organization_can_be_one_member(anywhere: GoogleCustomer) -> None:
    anywhere.hire("Ada", "Ben")
    everybody = anywhere.group("everybody")
    anywhere.gws.add_everybody(everybody)
    anywhere.group("staff", everybody)
    assert set(settled(anywhere, STAFF)) == {"Ada", "Ben", "Directory Reader"}
    anywhere.hire("Cy")
    anywhere.sync()
    assert "Cy" in anywhere.licenses()
    groups = explain(anywhere.world.app, "cy@contoso.example").groups
    assert [(group.name, group.through) for group in groups] == [("everybody", None), ("staff", "everybody")]
    with anywhere.world.store.read() as tx:
        rows = tx.views.every_account(AccountFilter(group="staff@contoso.example"), micros(anywhere.world.clock()))
        assert {row.name for row in rows} == {"Ada", "Ben", "Cy", "Directory Reader"}


@proves("G2")
def test_strangers_in_a_group_get_nothing_and_hide_nobody(contoso: GoogleCustomer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("staff", "Ada")
    contoso.gws.add_foreign_group(staff, "partners@elsewhere.example")
    assert set(settled(contoso, STAFF)) == {"Ada"}


@proves("G3", "D1")
def test_a_group_whose_members_are_denied_suspends_its_rules_and_nothing_else(contoso: GoogleCustomer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    contoso.group("staff", "Ada")
    before = settled(contoso, f"{STAFF}\n{EVERYONE}")
    contoso.delete("Ben")
    contoso.wire.order(Fault("forbidden", "/groups/*/members", times=None))
    contoso.world.later(minutes=5)
    result = contoso.sync()
    assert "groups cannot be read" in (result.error or "") and "Groups > Read" in (result.remedy or "")
    assert contoso.licenses() == {**before, "Ben": "archived"}


@proves("G3")
def test_status_says_why_groups_cannot_be_told_as_it_is_now(contoso: GoogleCustomer) -> None:
    contoso.gws.create_unit("/Sales")
    contoso.hire("Ada", unit="/Sales")
    contoso.policy(f"{STAFF}\n{SALES}")

    def told() -> str:
        contoso.sync()
        contoso.world.later(hours=2)
        with contoso.world.store.read() as tx:
            [state] = overview(tx, micros(contoso.world.clock()), {}).directories
        return f"{state.problem} → {state.remedy}"

    assert "matches no group" in told()
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, "admin.directory.group.readonly", "admin.directory.orgunit.readonly")
    assert "groups cannot be read" in (said := told()) and "group.readonly for" in said
    contoso.gws.delegate(SIMULATED_CLIENT_ID, "admin.directory.group.readonly", "admin.directory.orgunit.readonly")
    contoso.gws.appoint(contoso.gws.reader, "users")
    assert "may not read groups" in (said := told()) and "Groups > Read" in said
    contoso.gws.appoint(contoso.gws.reader, "users", "groups")
    contoso.group("staff", "Ada")
    assert "may not read organizational units" in (said := told()) and "Organizational units > Read" in said
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, "admin.directory.orgunit.readonly")
    assert "orgunit.readonly for" in told()
    contoso.gws.delegate(SIMULATED_CLIENT_ID, "admin.directory.orgunit.readonly")
    contoso.gws.appoint(contoso.gws.reader, "users", "groups", "org_units")
    assert told() == "None → None"


@proves("Z2")
@pytest.mark.parametrize("kind", ["lost_rows", "without_types", "unknown_keys"])
def test_a_group_that_lists_fewer_than_it_counts_loses_nobody(contoso: GoogleCustomer, kind: Any) -> None:
    """Nor does one that does not say what they are, or says what nobody has heard of."""
    contoso.hire(*NAMES)
    contoso.group("staff", *NAMES)
    before = settled(contoso, STAFF)
    contoso.wire.order(Fault(kind, "/groups/*/members", entries=3, times=None))
    contoso.world.later(minutes=5)
    contoso.sync()
    assert contoso.licenses() == before


# Shared mailboxes (S6)


@proves("S6")
def test_shared_mailboxes_are_what_the_policy_declares(anywhere: GoogleCustomer) -> None:
    anywhere.gws.create_unit("/Shared")
    anywhere.hire("Ada", "Careers Team")
    anywhere.hire("Press", unit="/Shared")
    anywhere.hire("Front Desk")
    anywhere.group("shared", "Front Desk")
    rules = "- {name: shared, mailboxes: shared, license: standard}\n" + EVERYONE
    declared = 'shared_mailboxes_are: {org_units: [/Shared], groups: [shared@contoso.example], addresses: ["*.team@*"]}'
    settled(anywhere, rules, directory=declared)
    kinds = anywhere.kinds()
    assert {name for name, kind in kinds.items() if kind == "shared_mailbox"} == {"Careers Team", "Front Desk", "Press"}
    assert {name for name, kind in kinds.items() if kind == "user"} == {"Ada", "Directory Reader"}
    anywhere.gws.remove_member(anywhere.gws.find_group("shared@contoso.example"), anywhere.people["Front Desk"])
    anywhere.gws.rename_unit("/Shared", "Common")
    anywhere.world.later(minutes=5)
    anywhere.sync()
    assert (anywhere.kinds()["Front Desk"], anywhere.kinds()["Press"]) == ("user", "shared_mailbox")


@proves("S6", "Z2")
def test_of_a_group_that_lists_fewer_than_it_counts_nobody_is_guessed_to_be_outside(anywhere: GoogleCustomer) -> None:
    anywhere.hire("Front Desk", "Press Desk")
    anywhere.group("shared", anywhere.group("desks", "Front Desk", "Press Desk"))
    anywhere.world.add_lot("standard", 9)
    anywhere.wire.order(Fault("lost_rows", "/groups/*/members", after=1, times=None))
    declared = "shared_mailboxes_are: {groups: [shared@contoso.example]}"
    rules = "- {name: shared, mailboxes: shared, license: standard}\n" + EVERYONE
    anywhere.policy(rules, directory=declared, licenses="{shared_mailboxes: unlimited}")
    anywhere.sync()
    assert anywhere.through() == {"Front Desk": "entitlement"}
    assert anywhere.waiting() == {"Directory Reader": "kind_unknown", "Press Desk": "kind_unknown"}
    anywhere.wire.withdraw_faults()
    anywhere.world.later(minutes=5)
    anywhere.sync()
    assert anywhere.through() == {
        "Directory Reader": "seat", "Front Desk": "entitlement", "Press Desk": "entitlement",
    }  # fmt: skip


@proves("S6", "G3")
@pytest.mark.parametrize(
    "declared, why",
    [
        ("groups: [nobody@contoso.example]", "the group 'nobody@contoso.example' matches no group"),
        ("groups: [Desks]", "the group 'Desks' matches several groups"),
        ("org_units: [/Nowhere]", "the organizational unit '/Nowhere' matches no organizational unit"),
    ],
)
def test_a_declaration_that_names_what_is_not_there_is_told(anywhere: GoogleCustomer, declared: str, why: str) -> None:
    anywhere.hire("Ada")
    for address in ("a@contoso.example", "b@contoso.example"):
        anywhere.group("Desks", address=address)
    anywhere.policy(EVERYONE, directory=f"shared_mailboxes_are: {{{declared}}}")
    for _ in range(2):
        result = anywhere.sync()
        assert result.error == f"shared mailboxes cannot be told: {why}" and "shared_mailboxes_are" in (
            result.remedy or ""
        )
        anywhere.world.later(minutes=5)
    with anywhere.world.store.read() as tx:
        [told] = overview(tx, micros(anywhere.world.clock()), {}).directories
    assert (told.state, told.problem, told.remedy) == ("healthy", result.error, result.remedy)
    assert set(anywhere.waiting().values()) == {"kind_unknown"}
    anywhere.policy(EVERYONE, directory=f"unknown_mailboxes: user\n    shared_mailboxes_are: {{{declared}}}")
    assert anywhere.sync().error is None and anywhere.waiting().keys() <= {"Ada", "Directory Reader"}


@proves("S6")
@pytest.mark.parametrize(
    "scope, declared", [("group", "groups: [desks@contoso.example]"), ("orgunit", "org_units: [/Shared]")]
)
def test_a_declaration_that_we_may_not_look_up_is_told(contoso: GoogleCustomer, scope: str, declared: str) -> None:
    contoso.group("desks")
    contoso.gws.create_unit("/Shared")
    settled(contoso, directory=f"shared_mailboxes_are: {{{declared}}}")
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, f"admin.directory.{scope}.readonly")
    contoso.world.later(hours=2)
    result = contoso.sync()
    assert "cannot be read" in (result.error or "") and f"admin.directory.{scope}.readonly" in (result.remedy or "")


@proves("S6")
def test_addresses_are_compared_without_case_and_in_one_spelling(contoso: GoogleCustomer) -> None:
    contoso.gws.add_domain("xn--bcher-kva.example")
    contoso.hire("Careers", address="Careers-Team@Contoso.Example")
    contoso.hire("Orders", address="orders-team@xn--bcher-kva.example")
    contoso.hire("Ada", address="ada@xn--bcher-kva.example")
    declared = 'shared_mailboxes_are: {addresses: ["*-TEAM@contoso.example", "*-team@Bücher.example"]}'
    settled(contoso, "- {name: books, domains: [bücher.example], license: standard}", directory=declared)
    shared = {name for name, kind in contoso.kinds().items() if kind == "shared_mailbox"}
    assert (shared, set(contoso.licenses())) == ({"Careers", "Orders"}, {"Ada"})


def interrupted(contoso: GoogleCustomer) -> str:
    """A first read of 3,600 that stops when most of them are staged; the address of one of these."""
    contoso.gws.create_unit("/Sales")
    contoso.gws.populate(3_600, units=["/Sales"])
    contoso.policy(EVERYONE)
    contoso.wire.order(Fault("error", "/users", status=503, after=7, times=None))
    assert contoso.sync().outcome == "failed"
    contoso.wire.withdraw_faults()
    contoso.wire.forget_requests()
    contoso.world.later(minutes=11)
    [(staged, address)] = contoso.world.rows("SELECT count(*), min(address) FROM stage")
    assert 3_000 <= staged < 3_600
    return str(address)


@pytest.mark.slow
@proves("Z2", "D4")
def test_a_read_that_takes_longer_than_google_goes_on_is_split_by_domains(anywhere: GoogleCustomer) -> None:
    anywhere.gws.add_domain("fabrikam.example")
    anywhere.gws.hire("Zoe", address="zoe@fabrikam.example")
    interrupted(anywhere)
    anywhere.world.later(hours=2)
    result = anywhere.sync()
    assert (result.error, result.seen) == (None, 3_000 + 3_602)
    assert anywhere.world.one("SELECT count(*) FROM account") == 3_602
    anywhere.world.later(minutes=5)
    assert anywhere.sync().changed == 0


@pytest.mark.slow
@proves("S6")
def test_what_was_staged_under_another_declaration_is_read_again(contoso: GoogleCustomer) -> None:
    address = interrupted(contoso)
    contoso.policy(EVERYONE, directory=f"shared_mailboxes_are: {{addresses: ['{address}']}}")
    contoso.sync()
    assert contoso.world.rows("SELECT address FROM account WHERE kind = 'shared_mailbox'") == [(address,)]


@pytest.mark.slow
@proves("G3")
def test_what_was_staged_before_a_policy_named_units_is_read_again(contoso: GoogleCustomer) -> None:
    interrupted(contoso)
    contoso.world.add_lot("standard", 3_700)
    contoso.policy(SALES)
    contoso.sync()
    enabled = "SELECT count(*) FROM account WHERE enabled AND NOT guest"
    assert contoso.world.one("SELECT count(*) FROM assignment") == contoso.world.one(enabled) - 1 > 3_000


@pytest.mark.slow
def test_what_was_staged_is_kept_where_the_policy_changed_otherwise(contoso: GoogleCustomer) -> None:
    interrupted(contoso)
    contoso.policy(EVERYONE, warn_below="{standard: 5}")
    contoso.sync()
    assert contoso.wire.requests()["GET /users?pageToken"] == 2 and "GET /users" not in contoso.wire.requests()
    assert contoso.world.one("SELECT count(*) FROM account") == 3_601


@proves("S6")
def test_without_a_declaration_nothing_is_guessed(contoso: GoogleCustomer) -> None:
    contoso.hire("Ada", "Careers Team")
    settled(contoso)
    assert set(contoso.kinds().values()) == {"user"}


@proves("Z11")
def test_another_customer_behind_the_same_directory_stops_it(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    contoso.wire.order(Fault("wrong_customer", "/users", times=None))
    result = contoso.sync()
    assert result.outcome == "failed" and "is bound to tenant" in (result.error or "") and result.remedy
    assert contoso.licenses() == before


@proves("D4")
def test_somebody_in_both_lists_is_looked_up(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    before = settled(contoso)
    contoso.wire.order(Fault("also_deleted", "/users?showDeleted=true", entries=3))
    result = contoso.sync()
    assert (result.outcome, result.changed, contoso.licenses()) == ("nothing_to_do", 0, before)


def test_a_group_that_is_gone_is_planned_for_once(contoso: GoogleCustomer) -> None:
    contoso.hire("Ada")
    staff = contoso.group("staff", "Ada")
    before = settled(contoso, STAFF)
    contoso.gws.delete_group(staff)
    assert "is gone" in (contoso.sync().error or "")
    frozen = contoso.world.dump()
    contoso.world.later(minutes=5)
    again = contoso.sync()
    assert "is gone" in (again.error or "") and contoso.licenses() == before
    after = contoso.world.dump()
    assert {table for table in frozen if frozen[table] != after[table]} == {"directory"}
    assert not contoso.row().plan_whole
