"""`except`: any one of its keys leaves an account to the rules below."""

import pytest

from policies.conditions.exceptions import Exceptions
from policies.model import GroupRef
from tests.policies.conditions.accounts import IN_NONE, account, in_groups
from tests.proves import proves

EXCEPT = Exceptions(
    groups=(GroupRef("Contractors"),),
    accounts=("Svc@contoso.example", "ID-7"),
    domains=("lab.example",),
    org_units=("/Kiosks",),
    attributes={"employee_type": ("Temp",)},
)


@proves("G2")
def test_any_one_of_the_keys_is_enough() -> None:
    assert str(EXCEPT.matches(account(), in_groups("Contractors"))) == "member of Contractors"
    assert str(EXCEPT.matches(account("svc@CONTOSO.example"), IN_NONE)) == "Svc@contoso.example"
    assert str(EXCEPT.matches(account()._replace(id="id-7"), IN_NONE)) == "ID-7"  # type: ignore[arg-type]
    assert str(EXCEPT.matches(account("eve@lab.example"), IN_NONE)) == "address in lab.example"
    assert str(EXCEPT.matches(account(org_unit="/Kiosks/1"), IN_NONE)) == "in organizational unit /Kiosks"
    assert str(EXCEPT.matches(account(employee_type="temp"), IN_NONE)) == "employee type is Temp"


def test_who_fits_none_of_the_keys_is_not_excepted() -> None:
    assert EXCEPT.matches(account(), in_groups("Staff")) is None


def test_an_address_beyond_ascii_is_one_in_both_spellings() -> None:
    named = Exceptions(accounts=("Jürgen@bücher.example",))
    assert named.matches(account("jürgen@xn--bcher-kva.example"), IN_NONE) is not None


@pytest.mark.parametrize("address", ["", "svc"])
def test_an_account_is_named_whole(address: str) -> None:
    assert EXCEPT.matches(account(address), IN_NONE) is None


def test_exceptions_that_name_nobody_except_nobody() -> None:
    assert Exceptions().matches(account(), in_groups("Contractors")) is None


def test_its_groups_must_be_found_too() -> None:
    assert EXCEPT.refs == ("Contractors",)
