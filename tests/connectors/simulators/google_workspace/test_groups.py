"""Groups and their members on the wire."""

from dataclasses import replace

import pytest

from connectors.simulators.google_workspace import Customer, Fault, Simulator
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CUSTOMER, CY
from tests.connectors.simulators.google_workspace.google_client import GoogleClient, Json


def ids(members: list[Json]) -> list[str]:
    return [member["id"] for member in members]


def test_groups_come_in_the_order_of_their_addresses(google: GoogleClient, customer: Customer) -> None:
    for name in ("Sales", "Backup", "Finance"):
        customer.create_group(name)

    groups = google.walk("groups", "/groups", customer="my_customer", maxResults=1)

    assert [group["email"] for group in groups] == [
        "backup@customer.example", "finance@customer.example", "sales@customer.example",
    ]  # fmt: skip
    assert [group["directMembersCount"] for group in groups] == ["0", "0", "0"]
    turned = google.walk("groups", "/groups", customer=CUSTOMER, maxResults=2, orderBy="email", sortOrder="DESCENDING")
    assert turned == groups[::-1]


def test_a_group_is_found_by_id_address_and_alias_and_keeps_its_id(google: GoogleClient, customer: Customer) -> None:
    ident = customer.create_group("Backup", members=[ADA, BO])
    customer.rename_group(ident, "Saved", address="saved@customer.example")

    for key in (ident, "saved@customer.example", "backup@customer.example"):
        group = google.get(f"/groups/{key}", fields="id,name,email,aliases,directMembersCount").json()
        assert group == {
            "id": ident, "name": "Saved", "email": "saved@customer.example",
            "aliases": ["backup@customer.example"], "directMembersCount": "2",
        }  # fmt: skip
    assert google.get("/groups/nothing@customer.example").message == "Resource Not Found: groupKey"


def test_members_of_every_kind(google: GoogleClient, customer: Customer) -> None:
    inner = customer.create_group("Inner")
    group = customer.create_group("Outer", members=[ADA, BO, CY, inner])
    customer.suspend(BO)
    customer.archive(CY)
    customer.add_everybody(group)
    stranger = customer.add_stranger(group, "guest@elsewhere.example")
    other = customer.add_stranger(group, "team@elsewhere.example", type="EXTERNAL", status="ACTIVE")

    fields = "nextPageToken,members(id,email,role,type,status)"
    assert google.members(group, fields=fields) == [
        {"id": ADA, "email": "ada.king@customer.example", "role": "MEMBER", "type": "USER", "status": "ACTIVE"},
        {"id": BO, "email": "bo.lane@customer.example", "role": "MEMBER", "type": "USER", "status": "SUSPENDED"},
        {"id": CY, "email": "cy.moss@customer.example", "role": "MEMBER", "type": "USER", "status": "ARCHIVED"},
        {"id": inner, "email": "inner@customer.example", "role": "MEMBER", "type": "GROUP", "status": "ACTIVE"},
        {"id": CUSTOMER, "role": "MEMBER", "type": "CUSTOMER"},
        {"id": stranger, "email": "guest@elsewhere.example", "role": "MEMBER", "type": "USER"},
        {"id": other, "email": "team@elsewhere.example", "role": "MEMBER", "type": "EXTERNAL", "status": "ACTIVE"},
    ]


def test_an_empty_group_has_no_key_for_its_members(google: GoogleClient, customer: Customer) -> None:
    assert set(google.get(f"/groups/{customer.create_group('Empty')}/members").json()) == {"kind", "etag"}


@pytest.mark.parametrize("size", [1, 2, 3, 200])
@pytest.mark.parametrize("looks_ahead", [True, False])
def test_pages_of_members(google: GoogleClient, customer: Customer, size: int, looks_ahead: bool) -> None:
    customer.habits = replace(customer.habits, empty_last_page=not looks_ahead)
    group = customer.create_group("Three", members=[ADA, BO, CY])

    assert ids(google.members(group, maxResults=size)) == [ADA, BO, CY]


def test_who_leaves_during_a_walk_moves_nobody(google: GoogleClient, customer: Customer) -> None:
    group = customer.create_group("Three", members=[ADA, BO, CY])
    first = google.get(f"/groups/{group}/members", maxResults=2).json()
    customer.remove_member(group, ADA)

    rest = google.get(f"/groups/{group}/members", maxResults=2, pageToken=first["nextPageToken"]).json()
    assert ids(rest["members"]) == [CY]


def test_derived_membership_has_the_groups_between_and_some_twice(google: GoogleClient, customer: Customer) -> None:
    inner = customer.create_group("Inner", members=[ADA, BO])
    group = customer.create_group("Outer", members=[inner, ADA])

    assert ids(google.members(group, includeDerivedMembership="true")) == [inner, ADA, ADA, BO]
    customer.add_everybody(inner)
    everybody = google.members(group, includeDerivedMembership="true", maxResults=3)
    assert ids(everybody) == [inner, ADA, ADA, BO, CUSTOMER, *customer.user_ids()]


def test_the_deleted_are_hidden_until_they_come_back(google: GoogleClient, customer: Customer) -> None:
    group = customer.create_group("Two", members=[ADA, BO])
    customer.delete_user(ADA)
    assert ids(google.members(group)) == [BO] and google.get(f"/groups/{group}").json()["directMembersCount"] == "1"

    customer.restore_user(ADA)
    assert ids(google.members(group)) == [ADA, BO]
    customer.purge_user(ADA)
    assert ids(google.members(group)) == [BO]


def test_another_organizations_group_is_forbidden_and_one_that_is_gone_not_found(
    google: GoogleClient, customer: Customer, simulator: Simulator
) -> None:
    group = customer.create_group("Outer")
    foreign = customer.add_foreign_group(group, "team@elsewhere.example")
    other = simulator.add_customer(domain="other.example").create_group("Theirs")

    assert [member["type"] for member in google.members(group)] == ["GROUP"]
    for key in (foreign, other):
        assert google.get(f"/groups/{key}/members").reason == "forbidden"
    customer.delete_group(group)
    assert google.get(f"/groups/{group}/members").reason == "notFound"


def test_circles_are_refused_and_can_be_made(google: GoogleClient, customer: Customer, simulator: Simulator) -> None:
    one, two = customer.create_group("One"), customer.create_group("Two", members=[ADA])
    customer.add_member(one, two)
    with pytest.raises(ValueError, match="would be a member of itself"):
        customer.add_member(two, one)

    customer.add_member(two, one, in_a_circle=True)
    assert ids(google.members(one, includeDerivedMembership="true")) == [two, ADA, one]
    simulator.order(Fault("circle", f"/groups/{one}/members"))
    assert ids(google.members(one)) == [one, two]


def test_one_member_and_whether_somebody_is_one(google: GoogleClient, customer: Customer) -> None:
    inner = customer.create_group("Inner", members=[BO])
    group = customer.create_group("Outer", members=[ADA, inner])

    assert google.get(f"/groups/{group}/members/ada.king@customer.example").json()["id"] == ADA
    assert google.get(f"/groups/{group}/members/{BO}").message == "Resource Not Found: memberKey"
    assert google.get(f"/groups/{group}/hasMember/{BO}").json() == {"isMember": True}
    assert google.get(f"/groups/{group}/hasMember/{CY}").json() == {"isMember": False}
    assert google.get(f"/groups/{group}/hasMember/x@elsewhere.example").message == "Invalid Input: memberKey"


def test_groups_can_be_looked_up(google: GoogleClient, customer: Customer) -> None:
    backup = customer.create_group("Backup", members=[ADA])
    sales = customer.create_group("Sales", members=[backup])
    customer.add_everybody(sales)

    def found(**query: object) -> list[str]:
        return ids(google.walk("groups", "/groups", **query))

    assert found(userKey=ADA) == found(userKey="ada.king@customer.example") == [backup]
    assert found(customer="my_customer", query=f"memberKey={CUSTOMER}") == [sales]
    assert found(customer="my_customer", query="email:back*") == [backup]
    assert found(customer="my_customer", query="name='Sales'") == [sales]
    assert found(domain="customer.example") == [backup, sales]
    assert google.get("/groups", userKey=ADA, customer=CUSTOMER).status == 400
    assert google.get("/groups").status == 400
    assert google.get("/groups", customer=CUSTOMER, query="color=red").status == 501


def test_roles_can_be_filtered(google: GoogleClient, customer: Customer) -> None:
    group = customer.create_group("Two", members=[ADA])
    customer.add_member(group, BO, role="OWNER")

    assert ids(google.members(group, roles="OWNER")) == [BO]
    assert google.get(f"/groups/{group}/members", roles="KING").reason == "invalidParameter"
