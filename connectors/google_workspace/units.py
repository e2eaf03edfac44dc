"""The organizational units of a customer, with the ids that stay when a unit is renamed or moved."""

from collections.abc import Iterator

from connectors.base import OrgUnit
from connectors.google_workspace.google import Google
from connectors.google_workspace.wire import UNIT_FIELDS, Units, reader

NAME = "org_units"
_units = reader(Units)


def org_units(google: Google) -> Iterator[OrgUnit]:
    """All units but the root, as `Directory.org_units` promises; Google lists them on one page."""
    query = {"type": "all", "fields": UNIT_FIELDS}
    path = ("customer", google.customer, "orgunits")
    for unit in google.ask(google.request(path, query), _units, NAME).organizationUnits:
        if unit.orgUnitPath != "/":
            yield OrgUnit(unit.orgUnitId, unit.orgUnitPath)
