"""Driving a simulator from another process, and serving it in the foreground."""

import threading

import pytest
import urllib3

from connectors.simulators.google_workspace import (
    NORTHWIND_CUSTOMER,
    Customer,
    Fault,
    GoogleServer,
    Simulator,
    run,
    serve,
)
from connectors.simulators.google_workspace.control import VERBS
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CUSTOMER, CY
from tests.connectors.simulators.google_workspace.google_client import GoogleClient, Json


def happen(google: GoogleClient, verb: str, **arguments: object) -> object:
    reply = google.drive(f"/customers/customer.example/{verb}", arguments)
    assert reply.status == 200, reply.body
    return reply.decoded()


def test_the_overview_says_how_to_sign_in(google: GoogleClient, customer: Customer, simulator: Simulator) -> None:
    overview = google.drive("", method="GET").json()

    assert overview["key"] == simulator.account.key_file(google.server.url)
    assert overview["customers"] == [
        {"id": CUSTOMER, "domain": "customer.example", "name": "Customer", "subject": customer.subject, "users": 4}
    ]


def test_what_can_happen_to_a_customer_can_be_made_to_happen(google: GoogleClient, customer: Customer) -> None:
    ola = happen(google, "hire", name="Ola Berg", unit="/Sales", recoveryEmail="ola@private.example")
    group = happen(google, "create_group", name="Staff", members=[ADA])
    happen(google, "add_member", group=group, member=ola)
    happen(google, "suspend", id=BO)
    happen(google, "rename", id=CY, name="Cy Borg")
    happen(google, "move", id=ADA, unit="/Leavers")
    happen(google, "rename_unit", unit="/Leavers", name="Left")
    happen(google, "delete_user", id=BO)
    happen(google, "rehire", id=BO)
    happen(google, "populate", count=5, seed=1, shares={"suspended": 1.0, "archived": 0, "without_mailbox": 0})
    happen(google, "appoint", id=customer.reader, privileges=["users", "groups"])
    happen(google, "delegate", client_id="1234", scopes=["admin.directory.user.readonly"])
    happen(google, "withdraw", client_id="1234")
    happen(google, "habits", audit_lag=7)

    assert google.get(f"/users/{ola}").json()["recoveryEmail"] == "ola@private.example"
    assert [member["id"] for member in google.members(str(group))] == [ADA, ola]
    assert google.get("/users/cy.moss@customer.example").json()["name"]["familyName"] == "Borg"
    assert google.get(f"/users/{ADA}").json()["orgUnitPath"] == "/Left"
    assert customer.users.live_count == 10 and customer.habits.audit_lag == 7
    assert google.get("/customer/my_customer/domains").status == 403 and customer.delegations["1234"] == frozenset()


def test_every_verb_is_a_method_of_a_customer() -> None:
    assert {verb for verb in VERBS if not callable(getattr(Customer, verb, None))} == set()


def test_customers_can_be_added(google: GoogleClient, simulator: Simulator) -> None:
    added = google.drive("/customers", {"domain": "fabrikam.example", "users": 12}).json()

    assert simulator.customer(added["id"]).users.live_count == 13
    assert added["subject"] == "directory-reader@fabrikam.example"


def test_faults_can_be_ordered_seen_and_withdrawn(google: GoogleClient) -> None:
    google.drive("/faults", {"kind": "throttle", "path": "/users", "retry_after": 3})
    google.drive("/faults", [{"kind": "error", "path": "/groups"}])

    assert google.users().status == 403
    assert google.drive("/faults", method="GET").decoded() == [{"kind": "error", "path": "/groups"}]
    assert google.drive("/faults", method="DELETE").decoded() == []


def test_requests_can_be_counted(google: GoogleClient) -> None:
    google.everybody(maxResults=3)
    google.users(showDeleted="true")

    counted = {"GET /users": 1, "GET /users?pageToken": 1, "GET /users?showDeleted": 1}
    assert google.drive("/requests", method="GET").json() == counted
    assert google.drive(f"/requests?tenant={CUSTOMER}", method="GET").json() == counted
    google.drive("/requests", method="DELETE")
    assert google.drive("/requests", method="GET").json() == {}


def test_time_can_be_moved_on(google: GoogleClient) -> None:
    assert google.drive("/clock", {"advance": 86400}).json() == {"now": "2026-01-03T03:04:05Z"}
    assert google.users().status == 401


@pytest.mark.parametrize(
    "path, body, told",
    [
        ("/customers/nobody.example/hire", {}, "there is no customer nobody.example"),
        ("/customers/customer.example/fire", {}, "nothing called 'fire' happens to a customer"),
        ("/customers/customer.example/suspend", {"id": "1"}, "has no user 1"),
        ("/customers/customer.example/hire", {"name": "A B", "shoes": 43}, "no field that Google's users have"),
        ("/customers/customer.example/hire", {"name": "Ada King"}, "somebody has the address ada.king@"),
        ("/customers", {"domain": "customer.example"}, "already"),
        ("/faults", {"kind": "flood"}, "Invalid enum value 'flood'"),
        ("/weather", {}, "is nothing that a simulator does"),
    ],
)
def test_what_cannot_be_done_is_told(google: GoogleClient, path: str, body: Json, told: str) -> None:
    reply = google.drive(path, body)

    assert reply.status == 400 and told in reply.json()["error"]


def test_only_this_machine_drives(google: GoogleClient) -> None:
    assert google.drive("", method="GET", host="rebound.example:80").status == 403


def test_a_simulator_runs_in_the_foreground_until_it_is_told_to_stop(http: urllib3.PoolManager) -> None:
    ready, stop = threading.Event(), threading.Event()
    served: list[GoogleServer] = []

    def announce(server: GoogleServer) -> None:
        served.append(server)
        ready.set()

    options = {"users": 20, "tenants": 3, "faults": [Fault("error", "/users")], "stop": stop}
    thread = threading.Thread(target=run, args=(announce,), kwargs=options)
    thread.start()
    assert ready.wait(60)
    simulator = served[0].simulator
    northwind = simulator.customer(NORTHWIND_CUSTOMER)
    google = GoogleClient(http, served[0], northwind, simulator.token(northwind))
    statuses = [google.users().status for _ in range(2)]
    stop.set()
    thread.join(60)

    assert statuses == [500, 200] and not thread.is_alive()
    assert [other.domain for other in simulator] == ["northwind.example", "customer-2.example", "customer-3.example"]
    assert northwind.habits.queries_per_minute == 2400


def test_customers_can_be_removed_and_many_are_light(http: urllib3.PoolManager, simulator: Simulator) -> None:
    for number in range(1000):
        simulator.add_customer(domain=f"c{number}.example").populate(60)
    last = simulator.customer("c999.example")
    simulator.remove_customer(simulator.customer("c0.example"))

    with serve(simulator) as server:
        google = GoogleClient(http, server, last, simulator.token(last))
        assert len(google.everybody(maxResults=500)) == 61
    with pytest.raises(LookupError):
        simulator.customer("c0.example")
