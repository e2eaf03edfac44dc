"""Audit events as hints: they spare reading, or let it begin earlier, and change nothing by themselves."""

import logging
from dataclasses import replace

import pytest

from connectors.registry import kinds
from connectors.simulators.google_workspace import SIMULATED_CLIENT_ID, Fault
from policies.errors import PolicyError
from policies.reader import read_policy
from tests.proves import proves
from tests.worker import google
from tests.worker.google import EVERYONE, NAMES, SALES, STAFF, GoogleCustomer

contoso, anywhere = google.contoso, google.anywhere
HINTS = {"GET /activity/users/{userKey}/applications/{applicationName}": 1}


def settled(contoso: GoogleCustomer, rules: str = EVERYONE, read_every: str = "6h") -> None:
    """Everybody holds what the rules give, and what led to it is known."""
    contoso.world.add_lot("standard", 50)
    contoso.world.add_lot("archived", 50)
    contoso.policy(rules, directory=f"read_every: {read_every}")
    contoso.world.later(minutes=15)
    contoso.sync()
    contoso.world.later(minutes=5)
    assert contoso.sync().outcome == "nothing_to_do"


def poll(contoso: GoogleCustomer, minutes: float = 5) -> dict[str, int]:
    """One more pass after so long; what it asked for."""
    contoso.world.later(minutes=minutes)
    contoso.wire.forget_requests()
    result = contoso.sync()
    assert result.error is None
    return {what: times for what, times in contoso.wire.requests().items() if "login" not in what}


@proves("Z12")
def test_where_nothing_happened_a_poll_is_one_request_and_writes_nothing(anywhere: GoogleCustomer) -> None:
    anywhere.hire(*NAMES)
    anywhere.group("staff", *NAMES[:5])
    settled(anywhere, STAFF)
    row, before = anywhere.row(), anywhere.world.dump()
    for _ in range(12):
        assert poll(anywhere) == HINTS
    after = anywhere.world.dump()
    assert {table for table in before if before[table] != after[table]} == {"directory"}
    now = anywhere.row()
    assert (now.cursor, now.groups_cursor, now.state) == (row.cursor, row.groups_cursor, "healthy")


@proves("D1")
def test_a_leaver_is_archived_as_soon_as_the_deletion_is_told_and_read_for_once(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.delete("Person 03")
    assert poll(contoso, minutes=1) == HINTS
    assert contoso.licenses()["Person 03"] == "standard"
    assert poll(contoso, minutes=2)["GET /users"] == 1
    assert contoso.licenses()["Person 03"] == "archived"
    for _ in range(8):
        assert poll(contoso, minutes=2) == HINTS


@proves("Z2")
def test_an_event_alone_changes_nothing(contoso: GoogleCustomer) -> None:
    """Whoever is said to be deleted was never gone."""
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.delete("Person 03")
    contoso.gws.restore_user(contoso.people["Person 03"])
    assert poll(contoso)["GET /users"] == 1
    assert set(contoso.licenses().values()) == {"standard"} and len(contoso.licenses()) == 13


@proves("Z12")
def test_what_is_never_told_is_read_all_the_same(contoso: GoogleCustomer) -> None:
    contoso.gws.habits = replace(contoso.gws.habits, audit_loses=1)
    contoso.hire(*NAMES)
    settled(contoso, read_every="1h")
    contoso.delete("Person 03")
    asked = [poll(contoso, minutes=10) for _ in range(6)]
    assert asked[:5] == [HINTS] * 5 and asked[5]["GET /users"] == 1
    assert contoso.licenses()["Person 03"] == "archived"


def test_a_late_event_is_heard_behind_newer_ones(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.gws.habits = replace(contoso.gws.habits, audit_lag=9 * 60)
    contoso.delete("Person 03")
    assert poll(contoso, minutes=8) == HINTS
    assert poll(contoso, minutes=2)["GET /users"] == 1
    assert poll(contoso) == HINTS


@proves("Z9")
def test_without_access_to_events_everybody_is_read_and_that_is_said_once(
    contoso: GoogleCustomer, caplog: pytest.LogCaptureFixture
) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, "admin.reports.audit.readonly")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert poll(contoso, minutes=65)["GET /users"] == 1
    told = [record.getMessage() for record in caplog.records if "no hints" in record.getMessage()]
    assert len(told) == 1 and "admin.reports.audit.readonly" in told[0]
    contoso.delete("Person 03")
    poll(contoso)
    assert contoso.licenses()["Person 03"] == "archived"


@pytest.mark.parametrize("status", [403, 500])
def test_events_that_fail_fail_nothing(contoso: GoogleCustomer, status: int) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    contoso.wire.order(Fault("error", "/activity*", status=status, times=None))
    assert poll(contoso)["GET /users"] == 1
    assert contoso.row().state == "healthy"
    contoso.wire.withdraw_faults()
    assert poll(contoso) == HINTS


@proves("G2")
def test_who_joins_a_group_is_read_with_it(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    staff = contoso.group("staff", *NAMES[:5])
    settled(contoso, STAFF)
    contoso.gws.add_member(staff, contoso.people["Person 07"])
    asked = poll(contoso)
    assert "GET /groups/{groupKey}/members" in asked
    assert contoso.licenses()["Person 07"] == "standard"
    assert poll(contoso) == HINTS


def test_a_group_that_the_policy_names_anew_is_read_at_once(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    contoso.group("staff", *NAMES[:5])
    settled(contoso, "- {name: nobody, domains: [nowhere.example], license: standard}")
    contoso.policy(STAFF, directory="read_every: 6h")
    assert "GET /users" not in poll(contoso)
    assert set(contoso.licenses()) == set(NAMES[:5])


@proves("G3")
def test_a_unit_that_the_policy_names_anew_takes_nothing_from_its_people(contoso: GoogleCustomer) -> None:
    """Accounts are placed by units as they are read, so that all of them are."""
    contoso.gws.create_unit("/Sales")
    contoso.hire(*NAMES, unit="/Sales")
    settled(contoso)
    contoso.policy(SALES, directory="read_every: 6h")
    assert poll(contoso)["GET /users"] == 1
    assert set(contoso.licenses()) >= set(NAMES)
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, "admin.directory.orgunit.readonly")
    contoso.world.later(hours=7)
    assert "cannot be read" in (contoso.sync().error or "")
    contoso.gws.delegate(SIMULATED_CLIENT_ID, "admin.directory.orgunit.readonly")
    assert poll(contoso, minutes=65)["GET /users"] == 1
    assert set(contoso.licenses()) >= set(NAMES)


@proves("S6")
def test_a_declaration_that_is_taken_back_is_read_for_at_once(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso)
    address = contoso.gws.address(contoso.people["Person 03"])
    shared = "SELECT name FROM account WHERE kind = 'shared_mailbox'"
    contoso.policy(EVERYONE, directory=f"read_every: 6h\n    shared_mailboxes_are: {{addresses: ['{address}']}}")
    assert poll(contoso)["GET /users"] == 1
    assert contoso.world.rows(shared) == [("Person 03",)]
    contoso.policy(EVERYONE, directory="read_every: 6h")
    assert poll(contoso)["GET /users"] == 1
    assert contoso.world.rows(shared) == []
    assert poll(contoso) == HINTS


@proves("S6")
def test_what_was_left_open_is_decided_as_soon_as_its_group_can_be_told(anywhere: GoogleCustomer) -> None:
    anywhere.hire("Front Desk", "Press Desk")
    anywhere.group("desks", "Front Desk", "Press Desk")
    anywhere.world.add_lot("standard", 9)
    anywhere.wire.order(Fault("lost_rows", "/groups/*/members", times=None))
    anywhere.world.later(minutes=15)
    anywhere.policy(EVERYONE, directory="read_every: 6h\n    shared_mailboxes_are: {groups: [desks@contoso.example]}")
    assert "fewer members than it counts" in (anywhere.sync().error or "")
    anywhere.world.later(minutes=35)
    anywhere.sync()
    assert anywhere.kinds()["Press Desk"] == anywhere.kinds()["Directory Reader"] == "unknown"
    anywhere.wire.withdraw_faults()
    assert "GET /users" not in poll(anywhere)
    assert poll(anywhere)["GET /users"] == 1
    assert anywhere.kinds() == {
        "Directory Reader": "user", "Front Desk": "shared_mailbox", "Press Desk": "shared_mailbox",
    }  # fmt: skip
    assert "GET /users" not in poll(anywhere)


def test_more_events_than_a_page_are_not_told_apart(contoso: GoogleCustomer) -> None:
    [ada] = contoso.hire("Ada")
    settled(contoso)
    for _ in range(501):
        contoso.gws.suspend(ada)
        contoso.gws.unsuspend(ada)
    assert [("GET /users" in poll(contoso, minutes)) for minutes in (3, 5, 15, 5)] == [True, True, True, False]


@proves("R4")
def test_a_poll_that_reads_nothing_makes_no_read_younger(anywhere: GoogleCustomer) -> None:
    anywhere.hire(*NAMES)
    settled(anywhere)
    poll(anywhere)
    read = anywhere.row().last_success
    poll(anywhere)
    anywhere.world.later(hours=3)
    anywhere.sync(whole=True)
    assert anywhere.row().last_success == read
    assert poll(anywhere, minutes=4 * 60)["GET /users"] == 1
    assert anywhere.row().last_success > read


@proves("Z12")
def test_a_read_of_everybody_that_is_asked_for_happens(contoso: GoogleCustomer) -> None:
    contoso.hire(*NAMES)
    settled(contoso, read_every="12h")
    contoso.wire.forget_requests()
    assert contoso.sync(full=True).mode == "full"
    assert contoso.wire.requests()["GET /users"] == 1
    planned = contoso.row().planned_whole_at
    for _ in range(4):
        contoso.world.later(hours=7)
        assert contoso.sync().outcome == "nothing_to_do"
    assert contoso.row().planned_whole_at > planned


@proves("Z4")
def test_reads_further_apart_than_clocks_allow_are_a_fault_of_the_policy(contoso: GoogleCustomer) -> None:
    contoso.policy(EVERYONE, directory="read_every: 12h")
    text = contoso.file.read_text(encoding="utf-8").replace("read_every: 12h", "read_every: 13h")
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "contoso.yaml", kinds())
    [problem] = caught.value.problems
    assert "read_every: found '13h', expected a duration of at most 12h" in str(problem)
