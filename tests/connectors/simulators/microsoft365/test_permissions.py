"""What a token and a permission open, and what is answered where they are missing."""

from dataclasses import replace

import pytest

from connectors.simulators.microsoft365 import Fault, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE
from tests.connectors.simulators.microsoft365.graph_client import GraphClient

USERS, GROUPS, MAILBOXES = "User.Read.All", "GroupMember.Read.All", "MailboxSettings.Read"


@pytest.mark.parametrize("missing", [USERS, GROUPS, MAILBOXES])
def test_a_missing_permission_closes_its_feature_alone(graph: GraphClient, tenant: Tenant, missing: str) -> None:
    group = tenant.create_group("Staff")
    tenant.revoke(missing)
    needs = {
        "/users/delta": USERS,
        f"/users/{ADELE}": USERS,
        "/directory/deletedItems/microsoft.graph.user": USERS,
        "/groups/delta": GROUPS,
        f"/groups/{group}/transitiveMembers": GROUPS,
        f"/users/{ADELE}/mailboxSettings/userPurpose": MAILBOXES,
    }

    for path, needed in needs.items():
        assert graph.get(path).status == (403 if needed == missing else 200), path


def test_the_refusal_has_the_documented_shape(graph: GraphClient, tenant: Tenant) -> None:
    tenant.revoke(USERS)

    reply = graph.get("/users/delta", client_request_id="mine")
    error = reply.json()["error"]

    assert (reply.status, error["code"]) == (403, "Authorization_RequestDenied")
    assert error["message"] == "Insufficient privileges to complete the operation."
    assert error["innerError"]["date"] == "2026-01-02T03:04:05"
    assert error["innerError"]["request-id"] == reply.headers["request-id"]
    assert error["innerError"]["client-request-id"] == reply.headers["client-request-id"] == "mine"


def test_more_than_enough_is_enough(graph: GraphClient, tenant: Tenant) -> None:
    tenant.revoke(USERS, GROUPS)
    tenant.grant("Directory.Read.All")

    assert graph.get("/users").status == graph.get("/groups/delta").status == 200


def test_members_alone_are_open_to_the_basic_permission(graph: GraphClient, tenant: Tenant) -> None:
    group = tenant.create_group("Staff")
    tenant.revoke(GROUPS)
    tenant.grant("GroupMember.ReadBasic.All")

    assert graph.get(f"/groups/{group}/transitiveMembers").status == 200
    assert graph.get(f"/groups/{group}/members").status == 403


def test_permissions_may_stay_in_tokens_as_in_life(graph: GraphClient, tenant: Tenant, simulator: Simulator) -> None:
    tenant.habits = replace(tenant.habits, roles_stay_in_tokens=True)
    tenant.grant("Organization.Read.All")

    assert graph.get("/organization").status == 403
    graph.token = simulator.token(tenant)
    assert graph.get("/organization").status == 200


@pytest.mark.parametrize("header", ["", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer x.y.z", "Bearer nonsense"])
def test_no_token_or_nobodys_token_is_refused(graph: GraphClient, header: str) -> None:
    reply = graph.get("/users", authorization=header)

    assert reply.status == 401 and reply.code == "InvalidAuthenticationToken"
    assert "claims" not in reply.headers["www-authenticate"]


def test_a_changed_token_is_refused(graph: GraphClient) -> None:
    head, body, signature = graph.token.split(".")
    graph.token = f"{head}.{body[:-4]}AAAA.{signature}"

    assert graph.get("/users").status == 401


def test_a_challenge_for_claims_carries_them_without_padding(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("claims", "/users"))

    challenge = graph.get("/users").headers["www-authenticate"]

    assert 'error="insufficient_claims", claims="eyJ' in challenge and not challenge.endswith('="')
    assert graph.get("/users").status == 200


def test_unauthorized_on_order_has_no_challenge(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("unauthorized", "/users"))

    reply = graph.get("/users")

    assert reply.status == 401 and "claims" not in reply.headers["www-authenticate"]


def test_every_answer_carries_the_documented_headers(graph: GraphClient) -> None:
    headers = graph.get("/users", client_request_id="b5ed").headers

    assert headers["client-request-id"] == "b5ed" and headers["request-id"] != "b5ed"
    assert headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert headers["odata-version"] == "4.0" and headers["x-ms-resource-unit"] == "2"
    assert headers["date"] == "Fri, 02 Jan 2026 03:04:05 GMT"
