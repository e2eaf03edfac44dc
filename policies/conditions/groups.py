"""The condition `groups`: members of the directory's groups, nested members counted (G2, G3)."""

from dataclasses import dataclass, field
from typing import Annotated

from policies.conditions import Condition, condition
from policies.key import Key
from policies.model import Account, Because, GroupRef, Memberships

GroupRefs = Annotated[
    tuple[GroupRef, ...], Key("Groups by immutable id, address or display name; nested members count.", filled=True)
]


@condition("groups")
@dataclass(frozen=True, slots=True)
class Groups(Condition):
    """Members of one of these groups, named by immutable id, address or display name; nested members count.

    rules:
      - name: staff
        groups: [Backup Staff, exec@contoso.example]
        license: standard
    """

    groups: GroupRefs
    _wanted: frozenset[GroupRef] = field(init=False, repr=False, compare=False)
    _becauses: dict[GroupRef, Because] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        becauses = {group: self.because(f"member of {group}") for group in self.groups}
        object.__setattr__(self, "_wanted", frozenset(becauses))
        object.__setattr__(self, "_becauses", becauses)

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """The first of the rule's groups, in the order of the file, that the account is in."""
        member_of = memberships.get(account.key)
        if member_of is None or self._wanted.isdisjoint(member_of):
            return None
        for group, because in self._becauses.items():
            if group in member_of:
                return because
        return None

    @property
    def refs(self) -> tuple[GroupRef, ...]:
        """The groups of the rule."""
        return self.groups
