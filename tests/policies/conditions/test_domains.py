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


@pytest.mark.parametrize(
    "address", ["ada@mail.contoso.example", "ada@notcontoso.example", "ada@contoso.example.org", "ada", ""]
)
def test_another_domain_is_not_selected_nor_a_subdomain(address: str) -> None:
    assert OURS.matches(account(address), IN_NONE) is None
