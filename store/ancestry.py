"""The groups that one account is in, from its direct memberships upwards: for `why`, not for whole tenants."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from policies.model import EVERYBODY, AccountKey, GroupRef, Memberships

if TYPE_CHECKING:
    from store.transaction import Transaction

DEEPEST = 100
"""Levels of nesting that are followed; groups may contain each other in a circle."""


class Above(NamedTuple):
    """A group that an account is in, directly (`through` is None) or through another group, by that one's name."""

    id: str
    name: str
    address: str
    through: str | None


class Ancestry:
    """Membership seen from below."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def groups_of(self, directory: int, id: str) -> list[Above]:
        """Every group that policies need and the account of this id is in, the nearest first, each once."""
        found: dict[str, Above] = {}
        below: Mapping[str, str | None] = {id: None, EVERYBODY: None}
        for _ in range(DEEPEST):
            parents = self._parents(directory, list(below))
            new = {id: Above(id, name, address, below[member]) for id, name, address, member in parents}
            level = {group: above for group, above in new.items() if group not in found}
            if not level:
                break
            found |= level
            below = {above.id: above.name or above.id for above in level.values()}
        return list(found.values())

    def known(self, directory: int, refs: Sequence[str]) -> dict[str, str]:
        """What these names would stand for among the living groups that the mirror has: by id, address or name, and
        only where exactly one group answers to it. Groups that no policy needed so far are not in the mirror."""
        if not refs:
            return {}
        rows = self._tx.execute(
            "SELECT id, name, address FROM grp WHERE directory = :directory AND NOT gone", {"directory": directory}
        ).all()
        found = {}
        for ref in refs:
            ids = {id for id, name, address in rows if ref in (id, name) or ref.lower() == address.lower()}
            if len(ids) == 1:
                found[ref] = ids.pop()
        return found

    def _parents(self, directory: int, members: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
        rows = self._tx.execute(
            "SELECT g.id, g.name, g.address, e.member FROM edge AS e JOIN grp AS g ON g.key = e.grp"
            f" WHERE e.directory = :directory AND {self._tx.dialect.among('e.member', 'members')}"
            " ORDER BY e.member, g.name, g.id",
            {"directory": directory, "members": self._tx.dialect.listed(members)},
        )
        return ((row[0], row[1], row[2], row[3]) for row in rows)


def memberships_of(account: AccountKey, above: Sequence[Above], bound: Mapping[str, str]) -> Memberships:
    """The groups of the policy among these; `bound` maps what the policy writes to the id it stands for."""
    ids = {group.id for group in above}
    refs = frozenset(GroupRef(ref) for ref, id in bound.items() if id in ids)
    return {account: refs} if refs else {}
