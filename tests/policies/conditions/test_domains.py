"""`domains`: the domain of the address, exactly."""

import pytest

from policies.conditions.domains import Domains
from tests.policies.conditions.accounts import IN_NONE, account
from tests.proves import proves

OURS = Domains(("Contoso.example", "fabrikam.example"))


@proves("G2")
@pytest.mark.parametrize("address", ["ada@contoso.example", "Ada@CONTOSO.Example", "a@b@contoso.example"])
def test_an_address_in_the_domain_is_selected_whatever_its_case(address: str) -> None:
    assert str(OURS.matches(account(address), IN_NONE)) == "address in Contoso.example"


@pytest.mark.parametrize("domain", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("address", ["ada@xn--bcher-kva.example", "ada@Bücher.example"])
def test_a_domain_beyond_ascii_is_one_in_both_spellings(domain: str, address: str) -> None:
    assert Domains((domain,)).matches(account(address), IN_NONE) is not None
    assert Domains((domain,)).matches(account("ada@bucher.example"), IN_NONE) is None


@pytest.mark.parametrize("domain", ["bü..example", "ü" * 64 + ".example", "*ü.example"])
def test_what_is_no_name_of_a_domain_is_compared_as_it_is(domain: str) -> None:
    assert Domains((domain,)).matches(account(f"ada@{domain.upper()}"), IN_NONE) is not None


@pytest.mark.parametrize(
    "address", ["ada@mail.contoso.example", "ada@notcontoso.example", "ada@contoso.example.org", "ada", ""]
)
def test_another_domain_is_not_selected_nor_a_subdomain(address: str) -> None:
    assert OURS.matches(account(address), IN_NONE) is None
