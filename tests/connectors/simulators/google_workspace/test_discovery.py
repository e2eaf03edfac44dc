"""Whatever the simulator answers and understands is what Google's own discovery documents describe."""

from collections.abc import Iterator
from dataclasses import replace

import jsonschema
import msgspec
import pytest

from connectors.simulators.google_workspace import (
    SIMULATED_ACCOUNT,
    SIMULATED_POOL,
    SIMULATED_SUBJECT_TOKEN,
    Customer,
    Fault,
    GoogleServer,
    SimulatedClock,
    Simulator,
    northwind,
    schema,
)
from connectors.simulators.google_workspace.routes import ENDPOINTS, EVERY_REQUEST
from tests.connectors.simulators.google_workspace import discovery
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CUSTOMER
from tests.connectors.simulators.google_workspace.google_client import ADMIN_EVENTS, DIRECTORY, GoogleClient, Json


@pytest.fixture
def busy(google: GoogleClient, customer: Customer, clock: SimulatedClock) -> GoogleClient:
    """The customer after a day on which everything happened."""
    customer.habits = replace(customer.habits, audit_lag=0)
    customer.populate(30, units=["/Sales", "/Leavers"])
    customer.add_domain("second.example")
    customer.add_domain("customer.test", alias_of="customer.example")
    customer.rename(ADA, "Ada Queen")
    customer.suspend(BO)
    customer.archive(customer.hire("Di Nord", guest=True, mailbox=False))
    customer.delete_user(customer.hire("Ed Orr", recoveryEmail="ed@private.example"))
    group = customer.create_group("Staff", members=[ADA, BO])
    customer.add_everybody(group)
    customer.add_stranger(group, "guest@elsewhere.example")
    customer.add_foreign_group(group, "team@elsewhere.example")
    customer.add_member(group, customer.create_group("Inner"))
    customer.rename_group(group, "Crew", address="crew@customer.example")
    return google


ASKED = [
    ("directory.users.list", "/users?customer=my_customer&maxResults=10"),
    ("directory.users.list", "/users?customer=my_customer&projection=full&orderBy=familyName&sortOrder=DESCENDING"),
    ("directory.users.list", "/users?domain=customer.example&showDeleted=true"),
    ("directory.users.list", "/users?customer=my_customer&viewType=domain_public&query=isSuspended%3Dtrue"),
    ("directory.users.list", "/users?customer=my_customer&fields=nextPageToken,users(id,name/fullName)"),
    ("directory.users.get", f"/users/{ADA}"),
    ("directory.groups.list", f"/groups?customer={CUSTOMER}"),
    ("directory.groups.get", "/groups/crew@customer.example"),
    ("directory.members.list", "/groups/crew@customer.example/members"),
    ("directory.members.list", "/groups/crew@customer.example/members?includeDerivedMembership=true"),
    ("directory.members.get", f"/groups/crew@customer.example/members/{ADA}"),
    ("directory.members.hasMember", f"/groups/crew@customer.example/hasMember/{ADA}"),
    ("directory.orgunits.list", "/customer/my_customer/orgunits?type=allIncludingParent"),
    ("directory.orgunits.get", "/customer/my_customer/orgunits/Sales/EMEA"),
    ("directory.domains.list", "/customer/my_customer/domains"),
    ("directory.domains.get", "/customer/my_customer/domains/customer.example"),
    ("directory.customers.get", "/customers/my_customer"),
    ("reports.activities.list", f"{ADMIN_EVENTS}?maxResults=5"),
]


CHANNELS = {"directory.users.watch", "admin.channels.stop"}
"""What is not asked for by GET."""
STOP = "/admin/directory_v1/channels/stop"


@pytest.mark.parametrize("method, where", ASKED)
def test_every_answer_is_what_google_describes(busy: GoogleClient, method: str, where: str) -> None:
    reply = busy.get(where)

    assert reply.status == 200 and len(reply.json()) > 0, reply.body
    discovery.check_response(method.partition(".")[0], method, reply.json())


def test_every_method_is_asked() -> None:
    assert {method for method, _ in ASKED} | CHANNELS == {endpoint.id for endpoint in ENDPOINTS}


def test_channels_are_what_google_describes(busy: GoogleClient) -> None:
    asked = {"id": "a", "type": "web_hook", "address": "http://127.0.0.1:9/google/a", "token": "t"}
    asked["params"] = {"ttl": "86400"}  # type: ignore[assignment]
    discovery.check("directory", "Channel", asked)
    where = f"{DIRECTORY}/users/watch?customer=my_customer&event=delete"
    channel = busy.ask("POST", where, msgspec.json.encode(asked))
    assert channel.status == 200, channel.body
    discovery.check_response("directory", "directory.users.watch", channel.json())
    assert busy.ask("POST", where, msgspec.json.encode(asked)).reason == "channelIdNotUnique"
    stopped = {"id": "a", "resourceId": channel.json()["resourceId"]}
    discovery.check("admin", "Channel", stopped)
    answers = [busy.ask("POST", STOP, msgspec.json.encode(stopped)) for _ in range(2)]
    assert [answer.status for answer in answers] == [204, 404] and answers[0].body == b""


def test_a_whole_company_is_what_google_describes(google: GoogleClient, simulator: Simulator) -> None:
    company = northwind(simulator, 300)
    google.token = simulator.token(company)

    for page in google.pages("/users", customer="my_customer", maxResults=500):
        discovery.check("directory", "Users", page)


@pytest.mark.parametrize(
    "kind", ["short_list", "no_key", "repeat_token", "overlap", "duplicate", "without_admin", "without_flags"]
)
def test_lists_that_are_wrong_are_well_formed(busy: GoogleClient, simulator: Simulator, kind: str) -> None:
    simulator.order(Fault(kind))  # type: ignore[arg-type]

    discovery.check("directory", "Users", busy.users().json())


def test_what_nobody_has_heard_of_is_no_part_of_it(busy: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("unknown_keys"))

    with pytest.raises(jsonschema.ValidationError, match="telepathyEnabled"):
        discovery.check("directory", "Users", busy.users().json())


def test_tokens_for_keyless_access_are_what_google_describes(google: GoogleClient, server: GoogleServer) -> None:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": SIMULATED_POOL,
        "subject_token": SIMULATED_SUBJECT_TOKEN,
    }
    federated = google.http.request_encode_body("POST", f"{server.url}/v1/token", form, encode_multipart=False).json()
    discovery.check_response("sts", "sts.token", federated)
    google.token = federated["access_token"]
    account = f"/v1/projects/-/serviceAccounts/{SIMULATED_ACCOUNT}"
    signed = google.ask("POST", f"{account}:signJwt", b'{"payload": "{}"}').json()
    token = google.ask("POST", f"{account}:generateAccessToken", b'{"scope": ["a"]}').json()

    discovery.check("iamcredentials", "SignJwtResponse", signed)
    discovery.check("iamcredentials", "GenerateAccessTokenResponse", token)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.id)
def test_what_is_understood_is_there_to_be_said(endpoint: object) -> None:
    assert isinstance(endpoint, type(ENDPOINTS[0]))
    api = endpoint.api
    method = discovery.methods(api)[endpoint.id]
    prefix = "admin/directory_v1" if api == "admin" else f"admin/{api}/v1"

    assert (endpoint.method, f"{prefix}{endpoint.pattern}") == (method["httpMethod"], method["path"])
    assert endpoint.parameters <= set(method["parameters"])
    assert set(discovery.document(api)["parameters"]) >= EVERY_REQUEST
    assert endpoint.scopes <= set(method["scopes"])


def fields_of(api: str, name: str) -> Iterator[tuple[str, Json]]:
    yield from discovery.document(api)["schemas"][name]["properties"].items()


@pytest.mark.parametrize(
    "api, name, fields",
    [
        ("directory", "User", schema.USER),
        ("directory", "UserName", schema.NAME),
        ("directory", "Users", schema.USERS),
        ("directory", "Group", schema.GROUP),
        ("directory", "Groups", schema.GROUPS),
        ("directory", "Member", schema.MEMBER),
        ("directory", "Members", schema.MEMBERS),
        ("directory", "MembersHasMember", schema.HAS_MEMBER),
        ("directory", "OrgUnit", schema.UNIT),
        ("directory", "OrgUnits", schema.UNITS),
        ("directory", "Domains", schema.DOMAIN),
        ("directory", "Domains2", schema.DOMAINS),
        ("directory", "DomainAlias", schema.DOMAIN_ALIAS),
        ("directory", "Customer", schema.CUSTOMER),
        ("directory", "Channel", schema.CHANNEL),
        ("reports", "Activity", schema.ACTIVITY),
        ("reports", "Activities", schema.ACTIVITIES),
    ],
)
def test_a_mask_may_name_what_google_describes(api: str, name: str, fields: schema.Fields) -> None:
    described = {field for field, _ in fields_of(api, name)} - {"password", "hashFunction"}

    assert set(fields) == described


def test_pages_that_are_stitched_are_the_same_as_those_that_are_not(busy: GoogleClient) -> None:
    pretty, plain = busy.users(), busy.users(prettyPrint="false")

    assert pretty.json() | {"nextPageToken": ""} == plain.json() | {"nextPageToken": ""}
    assert len(pretty.body) > len(plain.body) and msgspec.json.format(plain.body, indent=2).count(b"\n") > 100
