"""The condition `org_units`: accounts in an organizational unit or below it (G2)."""

from dataclasses import dataclass, field
from typing import Annotated

from policies.conditions import Condition, condition
from policies.key import Key
from policies.model import Account, Because, Memberships

OrgUnit = Annotated[
    str, Key(pattern=r"/|(/[^/]+)+", expected="the path of an organizational unit, as in /Sales/EMEA, or /")
]
OrgUnitPaths = Annotated[tuple[OrgUnit, ...], Key("Organizational units; each covers those below it.", filled=True)]


@condition("org_units")
@dataclass(frozen=True, slots=True)
class OrgUnits(Condition):
    """Accounts in one of these organizational units or in any unit below; `/` covers every unit (Google, G2).

        rules:
          - name: sales units
            org_units: [/Sales, /Field/EMEA]
            license: standard

    Paths are compared by whole segments and without case.
    """

    org_units: OrgUnitPaths
    _below: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _becauses: dict[str, Because] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        becauses = {below(unit): self.because(f"in organizational unit {unit}") for unit in self.org_units}
        object.__setattr__(self, "_below", tuple(becauses))
        object.__setattr__(self, "_becauses", becauses)

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """The first of the rule's units that covers the account's; a directory without units matches none."""
        if not account.org_unit:
            return None
        unit = account.org_unit.lower() + "/"
        if not unit.startswith(self._below):
            return None
        return next(because for covered, because in self._becauses.items() if unit.startswith(covered))


def below(unit: str) -> str:
    """What the path of everything in this unit or below it begins with, itself written so."""
    return f"{unit.lower().rstrip('/')}/"
