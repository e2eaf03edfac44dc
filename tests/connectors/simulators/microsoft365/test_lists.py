"""Plain lists, the recycle bin, single objects and `getByIds`, as the reference describes them."""

from datetime import timedelta

import pytest

from connectors.simulators.microsoft365 import SimulatedClock, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import GraphClient

EVENTUAL = {"consistencylevel": "eventual"}
NOBODY = "00000000-1111-4222-8333-444444444444"


def test_a_list_tells_selected_properties_and_null_for_those_never_set(graph: GraphClient) -> None:
    page = graph.get("/users?$select=id,department,proxyAddresses").json()

    assert page["@odata.context"] == f"{graph.server.graph_url}/v1.0/$metadata#users(id,department,proxyAddresses)"
    assert page["value"][1] == {
        "id": LIDIA,
        "department": None,
        "proxyAddresses": ["SMTP:lidia.holloway@contoso.example"],
    }


def test_the_default_set_has_no_account_enabled(graph: GraphClient) -> None:
    assert "accountEnabled" not in graph.get("/users").value[0]


@pytest.mark.parametrize("size", [99, 100, 101])
def test_a_page_holds_a_hundred(graph: GraphClient, tenant: Tenant, size: int) -> None:
    tenant.populate(size - 3)

    entries, _ = graph.walk("/users?$select=id")
    pages = list(graph.pages("/users?$select=id"))

    assert len({entry["id"] for entry in entries}) == size
    assert len(pages[0]["value"]) == min(size, 100)


def test_top_is_between_1_and_999(graph: GraphClient) -> None:
    assert len(graph.get("/users?$top=1").value) == 1
    assert graph.get("/users?$top=999").status == 200
    assert graph.get("/users?$top=1000").code == "Request_BadRequest"
    assert graph.get("/users?$top=0").status == 400


def test_deleted_users_are_not_listed(graph: GraphClient, tenant: Tenant) -> None:
    tenant.delete_user(ADELE)

    assert [entry["id"] for entry in graph.get("/users?$select=id&$top=1").value] == [LIDIA]


@pytest.mark.parametrize(
    "condition, found",
    [
        ("accountEnabled eq true", [ADELE, LIDIA, PAT]),
        ("userType eq 'Guest'", [PAT]),
        ("displayName eq 'adele vance'", [ADELE]),
        ("startswith(displayName,'Li') or mail eq 'adele.vance@contoso.example'", [ADELE, LIDIA]),
        ("userType eq 'Member' and (department eq null)", [LIDIA]),
        (f"id in ('{ADELE}', '{PAT}')", [ADELE, PAT]),
        ("surname eq 'O''Hara'", []),
    ],
)
def test_filters(graph: GraphClient, condition: str, found: list[str]) -> None:
    assert [entry["id"] for entry in graph.get(f"/users?$select=id&$filter={condition}").value] == found


def test_advanced_filters_need_the_eventual_index(graph: GraphClient) -> None:
    asked = "/users?$select=id&$filter=userType ne 'Guest'"

    assert graph.get(asked).code == "Request_UnsupportedQuery"
    page = graph.get(f"{asked}&$count=true", **EVENTUAL).json()
    assert page["@odata.count"] == 2 and len(page["value"]) == 2


@pytest.mark.parametrize("condition", ["userType eq", "(userType eq 'Guest'", "shoeSize eq 43", "mail % 3"])
def test_a_filter_that_cannot_be_read_is_refused(graph: GraphClient, condition: str) -> None:
    assert graph.get("/users?$filter=" + condition.replace("%", "%25")).status == 400


def test_what_the_simulator_does_not_play_is_said_to_be_not_played(graph: GraphClient) -> None:
    assert graph.get('/users?$search="displayName:adele"').status == 501
    assert graph.get("/users?$filter=assignedLicenses/any(x:x/skuId eq 1)").status == 501


def test_a_property_of_another_service_is_not_implemented_for_a_list(graph: GraphClient) -> None:
    reply = graph.get("/users?$select=id,mailboxSettings")

    assert reply.status == 501 and reply.code == "NotImplemented"


def test_a_count_by_itself_needs_the_eventual_index(graph: GraphClient) -> None:
    assert graph.get("/users/$count", **EVENTUAL).body == b"3"
    assert graph.get("/users/$count?$filter=userType eq 'Guest'", **EVENTUAL).body == b"1"
    assert graph.get("/users/$count").status == 400


def test_a_list_of_another_path_does_not_take_the_token(graph: GraphClient, tenant: Tenant) -> None:
    tenant.create_group("Staff")
    token = graph.get("/users?$top=1").json()["@odata.nextLink"].partition("$skiptoken=")[2]

    assert graph.get(f"/groups?$skiptoken={token}").status == 400


def test_a_single_user_by_id_in_either_case_and_by_sign_in_name(graph: GraphClient) -> None:
    adele = graph.get(f"/users/{ADELE}?$select=id,displayName").json()

    context = f"{graph.server.graph_url}/v1.0/$metadata#users(id,displayName)/$entity"
    assert adele == {"@odata.context": context, "id": ADELE, "displayName": "Adele Vance"}
    for name in (ADELE.upper(), "adele.vance@contoso.example", "Adele.Vance%40contoso.example"):
        assert graph.get(f"/users/{name}?$select=id,displayName").json() == adele
    assert graph.get(f"/users('{ADELE}')?$select=id,displayName").json() == adele


def test_nobody_and_the_soft_deleted_are_not_found(graph: GraphClient, tenant: Tenant) -> None:
    tenant.delete_user(LIDIA)

    for ident in (LIDIA, NOBODY):
        reply = graph.get(f"/users/{ident}")
        assert reply.status == 404 and reply.code == "Request_ResourceNotFound"


def test_the_recycle_bin_tells_when_and_prefixes_the_sign_in_name(
    graph: GraphClient, tenant: Tenant, clock: SimulatedClock
) -> None:
    clock.advance(timedelta(minutes=5))
    tenant.delete_user(LIDIA)
    select = "id,userPrincipalName,displayName,mail,deletedDateTime,userType"

    page = graph.get(f"/directory/deletedItems/microsoft.graph.user?$select={select}&$top=999").json()

    assert page["@odata.context"] == f"{graph.server.graph_url}/v1.0/$metadata#users({select})"
    assert page["value"] == [
        {
            "id": LIDIA,
            "userPrincipalName": "25dc0000959e4ece9973e5d9b800e8cclidia.holloway@contoso.example",
            "displayName": "Lidia Holloway",
            "mail": "lidia.holloway@contoso.example",
            "deletedDateTime": "2026-01-02T03:09:05Z",
            "userType": "Member",
        }
    ]
    assert graph.get(f"/directory/deletedItems/{LIDIA}").json()["deletedDateTime"] == "2026-01-02T03:09:05Z"
    assert graph.get(f"/directory/deletedItems/{ADELE}").status == 404


def test_the_recycle_bin_is_emptied_after_thirty_days(
    graph: GraphClient, tenant: Tenant, simulator: Simulator, clock: SimulatedClock
) -> None:
    tenant.delete_user(LIDIA)
    clock.advance(timedelta(days=30))
    graph.token = simulator.token(tenant)

    assert graph.get("/directory/deletedItems/microsoft.graph.user").value == []
    assert graph.get(f"/directory/deletedItems/{LIDIA}").status == 404


def test_a_restored_user_may_have_another_address(graph: GraphClient, tenant: Tenant) -> None:
    tenant.delete_user(LIDIA)
    namesake = tenant.hire("Lidia Holloway")

    tenant.restore_user(LIDIA, upn="lidia.h@contoso.example")

    assert graph.get(f"/users/{LIDIA}").json()["userPrincipalName"] == "lidia.h@contoso.example"
    assert graph.get(f"/users/{namesake}").json()["userPrincipalName"] == "lidia.holloway@contoso.example"


def test_the_recycle_bin_needs_a_type_and_groups_need_more_permission(graph: GraphClient, tenant: Tenant) -> None:
    team = tenant.create_group("Team", unified=True)
    tenant.delete_group(team)
    groups = "/directory/deletedItems/microsoft.graph.group?$select=id"

    assert graph.get("/directory/deletedItems").status == 400
    assert graph.get(groups).status == 403
    tenant.grant("Group.Read.All")
    assert graph.get(groups).value == [{"id": team}]


def test_only_the_live_ones_among_given_ids_come(graph: GraphClient, tenant: Tenant) -> None:
    tenant.delete_user(LIDIA)
    group = tenant.create_group("Staff")

    reply = graph.post(
        "/directoryObjects/getByIds?$select=id", {"ids": [ADELE, LIDIA, NOBODY, group], "types": ["user"]}
    )

    assert reply.value == [{"@odata.type": "#microsoft.graph.user", "id": ADELE}]
    assert reply.headers["x-ms-resource-unit"] == "2"


def test_of_all_types_when_none_is_named(graph: GraphClient, tenant: Tenant) -> None:
    group = tenant.create_group("Staff")

    assert [entry["id"] for entry in graph.post("/directoryObjects/getByIds", {"ids": [group, PAT]}).value] == [
        group,
        PAT,
    ]


@pytest.mark.parametrize("body", [{"ids": [ADELE] * 1001}, {"ids": ["adele"]}, {"types": ["user"]}, []])
def test_get_by_ids_refuses_what_it_cannot_read(graph: GraphClient, body: object) -> None:
    assert graph.post("/directoryObjects/getByIds", body).status == 400


def test_groups_by_name_or_address(graph: GraphClient, tenant: Tenant) -> None:
    staff = tenant.create_group("Backup Staff")
    chiefs = tenant.create_group("Executives", mail="exec@contoso.example")
    twins = [tenant.create_group("Twins"), tenant.create_group("Twins")]

    def ids(reference: str) -> list[str]:
        asked = f"displayName eq '{reference}' or mail eq '{reference}'"
        return [entry["id"] for entry in graph.get(f"/groups?$select=id&$filter={asked}").value]

    assert ids("Backup Staff") == [staff]
    assert ids("EXEC@contoso.example") == [chiefs]
    assert ids("Twins") == twins
    assert ids("Nobody") == []


def test_a_single_group(graph: GraphClient, tenant: Tenant) -> None:
    chiefs = tenant.create_group("Executives", mail="exec@contoso.example", unified=True)

    group = graph.get(f"/groups/{chiefs}?$select=id,displayName,mail,groupTypes").json()

    assert (group["displayName"], group["mail"], group["groupTypes"]) == (
        "Executives",
        "exec@contoso.example",
        ["Unified"],
    )
    assert graph.get(f"/groups/{NOBODY}").status == 404


def test_the_organization_tells_its_id_and_domains_to_who_may_ask(graph: GraphClient, tenant: Tenant) -> None:
    assert graph.get("/organization").status == 403
    tenant.grant("Organization.Read.All")

    (organization,) = graph.get("/organization?$select=id,displayName,verifiedDomains").value

    assert organization["id"] == tenant.id and organization["displayName"] == "Contoso"
    assert [domain["name"] for domain in organization["verifiedDomains"] if domain["isDefault"]] == ["contoso.example"]
    assert graph.get(f"/organization/{tenant.id}?$select=id").json()["id"] == tenant.id


def test_what_is_not_there_and_what_would_write(graph: GraphClient) -> None:
    unknown = graph.get("/usres")
    delete = graph.ask("DELETE", f"/users/{ADELE}", None)
    restore = graph.ask("POST", f"/directory/deletedItems/{ADELE}/restore", b"")

    assert unknown.status == 400 and "usres" in unknown.json()["error"]["message"]
    assert delete.status == restore.status == 403
    assert graph.get(f"/users/{ADELE}").status == 200
