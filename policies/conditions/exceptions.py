"""The key `except` of a rule: accounts that the rule leaves to those below it (G2, G3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from policies.addresses import spelled
from policies.conditions import Condition
from policies.conditions.attributes import Attributes, AttributeValues
from policies.conditions.domains import DomainNames, Domains
from policies.conditions.groups import GroupRefs, Groups
from policies.conditions.org_units import OrgUnitPaths, OrgUnits, bound_units
from policies.key import NOT_WRITTEN, Key
from policies.model import Account, Because, GroupRef, Memberships

AccountNames = Annotated[tuple[str, ...], Key("Single accounts by address or by the directory's id.", filled=True)]


@dataclass(frozen=True, slots=True)
class Exceptions(Condition):
    """Accounts that a rule does not mean: any one of the keys is enough, and each reads as the condition of that name.

    rules:
      - name: staff
        everyone: true
        except: {groups: [Contractors], accounts: [svc@contoso.example], domains: [lab.contoso.example]}
        license: standard
    """

    groups: GroupRefs = ()
    accounts: AccountNames = ()
    domains: DomainNames = ()
    org_units: OrgUnitPaths = ()
    attributes: AttributeValues = field(default_factory=dict)
    ids: Annotated[Mapping[str, str] | None, NOT_WRITTEN] = field(default=None, kw_only=True, repr=False, compare=False)
    """What organizational units stand for; None where accounts carry paths."""
    _accounts: dict[str, Because] = field(init=False, repr=False, compare=False)
    _alternatives: tuple[Condition, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        accounts = {spelled(name): self.because(name) for name in self.accounts}
        object.__setattr__(self, "_accounts", accounts)
        object.__setattr__(self, "_alternatives", tuple(self._written()))

    def _written(self) -> list[Condition]:
        written: list[Condition] = []
        if self.groups:
            written.append(Groups(self.groups, rule=self.rule, mark=self.mark))
        if self.domains:
            written.append(Domains(self.domains, rule=self.rule, mark=self.mark))
        if self.org_units:
            written.append(OrgUnits(self.org_units, ids=self.ids, rule=self.rule, mark=self.mark))
        if self.attributes:
            written.append(Attributes(self.attributes, rule=self.rule, mark=self.mark))
        return written

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """Why the account is excepted, or None."""
        if self._accounts:
            named = self._accounts.get(spelled(account.address)) or self._accounts.get(account.id.lower())
            if named is not None:
                return named
        for alternative in self._alternatives:
            because = alternative.matches(account, memberships)
            if because is not None:
                return because
        return None

    @property
    def refs(self) -> tuple[GroupRef, ...]:
        """The groups that are excepted."""
        return self.groups

    @property
    def units(self) -> tuple[str, ...]:
        """The organizational units that are excepted, but for the root."""
        return bound_units(self.org_units)

    def placed(self, ids: Mapping[str, str]) -> "Exceptions":
        """The exceptions by ids."""
        return replace(self, ids=ids)
