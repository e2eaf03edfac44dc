"""`org_units`: a unit covers those below it, by whole segments."""

import pytest

from policies.conditions.org_units import OrgUnits
from tests.policies.conditions.accounts import IN_NONE, account
from tests.proves import proves


def reason(units: tuple[str, ...], org_unit: str) -> str | None:
    because = OrgUnits(units).matches(account(org_unit=org_unit), IN_NONE)
    return None if because is None else because.text


@proves("G2")
@pytest.mark.parametrize("org_unit", ["/Sales", "/Sales/EMEA", "/Sales/EMEA/North", "/sales", "/SALES/emea"])
def test_a_unit_covers_itself_and_those_below(org_unit: str) -> None:
    assert reason(("/Field", "/Sales"), org_unit) == "in organizational unit /Sales"


@proves("G2")
@pytest.mark.parametrize("org_unit", ["/Salesforce", "/Sale", "/EMEA/Sales", "/", "", "/Sales2/EMEA"])
def test_a_unit_covers_no_other(org_unit: str) -> None:
    assert reason(("/Sales",), org_unit) is None


@pytest.mark.parametrize("org_unit", ["/", "/Sales", "/Sales/EMEA"])
def test_the_root_covers_every_unit(org_unit: str) -> None:
    assert reason(("/",), org_unit) == "in organizational unit /"


def test_a_directory_without_units_is_not_below_the_root() -> None:
    assert reason(("/",), "") is None


def test_the_first_unit_of_the_file_is_the_reason() -> None:
    assert reason(("/Sales/EMEA", "/Sales"), "/Sales/EMEA/North") == "in organizational unit /Sales/EMEA"
