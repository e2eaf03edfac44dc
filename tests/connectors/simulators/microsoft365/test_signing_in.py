"""The login service: metadata, tokens, and refusals with their codes."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec
import pytest
import urllib3

from connectors.simulators.microsoft365 import (
    SIMULATED_CLIENT_ID,
    SIMULATED_SECRET,
    App,
    Fault,
    GraphServer,
    SimulatedClock,
    Simulator,
    Tenant,
)
from connectors.simulators.microsoft365.signing_in import ASSERTION_TYPE
from tests.connectors.simulators.microsoft365.graph_client import GraphClient, Json, Reply

FORM = {
    "grant_type": "client_credentials",
    "client_id": SIMULATED_CLIENT_ID,
    "client_secret": SIMULATED_SECRET,
    "scope": "https://graph.microsoft.com/.default",
}


class Login:
    """Asks the login service of one tenant."""

    def __init__(self, http: urllib3.PoolManager, server: GraphServer, tenant: Tenant) -> None:
        self.http, self.server, self.tenant = http, server, tenant

    def ask(self, *, tenant: str | None = None, without: str = "", **changed: str) -> Reply:
        form = {name: value for name, value in (FORM | changed).items() if name != without}
        url = f"{self.server.login_url}/{tenant or self.tenant.id}/oauth2/v2.0/token"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "client-request-id": "corr-1"}
        answer = self.http.request("POST", url, body=urlencode(form), headers=headers, retries=False)
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def assertion(self, head: Json, claims: Json) -> Reply:
        token = f"{_part(head)}.{_part(claims)}.c2lnbmF0dXJl"
        return self.ask(without="client_secret", client_assertion=token, client_assertion_type=ASSERTION_TYPE)

    def refused(self, **changed: str) -> int:
        return _code(self.ask(**changed))


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def _code(reply: Reply) -> int:
    assert reply.status in (400, 401), reply.body
    (code,) = reply.json()["error_codes"]
    return int(code)


@pytest.fixture
def login(http: urllib3.PoolManager, server: GraphServer, tenant: Tenant) -> Login:
    return Login(http, server, tenant)


def test_a_secret_buys_a_token_that_graph_takes(login: Login, graph: GraphClient) -> None:
    token = login.ask().json()
    graph.token = token["access_token"]

    assert token["token_type"] == "Bearer"
    assert 3599 <= token["expires_in"] < 5400 and token["ext_expires_in"] == token["expires_in"]
    assert graph.get("/users").status == 200


def test_a_tenant_is_known_by_its_domain_too(login: Login) -> None:
    assert login.ask(tenant="contoso.example").status == 200


def test_a_token_ends(login: Login, graph: GraphClient, clock: SimulatedClock) -> None:
    graph.token = login.ask().json()["access_token"]

    clock.advance(timedelta(minutes=90))

    reply = graph.get("/users")
    assert reply.status == 401 and reply.code == "InvalidAuthenticationToken"
    assert reply.headers["www-authenticate"].startswith('Bearer realm="", authorization_uri="https://127.0.0.1')


def test_the_metadata_name_https_endpoints_and_the_tenant(login: Login) -> None:
    host = login.server.login_url.partition("//")[2]
    url = f"{login.server.login_url}/contoso.example/v2.0/.well-known/openid-configuration"

    metadata = msgspec.json.decode(login.http.request("GET", url).data)

    assert metadata["token_endpoint"] == f"https://{host}/{login.tenant.id}/oauth2/v2.0/token"
    assert metadata["issuer"] == f"https://{host}/{login.tenant.id}/v2.0"
    assert metadata["authorization_endpoint"].startswith("https://")


def test_instance_discovery_knows_this_host(login: Login) -> None:
    host = login.server.login_url.partition("//")[2]

    found = msgspec.json.decode(login.http.request("GET", f"{login.server.login_url}/common/discovery/instance").data)

    assert host in [alias for network in found["metadata"] for alias in network["aliases"]]


def test_a_refusal_has_the_documented_shape(login: Login) -> None:
    reply = login.ask(client_secret="guessed")
    error = reply.json()

    assert reply.status == 401
    assert error["error"] == "invalid_client" and error["error_codes"] == [7000215]
    assert error["error_description"].startswith("AADSTS7000215: Invalid client secret provided.")
    assert error["correlation_id"] == "corr-1" and error["timestamp"] == "2026-01-02 03:04:05Z"
    assert set(error) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }


def test_each_cause_has_its_code(login: Login, simulator: Simulator) -> None:
    nobody = "00000000-1111-4222-8333-444444444444"
    assert login.refused(client_secret="guessed") == 7000215
    assert login.refused(tenant=nobody) == 90002
    assert login.refused(client_id=nobody) == 700016
    assert login.refused(scope="https://graph.microsoft.com/User.Read") == 1002012
    assert login.refused(grant_type="password") == 70003
    assert login.refused(without="client_secret") == 7000218
    assert login.refused(without="scope") == 900144
    simulator.add_app(App(secret_expires=datetime(2026, 1, 1, tzinfo=UTC)))
    assert login.refused() == 7000222


def test_consent_comes_and_goes(login: Login, graph: GraphClient, tenant: Tenant) -> None:
    graph.token = login.ask().json()["access_token"]

    tenant.disable_app(SIMULATED_CLIENT_ID)
    assert login.refused() == 7000112
    tenant.withdraw_consent(SIMULATED_CLIENT_ID)
    assert login.refused() == 700016
    assert graph.get("/users").status == 401
    tenant.consent(SIMULATED_CLIENT_ID)

    assert login.ask().status == 200


def test_a_removed_tenant_is_unknown(login: Login, graph: GraphClient, simulator: Simulator, tenant: Tenant) -> None:
    simulator.remove_tenant(tenant)

    assert login.refused() == 90002
    assert graph.get("/users").status == 401


def test_a_certificate_signs_in_with_a_well_formed_assertion(login: Login) -> None:
    host = login.server.login_url.replace("http:", "https:")
    claims = {
        "iss": SIMULATED_CLIENT_ID,
        "sub": SIMULATED_CLIENT_ID,
        "aud": f"{host}/{login.tenant.id}/oauth2/v2.0/token",
        "exp": 1767326645,
        "nbf": 1767323045,
        "jti": "1",
    }
    head = {"alg": "PS256", "typ": "JWT", "x5t#S256": "Zm9v"}

    assert login.assertion(head, claims).status == 200
    assert _code(login.assertion({"alg": "PS256"}, claims)) == 700027
    assert _code(login.assertion({**head, "alg": "HS256"}, claims)) == 5002738
    assert _code(login.assertion(head, {**claims, "aud": "https://elsewhere.example/"})) == 700023
    assert _code(login.assertion(head, {**claims, "sub": "somebody else"})) == 700021
    assert _code(login.assertion(head, {**claims, "exp": 1767323045})) == 700024
    assert login.refused(client_assertion="not a token", client_assertion_type=ASSERTION_TYPE) == 50027
    assert login.refused(client_assertion="x.y.z") == 900144


def test_only_registered_certificates_are_taken_where_some_are_registered(login: Login, simulator: Simulator) -> None:
    host = login.server.login_url.replace("http:", "https:")
    claims = {"iss": SIMULATED_CLIENT_ID, "sub": SIMULATED_CLIENT_ID, "aud": f"{host}/{login.tenant.id}/v2.0", "exp": 9}
    simulator.add_app(App(thumbprints=frozenset({"Zm9v"})))

    assert login.assertion({"alg": "RS256", "x5t": "Zm9v"}, claims).status == 200
    assert _code(login.assertion({"alg": "RS256", "x5t": "YmFy"}, claims)) == 700027


def test_federated_identities(login: Login, simulator: Simulator) -> None:
    home = "11111111-2222-4333-8444-555555555555"
    simulator.add_app(App(home=home))
    claims = {"iss": "https://kubernetes.example", "sub": "sa", "aud": "api://AzureADTokenExchange", "exp": 9}
    head = {"alg": "RS256", "kid": "1"}

    assert login.assertion(head, claims).status == 200
    assert login.assertion(head, {**claims, "iss": f"https://login.microsoftonline.com/{home}/v2.0"}).status == 200
    elsewhere = {**claims, "iss": "https://login.microsoftonline.com/22222222-2222-4333-8444-555555555555/v2.0"}
    assert _code(login.assertion(head, elsewhere)) == 700236
    assert _code(login.assertion(head, {**claims, "aud": "api://other"})) == 700212
    simulator.add_app(App(issuers=frozenset({"https://other.example"})))
    assert _code(login.assertion(head, claims)) == 700211


@pytest.mark.parametrize(
    "fault, status", [(Fault("throttle", "login/*"), 429), (Fault("error", "login/*", status=500), 500)]
)
def test_the_login_service_is_busy_on_order(login: Login, simulator: Simulator, fault: Fault, status: int) -> None:
    simulator.order(fault)

    reply = login.ask()

    assert reply.status == status and reply.json()["error"] == "temporarily_unavailable"
    assert reply.headers.get("retry-after") == ("10" if status == 429 else None)
    assert login.ask().status == 200


def test_the_login_service_is_out_on_order(login: Login, simulator: Simulator) -> None:
    simulator.order(Fault("unavailable", "login/*/token"))

    reply = login.ask()

    assert reply.status == 503 and reply.body.startswith(b"<html>")


def test_faults_of_graph_leave_the_login_service_alone(login: Login, graph: GraphClient, simulator: Simulator) -> None:
    simulator.order(Fault("unavailable"))

    assert login.ask().status == 200
    assert graph.get("/users").status == 503
