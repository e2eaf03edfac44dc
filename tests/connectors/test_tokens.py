"""Signing in: each form of a credential, each refusal, and never for a wrong tenant."""

import base64
import datetime as dt
import gc
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from connectors.entra import REMEDIES, explained
from connectors.errors import NeedsPerson, Transient
from connectors.links import root
from connectors.secrets import Secrets
from connectors.simulators.microsoft365 import (
    SIMULATED_CLIENT_ID,
    SIMULATED_SECRET,
    App,
    Fault,
    GraphServer,
    Simulator,
    Tenant,
    serve,
)
from connectors.simulators.serving import Answer, LoopbackServer, Request
from connectors.tokens import NO_MULTITENANT, Claims, Credentials, Purpose, TokenSource, challenged, claims_of
from policies.credentials import (
    EnvRef,
    FileRef,
    InlineMicrosoft,
    MicrosoftCertificate,
    MicrosoftFederated,
    MicrosoftManagedIdentity,
    MicrosoftSecret,
    MicrosoftTrustedIdentity,
)
from tests.proves import proves

SCOPE = "https://graph.microsoft.com/.default"
SECRET = MicrosoftSecret(SIMULATED_CLIENT_ID, EnvRef("CONTOSO_SECRET"))
CERTIFICATE = MicrosoftCertificate(SIMULATED_CLIENT_ID, FileRef("contoso.pem"))
FEDERATED = MicrosoftFederated(SIMULATED_CLIENT_ID, FileRef("token"))


@pytest.fixture
def simulator() -> Simulator:
    return Simulator()


@pytest.fixture
def contoso(simulator: Simulator) -> Tenant:
    return simulator.add_tenant(domain="contoso.example")


@pytest.fixture
def server(simulator: Simulator) -> Iterator[GraphServer]:
    with serve(simulator) as server:
        yield server
    gc.collect()


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    return Credentials(Secrets(tmp_path, {"CONTOSO_SECRET": SIMULATED_SECRET, "WRONG": "wrong"}), {})


def source(
    credentials: Credentials,
    server: LoopbackServer,
    tenant: str,
    credential: InlineMicrosoft = SECRET,
    *,
    shared: bool = False,
) -> TokenSource:
    return credentials.source(Purpose(tenant, SCOPE, root(server.url)), credential, shared=shared)


def put(credentials: Credentials, name: str, content: bytes) -> None:
    path = credentials.secrets.directory / name
    path.write_bytes(content)
    path.chmod(0o600)


def certificate() -> bytes:
    """A key and a certificate of its own, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "seatkeeper")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1)
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def jwt(**claims: object) -> bytes:
    """A token as a platform would give it; nobody checks its signature here."""
    parts = [{"alg": "RS256"}, {"iss": "https://oidc.example", "sub": "seatkeeper", **claims}]
    return ".".join(
        [*(base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in parts), "c2ln"]
    ).encode()


def test_a_secret_signs_in(credentials: Credentials, server: GraphServer, contoso: Tenant) -> None:
    tokens = source(credentials, server, contoso.id)

    assert tokens.sign(None)["authorization"].startswith("Bearer ey")
    assert tokens.tenant() == contoso.id
    assert tokens.roles() is not None and "User.Read.All" in (tokens.roles() or ())


def test_a_certificate_signs_in(credentials: Credentials, server: GraphServer, contoso: Tenant) -> None:
    put(credentials, "contoso.pem", certificate())

    assert source(credentials, server, contoso.id, CERTIFICATE).tenant() == contoso.id


def test_an_application_that_trusts_the_machines_identity_signs_in_by_it(
    credentials: Credentials, server: GraphServer, contoso: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def platform(request: Request) -> Answer:
        asked.append(request.target)
        soon = int((dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).timestamp())
        token = jwt(aud="api://AzureADTokenExchange", exp=soon).decode()
        body = {"access_token": token, "expires_on": str(soon), "resource": "", "token_type": "Bearer"}
        return Answer(200, {"Content-Type": "application/json"}, msgspec.json.encode(body))

    with LoopbackServer(platform) as machine:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        tokens = source(credentials, server, contoso.id, MicrosoftTrustedIdentity(SIMULATED_CLIENT_ID, "identity"))
        assert tokens.tenant() == contoso.id
    [target] = asked
    assert "resource=api://AzureADTokenExchange&" in f"{target}&" and "client_id=identity" in target


def test_an_application_whose_machine_has_no_identity_needs_a_person(
    credentials: Credentials, server: GraphServer, contoso: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer(lambda _: Answer(400, {}, b"{}")) as machine:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        tokens = source(credentials, server, contoso.id, MicrosoftTrustedIdentity(SIMULATED_CLIENT_ID, "system"))
        with pytest.raises(NeedsPerson, match="the managed identity gives no token here"):
            tokens.sign(None)


def test_a_federated_token_signs_in_and_is_read_anew_whenever_entra_wants_it(
    credentials: Credentials, server: GraphServer, contoso: Tenant, simulator: Simulator
) -> None:
    def platform_gives(subject: str) -> None:
        audience = "api://AzureADTokenExchange"
        soon = int((dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).timestamp())
        put(credentials, "token", jwt(sub=subject, aud=audience, exp=soon))

    platform_gives("first")
    tokens = source(credentials, server, contoso.id, FEDERATED)
    assert tokens.tenant() == contoso.id
    (credentials.secrets.directory / "token").unlink()
    with pytest.raises(NeedsPerson, match="the secret file token cannot be read as a token"):
        tokens.sign("")
    platform_gives("second")
    assert tokens.sign("")["authorization"].startswith("Bearer ")


def test_a_token_is_kept_until_it_is_refused(
    credentials: Credentials, server: GraphServer, contoso: Tenant, simulator: Simulator
) -> None:
    exchanges = "POST login/{tenant}/oauth2/v2.0/token"
    for _ in range(3):
        source(credentials, server, contoso.id).sign(None)
    assert simulator.requests()[exchanges] == 1

    source(credentials, server, contoso.id).sign("")
    assert simulator.requests()[exchanges] == 2


def test_claims_that_graph_asks_for_are_passed_on(
    credentials: Credentials, contoso: Tenant, simulator: Simulator
) -> None:
    asked: list[bytes] = []

    def listen(request: Request) -> Answer:
        asked.append(request.body)
        return simulator.answer(request)

    claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1"}}}').decode().rstrip("=")
    with LoopbackServer(listen) as server:
        tokens = source(credentials, server, contoso.id)
        tokens.sign(None)
        tokens.sign(f'Bearer realm="", error="insufficient_claims", claims="{claims}"')

    assert b"claims" not in asked[-2] and b"claims=%7B%22access_token" in asked[-1]


@pytest.mark.parametrize(
    "header, claims",
    [
        ('Bearer error="insufficient_claims", claims="eyJhIjp7fX0="', '{"a":{}}'),
        ('Bearer error="insufficient_claims", claims="eyJhIjp7fX0"', '{"a":{}}'),
        ('Bearer realm=""', None),
        ('Bearer claims="%%%"', None),
        ('Bearer claims="bm8ganNvbg=="', None),
        ("", None),
    ],
)
def test_a_challenge_is_read_with_or_without_padding(header: str, claims: str | None) -> None:
    assert challenged(header) == claims


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.!!.c", f"a.{base64.b64encode(b'[1]').decode()}.c"])
def test_a_token_that_cannot_be_read_names_no_tenant(token: str) -> None:
    assert claims_of(token) == Claims()


# Refusals


def test_each_refusal_that_only_a_person_can_end_says_what_to_do(
    credentials: Credentials, server: GraphServer, contoso: Tenant, simulator: Simulator
) -> None:
    wrong = MicrosoftSecret(SIMULATED_CLIENT_ID, EnvRef("WRONG"))
    with pytest.raises(NeedsPerson, match=r"AADSTS7000215, the client secret is wrong") as needed:
        source(credentials, server, contoso.id, wrong).sign(None)
    assert "not its id" in needed.value.remedy

    simulator.add_app(App(secret_expires=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)))
    with pytest.raises(NeedsPerson, match="AADSTS7000222, the client secret has expired"):
        source(credentials, server, contoso.id).sign(None)
    simulator.add_app(App())

    contoso.disable_app(SIMULATED_CLIENT_ID)
    with pytest.raises(NeedsPerson, match="AADSTS7000112"):
        source(credentials, server, contoso.id).sign(None)

    contoso.withdraw_consent(SIMULATED_CLIENT_ID)
    with pytest.raises(NeedsPerson, match="AADSTS700016") as needed:
        source(credentials, server, contoso.id).sign(None)
    assert "consent" in needed.value.remedy

    with pytest.raises(NeedsPerson, match="AADSTS90002, there is no such tenant"):
        source(credentials, server, "00000000-0000-4000-8000-000000000001").sign(None)


@pytest.mark.parametrize("code", [*REMEDIES, "530031"])
def test_every_known_code_has_a_remedy(code: str) -> None:
    error = explained(ValueError(f"Authentication failed: AADSTS{code}: Some text. Trace ID: 1"), "contoso")

    assert isinstance(error, NeedsPerson) and error.remedy
    assert "Trace" not in str(error)


def test_an_unknown_code_may_pass() -> None:
    error = explained(ValueError("AADSTS9002313: Invalid request."), "contoso")

    assert isinstance(error, Transient)
    assert "https://login.microsoftonline.com/error?code=9002313" in str(error)


@proves("Z9")
def test_a_login_service_that_is_busy_is_no_matter_for_a_person(
    credentials: Credentials, server: GraphServer, contoso: Tenant, simulator: Simulator
) -> None:
    simulator.order(Fault("unavailable", "login/*", times=None))

    with pytest.raises(Transient, match="signing in failed"):
        source(credentials, server, contoso.id).sign(None)

    simulator.withdraw_faults()
    assert source(credentials, server, contoso.id).tenant() == contoso.id


def test_a_login_service_that_is_not_there_is_no_matter_for_a_person(credentials: Credentials, contoso: Tenant) -> None:
    with LoopbackServer(lambda _request: Answer(200)) as server:
        pass

    with pytest.raises(Transient, match=f"login service for tenant {contoso.id} cannot be reached"):
        source(credentials, server, contoso.id).sign(None)


@pytest.mark.parametrize("shared", [False, True])
def test_a_rotated_secret_is_read_after_the_old_one_was_refused(
    credentials: Credentials, server: GraphServer, contoso: Tenant, shared: bool
) -> None:
    put(credentials, "secret", b"old")
    tokens = source(
        credentials, server, contoso.id, MicrosoftSecret(SIMULATED_CLIENT_ID, FileRef("secret")), shared=shared
    )
    with pytest.raises(NeedsPerson, match="7000215"):
        tokens.sign(None)

    put(credentials, "secret", SIMULATED_SECRET.encode())

    assert tokens.tenant() == contoso.id


@proves("Z9")
def test_consent_that_is_given_again_works_at_once(
    credentials: Credentials, server: GraphServer, contoso: Tenant
) -> None:
    """MSAL repeats a refusal for a minute without asking; whoever asks again shall be answered."""
    for shared in (False, True):
        tokens = source(credentials, server, contoso.id, shared=shared)
        contoso.withdraw_consent(SIMULATED_CLIENT_ID)
        with pytest.raises(NeedsPerson, match="700016"):
            tokens.sign("")
        contoso.consent(SIMULATED_CLIENT_ID)
        assert tokens.tenant() == contoso.id


def test_a_certificate_that_is_none_is_named(credentials: Credentials, server: GraphServer, contoso: Tenant) -> None:
    put(credentials, "contoso.pem", b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n")

    with pytest.raises(NeedsPerson, match=r"contoso\.pem is no certificate with an RSA key"):
        source(credentials, server, contoso.id, CERTIFICATE).sign(None)


def test_a_machine_without_an_identity_says_so(
    credentials: Credentials, server: GraphServer, contoso: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer(lambda _request: Answer(400, {"Content-Type": "application/json"}, b"{}")) as imds:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", imds.url)
        with pytest.raises(NeedsPerson, match="the managed identity gives no token here"):
            source(credentials, server, contoso.id, MicrosoftManagedIdentity("system")).sign(None)


def test_an_answer_without_measure_of_the_machines_metadata_is_no_token(
    credentials: Credentials, server: GraphServer, contoso: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"access_token": "t", "expires_on": "9999999999", "resource": "r", "x": "' + b"x" * 2_000_000 + b'"}'
    with LoopbackServer(lambda _request: Answer(200, {"Content-Type": "application/json"}, body)) as platform:
        monkeypatch.setenv("IDENTITY_ENDPOINT", platform.url)
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        with pytest.raises(Transient, match="signing in failed"):
            source(credentials, server, contoso.id, MicrosoftManagedIdentity("system")).sign(None)


# One credential for many tenants


def test_a_credential_that_gave_many_tokens_is_made_anew_and_its_tokens_stay_good(
    tmp_path: Path, server: GraphServer, simulator: Simulator
) -> None:
    """azure-identity looks through all the tokens that a credential gave, so the thousandth sign-in takes longer."""
    tenants = [simulator.add_tenant(domain=f"{name}.example") for name in ("contoso", "fabrikam", "litware")]
    credentials = Credentials(Secrets(tmp_path, {"CONTOSO_SECRET": SIMULATED_SECRET}), {}, most_given=2)
    sources = [source(credentials, server, tenant.id, shared=True) for tenant in tenants]

    first = [tokens.sign(None) for tokens in sources[:2]]
    assert not credentials._kept
    assert sources[2].tenant() == tenants[2].id
    assert [tokens.sign(None) for tokens in sources[:2]] == first
    assert all(simulator.requests(tenant)["POST login/{tenant}/oauth2/v2.0/token"] == 1 for tenant in tenants)


def test_of_many_credentials_the_oldest_are_let_go_and_their_tokens_stay_good(
    tmp_path: Path, server: GraphServer, simulator: Simulator
) -> None:
    tenants = [simulator.add_tenant(domain=f"{name}.example") for name in ("contoso", "fabrikam", "litware")]
    credentials = Credentials(Secrets(tmp_path, {"CONTOSO_SECRET": SIMULATED_SECRET}), {}, most_kept=2)
    sources = [source(credentials, server, tenant.id) for tenant in tenants]

    first = [tokens.sign(None) for tokens in sources]
    assert [tokens.sign(None) for tokens in sources] == first
    assert len(credentials._kept) == 2


@proves("Z11")
def test_a_shared_credential_serves_each_tenant_with_its_own_tokens(
    credentials: Credentials, server: GraphServer, contoso: Tenant, simulator: Simulator
) -> None:
    fabrikam = simulator.add_tenant(domain="fabrikam.example")

    of_contoso = source(credentials, server, contoso.id, shared=True)
    of_fabrikam = source(credentials, server, fabrikam.id, shared=True)

    assert (of_contoso.tenant(), of_fabrikam.tenant()) == (contoso.id, fabrikam.id)
    assert of_contoso.sign(None) != of_fabrikam.sign(None)
    assert len(credentials._kept) == 1


def test_a_tenant_that_refuses_its_token_costs_no_other_tenant_its_own(
    credentials: Credentials, server: GraphServer, contoso: Tenant, simulator: Simulator
) -> None:
    fabrikam = simulator.add_tenant(domain="fabrikam.example")
    of_contoso = source(credentials, server, contoso.id, shared=True)
    of_fabrikam = source(credentials, server, fabrikam.id, shared=True)
    kept = of_contoso.sign(None)

    of_fabrikam.sign("")
    fabrikam.withdraw_consent(SIMULATED_CLIENT_ID)
    with pytest.raises(NeedsPerson):
        of_fabrikam.sign("")

    assert of_contoso.sign(None) == kept
    assert simulator.requests(contoso)["POST login/{tenant}/oauth2/v2.0/token"] == 1


@proves("Z11")
def test_a_shared_credential_refuses_to_start_where_it_would_read_a_wrong_directory(
    tmp_path: Path, server: GraphServer, contoso: Tenant
) -> None:
    credentials = Credentials(Secrets(tmp_path), {NO_MULTITENANT: "1"})

    with pytest.raises(NeedsPerson, match=NO_MULTITENANT) as needed:
        source(credentials, server, contoso.id, shared=True)

    assert needed.value.remedy.startswith(f"unset {NO_MULTITENANT}")
    source(credentials, server, contoso.id, shared=False)


@proves("Z11")
def test_a_token_of_another_tenant_is_refused_before_it_is_used(
    credentials: Credentials, contoso: Tenant, simulator: Simulator
) -> None:
    fabrikam = simulator.add_tenant(domain="fabrikam.example")

    def confused(request: Request) -> Answer:
        """A login service that answers for Fabrikam whoever asks."""
        target = request.target.replace(contoso.id, fabrikam.id)
        return simulator.answer(Request(request.method, target, request.headers, request.body))

    with LoopbackServer(confused) as server, pytest.raises(NeedsPerson, match=f"for tenant {fabrikam.id}"):
        source(credentials, server, contoso.id).sign(None)


def test_a_tenant_may_be_named_by_its_domain(credentials: Credentials, server: GraphServer, contoso: Tenant) -> None:
    assert source(credentials, server, "contoso.example").tenant() == contoso.id


@pytest.mark.parametrize(
    "body",
    [b'{"token_endpoint": "' + b"x" * 2_000_000 + b'"}', b"[" * 200_000, b'{"a": ' + b"[" * 200_000],
    ids=["large", "nested", "nested-inside"],
)
def test_an_answer_without_measure_of_the_login_service_is_no_token(credentials: Credentials, body: bytes) -> None:
    """Whatever listens there: what it sends is bounded in bytes, and its nesting ends nothing but the attempt."""
    with LoopbackServer(lambda _request: Answer(200, {"Content-Type": "application/json"}, body)) as server:
        tokens = source(credentials, server, "7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10")
        with pytest.raises(Transient, match="signing in failed"):
            tokens.sign(None)
