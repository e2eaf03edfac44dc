"""Signing in: by an assertion that is really checked, without a key, and by Google's own library."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import google.auth.transport.urllib3
import pytest
import urllib3
from google.auth import iam, identity_pool, impersonated_credentials
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account

from connectors.simulators.google_workspace import (
    READ_SCOPES,
    SIMULATED_ACCOUNT,
    SIMULATED_CLIENT_ID,
    SIMULATED_POOL,
    SIMULATED_SUBJECT_TOKEN,
    Customer,
    Fault,
    GoogleServer,
    ServiceAccount,
    SimulatedClock,
    Simulator,
)
from connectors.simulators.google_workspace.signing_in import AUDIENCE, JWT_BEARER, REFUSALS
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CUSTOMER, CY
from tests.connectors.simulators.google_workspace.google_client import GoogleClient, Json

USERS = "https://www.googleapis.com/auth/admin.directory.user.readonly"
NOW = datetime.now(UTC)
SECONDS = int(NOW.timestamp())
READER = "directory-reader@customer.example"


def assertion(account: ServiceAccount, **claims: object) -> str:
    """An assertion in order, but for what is said; None takes a claim away."""
    times = {"iat": SECONDS, "exp": SECONDS + 3600}
    whole = {"iss": account.email, "sub": READER, "scope": USERS, "aud": AUDIENCE, **times, **claims}
    kept = {name: value for name, value in whole.items() if value is not None}
    return next(iter(account.keys.values())).sign(kept)


def exchange(google: GoogleClient, text: str, grant_type: str = JWT_BEARER) -> tuple[int, Json]:
    form = {"grant_type": grant_type, "assertion": text}
    url = f"{google.server.url}/token"
    answer = google.http.request_encode_body("POST", url, form, encode_multipart=False)
    told: Json = answer.json()
    return answer.status, told


def refused(google: GoogleClient, text: str) -> str:
    status, told = exchange(google, text)
    assert status >= 400, told
    return f"{told['error']}: {told['error_description']}"


@pytest.fixture
def simulator(clock: SimulatedClock) -> Simulator:
    return Simulator(clock, signing_clock=lambda: NOW + timedelta(seconds=1))


@pytest.fixture
def account(simulator: Simulator) -> ServiceAccount:
    return simulator.account


def credentials(server: GoogleServer, folder: Path, *scopes: str) -> Any:
    path = str(server.write_key(folder / "key.json"))
    return service_account.Credentials.from_service_account_file(path, scopes=list(scopes))  # type: ignore[no-untyped-call]


def test_an_assertion_in_order_is_worth_a_token(google: GoogleClient, account: ServiceAccount) -> None:
    status, told = exchange(google, assertion(account))
    google.token = told["access_token"]

    assert (status, told["expires_in"], told["token_type"]) == (200, 3599, "Bearer")
    assert google.users().status == 200
    assert google.get("/groups", customer="my_customer").reason == "insufficientPermissions"


def test_googles_library_signs_in(
    server: GoogleServer, customer: Customer, google: GoogleClient, tmp_path: Path
) -> None:
    server.simulator.signing_clock = lambda: datetime.now(UTC)
    signed_in = credentials(server, tmp_path, *READ_SCOPES).with_subject(customer.subject)

    signed_in.refresh(transport(google.http))
    google.token = signed_in.token

    assert len(google.everybody()) == 4 and google.get("/groups", customer=CUSTOMER).status == 200


def transport(http: urllib3.PoolManager) -> Any:
    return google.auth.transport.urllib3.Request(http)  # type: ignore[no-untyped-call]


Change = Callable[[Customer], object]


@pytest.mark.parametrize(
    "happened, claims, told",
    [
        (lambda c: c.withdraw(SIMULATED_CLIENT_ID), {}, "unauthorized_client"),
        (lambda c: c.withdraw(SIMULATED_CLIENT_ID, USERS), {}, "unauthorized_client"),
        (lambda c: None, {"scope": f"{USERS} https://www.googleapis.com/auth/drive"}, "unauthorized_client"),
        (lambda c: None, {"sub": "nobody@customer.example"}, "invalid_email"),
        (lambda c: None, {"sub": "somebody@elsewhere.example"}, "invalid_email"),
        (lambda c: c.delete_user(c.reader), {}, "deleted_subject"),
        (lambda c: c.purge_user(c.reader), {}, "invalid_subject"),
        (lambda c: None, {"iat": SECONDS + 60, "exp": SECONDS + 3660}, "clock"),
        (lambda c: None, {"iat": SECONDS - 7200, "exp": SECONDS - 3600}, "clock"),
        (lambda c: None, {"exp": SECONDS + 3601}, "clock"),
    ],
)
def test_who_may_not_sign_in_is_told_why(
    google: GoogleClient, account: ServiceAccount, customer: Customer, happened: Change, claims: Json, told: str
) -> None:
    happened(customer)

    assert refused(google, assertion(account, **claims)) == str(REFUSALS[told])


@pytest.mark.parametrize(
    "claims, told",
    [
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant: Invalid JWT: Failed audience check."),
        (
            {"iss": "nobody@simulated.example"},
            "invalid_grant: Invalid grant: account not found",
        ),
        ({"scope": ""}, "invalid_scope: Empty or missing scope not allowed."),
        ({"iat": None}, "invalid_grant: Bad Request"),
    ],
)
def test_what_an_assertion_cannot_say(google: GoogleClient, account: ServiceAccount, claims: Json, told: str) -> None:
    assert refused(google, assertion(account, **claims)).startswith(told)


def test_signatures_are_checked(google: GoogleClient, account: ServiceAccount) -> None:
    good = assertion(account)
    head, claims, signature = good.split(".")
    other = assertion(account, sub=None).split(".")[1]
    account.rotate()

    for text in (good, f"{head}.{other}.{signature}", f"{head}.{claims}.AAAA", f"{head}.{claims}."):
        assert refused(google, text) == str(REFUSALS["signature"])
    assert exchange(google, assertion(account))[0] == 200


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "e30.e30.AA", "é.e30.AA"])
def test_what_is_no_assertion(google: GoogleClient, text: str) -> None:
    assert refused(google, text).startswith("invalid_grant: Bad Request")


def test_other_grants_are_not_played(google: GoogleClient, account: ServiceAccount) -> None:
    assert exchange(google, assertion(account), "refresh_token")[1]["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("word", REFUSALS)
def test_every_refusal_can_be_ordered(
    google: GoogleClient, simulator: Simulator, account: ServiceAccount, word: str
) -> None:
    simulator.order(Fault("refuse", "login/token", refused=word))  # type: ignore[arg-type]

    assert refused(google, assertion(account)) == str(REFUSALS[word])
    assert exchange(google, assertion(account))[0] == 200


def test_unavailable_twice_then_fine(google: GoogleClient, simulator: Simulator, account: ServiceAccount) -> None:
    simulator.order(Fault("error", "login/*", status=503, times=2))

    assert [exchange(google, assertion(account))[0] for _ in range(3)] == [503, 503, 200]


def test_the_endpoint_can_be_slow_busy_and_behind_a_gateway(
    google: GoogleClient, simulator: Simulator, account: ServiceAccount
) -> None:
    simulator.order(Fault("slow", "login/token", seconds=0.01), Fault("throttle", "login/token"))

    assert [exchange(google, assertion(account))[0] for _ in range(2)] == [200, 429]
    simulator.order(Fault("error", "login/token", status=502))
    assert google.ask("POST", "/token", b"").headers["content-type"] == "text/html"


def test_an_alias_may_be_impersonated(google: GoogleClient, account: ServiceAccount, customer: Customer) -> None:
    customer.rename(customer.reader, address="reader@customer.example")

    assert exchange(google, assertion(account))[0] == 200


# Without a key


@pytest.fixture
def keyless(server: GoogleServer, monkeypatch: pytest.MonkeyPatch) -> GoogleServer:
    """Google's library asks here in place of its own hosts."""
    server.simulator.signing_clock = lambda: datetime.now(UTC)
    base = f"{server.url}/v1/projects/-/serviceAccounts/{{}}"
    monkeypatch.setattr(iam, "_IAM_SIGNJWT_ENDPOINT", f"{base}:signJwt")
    monkeypatch.setattr(iam, "_IAM_ENDPOINT", f"{base}:generateAccessToken")
    monkeypatch.setattr(impersonated_credentials, "_GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{server.url}/token")
    return server


def impersonated(server: GoogleServer, folder: Path, subject: str | None) -> Any:
    path = str(server.write_federation(folder / "federation.json"))
    source = identity_pool.Credentials.from_file(path)  # type: ignore[no-untyped-call]
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source_credentials=source, target_principal=SIMULATED_ACCOUNT, target_scopes=[USERS], subject=subject
    )


def test_a_federated_identity_signs_for_a_subject(
    keyless: GoogleServer, google: GoogleClient, customer: Customer, tmp_path: Path
) -> None:
    signed_in = impersonated(keyless, tmp_path, customer.subject)

    signed_in.refresh(transport(google.http))
    google.token = signed_in.token

    assert len(google.everybody()) == 4
    assert keyless.simulator.requests()["POST login/v1/projects/-/serviceAccounts/{email}:signJwt"] == 1


def test_who_may_not_sign_for_the_account_is_denied(
    keyless: GoogleServer, google: GoogleClient, account: ServiceAccount, tmp_path: Path
) -> None:
    account.token_creators = set()

    with pytest.raises(RefreshError, match="IAM_PERMISSION_DENIED"):
        impersonated(keyless, tmp_path, READER).refresh(transport(google.http))


@pytest.mark.parametrize(
    "form, error",
    [
        ({"audience": "//iam.googleapis.com/elsewhere"}, "invalid_target"),
        ({"subject_token": "guessed"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
    ],
)
def test_what_the_exchange_refuses(google: GoogleClient, form: dict[str, str], error: str) -> None:
    whole = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": SIMULATED_POOL,
        "subject_token": SIMULATED_SUBJECT_TOKEN,
        **form,
    }
    url = f"{google.server.url}/v1/token"

    assert google.http.request_encode_body("POST", url, whole, encode_multipart=False).json()["error"] == error


def test_a_token_for_the_directory_is_none_for_signing(google: GoogleClient) -> None:
    where = f"/v1/projects/-/serviceAccounts/{SIMULATED_ACCOUNT}:signJwt"

    assert google.ask("POST", where, b'{"payload": "{}"}').json()["error"]["status"] == "PERMISSION_DENIED"
    google.token = "guessed"
    assert google.ask("POST", where, b'{"payload": "{}"}').status == 401


# What a token is good for


def test_an_account_with_a_role_of_its_own_needs_no_subject(
    google: GoogleClient, simulator: Simulator, customer: Customer
) -> None:
    google.token = simulator.token(None)

    assert google.get("/users", customer=CUSTOMER).reason == "forbidden"
    customer.assign_role(SIMULATED_ACCOUNT)
    assert google.get("/users", customer=CUSTOMER).status == 200
    assert google.get(f"/users/{ADA}").json()["primaryEmail"] == "ada.king@customer.example"
    assert google.users().message == "Domain not found."
    customer.withdraw_role(SIMULATED_ACCOUNT)
    assert google.get(f"/users/{ADA}").reason == "forbidden"


def test_a_reseller_sees_what_it_resells(google: GoogleClient, simulator: Simulator, customer: Customer) -> None:
    other = simulator.add_customer(domain="resold.example")

    assert google.get("/users", customer=other.id).reason == "forbidden"
    customer.resell(other.id)
    assert google.get("/users", customer=other.id).json()["users"][0]["customerId"] == other.id


def test_a_lost_scope_a_demoted_and_a_suspended_reader(google: GoogleClient, customer: Customer) -> None:
    customer.withdraw(SIMULATED_CLIENT_ID, "admin.directory.user.readonly")
    reply = google.users()
    assert (
        reply.reason == "insufficientPermissions" and 'error="insufficient_scope"' in reply.headers["www-authenticate"]
    )
    assert reply.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"

    customer.delegate(SIMULATED_CLIENT_ID, "admin.directory.user.readonly")
    customer.appoint(customer.reader, "groups")
    assert google.users().reason == "forbidden"
    assert google.get("/groups", customer="my_customer").status == 200

    customer.suspend(customer.reader)
    assert google.get("/groups", customer="my_customer").reason == "forbidden"


def test_tokens_end(google: GoogleClient, clock: SimulatedClock, simulator: Simulator, customer: Customer) -> None:
    assert google.users().status == 200
    clock.advance(timedelta(hours=1))
    assert google.users().reason == "authError"

    google.token = simulator.token(customer)
    customer.delete_user(customer.reader)
    assert google.users().reason == "authError"
    assert google.ask("GET", "/admin/directory/v1/users", None, Authorization="").reason == "required"


def test_apis_can_be_off_on_either_side(google: GoogleClient, account: ServiceAccount, customer: Customer) -> None:
    account.api_enabled = False
    reply = google.users()
    assert reply.reason == "accessNotConfigured" and account.project in reply.message

    account.api_enabled = True
    customer.switch_api_access(False)
    assert google.users().reason == "domainCannotUseApis"


def test_only_a_subject_of_the_customer_is_one(
    google: GoogleClient, simulator: Simulator, account: ServiceAccount
) -> None:
    simulator.add_customer(domain="other.example").hire("Eve Fox")
    status, told = exchange(google, assertion(account, sub="eve.fox@other.example"))
    google.token = told["access_token"]

    assert status == 200 and google.users().reason == "forbidden"
    assert {BO, CY}.isdisjoint(str(told))
