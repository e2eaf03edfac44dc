"""Organizational units, domains and the customer on the wire, and what administrators did."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.simulators.google_workspace import Customer, SimulatedClock, Simulator
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CUSTOMER
from tests.connectors.simulators.google_workspace.google_client import ADMIN_EVENTS, GoogleClient, Json

UNITS = "/customer/my_customer/orgunits"


def paths(google: GoogleClient, **query: object) -> list[str]:
    return [unit["orgUnitPath"] for unit in google.get(UNITS, **query).json().get("organizationUnits", ())]


def test_units_are_listed_at_once_and_by_default_those_right_below(google: GoogleClient) -> None:
    assert paths(google) == ["/Sales", "/Leavers"]
    assert paths(google, type="all") == ["/Sales", "/Sales/EMEA", "/Leavers"]
    assert paths(google, type="allIncludingParent") == ["/", "/Sales", "/Sales/EMEA", "/Leavers"]
    assert paths(google, type="all", orgUnitPath="/Sales") == ["/Sales/EMEA"]
    assert paths(google, orgUnitPath="/Sales/EMEA") == []
    assert google.get(UNITS, orgUnitPath="/Nowhere").message == "Invalid Input: INVALID_OU_ID"


def test_a_unit_keeps_its_id_wherever_it_goes(google: GoogleClient, customer: Customer) -> None:
    emea = google.get(f"{UNITS}/Sales/EMEA").json()
    customer.rename_unit("/Sales", "Trade")
    assert google.get(f"/users/{ADA}").json()["orgUnitPath"] == "/Trade/EMEA"
    customer.move_unit(emea["orgUnitId"], "/Leavers")

    moved = google.get(f"{UNITS}/{emea['orgUnitId']}").json()
    assert (moved["orgUnitId"], moved["orgUnitPath"]) == (emea["orgUnitId"], "/Leavers/EMEA")
    assert moved["parentOrgUnitPath"] == "/Leavers" and moved["parentOrgUnitId"].startswith("id:03")
    assert google.get(f"/users/{ADA}").json()["orgUnitPath"] == "/Leavers/EMEA"
    assert google.get(f"{UNITS}/Sales/EMEA").status == 404


def test_what_units_cannot_do(customer: Customer) -> None:
    with pytest.raises(ValueError, match="cannot be below itself"):
        customer.move_unit("/Sales", "/Sales/EMEA")
    with pytest.raises(ValueError, match="has a unit Leavers already"):
        customer.rename_unit("/Sales", "Leavers")
    with pytest.raises(ValueError, match="there are users in /Leavers"):
        customer.delete_unit("/Leavers")
    with pytest.raises(ValueError, match="has units below it"):
        customer.delete_unit("/Sales")
    with pytest.raises(ValueError, match="the root stays"):
        customer.rename_unit("/", "Top")
    customer.move(ADA, "/")
    customer.delete_unit("/Sales/EMEA")
    with pytest.raises(LookupError):
        customer.move(ADA, "/Sales/EMEA")


def test_domains_and_their_aliases(google: GoogleClient, customer: Customer) -> None:
    customer.add_domain("second.example")
    customer.add_domain("customer.test", alias_of="customer.example")

    first, second = google.get("/customer/my_customer/domains").json()["domains"]

    assert (first["domainName"], first["isPrimary"], second["isPrimary"]) == ("customer.example", True, False)
    assert [alias["domainAliasName"] for alias in first["domainAliases"]] == ["customer.test"]
    assert first["creationTime"] == "1767323045000" and "domainAliases" not in second
    assert google.get("/customer/my_customer/domains/second.example").json() == second
    assert google.get("/customer/my_customer/domains/third.example").message == "Domain not found."


def test_what_the_customer_says_of_itself(google: GoogleClient) -> None:
    for key in ("my_customer", CUSTOMER, "customer.example"):
        told = google.get(f"/customers/{key}").json()
        assert (told["id"], told["customerDomain"]) == (CUSTOMER, "customer.example")


# Reports


def told(google: GoogleClient, **query: object) -> list[tuple[str, Json]]:
    events = [item["events"][0] for item in google.walk("items", ADMIN_EVENTS, **query)]
    return [
        (event["name"], {each["name"]: each["value"] for each in event["parameters"]}) for event in reversed(events)
    ]


@pytest.fixture
def later(customer: Customer, clock: SimulatedClock) -> str:
    """The time when the day begins."""
    clock.advance(timedelta(minutes=10))
    return clock().isoformat().replace("+00:00", "Z")


def test_what_administrators_did_is_told_by_address(google: GoogleClient, customer: Customer, later: str) -> None:
    customer.habits = replace(customer.habits, audit_lag=0)
    group = customer.create_group("Staff")
    customer.suspend(BO)
    customer.unsuspend(BO)
    customer.archive(BO)
    customer.unarchive(BO)
    customer.rename(ADA, "Ada Queen")
    customer.move(ADA, "/Leavers")
    customer.add_member(group, ADA)
    customer.remove_member(group, ADA)
    customer.delete_user(ADA)
    customer.restore_user(ADA)

    ada, bo = {"USER_EMAIL": "ada.queen@customer.example"}, {"USER_EMAIL": "bo.lane@customer.example"}
    in_group = {**ada, "GROUP_EMAIL": "staff@customer.example"}
    assert told(google, startTime=later) == [
        ("SUSPEND_USER", bo),
        ("UNSUSPEND_USER", bo),
        ("ARCHIVE_USER", bo),
        ("UNARCHIVE_USER", bo),
        ("RENAME_USER", {"USER_EMAIL": "ada.king@customer.example", "NEW_VALUE": "ada.queen@customer.example"}),
        ("MOVE_USER_TO_ORG_UNIT", {**ada, "ORG_UNIT_NAME": "/Sales/EMEA", "NEW_VALUE": "/Leavers"}),
        ("ADD_GROUP_MEMBER", in_group),
        ("REMOVE_GROUP_MEMBER", in_group),
        ("DELETE_USER", ada),
        ("UNDELETE_USER", ada),
    ]


def test_events_come_late_newest_first_in_pages_and_some_never(
    google: GoogleClient, customer: Customer, clock: SimulatedClock, later: str
) -> None:
    for ident in customer.populate(6):
        customer.suspend(ident)
    assert told(google, startTime=later) == []

    clock.advance(timedelta(minutes=2))
    items = google.walk("items", ADMIN_EVENTS, startTime=later, maxResults=4)
    assert len({item["id"]["uniqueQualifier"] for item in items}) == len(items) == 6
    assert {item["id"]["time"] for item in items} == {"2026-01-02T03:14:05.000Z"}
    customer.habits = replace(customer.habits, audit_loses=3)
    assert len(told(google, startTime=later)) == 4


def test_events_can_be_chosen_within_a_quota(google: GoogleClient, customer: Customer, clock: SimulatedClock) -> None:
    customer.habits = replace(customer.habits, audit_lag=0, filtered_reports_per_minute=2)
    customer.suspend(ADA)

    assert [name for name, _ in told(google, eventName="SUSPEND_USER")] == ["SUSPEND_USER"]
    assert told(google, eventName="DELETE_USER") == []
    assert google.get(ADMIN_EVENTS, eventName="DELETE_USER").status == 503
    assert google.get(ADMIN_EVENTS).status == 200
    clock.advance(timedelta(minutes=1))
    assert google.get(ADMIN_EVENTS, eventName="DELETE_USER").status == 200
    assert google.get(ADMIN_EVENTS, startTime="yesterday").reason == "invalid"
    assert google.get(ADMIN_EVENTS.replace("admin/", "admin/", 1) + "s").status == 501
    assert google.get(ADMIN_EVENTS, filters="a==b").status == 501


def test_the_two_apis_are_told_apart(google: GoogleClient, simulator: Simulator) -> None:
    assert google.get("/admin/reports/v1/users?customer=my_customer").status == 501
    assert google.get("/activity/users/all/applications/admin").status == 501
    assert google.get("/admin/directory/v2/users?customer=my_customer").status == 501
    assert google.ask("GET", "/elsewhere").status == 404
    assert simulator.requests()["GET login/elsewhere"] == 1
