"""What holds where a company's file says nothing, and what the provider may say at all."""

from datetime import timedelta
from decimal import Decimal

import pytest

from policies.credentials import FileRef, MicrosoftCertificate
from policies.defaults import with_defaults
from policies.document import EmailReceiver, Money, Policy
from policies.errors import PolicyError
from policies.model import Limit
from policies.provider import CatalogEntry, Provider
from policies.reader import read_policy, read_provider
from tests.policies.kinds import KINDS
from tests.proves import proves

PROVIDER = """
provider:
  name: Northwind
  defaults:
    licenses: {retention: 90d, limit: {archived: 10}}
    purchasing:
      seller: {kind: http, url: https://portal.example, secret: {env: PORTAL}}
      standard: {pack: 5, most_per_order: 80}
    safety: {release: {most: 10, share: 1%}}
    notify: [{email: {to: [ops@northwind.example]}}]
credentials:
  msp-app: {client_id: "1", certificate: {file: app.pem}}
"""


def provider(text: str = PROVIDER) -> Provider:
    return read_provider(text, "provider.yaml", KINDS)


def policy(text: str) -> Policy:
    return read_policy(f"company: contoso\n{text}", "contoso.yaml", KINDS, provider())


def test_what_the_company_does_not_say_is_the_providers() -> None:
    inherited = policy("")
    assert inherited.licenses.retention == timedelta(days=90)
    assert inherited.licenses.limit == {"archived": 10}
    assert inherited.purchasing.seller.kind == "http"
    assert inherited.purchasing.standard.pack == 5
    assert inherited.safety.release == Limit(10, 0.01)
    assert inherited.notify == (EmailReceiver(("ops@northwind.example",)),)


def test_what_neither_says_is_built_in() -> None:
    inherited = policy("")
    assert inherited.licenses.renew == "all"
    assert inherited.purchasing.standard.most_per_month == 100 and inherited.purchasing.archived.pack == 1
    assert inherited.safety.archive == Limit(50, 0.05)


def test_the_companys_own_value_wins_key_by_key() -> None:
    own = policy(
        "licenses: {retention: 60d, limit: {standard: 5}}\n"
        "purchasing: {seller: {kind: manual}, standard: {pack: 1, price: 48.00 USD}}\n"
        "safety: {release: {share: 2%}}\n"
        "notify: []\n"
    )
    assert own.licenses.retention == timedelta(days=60) and own.licenses.limit == {"standard": 5}
    assert own.purchasing.seller.kind == "manual"
    assert own.purchasing.standard.pack == 1 and own.purchasing.standard.most_per_order == 80
    assert own.purchasing.standard.price == Money(Decimal("48.00"), "USD")
    assert own.safety.release == Limit(10, 0.02)
    assert own.notify == ()


def test_a_value_said_as_the_built_in_one_is_said_all_the_same() -> None:
    assert policy("licenses: {retention: 60d}\n").licenses.retention == timedelta(days=60)


def test_defaults_can_be_filled_in_later_and_twice_is_as_once() -> None:
    alone = read_policy("company: contoso\nlicenses: {pool: own}\n", "contoso.yaml", KINDS)
    assert alone.licenses.retention == timedelta(days=60)
    filled = with_defaults(alone, provider())
    assert filled == policy("licenses: {pool: own}\n")
    assert with_defaults(filled, provider()) == filled


def test_a_provider_that_says_nothing_changes_nothing() -> None:
    alone = read_policy("company: contoso\n", "contoso.yaml", KINDS)
    assert with_defaults(alone, Provider()) == alone


@proves("P1")
def test_a_pack_is_measured_against_the_order_that_is_in_force() -> None:
    assert policy("purchasing: {standard: {pack: 60}}\n").purchasing.standard.pack == 60
    with pytest.raises(PolicyError, match="pack: found 90, expected at most most_per_order, which is 80"):
        policy("purchasing: {standard: {pack: 90}}\n")
    with pytest.raises(PolicyError, match="pack: found 60, expected at most most_per_order, which is 50"):
        read_policy("company: a\npurchasing: {standard: {pack: 60}}\n", "a.yaml", KINDS)


def test_a_credential_by_name_must_be_the_providers() -> None:
    text = "directories:\n  m365: {{kind: microsoft365, tenant: t, credential: {}}}\n"
    assert policy(text.format("msp-app")).directories
    with pytest.raises(PolicyError, match=r"3:41: unknown credential 'msp-ap', .* did you mean 'msp-app'"):
        policy(text.format("msp-ap"))


@proves("R3")
def test_no_default_of_the_provider_shortens_a_retention() -> None:
    with pytest.raises(PolicyError, match="retention: found 30d, expected at least 60d"):
        provider("provider: {defaults: {licenses: {retention: 30d}}}\n")


def test_the_providers_file_becomes_values() -> None:
    more = "catalog: {computer: {per: computer, price: 30.00 EUR}}\nallowed_hosts: ['127.0.0.1:9000']\n"
    read = provider(PROVIDER + more)
    assert read.name == "Northwind"
    assert read.credentials == {"msp-app": MicrosoftCertificate("1", FileRef("app.pem"))}
    assert read.allowed_hosts == ("127.0.0.1:9000",)
    assert read.catalog["computer"] == CatalogEntry(Money(Decimal("30.00"), "EUR"), "yearly", "computer")


def test_the_two_automated_types_are_in_every_catalog() -> None:
    assert list(Provider().catalog) == ["standard", "archived"]
    priced = provider("catalog: {standard: {price: 40.00 EUR}}\n").catalog
    assert priced["standard"].price == Money(Decimal("40.00"), "EUR") and "archived" in priced
