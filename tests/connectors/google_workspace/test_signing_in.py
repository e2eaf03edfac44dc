"""Three ways to sign in, and what each refusal says to a person."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.base import Directory
from connectors.context import Context
from connectors.errors import NeedsPerson, Transient
from connectors.google_workspace import Options
from connectors.google_workspace.directory import open_directory
from connectors.http import HttpClient
from connectors.secrets import Secrets
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.google_workspace import (
    SIMULATED_ACCOUNT,
    SIMULATED_CLIENT_ID,
    SIMULATED_POOL,
    Customer,
    Fault,
    GoogleServer,
    Simulator,
    serve,
)
from policies.credentials import FileRef, GoogleFederated, GoogleKey, InlineGoogle
from tests.connectors.contract.town import read
from tests.connectors.world import World

KEY = GoogleKey(FileRef("key.json"))
FEDERATED = GoogleFederated(FileRef("wif.json"), SIMULATED_ACCOUNT)


@dataclass
class Cloud:
    """Google on loopback, with one customer, and our secrets."""

    folder: Path
    world: World
    simulator: Simulator
    server: GoogleServer
    customer: Customer
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        surroundings = self.world.surroundings()
        self.context = Context(Secrets(self.folder), world=surroundings, http=HttpClient())

    def open(self, credential: InlineGoogle = KEY, *, own_role: bool = False, admin: str | None = None) -> Directory:
        admin = None if own_role else admin or self.customer.subject
        options = Options(credential, self.customer.id, admin, directory_url=self.server.url)
        return open_directory(options, self.context)

    def sign_ins(self) -> dict[str, int]:
        return {what: n for what, n in self.simulator.requests().items() if " login/" in what}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    world = World()
    clock = SimulatedClock(world.now)
    world.passes = clock.advance
    simulator = Simulator(clock)
    with serve(simulator) as server:
        server.write_key(tmp_path / "key.json")
        server.write_federation(tmp_path / "wif.json")
        yield Cloud(tmp_path, world, simulator, server, simulator.add_customer(domain="contoso.example"))


@pytest.mark.parametrize("credential", [KEY, FEDERATED], ids=["key", "federated"])
@pytest.mark.parametrize("own_role", [False, True], ids=["delegated", "own role"])
def test_every_way_to_sign_in_reads_the_users(cloud: Cloud, credential: InlineGoogle, own_role: bool) -> None:
    if own_role:
        cloud.customer.assign_role(SIMULATED_ACCOUNT)
    ada = cloud.customer.hire("Ada Winter")

    directory = cloud.open(credential, own_role=own_role)

    assert read(directory).names[ada] == "Ada Winter"
    assert directory.tenant() == cloud.customer.id


def test_a_token_serves_until_shortly_before_its_end_and_only_its_feature(cloud: Cloud) -> None:
    for _ in range(3):
        read(cloud.open())
    assert cloud.sign_ins() == {"POST login/token": 1}
    list(cloud.open().org_units())
    assert cloud.sign_ins() == {"POST login/token": 2}
    cloud.world.sleep(56 * 60)
    read(cloud.open())
    assert cloud.sign_ins() == {"POST login/token": 3}


def test_customers_share_the_service_account_and_no_token(cloud: Cloud) -> None:
    other = cloud.simulator.add_customer(domain="fabrikam.example")
    read(cloud.open())
    options = Options(KEY, other.id, other.subject, directory_url=cloud.server.url)
    assert other.reader in read(open_directory(options, cloud.context)).accounts
    assert cloud.sign_ins() == {"POST login/token": 2}


def test_a_token_that_is_refused_in_the_middle_of_a_walk_is_renewed_once(cloud: Cloud) -> None:
    directory = cloud.open()
    read(directory)
    cloud.simulator.order(Fault("unauthorized", "/users"))
    assert cloud.customer.reader in read(directory).accounts
    assert cloud.sign_ins() == {"POST login/token": 2}


def test_the_token_endpoint_is_asked_patiently(cloud: Cloud) -> None:
    cloud.simulator.order(Fault("error", "login/token", status=503, times=2), Fault("reset", "login/token"))
    assert cloud.customer.reader in read(cloud.open()).accounts
    assert cloud.world.waited == 7


def test_a_token_endpoint_that_is_down_is_tried_for_more_than_a_minute(cloud: Cloud) -> None:
    cloud.simulator.order(Fault("error", "login/token", status=502, times=None))
    with pytest.raises(Transient):
        read(cloud.open())
    assert cloud.world.waited > 63


REFUSALS = {
    "unauthorized_client": f"for {SIMULATED_CLIENT_ID}",
    "invalid_email": "correct `admin`",
    "deleted_subject": "name another one",
    "invalid_subject": "correct `admin`",
    "clock": "synchronize",
    "signature": "create a new JSON key",
    "not_authorized": "signed in once",
    "restricted": "signed in once",
}


@pytest.mark.parametrize("refused, remedy", REFUSALS.items())
def test_each_refusal_says_what_to_do(cloud: Cloud, refused: str, remedy: str) -> None:
    cloud.simulator.order(Fault("refuse", "login/token", refused=refused, times=None))  # type: ignore[arg-type]
    with pytest.raises(NeedsPerson) as needed:
        read(cloud.open())
    assert remedy in needed.value.remedy
    assert "ssertion" not in str(needed.value)


def test_a_key_that_was_rotated_is_read_anew(cloud: Cloud) -> None:
    directory = cloud.open()
    read(directory)
    cloud.simulator.account.rotate()
    cloud.world.sleep(3_600)
    with pytest.raises(NeedsPerson, match="no longer valid"):
        read(directory)
    cloud.server.write_key(cloud.folder / "key.json")
    assert cloud.customer.reader in read(directory).accounts


def test_a_federated_identity_that_may_not_sign_is_told_the_roles(cloud: Cloud) -> None:
    cloud.simulator.account.token_creators.discard(SIMULATED_POOL)
    with pytest.raises(NeedsPerson) as needed:
        read(cloud.open(FEDERATED))
    assert "serviceAccountTokenCreator" in needed.value.remedy


def test_a_platform_token_that_is_not_there_is_asked_for(cloud: Cloud) -> None:
    (cloud.folder / "wif.token").unlink()
    with pytest.raises(NeedsPerson, match="platform's token"):
        read(cloud.open(FEDERATED))


@pytest.mark.parametrize(
    "wrong",
    [{"credential_source": {"file": "/nowhere/token"}}, {"audience": "//elsewhere"}],
    ids=["no file", "another audience"],
)
def test_a_configuration_that_was_wrong_is_read_again(cloud: Cloud, wrong: dict[str, object]) -> None:
    good = (cloud.folder / "wif.json").read_text()
    (cloud.folder / "wif.json").write_text(json.dumps({**json.loads(good), **wrong}))
    with pytest.raises((NeedsPerson, Transient)):
        read(cloud.open(FEDERATED))
    (cloud.folder / "wif.json").write_text(good)
    assert cloud.customer.reader in read(cloud.open(FEDERATED)).accounts


def test_a_platform_token_that_google_does_not_trust(cloud: Cloud) -> None:
    (cloud.folder / "wif.token").write_text("somebody else's")
    with pytest.raises(NeedsPerson, match="workload identity federation"):
        read(cloud.open(FEDERATED))


def test_a_key_that_everybody_may_read_is_refused(cloud: Cloud) -> None:
    (cloud.folder / "key.json").chmod(0o644)
    with pytest.raises(NeedsPerson, match="read by everybody"):
        read(cloud.open())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"type": "authorized_user"}', "no JSON"])
def test_what_is_no_key_is_told(cloud: Cloud, content: str) -> None:
    (cloud.folder / "key.json").write_text(content)
    with pytest.raises(NeedsPerson):
        read(cloud.open())


def test_a_token_is_asked_for_at_google_or_on_loopback_alone(cloud: Cloud) -> None:
    key = json.loads((cloud.folder / "key.json").read_text())
    (cloud.folder / "key.json").write_text(json.dumps({**key, "token_uri": "https://elsewhere.example/token"}))
    with pytest.raises(NeedsPerson, match=r"elsewhere\.example"):
        read(cloud.open())


def test_a_federation_that_runs_programs_is_refused(cloud: Cloud) -> None:
    config = json.loads((cloud.folder / "wif.json").read_text())
    (cloud.folder / "wif.json").write_text(
        json.dumps({**config, "credential_source": {"executable": {"command": "x"}}})
    )
    with pytest.raises(NeedsPerson, match="no configuration"):
        read(cloud.open(FEDERATED))


def test_without_an_administrator_the_real_customer_has_to_be_named(cloud: Cloud) -> None:
    with pytest.raises(NeedsPerson, match="my_customer"):
        open_directory(Options(KEY, directory_url=cloud.server.url), cloud.context)
