"""Users on the wire: lists, pages, masks, look-ups, and those who were deleted."""

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
import urllib3
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document

from connectors.simulators.google_workspace import Customer, Shares, SimulatedClock, Simulator
from tests.connectors.simulators.google_workspace import discovery
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CUSTOMER, CY
from tests.connectors.simulators.google_workspace.google_client import AGENT, DIRECTORY, GoogleClient, addresses

EVERYBODY = ["ada.king", "bo.lane", "cy.moss", "directory-reader"]


def local(user_addresses: list[str]) -> list[str]:
    return [address.partition("@")[0] for address in user_addresses]


def test_everybody_comes_in_the_order_of_their_addresses(google: GoogleClient, customer: Customer) -> None:
    customer.suspend(BO)
    customer.archive(CY)

    users = google.everybody()

    assert local(addresses(users)) == EVERYBODY
    assert [(user["suspended"], user["archived"]) for user in users] == [
        (False, False), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    assert [user.get("suspensionReason") for user in users] == [None, "ADMIN", None, None]
    assert {user["customerId"] for user in users} == {CUSTOMER}
    assert [user["orgUnitPath"] for user in users] == ["/Sales/EMEA", "/Leavers", "/", "/"]
    assert users[0]["name"] == {"givenName": "Ada", "familyName": "King", "fullName": "Ada King"}
    assert users[0]["lastLoginTime"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 500])
def test_a_walk_has_everybody_once_whatever_the_page(google: GoogleClient, size: int) -> None:
    assert local(addresses(google.everybody(maxResults=size))) == EVERYBODY


def test_a_last_page_may_have_no_users_at_all(google: GoogleClient, customer: Customer) -> None:
    pages = list(google.pages("/users", customer="my_customer", maxResults=2))
    assert [len(page.get("users", ())) for page in pages] == [2, 2, 0]
    assert set(pages[2]) == {"kind", "etag"}

    customer.habits = replace(customer.habits, empty_last_page=False)
    pages = list(google.pages("/users", customer="my_customer", maxResults=2))
    assert [len(page["users"]) for page in pages] == [2, 2]


def test_a_mask_leaves_the_rest_out_and_with_it_the_token_where_it_is_not_named(google: GoogleClient) -> None:
    page = google.users(maxResults=2, fields="nextPageToken,users(id,name/givenName)").json()
    assert page["users"] == [{"id": ADA, "name": {"givenName": "Ada"}}, {"id": BO, "name": {"givenName": "Bo"}}]
    assert set(page) == {"users", "nextPageToken"}

    assert google.users(maxResults=2, fields="users(id)").json() == {"users": [{"id": ADA}, {"id": BO}]}
    assert set(google.users(fields="*").json()) == {"kind", "etag", "users"}
    assert set(google.users(fields="kind").json()) == {"kind"}
    assert google.users(fields="users/id,users/primaryEmail").json()["users"][0].keys() == {"id", "primaryEmail"}


@pytest.mark.parametrize("fields", ["user", "users(", "users(id", "users(nickname)", "users()", ",", "users/name/nick"])
def test_a_mask_that_names_what_there_is_not_is_refused(google: GoogleClient, fields: str) -> None:
    reply = google.users(fields=fields)

    assert (reply.status, reply.reason) == (400, "invalidParameter")


def test_answers_are_compressed_for_agents_that_say_so(google: GoogleClient) -> None:
    where = f"{DIRECTORY}/users?customer=my_customer"

    assert google.ask("GET", where).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in google.ask("GET", where, None, User_Agent="seatkeeper/1.0").headers
    assert "content-encoding" not in google.ask("GET", where, None, Accept_Encoding="identity").headers


def test_a_get_may_come_as_a_post(google: GoogleClient) -> None:
    reply = google.ask(
        "POST", f"{DIRECTORY}/users", b"customer=my_customer&maxResults=1&fields=users%28id%29",
        X_HTTP_Method_Override="GET", Content_Type="application/x-www-form-urlencoded",
    )  # fmt: skip

    assert reply.json() == {"users": [{"id": ADA}]}
    assert google.ask("POST", f"{DIRECTORY}/users", b"{}").status == 501


def test_a_token_is_bound_to_every_other_parameter(google: GoogleClient) -> None:
    token = google.users(maxResults=1).json()["nextPageToken"]

    assert google.users(maxResults=1, pageToken=token).status == 200
    for other in ({"maxResults": 2}, {"maxResults": 1, "fields": "users"}, {"maxResults": 1, "showDeleted": "true"}):
        assert google.users(pageToken=token, **other).reason == "invalid"
    assert google.users(maxResults=1, pageToken="guessed").reason == "invalid"
    assert google.get("/users", domain="customer.example", maxResults=1, pageToken=token).reason == "invalid"


def test_a_walk_ends_after_an_hour_and_a_token_after_three_days(
    google: GoogleClient, customer: Customer, simulator: Simulator, clock: SimulatedClock
) -> None:
    token = google.users(maxResults=1).json()["nextPageToken"]
    clock.advance(timedelta(minutes=59))
    token = google.users(maxResults=1, pageToken=token).json()["nextPageToken"]
    clock.advance(timedelta(minutes=1))
    google.token = simulator.token(customer)

    late = google.users(maxResults=1, pageToken=token)
    assert (late.status, late.reason) == (503, "backendError")

    customer.habits = replace(customer.habits, walk_ends_after=10**6)
    assert google.users(maxResults=1, pageToken=token).status == 200
    clock.advance(timedelta(days=3))
    google.token = simulator.token(customer)
    assert google.users(maxResults=1, pageToken=token).reason == "invalid"


@pytest.mark.parametrize(
    "query, status, reason",
    [
        ({}, 400, "badRequest"),
        ({"customer": "C0other"}, 403, "forbidden"),
        ({"domain": "elsewhere.example"}, 404, "notFound"),
        ({"customer": "my_customer", "maxResults": "0"}, 400, "invalidParameter"),
        ({"customer": "my_customer", "maxResults": "many"}, 400, "invalidParameter"),
        ({"customer": "my_customer", "orderBy": "age"}, 400, "invalidParameter"),
        ({"customer": "my_customer", "projection": "custom"}, 400, "badRequest"),
        ({"customer": "my_customer", "query": "orgUnitPath=/Nowhere"}, 400, "invalid"),
        ({"customer": "my_customer", "query": "what"}, 400, "invalid"),
        ({"customer": "my_customer", "query": "manager=Ada"}, 501, "notImplemented"),
        ({"customer": "my_customer", "watch": "true"}, 501, "notImplemented"),
    ],
)
def test_what_cannot_be_asked(google: GoogleClient, query: dict[str, str], status: int, reason: str) -> None:
    reply = google.get("/users", **query)

    assert (reply.status, reply.reason) == (status, reason)


def test_more_than_five_hundred_are_five_hundred(google: GoogleClient, customer: Customer) -> None:
    customer.populate(600)

    assert len(google.users(maxResults=1000).json()["users"]) == 500
    assert len(google.users().json()["users"]) == 100


def test_one_by_one_by_id_address_and_alias(google: GoogleClient, customer: Customer) -> None:
    customer.rename(ADA, "Ada Queen")

    by_id = google.get(f"/users/{ADA}").json()
    assert by_id["primaryEmail"] == "ada.queen@customer.example"
    assert by_id["aliases"] == ["ada.king@customer.example"]
    for key in (
        "ada.queen@customer.example",
        "ada.king@customer.example",
        "ADA.QUEEN@customer.example.test-google-a.com",
    ):
        assert google.get(f"/users/{key}").json() == by_id
    assert google.get(f"/users/{ADA}", fields="id").json() == {"id": ADA}
    assert google.get("/users/100000000000000000000").message == "Resource Not Found: userKey"
    assert google.get("/users/nobody@customer.example").reason == "notFound"


def test_those_who_were_deleted_are_in_a_list_of_their_own_for_twenty_days(
    google: GoogleClient, customer: Customer, simulator: Simulator, clock: SimulatedClock
) -> None:
    customer.delete_user(BO)

    assert local(addresses(google.everybody())) == ["ada.king", "cy.moss", "directory-reader"]
    [gone] = google.everybody(showDeleted="true")
    assert gone["id"] == BO and gone["deletionTime"] == "2026-01-02T03:04:05.000Z"
    assert "orgUnitPath" not in gone and "suspended" not in gone
    by_id = google.get(f"/users/{BO}")
    assert (by_id.status, by_id.reason, by_id.message) == (412, "conditionNotMet", "User is deleted.")
    assert google.get("/users/bo.lane@customer.example").status == 404

    clock.advance(timedelta(days=20))
    google.token = simulator.token(customer)
    assert google.everybody(showDeleted="true") == []
    assert google.get(f"/users/{BO}").status == 404


def test_who_comes_back_is_the_same_and_who_is_hired_again_is_not(google: GoogleClient, customer: Customer) -> None:
    customer.delete_user(ADA)
    customer.delete_user(BO)
    customer.restore_user(ADA, unit="/Leavers")
    new = customer.rehire(BO)

    assert google.get(f"/users/{ADA}").json()["orgUnitPath"] == "/Leavers"
    assert new != BO and google.get("/users/bo.lane@customer.example").json()["id"] == new
    assert [user["id"] for user in google.everybody(showDeleted="true")] == [BO]
    with pytest.raises(ValueError, match=r"somebody has the address bo\.lane@"):
        customer.restore_user(BO)


def test_deleted_users_have_pages(google: GoogleClient, customer: Customer) -> None:
    for ident in customer.populate(25):
        customer.delete_user(ident)

    gone = google.everybody(showDeleted="true", maxResults=10)

    assert len({user["id"] for user in gone}) == len(gone) == 25


@pytest.mark.parametrize(
    "query, found",
    [
        ("isSuspended=true", ["bo.lane"]),
        ("isSuspended=false isArchived=false", ["ada.king", "cy.moss", "directory-reader"]),
        ("email:ada*", ["ada.king"]),
        ("email=bo.lane@customer.example", ["bo.lane"]),
        ("name:'Cy Moss'", ["cy.moss"]),
        ("givenName:A*", ["ada.king"]),
        ("orgUnitPath=/Sales", ["ada.king"]),
        ("orgUnitPath='/'", EVERYBODY),
    ],
)
def test_users_can_be_looked_up(google: GoogleClient, customer: Customer, query: str, found: list[str]) -> None:
    customer.suspend(BO)

    assert local(addresses(google.everybody(query=query))) == found


def test_other_orders(google: GoogleClient) -> None:
    assert local(addresses(google.everybody(orderBy="familyName", maxResults=3))) == EVERYBODY
    assert local(addresses(google.everybody(orderBy="givenName", sortOrder="DESCENDING", maxResults=2))) == [
        "directory-reader", "cy.moss", "bo.lane", "ada.king",
    ]  # fmt: skip


def test_one_domain_of_several(google: GoogleClient, customer: Customer) -> None:
    customer.add_domain("second.example")
    customer.hire("Di Nord", address="di@second.example")

    assert addresses(google.walk("users", "/users", domain="second.example")) == ["di@second.example"]
    assert len(google.walk("users", "/users", domain="customer.example", maxResults=3)) == 4
    assert len(google.everybody()) == 5


def test_custom_schemas_are_shown_to_those_who_ask(google: GoogleClient, customer: Customer) -> None:
    customer.update_user(ADA, customSchemas={"seats": {"class": "gold"}, "other": {"a": "b"}})

    assert "customSchemas" not in google.get(f"/users/{ADA}").json()
    assert set(google.get(f"/users/{ADA}", projection="full").json()["customSchemas"]) == {"seats", "other"}
    custom = google.get(f"/users/{ADA}", projection="custom", customFieldMask="seats").json()
    assert custom["customSchemas"] == {"seats": {"class": "gold"}}
    public = google.get(f"/users/{ADA}", viewType="domain_public").json()
    assert "suspended" not in public and public["primaryEmail"] == "ada.king@customer.example"


def test_two_who_swap_addresses_stay_who_they_are(google: GoogleClient, customer: Customer) -> None:
    customer.swap_addresses(ADA, CY)

    assert {user["id"]: user["primaryEmail"] for user in google.everybody() if user["id"] in (ADA, CY)} == {
        ADA: "cy.moss@customer.example",
        CY: "ada.king@customer.example",
    }


def test_a_domain_that_is_renamed_takes_everybody_along(google: GoogleClient, customer: Customer) -> None:
    customer.populate(5)
    before = {user["id"]: local(addresses([user])) for user in google.everybody()}
    customer.rename_domain("renamed.example")

    after = google.everybody()
    assert {user["id"]: local(addresses([user])) for user in after} == before
    assert {address.partition("@")[2] for address in addresses(after)} == {"renamed.example"}


def test_addresses_in_domain_aliases_cannot_be_edited(google: GoogleClient, customer: Customer) -> None:
    customer.populate(1)
    customer.add_domain("customer.test", alias_of="customer.example")

    for user in google.everybody():
        assert user["nonEditableAliases"] == [
            f"{user['primaryEmail']}.test-google-a.com", f"{local([user['primaryEmail']])[0]}@customer.test",
        ]  # fmt: skip


def test_a_walk_is_no_snapshot(google: GoogleClient, customer: Customer) -> None:
    first = google.users(maxResults=2).json()
    customer.rename(CY, "Aa Moss")
    customer.rename(ADA, "Zoe King")
    rest = google.users(maxResults=2, pageToken=first["nextPageToken"]).json()

    assert [user["id"] for user in first["users"]] == [ADA, BO]
    assert ADA in [user["id"] for user in rest["users"]] and CY not in [user["id"] for user in rest["users"]]


def test_made_up_people_are_mixed_and_stay_the_same(
    google: GoogleClient, customer: Customer, simulator: Simulator
) -> None:
    twin = simulator.add_customer(domain="twin.example")
    for each in (customer, twin):
        each.populate(1000, 3, Shares(suspended=0.1, archived=0.05, guests=0.02, without_mailbox=0.03), ["/"])
    users = google.everybody(maxResults=500, prettyPrint="false")

    assert addresses(users) == sorted(set(addresses(users))) and len(users) == 1004
    assert sum(user["suspended"] for user in users) == 100 and sum(user["archived"] for user in users) == 50
    assert sum(user.get("isGuestUser", False) for user in users) == 20
    assert sum(not user["isMailboxSetup"] for user in users) == 50, "guests have none, either"
    assert len({user["id"] for user in users}) == 1004 and all(len(user["id"]) == 21 for user in users)
    assert len({user["name"]["familyName"] for user in users}) > 90
    assert len({user["organizations"][0]["department"] for user in users if "organizations" in user}) == 9
    assert [twin.users.address(n).partition("@")[0] for n in range(1, 1001)] == [
        customer.users.address(n).partition("@")[0] for n in range(4, 1004)
    ]


def test_more_people_than_names_are_still_in_order(customer: Customer) -> None:
    customer.populate(50_000)
    some = [customer.users.address(number) for number in range(4, 50_004, 7)]

    assert some == sorted(set(some))
    assert [customer.users.find(address) for address in some[:50]] == list(range(4, 354, 7))


def test_a_second_population_stands_among_the_first(google: GoogleClient, customer: Customer) -> None:
    customer.populate(40)
    customer.populate(30, 1)

    users = addresses(google.everybody(maxResults=7))

    assert users == sorted(set(users)) and len(users) == 74


def test_what_changed_in_a_population_is_told(google: GoogleClient, customer: Customer) -> None:
    ids = customer.populate(40, units=["/Sales"])
    before = {user["id"]: user for user in google.everybody(maxResults=500, prettyPrint="false")}
    customer.suspend(ids[3])
    customer.delete_user(ids[4])
    customer.rename(ids[5], address="aaa@customer.example")
    customer.move(ids[6], "/Leavers")
    customer.rename_unit("/Sales", 'Trade "East"')
    after = {user["id"]: user for user in google.everybody(maxResults=500, prettyPrint="false")}

    assert before.keys() - after.keys() == {ids[4]}
    assert after[ids[3]]["suspended"] and after[ids[5]]["primaryEmail"] == "aaa@customer.example"
    assert after[ids[6]]["orgUnitPath"] == "/Leavers" and after[ids[7]]["orgUnitPath"] == 'Trade "East"'.join(["/", ""])
    assert before[ids[7]]["orgUnitPath"] == "/Sales"
    assert after[ids[3]]["etag"] != before[ids[3]]["etag"] and after[ids[7]]["etag"] == before[ids[7]]["etag"]
    for ident in ids:
        single = google.get(f"/users/{ident}")
        assert single.json() == after[ident] if ident != ids[4] else single.status == 412


def test_a_body_is_pretty_unless_it_is_asked_not_to_be(google: GoogleClient) -> None:
    pretty, plain = google.users().body, google.users(prettyPrint="false").body

    assert pretty.startswith(b'{\n  "kind"') and plain.startswith(b'{"kind":"admin#directory#users"')
    assert msgspec.json.decode(pretty) == msgspec.json.decode(plain)
    assert AGENT.endswith("(gzip)")


def test_an_address_is_somebodys_or_a_groups(customer: Customer) -> None:
    customer.delete_user(BO)
    customer.create_group("Bo", address="bo.lane@customer.example")

    with pytest.raises(ValueError, match="a group has the address"):
        customer.restore_user(BO)
    with pytest.raises(ValueError, match="a group has the address"):
        customer.rehire(BO)
    with pytest.raises(ValueError, match="somebody has the address"):
        customer.create_group("Ada", address="ada.king@customer.example")


def test_many_ask_while_much_happens(google: GoogleClient, customer: Customer) -> None:
    idents = customer.populate(300)
    group = customer.create_group("Staff", members=idents[:100])
    failures: list[object] = []

    def walk() -> None:
        try:
            for _ in range(5):
                google.everybody(maxResults=60)
                google.members(group, includeDerivedMembership="true")
        except (AssertionError, urllib3.exceptions.HTTPError) as error:
            failures.append(error)

    threads = [threading.Thread(target=walk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number, ident in enumerate(idents):
        customer.suspend(ident)
        customer.rename(ident, address=f"x{number}@customer.example")
        customer.create_group(f"Group {number}", members=[ident])
    for thread in threads:
        thread.join()

    assert failures == []
    assert sum(user["suspended"] for user in google.everybody(maxResults=500)) == 300


def test_googles_own_client_reads_it(google: GoogleClient) -> None:
    service = build_from_document(
        discovery.document("directory"),
        credentials=Credentials(token=google.token),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": google.server.url},
    )
    with closing(service) as directory:
        fields = f"nextPageToken,users(id,primaryEmail,{','.join(['customSchemas'] * 150)})"
        request = directory.users().list(customer="my_customer", maxResults=3, fields=fields)
        found: list[str] = []
        while request is not None:
            page = request.execute()
            found += [user["id"] for user in page.get("users", ())]
            request = directory.users().list_next(request, page)

    assert len(fields) > 2048 and len(found) == 4 and len(set(found)) == 4
