"""What `doctor` says of a Google Workspace customer: each fault of access, and its remedy."""

from collections.abc import Callable, Iterator

import pytest

from connectors.simulators.google_workspace import (
    SIMULATED_ACCOUNT,
    SIMULATED_CLIENT_ID,
    SIMULATED_POOL,
    Fault,
)
from tests.proves import proves
from tests.worker.google import GoogleCustomer, workspace
from tests.worker.test_doctoring import examined, the, wrong
from tests.worker.world import World
from worker.health import Health, HealthServer
from worker.operations.doctoring import Diagnosis
from worker.pushes import PushesHeard
from worker.telemetry import Telemetry

RULES = """
- {name: staff, groups: [staff@contoso.example], license: standard}
- {name: sales, org_units: [/Sales], license: standard}
"""
SCOPE = "https://www.googleapis.com/auth/admin.directory."
TRIED = ("sign-in", "users", "tenant", "groups", "organizational units")


@pytest.fixture
def contoso(wire: World) -> Iterator[GoogleCustomer]:
    with workspace(wire) as customer:
        customer.gws.create_unit("/Sales")
        customer.hire("Ada Winter", unit="/Sales")
        customer.group("staff", "Ada Winter")
        customer.policy(RULES)
        yield customer


def found_wrong(contoso: GoogleCustomer, found: Diagnosis) -> dict[str, tuple[str, str]]:
    """What is wrong with the customer's directory: what is told of it, and what to do."""
    checks = (check for check in found.checks if not check.ok)
    return {check.what: (check.problem or "", check.remedy or "") for check in checks if check.of == contoso.directory}


def test_where_everything_works_doctor_says_what_it_tried(contoso: GoogleCustomer) -> None:
    found = examined(contoso.world)
    assert found.well
    assert tuple(check.what for check in found.checks if check.of == contoso.directory) == TRIED
    assert the(found, "sign-in").detail == f"{SIMULATED_ACCOUNT} acts as {contoso.gws.subject}"
    assert the(found, "tenant").detail == contoso.gws.id
    assert the(found, "organizational units").detail == "1 beside the root"


def test_what_no_rule_needs_is_not_asked_for(contoso: GoogleCustomer) -> None:
    contoso.policy("- {name: everyone, everyone: true, license: standard}")
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, "admin.directory.group.readonly", "admin.directory.orgunit.readonly")
    assert examined(contoso.world).well


def test_what_only_a_declaration_needs_is_asked_for(contoso: GoogleCustomer) -> None:
    everyone = "- {name: everyone, everyone: true, license: standard}"
    contoso.policy(everyone, directory="shared_mailboxes_are: {groups: [staff@contoso.example], org_units: [/Sales]}")
    assert tuple(check.what for check in examined(contoso.world).checks if check.of == contoso.directory) == TRIED


def test_events_are_asked_for_where_the_entry_goes_by_them(contoso: GoogleCustomer) -> None:
    contoso.policy(RULES, directory="read_every: 6h")
    found = examined(contoso.world)
    assert found.well
    assert tuple(check.what for check in found.checks if check.of == contoso.directory) == (*TRIED, "audit events")


def test_a_scope_for_events_that_is_not_delegated_is_named_where_the_entry_goes_by_them(
    contoso: GoogleCustomer,
) -> None:
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, "admin.reports.audit.readonly")
    assert examined(contoso.world).well
    contoso.policy(RULES, directory="read_every: 6h")
    told = found_wrong(contoso, examined(contoso.world))
    assert list(told) == ["audit events"]
    problem, remedy = told["audit events"]
    assert "has not delegated https://www.googleapis.com/auth/admin.reports.audit.readonly" in problem
    assert "Domain-wide delegation" in remedy and SIMULATED_CLIENT_ID in remedy


def test_an_administrator_who_may_not_read_events_is_told_the_privilege(contoso: GoogleCustomer) -> None:
    contoso.policy(RULES, directory="read_every: 6h")
    contoso.gws.appoint(contoso.gws.reader, "users", "groups", "org_units")
    problem, remedy = found_wrong(contoso, examined(contoso.world))["audit events"]
    assert "may not read audit events" in problem and "Reports" in remedy


@proves("Z9")
@pytest.mark.parametrize(
    ("scope", "what"),
    [("user.readonly", "sign-in"), ("group.readonly", "groups"), ("orgunit.readonly", "organizational units")],
)
def test_a_scope_that_is_not_delegated_is_named_and_stops_nothing_else(
    contoso: GoogleCustomer, scope: str, what: str
) -> None:
    contoso.gws.withdraw(SIMULATED_CLIENT_ID, f"admin.directory.{scope}")
    told = found_wrong(contoso, examined(contoso.world))
    assert list(told) == [what]
    problem, remedy = told[what]
    assert f"has not delegated {SCOPE}{scope}" in problem
    assert "Domain-wide delegation" in remedy and f"{SCOPE}{scope} for {SIMULATED_CLIENT_ID}" in remedy
    assert "24 hours" in remedy


Change = Callable[[GoogleCustomer], object]
FAULTS: dict[str, tuple[Change, str, str, str]] = {
    "nothing is delegated": (
        lambda c: c.gws.withdraw(SIMULATED_CLIENT_ID), "sign-in", "has not delegated", "Domain-wide delegation",
    ),
    "the administrator is nobody": (
        lambda c: c.gws.rename_domain("elsewhere.example"), "sign-in", "knows no user", "correct `admin`",
    ),
    "the administrator was deleted": (
        lambda c: c.gws.delete_user(c.gws.reader), "sign-in", "was deleted", "name another one as `admin`",
    ),
    "the administrator is long gone": (
        lambda c: c.gws.purge_user(c.gws.reader), "sign-in", "knows no user", "correct `admin`",
    ),
    "the administrator is suspended": (
        lambda c: c.gws.suspend(c.gws.reader), "users", "may not read users", "is not suspended",
    ),
    "the administrator has no role": (
        lambda c: c.gws.appoint(c.gws.reader), "users", "may not read users", "Users > Read",
    ),
    "the role lacks groups": (
        lambda c: c.gws.appoint(c.gws.reader, "users", "org_units"), "groups", "may not read groups", "Groups > Read",
    ),
    "the role lacks units": (
        lambda c: c.gws.appoint(c.gws.reader, "users", "groups"), "organizational units", "may not read organizational",
        "Organizational units > Read",
    ),
    "the key was rotated": (
        lambda c: c.wire.account.rotate(), "sign-in", "key is no longer valid", "create a new JSON key",
    ),
    "the service account was deleted": (
        lambda c: c.wire.accounts.clear(), "sign-in", "was deleted", "let each customer delegate",
    ),
    "the API is off in the operator's project": (
        lambda c: setattr(c.wire.account, "api_enabled", False), "users", "for all customers",
        "enable the Admin SDK API in the Google Cloud project simulated-project",
    ),
    "the customer has switched API access off": (
        lambda c: c.gws.switch_api_access(False), "users", "switched API access off", "API controls",
    ),
}  # fmt: skip
"""What happened, which attempt meets it first or most tellingly, what it says, and what to do."""


@pytest.mark.parametrize(("happened", "what", "problem", "remedy"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_of_access_is_explained_with_its_remedy(
    contoso: GoogleCustomer, happened: Change, what: str, problem: str, remedy: str
) -> None:
    happened(contoso)
    told = found_wrong(contoso, examined(contoso.world))
    assert what in told
    assert problem in told[what][0] and remedy in told[what][1]


ORDERED: dict[str, tuple[Fault, str, str, str]] = {
    "the clock": (Fault("refuse", "login/token", refused="clock"), "sign-in", "clock of this machine", "synchronize"),
    "a policy": (Fault("refuse", "login/token", refused="restricted"), "sign-in", "act as", "signed in once"),
    "no tenant": (Fault("domain_not_found", "/users*"), "users", "no Workspace customer", "check `customer`"),
    "a scope lost": (Fault("lost_scope", "/users*"), "users", "lacks the scope", "Domain-wide delegation"),
    "a token refused": (Fault("unauthorized", "/users*"), "users", "does not accept the token", "delegation"),
    "throttled": (Fault("throttle", "/users*"), "users", "userRateLimitExceeded", "try again in a while"),
    "out of order": (Fault("error", "/users*", status=503), "users", "status 503", "try again in a while"),
    "an empty list": (Fault("empty_list", "/users"), "users", "the list of users is empty", "try again in a while"),
}


@pytest.mark.parametrize(("fault", "what", "problem", "remedy"), ORDERED.values(), ids=ORDERED.keys())
def test_what_google_answers_is_explained_with_its_remedy(
    contoso: GoogleCustomer, fault: Fault, what: str, problem: str, remedy: str
) -> None:
    contoso.wire.order(Fault(**{name: getattr(fault, name) for name in fault.__struct_fields__} | {"times": None}))
    told = found_wrong(contoso, examined(contoso.world))
    assert problem in told[what][0] and remedy in told[what][1]


def test_a_federated_identity_that_may_not_sign_is_told_the_roles(contoso: GoogleCustomer) -> None:
    assert contoso.server is not None
    contoso.server.write_federation(contoso.world.app.settings.secrets_dir / "wif.json")
    text = contoso.file.read_text().replace(
        "{key: {file: contoso.json}}", f"{{federated: {{file: wif.json}}, impersonate: {SIMULATED_ACCOUNT}}}"
    )
    contoso.file.write_text(text)
    assert examined(contoso.world).well
    contoso.wire.account.token_creators.discard(SIMULATED_POOL)
    problem, remedy = found_wrong(contoso, examined(contoso.world))["sign-in"]
    assert "may not sign as" in problem and "roles/iam.serviceAccountTokenCreator" in remedy


def test_a_service_account_acting_for_itself_is_told_the_role(contoso: GoogleCustomer) -> None:
    contoso.gws.assign_role(SIMULATED_ACCOUNT)
    text = contoso.file.read_text().replace("my_customer", contoso.gws.id)
    contoso.file.write_text(text.replace(f"    admin: {contoso.gws.subject}\n", ""))
    found = examined(contoso.world)
    assert found.well and the(found, "sign-in").detail == SIMULATED_ACCOUNT
    contoso.gws.withdraw_role(SIMULATED_ACCOUNT)
    problem, remedy = found_wrong(contoso, examined(contoso.world))["users"]
    assert SIMULATED_ACCOUNT in problem or SIMULATED_ACCOUNT in remedy


@proves("Z11")
def test_an_administrator_of_another_customer_is_found(contoso: GoogleCustomer) -> None:
    other = contoso.wire.add_customer(domain="fabrikam.example")
    contoso.gws.resell(other.id)
    contoso.file.write_text(contoso.file.read_text().replace("my_customer", other.id))
    problem, remedy = found_wrong(contoso, examined(contoso.world))["tenant"]
    assert (
        problem
        == f"{contoso.gws.subject} is a user of customer {contoso.gws.id}, and the directory is customer {other.id}"
    )
    assert "`admin`" in remedy


def test_a_directory_that_does_not_answer_is_told_soon(contoso: GoogleCustomer) -> None:
    contoso.file.write_text(contoso.file.read_text().replace(contoso.server.url, "http://127.0.0.1:9"))  # type: ignore[union-attr]
    found = examined(contoso.world)
    assert wrong(found)[0] == (contoso.directory, "users")
    assert "network" in found_wrong(contoso, found)["users"][1]


@pytest.mark.parametrize(
    ("where", "well", "told"),
    [
        ("{daemon}/google", True, "a daemon answers, as asked from here"),
        ("{elsewhere}/google", False, "is answered by something else, with status"),
        ("http://127.0.0.1:9/google", True, "not reached from here (it could not be reached); ask from outside: 404"),
        ("https://{host}/google", False, "the TLS connection failed"),
    ],
)
def test_the_address_for_pushes_is_asked_from_here(contoso: GoogleCustomer, where: str, well: bool, told: str) -> None:
    app = contoso.world.app
    server = HealthServer("127.0.0.1:0", Health(app, [], Telemetry().registry), PushesHeard(app).heard)
    assert contoso.server is not None
    host = server.url.removeprefix("http://")
    address = where.format(daemon=server.url, host=host, elsewhere=contoso.server.url)
    contoso.policy(RULES, directory=f"push: {address}")
    found = the(examined(contoso.world), "pushes")
    server.close()
    assert (found.of, found.ok) == (contoso.directory, well)
    assert told in str(found.detail if well else found.problem)
    assert found.ok or found.remedy
