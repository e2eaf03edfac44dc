"""`attributes`: values are alternatives, attributes must all fit, and case means nothing."""

import pytest

from policies.conditions.attributes import Attribute, Attributes
from policies.model import ATTRIBUTES
from tests.policies.conditions.accounts import IN_NONE, account
from tests.proves import proves

FINANCE_OR_LEGAL = Attributes({"department": ("Finance", "Legal")})
LEGAL_IN_NORWAY = Attributes({"department": ("Legal",), "country": ("NO", "Norge")})


@proves("G2")
def test_the_values_of_an_attribute_are_alternatives() -> None:
    assert str(FINANCE_OR_LEGAL.matches(account(department="Finance"), IN_NONE)) == "department is Finance"
    assert str(FINANCE_OR_LEGAL.matches(account(department="Legal"), IN_NONE)) == "department is Legal"
    assert FINANCE_OR_LEGAL.matches(account(department="Sales"), IN_NONE) is None


def test_case_means_nothing() -> None:
    assert str(FINANCE_OR_LEGAL.matches(account(department="fINANCE"), IN_NONE)) == "department is Finance"
    assert str(Attributes({"city": ("STRASSE",)}).matches(account(city="straße"), IN_NONE)) == "city is STRASSE"


def test_all_attributes_must_fit() -> None:
    because = LEGAL_IN_NORWAY.matches(account(department="legal", country="norge"), IN_NONE)
    assert str(because) == "department is Legal and country is Norge"
    assert LEGAL_IN_NORWAY.matches(account(department="Legal", country="SE"), IN_NONE) is None
    assert LEGAL_IN_NORWAY.matches(account(country="NO"), IN_NONE) is None


def test_an_attribute_that_is_not_set_fits_nothing() -> None:
    assert FINANCE_OR_LEGAL.matches(account(), IN_NONE) is None


@pytest.mark.parametrize("place, name", list(enumerate(ATTRIBUTES)))
def test_every_attribute_of_an_account_can_be_asked_for(place: int, name: Attribute) -> None:
    values = tuple("x" if index == place else "" for index in range(len(ATTRIBUTES)))
    because = Attributes({name: ("X",)}).matches(account()._replace(attributes=values), IN_NONE)
    assert str(because) == f"{name.replace('_', ' ')} is X"
