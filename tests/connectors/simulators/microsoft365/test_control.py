"""Driving a simulator from another process."""

import pytest

from connectors.simulators.microsoft365 import (
    SIMULATED_CLIENT_ID,
    SIMULATED_SECRET,
    GraphServer,
    Simulator,
    Tenant,
    serve,
)
from connectors.simulators.microsoft365.control import VERBS
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA
from tests.connectors.simulators.microsoft365.graph_client import GraphClient, Json, Reply


def drive(graph: GraphClient, path: str, body: object = None, method: str = "POST", **headers: str) -> Reply:
    url = f"{graph.server.url}/_simulator{path}"
    return graph.post(url, body, **headers) if method == "POST" else graph.ask(method, url, None, **headers)


def happen(graph: GraphClient, verb: str, **arguments: object) -> object:
    reply = drive(graph, f"/tenants/contoso.example/{verb}", arguments)
    assert reply.status == 200, reply.body
    result: object = reply.json()
    return result


def test_the_overview_says_how_to_sign_in(graph: GraphClient) -> None:
    overview = drive(graph, "", method="GET").json()

    assert (overview["client_id"], overview["secret"]) == (SIMULATED_CLIENT_ID, SIMULATED_SECRET)
    assert overview["tenants"] == [{"id": graph.tenant.id, "domain": "contoso.example", "name": "Contoso", "users": 3}]


def test_what_can_happen_to_a_tenant_can_be_made_to_happen(graph: GraphClient, tenant: Tenant) -> None:
    ola = happen(graph, "hire", name="Ola Berg", department="Sales")
    group = happen(graph, "create_group", name="Staff", members=[ADELE])
    happen(graph, "add_member", group=group, member=ola)
    happen(graph, "update_user", id=ADELE, department=None)
    happen(graph, "convert_mailbox", id=ADELE, kind="shared")
    happen(graph, "rename", id=LIDIA, name="Lidia Borg")
    happen(graph, "delete_user", id=LIDIA)
    happen(graph, "revoke", permissions=["MailboxSettings.Read"])
    happen(graph, "populate", count=5, seed=1, shares={"guests": 1.0, "rooms": 0, "shared": 0, "disabled": 0})
    happen(graph, "habits", page_size=7)

    assert graph.get(f"/users/{ola}?$select=department").json()["department"] == "Sales"
    assert [entry["id"] for entry in graph.get(f"/groups/{group}/members").value] == [ADELE, ola]
    assert graph.get(f"/users/{ADELE}?$select=department").json()["department"] is None
    assert tenant.mailbox(0) == "shared" and tenant.habits.page_size == 7
    assert graph.get(f"/directory/deletedItems/{LIDIA}").json()["displayName"] == "Lidia Borg"
    assert graph.get(f"/users/{ADELE}/mailboxSettings").status == 403
    assert tenant.users.live_count == 8


def test_every_verb_is_a_method_of_a_tenant() -> None:
    assert {verb for verb in VERBS if not callable(getattr(Tenant, verb, None))} == set()


def test_tenants_can_be_added(graph: GraphClient, simulator: Simulator) -> None:
    ident = drive(graph, "/tenants", {"domain": "fabrikam.example", "users": 12}).json()["id"]

    assert simulator.tenant(ident).users.live_count == 12


def test_faults_can_be_ordered_seen_and_withdrawn(graph: GraphClient) -> None:
    drive(graph, "/faults", {"kind": "throttle", "path": "/users", "retry_after": 3})
    drive(graph, "/faults", [{"kind": "error", "path": "/groups"}])

    assert graph.get("/users").status == 429
    assert drive(graph, "/faults", method="GET").decoded() == [{"kind": "error", "path": "/groups"}]
    assert drive(graph, "/faults", method="DELETE").decoded() == []
    assert graph.get("/groups").status == 200


def test_requests_can_be_counted(graph: GraphClient) -> None:
    graph.get("/users")

    assert drive(graph, "/requests", method="GET").json() == {"GET /users": 1}
    assert drive(graph, f"/requests?tenant={graph.tenant.id}", method="GET").json() == {"GET /users": 1}
    drive(graph, "/requests", method="DELETE")
    assert drive(graph, "/requests", method="GET").json() == {}


def test_time_can_be_moved_on(graph: GraphClient) -> None:
    assert drive(graph, "/clock", {"advance": 86400 * 8}).json() == {"now": "2026-01-10T03:04:05Z"}
    assert graph.get("/users").status == 401


@pytest.mark.parametrize(
    "path, body, told",
    [
        ("/tenants/nobody.example/hire", {}, "there is no tenant nobody.example"),
        ("/tenants/contoso.example/fire", {}, "nothing called 'fire' happens to a tenant"),
        ("/tenants/contoso.example/disable", {"id": "nobody"}, "has no user nobody"),
        ("/tenants/contoso.example/rename", {"id": ADELE}, "name"),
        ("/tenants/contoso.example/habits", {"page_size": "many"}, "Expected `int`"),
        ("/faults", {"kind": "flood"}, "Invalid enum value 'flood'"),
        ("/faults", {"kind": "slow", "secs": 1}, "unknown field `secs`"),
        ("/clock", {"advance": -1}, "time does not go back"),
        ("/weather", {}, "is nothing that a simulator does"),
    ],
)
def test_what_cannot_be_done_is_told(graph: GraphClient, path: str, body: Json, told: str) -> None:
    reply = drive(graph, path, body)

    assert reply.status == 400 and told in reply.json()["error"]


def test_only_this_machine_drives(graph: GraphClient) -> None:
    assert drive(graph, "", method="GET", host="rebound.example:80").status == 403


def test_a_clock_of_somebody_else_is_not_moved(graph: GraphClient, simulator: Simulator) -> None:
    given = Simulator(lambda: simulator.clock())
    with serve(given) as server:
        assert isinstance(server, GraphServer)
        reply = graph.post(f"{server.url}/_simulator/clock", {"advance": 1})

    assert reply.status == 400 and "whoever started it" in reply.json()["error"]
