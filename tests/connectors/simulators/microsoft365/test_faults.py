"""Faults on order: each does what its name says, as often as was ordered, and nothing else goes wrong."""

import pytest
import urllib3

from connectors.simulators.microsoft365 import Fault, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import GraphClient
from tests.services.waiting import until

USERS = "/users/delta?$select=id,displayName"


def test_throttled_with_seconds_and_everything_documented(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("throttle", "/users/delta", retry_after=600))

    reply = graph.get(USERS)
    error = reply.json()["error"]

    assert (reply.status, reply.headers["retry-after"], error["code"]) == (429, "600", "TooManyRequests")
    assert error["innerError"]["code"] == "429"
    scope = f"Tenant_Application/Read/{simulator.app.client_id}/{graph.tenant.id}"
    assert reply.headers["x-ms-throttle-scope"] == scope
    assert reply.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert graph.get(USERS).status == 200


@pytest.mark.parametrize(
    "fault, told",
    [
        (Fault("throttle"), "10"),
        (Fault("throttle", form="date", retry_after=60), "Fri, 02 Jan 2026 03:05:05 GMT"),
        (Fault("throttle", form="missing"), None),
        (Fault("unavailable", retry_after=3), "3"),
        (Fault("unavailable"), None),
    ],
)
def test_when_to_come_again(graph: GraphClient, simulator: Simulator, fault: Fault, told: str | None) -> None:
    simulator.order(fault)

    assert graph.get(USERS).headers.get("retry-after") == told


@pytest.mark.parametrize("scope, begins", [("tenant", "Tenant/Read/"), ("application", "Application/Read/")])
def test_whom_a_throttle_concerns(graph: GraphClient, simulator: Simulator, scope: str, begins: str) -> None:
    simulator.order(Fault("throttle", scope=scope))  # type: ignore[arg-type]

    assert graph.get(USERS).headers["x-ms-throttle-scope"].startswith(begins)


@pytest.mark.parametrize("status, is_html", [(500, False), (502, True), (503, True), (504, True), (423, False)])
def test_statuses_on_order(graph: GraphClient, simulator: Simulator, status: int, is_html: bool) -> None:
    simulator.order(Fault("error", status=status))

    reply = graph.get(USERS)

    assert reply.status == status
    assert reply.body.startswith(b"<html>") == is_html
    assert is_html or reply.code


def test_out_of_order_means_a_page_of_html(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("unavailable"))

    reply = graph.get(USERS)

    assert reply.status == 503 and reply.headers["content-type"] == "text/html" and reply.body.startswith(b"<html>")


def test_one_feature_denied_and_one_group_not_found(graph: GraphClient, simulator: Simulator, tenant: Tenant) -> None:
    group, other = tenant.create_group("Staff"), tenant.create_group("Other")
    simulator.order(Fault("denied", "/users/*/mailboxSettings/*"), Fault("not_found", f"/groups/{group}/*"))

    assert graph.get(f"/users/{ADELE}/mailboxSettings/userPurpose").code == "ErrorAccessDenied"
    assert graph.get(f"/groups/{other}/members").status == 200
    assert graph.get(f"/groups/{group}/members").code == "Request_ResourceNotFound"


def test_how_often_and_from_when(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("error", "/users", after=1, times=2))

    assert [graph.get("/users").status for _ in range(5)] == [200, 500, 500, 200, 200]
    assert simulator.outstanding_faults() == []


def test_until_it_is_withdrawn(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("error", times=None))
    assert {graph.get("/users").status for _ in range(4)} == {500}

    simulator.withdraw_faults()

    assert graph.get("/users").status == 200


def test_one_request_meets_one_fault(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("error", "/users"), Fault("throttle", "/users"))

    assert [graph.get("/users").status for _ in range(3)] == [500, 429, 200]


def test_a_fault_concerns_its_path_method_and_tenant(graph: GraphClient, simulator: Simulator) -> None:
    other = simulator.add_tenant(domain="fabrikam.example")
    simulator.order(
        Fault("error", "/groups/*"), Fault("error", method="POST"), Fault("error", "/users", tenant=other.id)
    )

    assert graph.get("/users").status == 200
    graph.token = simulator.token(other)
    assert graph.get("/users").status == 500


def test_a_connection_that_is_reset(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("reset"))

    with pytest.raises(urllib3.exceptions.ProtocolError, match="reset"):
        graph.get(USERS)
    assert graph.get(USERS).status == 200


def test_a_server_that_hangs(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("hang"))

    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        graph.http.request(
            "GET",
            f"{graph.server.graph_url}/v1.0/users",
            headers={"Authorization": f"Bearer {graph.token}"},
            timeout=0.05,
            retries=False,
        )
    until(lambda: simulator.outstanding_faults() == [])
    assert graph.get(USERS).status == 200


def test_json_that_breaks_off(graph: GraphClient, simulator: Simulator) -> None:
    whole = graph.get(USERS, accept_encoding="identity").body
    simulator.order(Fault("cut"))

    cut = graph.get(USERS, accept_encoding="identity")

    assert cut.status == 200 and cut.headers["content-length"] == str(len(cut.body))
    assert whole.startswith(cut.body[:40]) and not cut.body.endswith(b"}")


def test_a_body_shorter_than_promised(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("cut_connection"))

    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        graph.get(USERS)


def test_an_answer_that_takes_its_time(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("slow", seconds=30))

    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        graph.http.request("GET", f"{graph.server.graph_url}/v1.0/users", timeout=0.05, retries=False)


@pytest.mark.parametrize("where", [USERS, "/users?$select=id,displayName&$top=2"])
def test_an_empty_page_leads_to_what_should_have_come(graph: GraphClient, simulator: Simulator, where: str) -> None:
    simulator.order(Fault("empty_page"))

    pages = list(graph.pages(where))

    assert pages[0]["value"] == []
    assert [entry["id"] for page in pages for entry in page["value"]] == [ADELE, LIDIA, PAT]


def test_an_empty_page_in_the_middle_of_an_increment(graph: GraphClient, simulator: Simulator, tenant: Tenant) -> None:
    _, link = graph.walk(USERS)
    for person in (ADELE, LIDIA, PAT):
        tenant.update_user(person, displayName="X")
    simulator.order(Fault("empty_page", after=1))

    pages = list(graph.pages(link))

    assert [len(page["value"]) for page in pages] == [2, 0, 1]


def test_a_page_that_comes_again(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("repeat_page"))

    entries, _ = graph.walk(USERS)

    assert [entry["id"] for entry in entries] == [ADELE, LIDIA, ADELE, LIDIA, PAT]


def test_entries_twice(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("duplicate", entries=2))

    assert [entry["id"] for entry in graph.walk(USERS)[0]] == [ADELE, LIDIA, ADELE, LIDIA, PAT]


def test_live_and_removed_in_one_round(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("contradict", reason="changed"))

    entries = graph.get(USERS).value

    assert entries[0]["id"] == ADELE and "displayName" in entries[0]
    assert entries[-1] == {"id": ADELE, "@removed": {"reason": "changed"}}


@pytest.mark.parametrize("reason", ["changed", "deleted"])
def test_somebody_unknown_is_removed(graph: GraphClient, simulator: Simulator, reason: str) -> None:
    simulator.order(Fault("unknown_removed", reason=reason))  # type: ignore[arg-type]

    first = graph.get(USERS).value[0]

    assert first["@removed"] == {"reason": reason} and first["id"] not in (ADELE, LIDIA, PAT)


def test_a_link_to_somebody_else(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("foreign_link", host="https://graph.attacker.example"))

    link = graph.get(USERS).json()["@odata.nextLink"]

    assert link.startswith("https://graph.attacker.example/v1.0/users/delta?$skiptoken=")


def test_a_list_that_ends_too_soon_and_one_that_is_silently_empty(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("short_list"), Fault("empty_list"))

    short, link = graph.walk(USERS)
    empty, empty_link = graph.walk(USERS)

    assert len(short) == 2 and link
    assert empty == [] and empty_link


def test_a_page_with_neither_link(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("no_link", "/users/delta"))

    page = graph.get(USERS).json()

    assert page["value"] and set(page) == {"@odata.context", "value"}


def test_a_replay_of_what_came_before(graph: GraphClient, simulator: Simulator, tenant: Tenant) -> None:
    tenant.disable(ADELE)
    tenant.disable(LIDIA)
    simulator.order(Fault("replay", entries=1))
    _, link = graph.walk("/users/delta?$select=id,accountEnabled")
    tenant.disable(PAT)

    assert [entry["id"] for entry in graph.get(link).value] == [LIDIA, PAT]


def test_a_count_that_is_too_small(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("short_count", entries=2))

    assert [graph.get("/users/$count", consistencylevel="eventual").body for _ in range(2)] == [b"1", b"3"]


def test_faults_of_pages_wait_for_a_page(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("empty_list"))

    assert graph.get(f"/users/{ADELE}").status == 200
    assert graph.get("/users").value == []


def test_what_was_asked_is_counted_with_the_kind_of_its_token(
    graph: GraphClient, simulator: Simulator, tenant: Tenant
) -> None:
    group = tenant.create_group("Staff")
    _, link = graph.walk(USERS)
    graph.get(link)
    graph.get(f"/groups/{group}/members")

    assert simulator.requests(tenant) == {
        "GET /groups/{id}/members": 1,
        "GET /users/delta": 1,
        "GET /users/delta?$deltatoken": 1,
        "GET /users/delta?$skiptoken": 1,
    }
    simulator.forget_requests()
    assert simulator.requests() == {}
