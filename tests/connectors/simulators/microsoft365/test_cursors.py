"""How cursors live, and what they answer when they are dead."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.simulators.microsoft365 import Fault, SimulatedClock, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE
from tests.connectors.simulators.microsoft365.graph_client import GraphClient

USERS = "/users/delta?$select=id,displayName"
GROUPS = "/groups/delta?$select=id,displayName,members"


def test_a_cursor_lives_for_seven_days(
    graph: GraphClient, tenant: Tenant, simulator: Simulator, clock: SimulatedClock
) -> None:
    _, link = graph.walk(USERS)
    tenant.disable(ADELE)

    clock.advance(timedelta(days=7))
    graph.token = simulator.token(tenant)
    assert graph.get(link).status == 200
    clock.advance(timedelta(days=1))
    graph.token = simulator.token(tenant)
    dead = graph.get(link)

    assert dead.status == 400 and dead.code == "syncStateNotFound"
    assert set(dead.json()["error"]["innerError"]) == {"date", "request-id", "client-request-id"}


def test_a_page_link_does_not_live_for_ever_either(
    graph: GraphClient, tenant: Tenant, simulator: Simulator, clock: SimulatedClock
) -> None:
    link = graph.get(USERS).json()["@odata.nextLink"]

    clock.advance(timedelta(days=8))
    graph.token = simulator.token(tenant)

    assert graph.get(link).code == "Directory_ExpiredPageToken"


@pytest.mark.parametrize(
    "damage", [lambda token: "AAAA" + token[4:], lambda token: token + "!", lambda token: token[:20], lambda _: "x"]
)
def test_a_damaged_token_is_badly_formed(graph: GraphClient, damage: Callable[[str], str]) -> None:
    _, link = graph.walk(USERS)
    before, mark, token = link.partition("$deltatoken=")

    reply = graph.get(before + mark + damage(token))

    assert reply.status == 400 and reply.code == "BadRequest"
    assert reply.json()["error"]["message"] == "Badly formed token."
    assert "location" not in reply.headers


def test_a_cursor_of_another_stream_is_accepted_and_answers_nothing(graph: GraphClient, tenant: Tenant) -> None:
    tenant.create_group("Staff", members=[ADELE])
    _, link = graph.walk(GROUPS)
    token = link.partition("$deltatoken=")[2]
    tenant.disable(ADELE)

    page = graph.get(f"/users/delta?$deltatoken={token}").json()

    assert page["value"] == []
    assert "/v1.0/users/delta?$deltatoken=" in page["@odata.deltaLink"]


def test_a_page_token_may_not_be_sent_as_a_delta_token(graph: GraphClient) -> None:
    token = graph.get(USERS).json()["@odata.nextLink"].partition("$skiptoken=")[2]

    assert graph.get(f"/users/delta?$deltatoken={token}").code == "BadRequest"


def test_a_select_beside_a_token_is_an_error(graph: GraphClient) -> None:
    link = graph.get(USERS).json()["@odata.nextLink"]

    assert graph.get(f"{link}&$select=id").status == 400


def test_a_tenant_that_was_moved_answers_gone_with_the_initial_query(graph: GraphClient, simulator: Simulator) -> None:
    _, link = graph.walk(USERS)
    simulator.order(Fault("resync", "/users/delta"))

    reply = graph.get(link)

    assert reply.status == 410 and reply.code == "resyncRequired"
    assert reply.headers["location"] == f"{graph.server.graph_url}/v1.0/users/delta?$deltatoken="
    assert len(graph.walk(reply.headers["location"])[0]) == 3


@pytest.mark.parametrize(
    "kind, status, code",
    [
        ("expired", 400, "syncStateNotFound"),
        ("malformed", 400, "BadRequest"),
        ("page_lost", 400, "DirectoryPageTokenNotFoundException"),
    ],
)
def test_a_cursor_dies_on_order(graph: GraphClient, simulator: Simulator, kind: str, status: int, code: str) -> None:
    _, link = graph.walk(USERS)
    simulator.order(Fault(kind, "/users/delta"))  # type: ignore[arg-type]

    first_round = graph.get(USERS)
    dead = graph.get(link)

    assert first_round.status == 200, "only a request that carries a token meets this"
    assert (dead.status, dead.code) == (status, code)
    assert graph.get(link).status == 200


def test_links_name_the_host_that_was_called(graph: GraphClient) -> None:
    page = graph.get(USERS, host="graph.contoso.example:8443").json()

    assert page["@odata.nextLink"].startswith("http://graph.contoso.example:8443/v1.0/users/delta?$skiptoken=")
