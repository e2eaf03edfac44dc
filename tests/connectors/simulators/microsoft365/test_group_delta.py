"""`GET /groups/delta`, as the reference describes it."""

from dataclasses import replace

import pytest

from connectors.simulators.microsoft365 import SimulatedClock, Simulator, Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import GraphClient, Json

FIRST = "/groups/delta?$select=id,displayName,members"


@pytest.fixture
def staff(tenant: Tenant) -> str:
    return tenant.create_group("Staff", id="2e5807ce-58f3-4a94-9b37-00000e085957", members=[ADELE, LIDIA])


def edges(entries: list[Json], group: str) -> dict[str, bool]:
    """Members of a group over all entries of a round, with whether the edge was removed."""
    return {
        edge["id"]: "@removed" in edge
        for entry in entries
        if entry["id"] == group
        for edge in entry.get("members@delta", [])
    }


def test_a_group_comes_with_the_types_and_ids_of_its_direct_members(
    graph: GraphClient, tenant: Tenant, staff: str
) -> None:
    tenant.habits = replace(tenant.habits, page_size=200)
    nested = tenant.create_group("Contractors", members=[PAT])
    laptop = tenant.create_device("LAPTOP-7")
    tenant.add_members(staff, [nested, laptop])

    page = graph.get(FIRST).json()

    assert page["@odata.context"] == f"{graph.server.graph_url}/v1.0/$metadata#groups(id,displayName,members)"
    assert page["value"][0] == {
        "id": staff,
        "displayName": "Staff",
        "members@delta": [
            {"@odata.type": "#microsoft.graph.user", "id": ADELE},
            {"@odata.type": "#microsoft.graph.user", "id": LIDIA},
            {"@odata.type": "#microsoft.graph.group", "id": nested},
            {"@odata.type": "#microsoft.graph.device", "id": laptop},
        ],
    }


def test_the_same_group_comes_on_several_pages_with_others_in_between(graph: GraphClient, tenant: Tenant) -> None:
    people = tenant.populate(40)
    tenant.habits = replace(tenant.habits, page_size=10)
    big, small = tenant.create_group("Big", members=people), tenant.create_group("Small", members=people[:1])

    entries, _ = graph.walk(FIRST)

    order = [entry["id"] for entry in entries]
    assert order.count(big) == 8 and order.index(small) < len(order) - order[::-1].index(big)
    assert set(edges(entries, big)) == set(people)
    assert set(edges(entries, small)) == {people[0]}


def test_an_increment_is_split_over_pages_too(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    tenant.habits = replace(tenant.habits, page_size=10)
    _, link = graph.walk(FIRST)
    people = tenant.populate(30)
    other = tenant.create_group("Other", members=people[:3])
    tenant.add_members(staff, people)

    pages = list(graph.pages(link))

    entries = [entry for page in pages for entry in page["value"]]
    assert len(pages) > 3
    assert set(edges(entries, staff)) == set(people) and set(edges(entries, other)) == set(people[:3])


def test_a_removed_member_is_told_as_deleted(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    _, link = graph.walk(FIRST)

    tenant.remove_member(staff, LIDIA)

    assert graph.get(link).value == [
        {
            "id": staff,
            "displayName": "Staff",
            "members@delta": [{"@odata.type": "#microsoft.graph.user", "id": LIDIA, "@removed": {"reason": "deleted"}}],
        }
    ]


def test_a_soft_deleted_user_leaves_no_trace(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    _, link = graph.walk(FIRST)

    tenant.delete_user(LIDIA)
    assert graph.get(link).value == []
    assert set(edges(graph.walk(FIRST)[0], staff)) == {ADELE, LIDIA}
    tenant.restore_user(LIDIA)

    assert graph.get(link).value == []


def test_a_purged_user_is_a_removed_member(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    _, link = graph.walk(FIRST)

    tenant.delete_user(LIDIA)
    tenant.purge_user(LIDIA)

    assert edges(graph.walk(link)[0], staff) == {LIDIA: True}


def test_even_a_purge_may_go_untold(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    tenant.habits = replace(tenant.habits, tells_purges_in_groups=False)
    _, link = graph.walk(FIRST)

    tenant.purge_user(LIDIA)

    assert graph.get(link).value == []
    assert set(edges(graph.walk(FIRST)[0], staff)) == {ADELE}


def test_without_members_in_select_edges_are_not_tracked(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    entries, link = graph.walk("/groups/delta?$select=id,displayName")

    tenant.add_member(staff, PAT)

    assert entries == [{"id": staff, "displayName": "Staff"}]
    assert graph.get(link).value == []


@pytest.mark.parametrize("query", ["", "?$select=id&$expand=members"])
def test_without_select_or_by_the_older_expand_members_come(graph: GraphClient, staff: str, query: str) -> None:
    entries, _ = graph.walk(f"/groups/delta{query}")

    assert set(edges(entries, staff)) == {ADELE, LIDIA}


def test_a_filter_of_ids_bounds_the_stream(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    other = tenant.create_group("Other", members=[PAT])

    entries, link = graph.walk(f"{FIRST}&$filter=id eq '{staff}'")
    tenant.remove_member(other, PAT)
    tenant.remove_member(staff, ADELE)

    assert {entry["id"] for entry in entries} == {staff}
    assert [entry["id"] for entry in graph.get(link).value] == [staff]


def test_a_renamed_group_comes_without_members(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    _, link = graph.walk(FIRST)

    tenant.update_group(staff, displayName="Everyone")

    assert graph.get(link).value == [{"id": staff, "displayName": "Everyone"}]


def test_a_deleted_security_group_is_gone_at_once_and_from_the_groups_around_it(
    graph: GraphClient, tenant: Tenant, staff: str
) -> None:
    around = tenant.create_group("Around", members=[staff])
    _, link = graph.walk(FIRST)

    tenant.delete_group(staff)

    entries, _ = graph.walk(link)
    assert {"id": staff, "@removed": {"reason": "deleted"}} in entries
    assert edges(entries, around) == {staff: True}


def test_a_deleted_microsoft_365_group_can_come_back_with_its_members(
    graph: GraphClient, tenant: Tenant, simulator: Simulator, clock: SimulatedClock
) -> None:
    team = tenant.create_group("Team", unified=True, mail="team@contoso.example", members=[ADELE])
    _, link = graph.walk(FIRST)

    tenant.delete_group(team)
    (gone,), link = graph.walk(link)
    tenant.restore_group(team)
    back, _ = graph.walk(link)

    assert gone == {"id": team, "@removed": {"reason": "changed"}}
    assert back[0]["displayName"] == "Team" and edges(back, team) == {ADELE: False}


def test_latest_works_for_groups(graph: GraphClient, tenant: Tenant, staff: str) -> None:
    page = graph.get(f"{FIRST}&$deltatoken=latest").json()
    tenant.add_member(staff, PAT)

    assert page["value"] == []
    assert edges(graph.get(page["@odata.deltaLink"]).value, staff) == {PAT: False}
