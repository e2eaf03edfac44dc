"""`$batch`, as the documentation describes it."""

from typing import Any

import pytest

from connectors.simulators.microsoft365 import Fault, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import GraphClient, Json


def item(number: int, url: str, **more: Any) -> Json:
    return {"id": str(number), "method": "GET", "url": url, **more}


def purposes(*people: str) -> Json:
    return {
        "requests": [item(place, f"/users/{who}/mailboxSettings/userPurpose") for place, who in enumerate(people, 1)]
    }


def responses(graph: GraphClient, body: object) -> dict[str, Json]:
    reply = graph.post("/$batch", body)
    assert reply.status == 200, reply.body
    return {response["id"]: response for response in reply.json()["responses"]}


def test_items_are_answered_by_themselves(graph: GraphClient, tenant: Tenant) -> None:
    tenant.convert_mailbox(ADELE, "shared")

    answered = responses(graph, purposes(ADELE, PAT))

    assert answered["1"]["status"] == 200 and answered["1"]["body"]["value"] == "shared"
    assert answered["1"]["headers"]["Content-Type"].startswith("application/json")
    assert answered["2"]["status"] == 404
    assert answered["2"]["body"]["error"]["code"] == "MailboxNotEnabledForRESTAPI"


def test_items_come_back_in_another_order(graph: GraphClient, tenant: Tenant) -> None:
    people = tenant.populate(20)

    order = [response["id"] for response in graph.post("/$batch", purposes(*people)).json()["responses"]]

    assert sorted(order, key=int) == [str(number) for number in range(1, 21)]
    assert order != sorted(order, key=int)


def test_each_item_is_throttled_by_itself(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("throttle", f"/users/{LIDIA}/mailboxSettings/*", retry_after=7))

    answered = responses(graph, purposes(ADELE, LIDIA))

    assert answered["1"]["status"] == 200
    assert answered["2"]["status"] == 429
    assert answered["2"]["headers"]["Retry-After"] == "7"
    assert answered["2"]["body"]["error"]["code"] == "ApplicationThrottled"
    assert responses(graph, purposes(LIDIA))["1"]["status"] == 200


def test_an_item_is_never_a_page_of_html(graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("unavailable", "/users/*"))

    answered = responses(graph, purposes(ADELE))["1"]

    assert answered["status"] == 503 and answered["body"]["error"]["code"] == "ServiceNotAvailable"


def test_a_missing_permission_refuses_the_items_not_the_envelope(graph: GraphClient, tenant: Tenant) -> None:
    tenant.revoke("MailboxSettings.Read")

    answered = responses(graph, {"requests": [purposes(ADELE)["requests"][0], item(2, f"users/{ADELE}?$select=id")]})

    assert answered["1"]["status"] == 403 and answered["1"]["body"]["error"]["code"] == "ErrorAccessDenied"
    assert answered["2"]["status"] == 200


def test_items_have_their_own_headers_and_bodies(graph: GraphClient) -> None:
    by_ids = {"id": "2", "method": "POST", "url": "/directoryObjects/getByIds", "body": {"ids": [ADELE]}}
    counted = item(1, "/users/$count", headers={"ConsistencyLevel": "eventual"})

    answered = responses(graph, {"requests": [counted, by_ids]})

    assert answered["1"]["body"] == 3
    assert [entry["id"] for entry in answered["2"]["body"]["value"]] == [ADELE]


def test_what_depends_on_a_failed_item_fails(graph: GraphClient) -> None:
    requests = [item(1, "/users/nobody"), item(2, f"/users/{ADELE}", dependsOn=["1"]), item(3, f"/users/{ADELE}")]

    answered = responses(graph, {"requests": requests})

    assert [answered[number]["status"] for number in "123"] == [404, 424, 200]


@pytest.mark.parametrize(
    "body",
    [
        purposes(*[ADELE] * 21),
        {"requests": [item(1, "/users"), item(1, "/users")]},
        {"requests": [{"id": "1", "method": "GET"}]},
        {"requests": []},
        {"requests": [item(1, "/$batch")]},
        [],
    ],
    ids=["more than 20", "an id twice", "no url", "nothing", "a batch in a batch", "no envelope"],
)
def test_a_malformed_batch_is_refused_whole(graph: GraphClient, body: object) -> None:
    reply = graph.post("/$batch", body)

    assert reply.status == 400 and reply.code == "BadRequest"


def test_items_are_counted_like_requests(graph: GraphClient, simulator: Simulator) -> None:
    responses(graph, purposes(ADELE, LIDIA))

    assert simulator.requests() == {
        "GET /users/{id}/mailboxSettings/userPurpose": 2,
        "POST /$batch": 1,
    }
