"""The kinds are found by themselves, and a policy can name each."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors import registry
from connectors.context import Context
from connectors.errors import NeedsPerson
from connectors.file import Options as FileOptions
from connectors.microsoft365 import Options
from connectors.secrets import Secrets
from policies.credentials import (
    EnvRef,
    FileRef,
    GoogleKey,
    MicrosoftCertificate,
    MicrosoftFederated,
    MicrosoftManagedIdentity,
    MicrosoftSecret,
    MicrosoftTrustedIdentity,
    NamedCredential,
)
from policies.document import DirectoryEntry, SellerEntry
from policies.errors import PolicyError
from policies.model import DirectoryId
from policies.reader import read_policy

TENANT = "7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10"


def read(entry: str) -> DirectoryEntry:
    """The entry of a directory, as a policy file has it."""
    text = f"company: contoso\nname: Contoso\ndirectories:\n  main: {{{entry}}}\n"
    return read_policy(text, "contoso.yaml", registry.kinds()).directories[0]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(Secrets(tmp_path, {}), policy_dir=tmp_path)


def test_the_kinds_that_are_here_are_found_with_how_often_they_are_read() -> None:
    found = registry.kinds()

    assert {kind: found.directories[kind].every for kind in ("file", "microsoft365")} == {
        "file": timedelta(hours=1),
        "microsoft365": timedelta(minutes=1),
    }
    assert set(found.sellers) == {"manual", "http"}


def test_every_module_is_a_kind_or_machinery() -> None:
    """A module that declares nothing belongs into `registry.MACHINERY`."""
    package = Path(registry.__file__).parent
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    opens = {kind: found.opens for kind, found in registry.directories().items()}
    opens |= {kind: found.opens for kind, found in registry.sellers().items()}
    places = {kind: place.split(":")[0].split(".")[1] for kind, place in opens.items()}

    assert modules - {"__init__"} == set(places.values()) | registry.MACHINERY
    assert not set(places.values()) & registry.MACHINERY
    assert {kind: place for kind, place in places.items() if kind != place} == {"http": "portal"}


@pytest.mark.parametrize(
    "written, credential",
    [
        ("{client_id: app, secret: {env: CONTOSO_SECRET}}", MicrosoftSecret("app", EnvRef("CONTOSO_SECRET"))),
        ("{client_id: app, secret: {file: secret.txt}}", MicrosoftSecret("app", FileRef("secret.txt"))),
        ("{client_id: app, certificate: {file: app.pem}}", MicrosoftCertificate("app", FileRef("app.pem"))),
        ("{client_id: app, federated: {file: token}}", MicrosoftFederated("app", FileRef("token"))),
        ("{client_id: app, managed_identity: system}", MicrosoftTrustedIdentity("app", "system")),
        ("{managed_identity: system}", MicrosoftManagedIdentity("system")),
        ("everybody", NamedCredential("everybody")),
    ],
)
def test_a_policy_can_write_every_form_of_a_microsoft_credential(written: str, credential: object) -> None:
    entry = read(f"kind: microsoft365, tenant: {TENANT}, credential: {written}")

    assert entry.options == Options(TENANT, credential)  # type: ignore[arg-type]
    assert entry.every == timedelta(minutes=1)


def test_a_policy_can_name_another_cloud_and_other_addresses() -> None:
    entry = read(
        f"kind: microsoft365, tenant: {TENANT}, credential: {{managed_identity: system}}, cloud: us-gov-dod,"
        ' graph_url: "http://127.0.0.1:8000", login_url: "https://login.example"'
    )

    assert isinstance(entry.options, Options)
    assert (entry.options.cloud, entry.options.graph_url) == ("us-gov-dod", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "wrong", ["tenant: 'contoso example'", "tenant: contoso, cloud: mars", "tenant: x, grph_url: y"]
)
def test_a_policy_that_misspells_an_option_is_told_where(wrong: str) -> None:
    with pytest.raises(PolicyError):
        read(f"kind: microsoft365, {wrong}, credential: everybody")


def test_a_policy_can_name_a_file() -> None:
    entry = read("kind: file, path: exports/users.csv")

    assert entry.options == FileOptions("exports/users.csv")


# Opening


def microsoft(**options: object) -> DirectoryEntry:
    secret = MicrosoftSecret("app", EnvRef("CONTOSO_SECRET"))
    given = {"tenant": TENANT, "credential": secret, **options}
    return DirectoryEntry(DirectoryId("main"), "microsoft365", timedelta(minutes=1), Options(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cloud, graph, login",
    [
        ("global", "https://graph.microsoft.com/v1.0", "https://login.microsoftonline.com"),
        ("us-gov-high", "https://graph.microsoft.us/v1.0", "https://login.microsoftonline.us"),
        ("us-gov-dod", "https://dod-graph.microsoft.us/v1.0", "https://login.microsoftonline.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn/v1.0", "https://login.chinacloudapi.cn"),
    ],
)
def test_each_cloud_is_asked_where_it_is(context: Context, cloud: str, graph: str, login: str) -> None:
    opened = registry.open_directory(microsoft(cloud=cloud), context).graph  # type: ignore[attr-defined]

    assert opened.root.url == graph
    assert opened.tokens.purpose.login.url == login
    assert opened.tokens.purpose.scope == graph.removesuffix("v1.0") + ".default"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1.0"])
def test_an_override_is_taken_with_and_without_the_version(context: Context, url: str) -> None:
    opened = registry.open_directory(microsoft(graph_url=url), context).graph  # type: ignore[attr-defined]

    assert opened.root.url == "http://127.0.0.1:8000/v1.0"
    assert opened.tokens.purpose.scope == "https://graph.microsoft.com/.default"


@pytest.mark.parametrize("override", ["graph_url", "login_url"])
def test_an_override_to_a_host_that_nobody_allowed_needs_a_person(context: Context, override: str) -> None:
    entry = microsoft(**{override: "https://proxy.contoso.example"})
    with pytest.raises(NeedsPerson) as needed:
        registry.open_directory(entry, context)
    assert "allowed_hosts" in needed.value.remedy

    registry.open_directory(entry, context.provided({}, frozenset({"proxy.contoso.example"})))


def test_a_credential_by_name_is_the_providers_and_shared(context: Context) -> None:
    secret = MicrosoftSecret("app", EnvRef("EVERYBODY"))
    provided = context.provided({"everybody": secret}, frozenset())
    entry = microsoft(credential=NamedCredential("everybody"))

    opened = registry.open_directory(entry, provided).graph  # type: ignore[attr-defined]

    assert opened.tokens.own.credential == secret and opened.tokens.shared is not None
    with pytest.raises(NeedsPerson, match="no credential named 'everybody'"):
        registry.open_directory(entry, context)


def test_a_credential_of_another_vendor_needs_a_person(context: Context) -> None:
    provided = context.provided({"everybody": GoogleKey(FileRef("google.json"))}, frozenset())

    with pytest.raises(NeedsPerson, match="not one for Microsoft"):
        registry.open_directory(microsoft(credential=NamedCredential("everybody")), provided)


def test_opening_asks_nothing_and_reads_no_secret(context: Context) -> None:
    registry.open_directory(microsoft(), context)
    registry.open_directory(
        DirectoryEntry(DirectoryId("f"), "file", timedelta(hours=1), FileOptions("missing.csv")), context
    )


def test_what_is_opened_for_different_work_shares_connections_and_tokens(context: Context) -> None:
    other = context.stopping_at(lambda: True).provided({}, frozenset({"x"}))

    assert other.http is context.http and other.credentials is context.credentials
    assert other.world.stop() and not context.world.stop()


def test_the_manual_seller_places_an_order_by_taking_it(context: Context) -> None:
    from connectors.base import Order, Receipt

    seller = registry.open_seller(SellerEntry(), context)
    order = Order("key-1", "contoso", "standard", 10, "yearly", "")

    assert seller.place(order) == seller.place(order) == Receipt("key-1", "placed", 10)
    assert seller.find("key-1") is None
