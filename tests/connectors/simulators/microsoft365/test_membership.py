"""`/groups/{id}/members` and `/transitiveMembers`, as the reference describes them."""

import pytest

from connectors.simulators.microsoft365 import Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import GraphClient

GROUP = "2e5807ce-58f3-4a94-9b37-00000e085957"
NESTED = "37de1ae3-408f-4702-8636-20824abda004"
ADVANCED = {"consistencylevel": "eventual"}


@pytest.fixture
def staff(tenant: Tenant) -> str:
    """Adele directly; Lidia and Pat through a nested group that contains the outer one in turn."""
    tenant.create_group("Staff", id=GROUP, members=[ADELE])
    tenant.create_group("Contractors", id=NESTED, members=[LIDIA, PAT])
    tenant.add_member(GROUP, NESTED)
    tenant.add_member(NESTED, GROUP)
    return GROUP


def test_transitive_members_are_flat_each_once_and_typed(graph: GraphClient, staff: str) -> None:
    page = graph.get(f"/groups/{staff}/transitiveMembers?$select=id&$top=999").json()

    assert page == {
        "@odata.context": f"{graph.server.graph_url}/v1.0/$metadata#directoryObjects(id)",
        "value": [
            {"@odata.type": "#microsoft.graph.user", "id": ADELE},
            {"@odata.type": "#microsoft.graph.group", "id": NESTED},
            {"@odata.type": "#microsoft.graph.user", "id": LIDIA},
            {"@odata.type": "#microsoft.graph.user", "id": PAT},
        ],
    }


def test_direct_members_are_direct(graph: GraphClient, staff: str) -> None:
    assert [entry["id"] for entry in graph.get(f"/groups/{staff}/members?$select=id").value] == [ADELE, NESTED]


def test_a_next_link_keeps_the_query(graph: GraphClient, staff: str) -> None:
    page = graph.get(f"/groups/{staff}/transitiveMembers?$select=id&$top=3").json()

    start = f"{graph.server.graph_url}/v1.0/groups/{staff}/transitiveMembers?$select=id&$top=3&$skiptoken="
    assert page["@odata.nextLink"].startswith(start)
    assert [entry["id"] for entry in graph.get(page["@odata.nextLink"]).value] == [PAT]


def test_a_page_holds_a_hundred_unless_asked_for_up_to_999(graph: GraphClient, tenant: Tenant) -> None:
    everyone = tenant.create_group("Everyone", members=tenant.populate(1000))

    assert len(graph.get(f"/groups/{everyone}/members?$select=id").value) == 100
    assert len(graph.get(f"/groups/{everyone}/members?$select=id&$top=999").value) == 999
    assert graph.get(f"/groups/{everyone}/members?$top=1000").status == 400


@pytest.mark.parametrize("size", [99, 100, 101, 200])
def test_every_member_comes_once_whatever_the_size(graph: GraphClient, tenant: Tenant, size: int) -> None:
    people = tenant.populate(size)
    everyone = tenant.create_group("Everyone", members=people)

    entries, _ = graph.walk(f"/groups/{everyone}/transitiveMembers?$select=id")

    assert [entry["id"] for entry in entries] == people


def test_a_listing_goes_on_as_it_began_though_somebody_left(graph: GraphClient, tenant: Tenant) -> None:
    people = tenant.populate(150)
    everyone = tenant.create_group("Everyone", members=people)
    first = graph.get(f"/groups/{everyone}/members?$select=id").json()

    tenant.remove_member(everyone, people[3])

    rest, _ = graph.walk(first["@odata.nextLink"])
    assert [entry["id"] for entry in rest] == people[100:]


def test_soft_deleted_members_are_hidden(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    tenant.delete_user(PAT)

    assert PAT not in [entry["id"] for entry in graph.get(f"/groups/{staff}/transitiveMembers?$select=id").value]


def test_a_cast_is_an_advanced_query_on_every_page(graph: GraphClient, staff: str) -> None:
    path = f"/groups/{staff}/transitiveMembers/microsoft.graph.user?$select=id&$top=2"

    plain = graph.get(path)
    page = graph.get(f"{path}&$count=true", **ADVANCED).json()
    forgotten = graph.get(page["@odata.nextLink"])
    rest = graph.get(page["@odata.nextLink"], **ADVANCED)

    assert plain.status == 400 and plain.code == "Request_UnsupportedQuery"
    assert page["@odata.count"] == 3 and page["@odata.context"].endswith("#users(id)")
    assert forgotten.status == 400
    assert [entry["id"] for entry in rest.value] == [PAT]


def test_the_short_namespace_of_the_sdks_is_the_same_cast(graph: GraphClient, staff: str) -> None:
    reply = graph.get(f"/groups/{staff}/transitiveMembers/graph.user?$select=id&$count=true", **ADVANCED)

    assert [entry["id"] for entry in reply.value] == [ADELE, LIDIA, PAT]


def test_a_count_is_plain_text_and_needs_the_eventual_index(graph: GraphClient, staff: str) -> None:
    counted = graph.get(f"/groups/{staff}/transitiveMembers/$count", **ADVANCED)

    assert counted.body == b"4" and counted.headers["content-type"].startswith("text/plain")
    assert graph.get(f"/groups/{staff}/members/microsoft.graph.user/$count", **ADVANCED).body == b"1"
    assert graph.get(f"/groups/{staff}/transitiveMembers/$count").status == 400


def test_a_deleted_group_is_not_found(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    tenant.delete_group(staff)

    reply = graph.get(f"/groups/{staff}/transitiveMembers")

    assert reply.status == 404 and reply.code == "Request_ResourceNotFound"
    assert staff in reply.json()["error"]["message"]


def test_hidden_membership_needs_a_permission_of_its_own(graph: GraphClient, tenant: Tenant) -> None:
    hidden = tenant.create_group("Secret", hidden=True, unified=True, members=[ADELE])

    assert graph.get(f"/groups/{hidden}/members").status == 403
    tenant.grant("Member.Read.Hidden")
    assert len(graph.get(f"/groups/{hidden}/members").value) == 1


def test_without_the_right_to_read_users_only_their_type_and_id_are_told(
    graph: GraphClient, tenant: Tenant, staff: str
) -> None:
    tenant.revoke("User.Read.All")

    adele = graph.get(f"/groups/{staff}/members?$select=id,displayName").value[0]

    assert adele == {"@odata.type": "#microsoft.graph.user", "id": ADELE, "displayName": None}


def test_what_it_costs(graph: GraphClient, staff: str) -> None:
    path = f"/groups/{staff}/transitiveMembers"

    assert graph.get(path).headers["x-ms-resource-unit"] == "5"
    assert graph.get(f"{path}?$select=id").headers["x-ms-resource-unit"] == "4"
    assert graph.get(f"{path}?$select=id&$top=5").headers["x-ms-resource-unit"] == "3"
    assert graph.get("/users?$select=id").headers["x-ms-resource-unit"] == "1"
    assert graph.get("/users/delta?$select=id").headers["x-ms-resource-unit"] == "1"
