"""`GET /users/delta`, as the reference describes it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.simulators.microsoft365 import SimulatedClock, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import SELECT, GraphClient

FIRST = f"/users/delta?$select={SELECT}"


def test_a_first_page_has_the_documented_shape(graph: GraphClient) -> None:
    page = graph.get(FIRST).json()

    root = f"{graph.server.graph_url}/v1.0"
    assert page["@odata.context"] == f"{root}/$metadata#users({SELECT})"
    assert page["@odata.nextLink"].startswith(f"{root}/users/delta?$skiptoken=")
    assert "@odata.deltaLink" not in page
    assert page["value"][0] == {
        "id": ADELE,
        "userPrincipalName": "adele.vance@contoso.example",
        "displayName": "Adele Vance",
        "mail": "adele.vance@contoso.example",
        "accountEnabled": True,
        "userType": "Member",
        "createdDateTime": "2026-01-02T03:04:05Z",
        "department": "Finance",
    }


def test_the_last_page_of_a_round_has_a_delta_link_and_no_other(graph: GraphClient) -> None:
    pages = list(graph.pages(FIRST))

    assert [len(page["value"]) for page in pages] == [2, 1]
    assert all(("@odata.nextLink" in page) != ("@odata.deltaLink" in page) for page in pages)
    assert pages[-1]["@odata.deltaLink"].startswith(f"{graph.server.graph_url}/v1.0/users/delta?$deltatoken=")


def test_a_property_that_was_never_set_is_left_out(graph: GraphClient) -> None:
    entries, _ = graph.walk(FIRST)

    lidia = next(entry for entry in entries if entry["id"] == LIDIA)
    assert "department" not in lidia


def test_guests_have_the_form_of_guests(graph: GraphClient) -> None:
    entries, _ = graph.walk(f"{FIRST},proxyAddresses")

    pat = next(entry for entry in entries if entry["id"] == PAT)
    assert pat["userPrincipalName"] == "pat.sanders_fabrikam.example#EXT#@contoso.onmicrosoft.example"
    assert pat["userType"] == "Guest"
    assert pat["proxyAddresses"] == []


def test_a_round_in_which_nothing_changed_is_one_empty_page(graph: GraphClient) -> None:
    _, link = graph.walk(FIRST)

    page = graph.get(link).json()

    assert page["value"] == []
    assert page["@odata.context"] == f"{graph.server.graph_url}/v1.0/$metadata#users"
    assert "@odata.deltaLink" in page and "@odata.nextLink" not in page


def test_a_cleared_property_is_null_and_the_others_come_with_their_values(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)

    tenant.update_user(ADELE, department=None)

    (entry,) = graph.get(link).value
    assert entry["department"] is None
    assert entry["displayName"] == "Adele Vance"


def test_with_return_minimal_only_what_changed_comes(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)
    tenant.update_user(ADELE, department=None)

    reply = graph.get(link, prefer="return=minimal")

    assert reply.value == [{"id": ADELE, "department": None}]
    assert reply.headers["preference-applied"] == "return=minimal"


def test_return_minimal_is_not_remembered_by_the_next_link(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)
    for person in (ADELE, LIDIA, PAT):
        tenant.update_user(person, department="Legal")

    first = graph.get(link, prefer="return=minimal").json()
    second = graph.get(first["@odata.nextLink"]).json()

    assert first["value"][0] == {"id": ADELE, "department": "Legal"}
    assert second["value"][0]["displayName"] == "Pat Sanders"


def test_a_tenant_may_answer_sparse_patches_unasked(graph: GraphClient, tenant: Tenant) -> None:
    tenant.habits = replace(tenant.habits, sparse=True)
    _, link = graph.walk(FIRST)

    tenant.update_user(ADELE, department="Legal")

    assert graph.get(link).value == [{"id": ADELE, "department": "Legal"}]


def test_a_change_of_what_is_not_selected_does_not_show(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk("/users/delta?$select=id,mail")

    tenant.update_user(ADELE, department="Legal")

    assert graph.get(link).value == []


def test_soft_deleted_restored_and_purged(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)

    tenant.delete_user(LIDIA)
    (gone,) = graph.get(link).value
    _, link = graph.walk(link)
    tenant.restore_user(LIDIA)
    (back,), link = graph.walk(link)
    tenant.purge_user(LIDIA)
    (purged,) = graph.get(link).value

    assert gone == {"id": LIDIA, "@removed": {"reason": "changed"}}
    assert back["id"] == LIDIA and back["userPrincipalName"] == "lidia.holloway@contoso.example"
    assert purged == {"id": LIDIA, "@removed": {"reason": "deleted"}}


def test_thirty_days_after_a_soft_deletion_comes_the_final_one(
    graph: GraphClient, tenant: Tenant, simulator: Simulator, clock: SimulatedClock
) -> None:
    tenant.delete_user(LIDIA)
    for _ in range(5):
        _, link = graph.walk("/users/delta?$select=id&$deltatoken=latest")
        clock.advance(timedelta(days=6))
        graph.token = simulator.token(tenant)
        last = graph.get(link).value

    assert last == [{"id": LIDIA, "@removed": {"reason": "deleted"}}]


def test_a_new_colleague_comes_whole(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)

    someone = tenant.hire("Zoë Łuczak", department="Sales")

    (entry,) = graph.get(link).value
    assert entry["id"] == someone
    assert entry["userPrincipalName"] == "zoe.luczak@contoso.example"


def test_many_changes_of_one_user_are_one_entry_in_a_round(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)

    tenant.disable(ADELE)
    tenant.update_user(ADELE, department="Legal")
    tenant.enable(ADELE)

    (entry,) = graph.get(link).value
    assert entry["accountEnabled"] is True and entry["department"] == "Legal"


def test_replaying_a_delta_link_gives_the_same_set(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk(FIRST)
    tenant.disable(ADELE)

    assert graph.get(link).value == graph.get(link).value


def test_what_changes_while_a_round_is_under_way_comes_in_the_next_one(graph: GraphClient, tenant: Tenant) -> None:
    first = graph.get(FIRST).json()
    tenant.update_user(ADELE, department="Legal")

    rest, link = graph.walk(first["@odata.nextLink"])

    assert [entry["id"] for entry in rest] == [PAT]
    assert [entry["id"] for entry in graph.get(link).value] == [ADELE]


def test_latest_is_an_empty_page_from_which_changes_count(graph: GraphClient, tenant: Tenant) -> None:
    page = graph.get(f"/users/delta?$deltatoken=latest&$select={SELECT}").json()
    tenant.update_user(ADELE, department="Legal")

    assert page["value"] == []
    (entry,) = graph.get(page["@odata.deltaLink"]).value
    assert entry["department"] == "Legal"


def test_an_empty_token_is_the_initial_query(graph: GraphClient) -> None:
    assert len(graph.walk("/users/delta?$deltatoken=")[0]) == 3


def test_without_select_a_default_set_comes(graph: GraphClient) -> None:
    entry = graph.get("/users/delta").value[0]

    assert "displayName" in entry and "accountEnabled" not in entry


def test_id_comes_even_if_it_is_not_selected(graph: GraphClient) -> None:
    assert graph.get("/users/delta?$select=mail").value[0] == {"id": ADELE, "mail": "adele.vance@contoso.example"}


def test_a_filter_of_ids_bounds_the_stream(graph: GraphClient, tenant: Tenant) -> None:
    wanted = f"$filter=id eq '{ADELE}' or id eq '{PAT}'"

    entries, link = graph.walk(f"/users/delta?$select=id&{wanted}")
    tenant.update_user(LIDIA, displayName="L")
    tenant.delete_user(PAT)

    assert [entry["id"] for entry in entries] == [ADELE, PAT]
    assert graph.get(link).value == [{"id": PAT, "@removed": {"reason": "changed"}}]


def test_more_than_fifty_ids_are_refused(graph: GraphClient) -> None:
    wanted = " or ".join(f"id eq '{number:08d}-0000-4000-8000-000000000000'" for number in range(51))

    assert graph.get(f"/users/delta?$filter={wanted}").status == 400


def test_any_other_filter_is_refused(graph: GraphClient) -> None:
    assert graph.get("/users/delta?$filter=accountEnabled eq true").code == "Request_UnsupportedQuery"


def test_top_is_ignored(graph: GraphClient) -> None:
    assert len(graph.get("/users/delta?$top=1&$select=id").value) == 2


@pytest.mark.parametrize("option", ["$orderby=displayName", "$search=x"])
def test_options_that_delta_does_not_have_are_refused(graph: GraphClient, option: str) -> None:
    assert graph.get(f"/users/delta?{option}").status == 400


def test_a_property_that_nobody_has_is_refused(graph: GraphClient) -> None:
    assert graph.get("/users/delta?$select=id,shoeSize").status == 400


def test_a_property_of_another_service_cannot_be_tracked(graph: GraphClient) -> None:
    assert graph.get("/users/delta?$select=id,mailboxSettings").status == 501


@pytest.mark.parametrize(
    "path",
    [
        "/users/delta",
        "/users/delta()",
        "//users/delta()",
        "/users/microsoft.graph.delta",
        "/users/microsoft.graph.delta()",
        "/USERS/DELTA",
        "/users/%64elta",
        "/users/delta/",
    ],
)
def test_every_spelling_is_the_same_call(graph: GraphClient, path: str) -> None:
    reply = graph.get(f"{path}?%24select=id%2CdisplayName")

    assert reply.value[0] == {"id": ADELE, "displayName": "Adele Vance"}


def test_page_after_page_holds_two_hundred_unless_the_tenant_says_otherwise(
    graph: GraphClient, simulator: Simulator, tenant: Tenant
) -> None:
    other = simulator.add_tenant(domain="fabrikam.example")
    other.populate(450)
    graph.token = simulator.token(other)

    assert [len(page["value"]) for page in graph.pages("/users/delta?$select=id")] == [200, 200, 50]


def test_a_page_whose_users_are_all_deleted_is_empty_and_leads_on(graph: GraphClient, tenant: Tenant) -> None:
    tenant.delete_user(ADELE)
    tenant.delete_user(LIDIA)

    page = graph.get(FIRST).json()

    assert page["value"] == [] and "@odata.nextLink" in page


def test_a_first_round_may_show_the_recycle_bin(graph: GraphClient, tenant: Tenant) -> None:
    tenant.habits = replace(tenant.habits, tells_deleted_in_first_round=True)
    tenant.delete_user(LIDIA)

    entries, _ = graph.walk(FIRST)

    assert {"id": LIDIA, "@removed": {"reason": "changed"}} in entries


def test_a_page_of_many_is_the_same_zipped_and_plain_before_and_after_a_change(
    graph: GraphClient, tenant: Tenant
) -> None:
    tenant.habits = replace(tenant.habits, page_size=500)
    somebody = tenant.populate(400, seed=3)[7]
    everybody = "/users/delta?$select=id,displayName,department,proxyAddresses"

    zipped, again, plain = graph.get(everybody), graph.get(everybody), graph.get(everybody, accept_encoding="identity")
    tenant.update_user(somebody, department="Legal")
    after = {entry["id"]: entry for entry in graph.get(everybody).value}

    assert zipped.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert zipped.value == again.value == plain.value
    assert after[somebody]["department"] == "Legal"
    assert len(after) == 403


def test_two_tenants_are_never_mixed(graph: GraphClient, simulator: Simulator) -> None:
    other = simulator.add_tenant(domain="fabrikam.example")
    other.hire("Ola Berg")
    _, link = graph.walk(FIRST)

    graph.token = simulator.token(other)

    assert [entry["displayName"] for entry in graph.walk(FIRST)[0]] == ["Ola Berg"]
    assert graph.get(link).code == "BadRequest"


def test_a_tenant_that_was_made_anew_has_nothing_of_the_one_before(
    graph: GraphClient, simulator: Simulator, tenant: Tenant
) -> None:
    seen = []
    for seed in (1, 2):
        simulator.remove_tenant(simulator.tenant(tenant.id))
        simulator.add_tenant(tenant.id, domain="contoso.example").populate(100, seed)
        seen.append([entry["userType"] for entry in graph.walk("/users/delta?$select=userType")[0]])

    assert seen[0] != seen[1]
