"""The condition `org_units`: accounts in an organizational unit or below it (G2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from policies.conditions import Condition, condition
from policies.key import NOT_WRITTEN, Key
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

    Paths are compared by whole segments and without case. Where units have ids, a path stands for the unit that it was
    first found for, whatever that is called later and wherever it is moved (G3).
    """

    org_units: OrgUnitPaths
    ids: Annotated[Mapping[str, str] | None, NOT_WRITTEN] = field(default=None, kw_only=True, repr=False, compare=False)
    """What the paths stand for; None where accounts carry paths."""
    _covered: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _becauses: dict[str, Because] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        becauses = {
            part: self.because(f"in organizational unit {unit}")
            for unit in self.org_units
            if (part := covered(unit, self.ids)) is not None
        }
        object.__setattr__(self, "_covered", tuple(becauses))
        object.__setattr__(self, "_becauses", becauses)

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """The first of the rule's units that covers the account's; a directory without units matches none."""
        if not account.org_unit:
            return None
        unit = account.org_unit.lower() + "/"
        if self.ids is None:
            if not unit.startswith(self._covered):
                return None
            return next(because for part, because in self._becauses.items() if unit.startswith(part))
        return next((because for part, because in self._becauses.items() if part in unit), None)

    @property
    def units(self) -> tuple[str, ...]:
        """The units that have ids: all but the root."""
        return bound_units(self.org_units)

    def placed(self, ids: Mapping[str, str]) -> "OrgUnits":
        """The condition by ids."""
        return replace(self, ids=ids)


def below(unit: str) -> str:
    """What the path of everything in this unit or below it begins with, itself written so."""
    return f"{unit.lower().rstrip('/')}/"


def bound_units(paths: Iterable[str]) -> tuple[str, ...]:
    """The units among these that are bound to ids; the root needs none."""
    return tuple(path for path in paths if path != "/")


def covered(path: str, ids: Mapping[str, str] | None) -> str | None:
    """What is in the place of every account in this unit or below it. A place is a path, or the ids along one. None
    where it is not known."""
    if ids is None or path == "/":
        return below(path)
    return f"/{ids[path].lower()}/" if path in ids else None
