"""Faults on order: each does what its name says, as often as was ordered, and nothing else goes wrong."""

import zlib
from dataclasses import replace
from datetime import timedelta
from typing import get_args, get_type_hints

import pytest
import urllib3

from connectors.simulators.google_workspace import (
    Customer,
    Fault,
    FaultFileError,
    SimulatedClock,
    Simulator,
    read_faults,
)
from tests.connectors.simulators.google_workspace.conftest import ADA, BO, CY
from tests.connectors.simulators.google_workspace.google_client import GoogleClient, Json, Reply

EVERYBODY = 4


def ids(users: list[Json]) -> list[str]:
    return [user["id"] for user in users]


@pytest.mark.parametrize(
    "fault, status, reason, message",
    [
        (Fault("throttle"), 403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
        (Fault("throttle", reason="rateLimitExceeded"), 403, "rateLimitExceeded", "Rate Limit Exceeded"),
        (Fault("throttle", reason="quotaExceeded"), 403, "quotaExceeded", "Request rate higher than configured."),
        (Fault("throttle", status=429), 429, "rateLimitExceeded", "Rate Limit Exceeded"),
        (Fault("unauthorized"), 401, "authError", "Invalid Credentials"),
        (Fault("forbidden"), 403, "forbidden", "Not Authorized to access this resource/api"),
        (Fault("lost_scope"), 403, "insufficientPermissions", "Request had insufficient authentication scopes."),
        (Fault("not_configured"), 403, "accessNotConfigured", "Admin SDK API has not been used in project"),
        (Fault("api_switched_off"), 403, "domainCannotUseApis", "The domain"),
        (Fault("domain_not_found"), 404, "notFound", "Domain not found."),
        (Fault("not_found"), 404, "notFound", "Resource Not Found"),
        (Fault("error"), 500, "internalError", "Backend Error"),
        (Fault("error", status=503), 503, "backendError", "Service unavailable. Please try again"),
        (Fault("error", status=409), 409, "badRequest", "An error was ordered."),
    ],
)
def test_errors_have_googles_shape_and_pass(
    google: GoogleClient, simulator: Simulator, fault: Fault, status: int, reason: str, message: str
) -> None:
    simulator.order(fault)

    reply = google.users()
    error = reply.json()["error"]

    assert (reply.status, error["code"], reply.reason) == (status, status, reason)
    assert reply.message.startswith(message) and error["errors"][0]["message"] == reply.message
    assert google.users().status == 200 and simulator.outstanding_faults() == []


def test_throttles_are_of_the_domain_of_limits(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("throttle", status=429))
    error = google.users().json()["error"]

    assert error["errors"][0]["domain"] == "usageLimits" and error["status"] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    "fault, told",
    [
        (Fault("throttle", status=429, retry_after=7), "7"),
        (Fault("throttle", status=429, retry_after=60, form="date"), "Fri, 02 Jan 2026 03:05:05 GMT"),
        (Fault("throttle", status=429), None),
        (Fault("error", status=503, retry_after=3), "3"),
    ],
)
def test_when_to_come_again(google: GoogleClient, simulator: Simulator, fault: Fault, told: str | None) -> None:
    simulator.order(fault)

    assert google.users().headers.get("retry-after") == told


def test_a_gateway_speaks_html(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("error", status=502))

    reply = google.users()

    assert reply.status == 502 and reply.headers["content-type"] == "text/html" and reply.body.startswith(b"<html>")


@pytest.mark.parametrize("kind", ["reset", "cut_connection", "break"])
def test_connections_that_fail(google: GoogleClient, simulator: Simulator, customer: Customer, kind: str) -> None:
    customer.populate(400)
    simulator.order(Fault(kind))  # type: ignore[arg-type]

    with pytest.raises((urllib3.exceptions.ProtocolError, urllib3.exceptions.IncompleteRead)):
        google.users(maxResults=500)
    assert google.users().status == 200


def test_a_truncated_body_has_the_length_that_was_promised(
    google: GoogleClient, simulator: Simulator, customer: Customer
) -> None:
    customer.populate(400)
    simulator.order(Fault("truncated"), Fault("cut"))
    url = f"{google.server.url}/admin/directory/v1/users?customer=my_customer"
    headers = {"Authorization": f"Bearer {google.token}", "Accept-Encoding": "gzip", "User-Agent": "gzip"}

    raw = google.http.request("GET", url, headers=headers, decode_content=False)

    assert len(raw.data) == int(raw.headers["content-length"])
    unpacked = zlib.decompressobj(wbits=31)
    assert unpacked.decompress(raw.data).startswith(b"{") and not unpacked.eof
    cut = google.users()
    assert cut.status == 200 and not cut.body.rstrip().endswith(b"}")


def test_late_answers(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("slow", seconds=0.01))

    assert len(google.everybody()) == EVERYBODY and simulator.outstanding_faults() == []


def pages(google: GoogleClient, most: int = 6, **query: object) -> list[list[str]]:
    """The ids of each page, as far as so many pages."""
    found: list[list[str]] = []
    token = None
    while len(found) < most:
        page = google.users(maxResults=2, **query, **({"pageToken": token} if token else {})).json()
        found.append(ids(page.get("users", [])))
        token = page.get("nextPageToken")
        if token is None:
            break
    return found


def test_lists_that_are_not_what_they_should_be(google: GoogleClient, simulator: Simulator, customer: Customer) -> None:
    reader = customer.reader
    wrong = {
        "short_list": [[ADA, BO]],
        "empty_list": [[]],
        "no_key": [[], [ADA, BO], [CY, reader], []],
        "repeat_token": [[ADA, BO], [ADA, BO], [CY, reader], []],
        "overlap": [[ADA, BO], [BO, CY], [reader]],
        "duplicate": [[ADA, BO, ADA], [CY, reader], []],
        "lost_rows": [[ADA], [CY, reader], []],
    }
    for kind, told in wrong.items():
        simulator.order(Fault(kind, "/users"))  # type: ignore[arg-type]
        assert pages(google) == told, kind
        assert simulator.outstanding_faults() == []


def test_a_token_that_comes_again_and_again(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("repeat_token", times=None))

    first = google.users(maxResults=2).json()["nextPageToken"]
    second = google.users(maxResults=2, pageToken=first).json()["nextPageToken"]

    assert first == second and len(pages(google)) == 6


def test_a_list_without_the_administrator(google: GoogleClient, simulator: Simulator, customer: Customer) -> None:
    simulator.order(Fault("without_admin", times=None))

    assert customer.reader not in ids(google.everybody(maxResults=1)) and len(google.everybody()) == EVERYBODY - 1


def test_rows_that_are_not_what_they_should_be(google: GoogleClient, simulator: Simulator, customer: Customer) -> None:
    customer.suspend(BO)
    simulator.order(Fault("wrong_customer"), Fault("without_flags"), Fault("unknown_keys"))

    assert {user["customerId"] for user in google.everybody()} == {"C0nobody"}
    assert all("suspended" not in user and "archived" not in user for user in google.everybody())
    strange = google.everybody()
    assert strange[0]["telepathyEnabled"] and strange[1]["suspensionReason"] == "NEVER_HEARD_OF"


def test_users_in_both_lists(google: GoogleClient, simulator: Simulator, customer: Customer) -> None:
    customer.delete_user(CY)
    simulator.order(Fault("also_deleted", entries=2))

    assert ids(google.everybody()) == [ADA, BO, customer.reader]
    assert ids(google.everybody(showDeleted="true")) == [CY, ADA, BO]


def test_counts_that_do_not_match(google: GoogleClient, simulator: Simulator, customer: Customer) -> None:
    group = customer.create_group("Staff", members=[ADA])
    simulator.order(Fault("wrong_count", "/groups/*", entries=3))

    assert google.get(f"/groups/{group}").json()["directMembersCount"] == "4"
    assert google.get(f"/groups/{group}").json()["directMembersCount"] == "1"


def test_lists_that_come_at_once_can_be_short(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("lost_rows", "*/orgunits"), Fault("empty_list", "*/orgunits"))
    where = "/customer/my_customer/orgunits?type=all"

    assert [unit["name"] for unit in google.get(where).json()["organizationUnits"]] == ["Sales", "EMEA"]
    assert "organizationUnits" not in google.get(where).json()


def test_a_token_that_is_refused_in_the_middle(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("unauthorized", "/users", after=1), Fault("invalid", "/users"))
    token = google.users(maxResults=2).json()["nextPageToken"]

    replies = [google.users(maxResults=2, pageToken=token) for _ in range(3)]

    assert [reply.status for reply in replies] == [401, 400, 200] and replies[1].message == "Invalid Input"


def test_unavailable_after_a_page_for_ever(google: GoogleClient, simulator: Simulator) -> None:
    simulator.order(Fault("error", "/users", status=503, after=1, times=None))

    assert [google.users().status for _ in range(4)] == [200, 503, 503, 503]
    simulator.withdraw_faults()
    assert google.users().status == 200


def test_faults_meet_those_that_they_are_meant_for(
    google: GoogleClient, simulator: Simulator, customer: Customer
) -> None:
    group, other = customer.create_group("Staff"), customer.create_group("Other")
    simulator.order(
        Fault("forbidden", f"/groups/{group}/members"),
        Fault("error", "/users?showDeleted=true"),
        Fault("error", tenant="C0other"),
        Fault("short_list", "/users/*"),
    )

    assert google.users().status == 200 and google.get(f"/users/{ADA}").status == 200
    assert google.get(f"/groups/{other}/members").status == 200
    assert google.get(f"/groups/{group}/members").reason == "forbidden"
    assert google.users(showDeleted="true").status == 500
    assert [fault.kind for fault in simulator.outstanding_faults()] == ["error", "short_list"]


# Quotas


def test_quotas_are_by_the_minute(google: GoogleClient, customer: Customer, clock: SimulatedClock) -> None:
    customer.habits = replace(customer.habits, queries_per_minute=2)
    assert [google.users().status for _ in range(3)] == [200, 200, 403]
    assert google.users().reason == "userRateLimitExceeded"

    clock.advance(timedelta(minutes=1))
    customer.habits = replace(customer.habits, queries_per_minute=None, account_queries_per_minute=1)
    replies: list[Reply] = [google.users(), google.users()]
    assert [reply.status for reply in replies] == [200, 429] and replies[1].reason == "rateLimitExceeded"


# Fault files


def test_a_file_is_a_list_of_faults() -> None:
    text = "- {kind: short_list, path: /users, times: null}\n- kind: throttle\n  status: 429\n  retry_after: 30\n"

    assert read_faults(text, "f") == (
        Fault("short_list", "/users", times=None), Fault("throttle", status=429, retry_after=30),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text, told",
    [
        ("- kind: short", "f:1:9: found 'short' as kind, expected one of throttle, error, "),
        ("- {kind: slow, secnds: 3}", "did you mean 'seconds'?"),
        ("- {kind: throttle, reason: tired}", "f:1:28: reason is 'tired': "),
        ("- {kind: refuse, refused: nobody}", "f:1:27: refused is 'nobody': "),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(FaultFileError) as caught:
        read_faults(text, "f")

    assert told in str(caught.value)


def test_every_kind_is_described() -> None:
    words = {line.split()[0] for line in (Fault.__doc__ or "").splitlines() if line.strip()}
    assert set(get_args(get_type_hints(Fault)["kind"])) <= words
