"""Groups that policies name, everything nested in them, and who is in them.

The store keeps direct memberships as the directory tells them. Nesting is worked out when it is asked for: group in
group is a small graph (`Closure`), and an account needs only its own direct memberships.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from policies.model import EVERYBODY, AccountKey, GroupRef, Memberships

if TYPE_CHECKING:
    from store.transaction import Transaction


class Binding(NamedTuple):
    """What a group reference of a policy stands for in one directory (G3)."""

    ref: str
    group_id: str | None
    problem: str | None
    namesake: str | None = None
    """The id of another group that has the name by now, and is ignored."""


class GroupSize(NamedTuple):
    """A group's direct members before and after a walk that listed all of them, or took some of them away."""

    id: str
    name: str
    before: int
    after: int


@dataclass
class Closure:
    """Which references each group stands for: its own, and those of all groups that it is nested in."""

    refs: Mapping[int, frozenset[GroupRef]]
    """By group key."""
    everybody: frozenset[GroupRef] = frozenset()
    """Those that all users of the organization match."""
    _seen: dict[tuple[int, ...], frozenset[GroupRef]] = field(default_factory=dict)

    def of(self, groups: tuple[int, ...]) -> frozenset[GroupRef]:
        """The references that a member of these groups matches; few combinations occur, so they are kept."""
        known = self._seen.get(groups)
        if known is None:
            known = self.everybody.union(*(self.refs.get(group, ()) for group in groups))
            self._seen[groups] = known
        return known


_OF_GROUP = (
    "FROM edge AS e WHERE e.directory = :directory AND e.grp = (SELECT key FROM grp WHERE directory = :directory"
    " AND id = :id)"
)
_STAGED = (
    "FROM (SELECT DISTINCT s.member FROM stage_edge AS s WHERE s.batch = :batch AND s.grp = :id AND NOT s.gone) AS m"
)
_TAKEN = (
    "EXISTS (SELECT 1 FROM stage_edge AS s WHERE s.batch = :batch AND s.grp = :id AND s.member = e.member AND s.gone"
    " AND NOT EXISTS (SELECT 1 FROM stage_edge AS l WHERE l.batch = :batch AND l.grp = :id AND l.member = e.member"
    " AND l.n > s.n AND NOT l.gone))"
)


class Groups:
    """Groups and direct memberships of directories."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    # --- names (G3) ---

    def bindings(self, directory: int) -> dict[str, Binding]:
        """What each reference was resolved to so far."""
        rows = self._tx.execute(
            "SELECT ref, group_id, problem, namesake FROM group_ref WHERE directory = :directory ORDER BY ref",
            {"directory": directory},
        )
        return {row[0]: Binding(*row) for row in rows}

    def all_bindings(self, directories: Sequence[int]) -> dict[int, dict[str, Binding]]:
        """The same of many directories."""
        dialect = self._tx.dialect
        rows = self._tx.execute(
            "SELECT directory, ref, group_id, problem, namesake FROM group_ref"
            f" WHERE {dialect.among('directory', 'keys')} ORDER BY directory, ref",
            {"keys": dialect.listed(directories)},
        )
        found: dict[int, dict[str, Binding]] = {}
        for directory, ref, *rest in rows:
            found.setdefault(directory, {})[ref] = Binding(ref, *rest)
        return found

    def bind(self, directory: int, bindings: Iterable[Binding], now: int) -> None:
        """Record what references stand for; a bound id is kept, whatever its name becomes."""
        self._tx.execute_many(
            "INSERT INTO group_ref (directory, ref, group_id, problem, namesake, at)"
            " VALUES (:directory, :ref, :group_id, :problem, :namesake, :now) ON CONFLICT (directory, ref) DO UPDATE"
            " SET group_id = coalesce(group_ref.group_id, excluded.group_id), problem = excluded.problem,"
            " namesake = excluded.namesake, at = excluded.at",
            [{"directory": directory, "now": now, **binding._asdict()} for binding in bindings],
        )

    def bound_in_company(self, company: int, but: int, refs: Sequence[str]) -> dict[str, frozenset[str]]:
        """For the references that are bound to a living group in other directories of the company, the ids of those
        directories (G3)."""
        rows = self._tx.execute(
            "SELECT r.ref, d.id FROM group_ref AS r JOIN directory AS d ON d.key = r.directory JOIN grp AS g"
            " ON g.directory = r.directory AND g.id = r.group_id WHERE d.company = :company AND d.key <> :but"
            f" AND NOT g.gone AND {self._tx.dialect.among('r.ref', 'refs')}",
            {"company": company, "but": but, "refs": self._tx.dialect.listed(list(refs))},
        )
        return by_ref(rows)

    def rebind(self, directory: int, ref: str, group_id: str, now: int) -> None:
        """Bind a name to another group because a person said so (G3)."""
        self._tx.execute(
            "DELETE FROM group_ref WHERE directory = :directory AND ref = :ref", {"directory": directory, "ref": ref}
        )
        self.bind(directory, [Binding(ref, group_id, None)], now)

    def planned_with(self, directory: int, hash: str, problem: str | None, remedy: str | None) -> None:
        """Remember what the names stood for when everybody was planned, and what is to be told of them."""
        self._tx.execute(
            "UPDATE directory SET groups_hash = :hash, groups_problem = :problem, groups_remedy = :remedy"
            " WHERE key = :directory",
            {"directory": directory, "hash": hash, "problem": problem, "remedy": remedy},
        )

    # --- groups and edges ---

    def learn(self, directory: int, groups: Iterable[tuple[str, str | None, str | None, bool]]) -> None:
        """Record groups as the directory has them: id, name, address, gone. None leaves what is known."""
        self._tx.execute_many(
            "INSERT INTO grp (directory, id, name, address, gone)"
            " VALUES (:directory, :id, coalesce(:name, ''), coalesce(:address, ''), :gone)"
            " ON CONFLICT (directory, id) DO UPDATE SET name = coalesce(:name, grp.name),"
            " address = coalesce(:address, grp.address), gone = excluded.gone"
            " WHERE grp.name <> coalesce(:name, grp.name) OR grp.address <> coalesce(:address, grp.address)"
            " OR grp.gone <> excluded.gone",
            [
                {"directory": directory, "id": id, "name": name, "address": address, "gone": gone}
                for id, name, address, gone in groups
            ],
        )

    def keys(self, directory: int) -> dict[str, int]:
        rows = self._tx.execute("SELECT id, key FROM grp WHERE directory = :directory", {"directory": directory})
        return {row[0]: row[1] for row in rows}

    def gone(self, directory: int) -> list[str]:
        """Ids of known groups that the directory no longer has."""
        rows = self._tx.execute(
            "SELECT id FROM grp WHERE directory = :directory AND gone ORDER BY id", {"directory": directory}
        )
        return [row[0] for row in rows]

    def all_gone(self, directories: Sequence[int]) -> dict[int, frozenset[str]]:
        """The same of many directories."""
        dialect = self._tx.dialect
        rows = self._tx.execute(
            f"SELECT directory, id FROM grp WHERE {dialect.among('directory', 'keys')} AND gone",
            {"keys": dialect.listed(directories)},
        )
        found: dict[int, set[str]] = {}
        for directory, id in rows:
            found.setdefault(directory, set()).add(id)
        return {directory: frozenset(ids) for directory, ids in found.items()}

    def sizes(self, directory: int, batch: int, whole: Sequence[str]) -> list[GroupSize]:
        """Members before and after a staged walk, of the groups that it listed completely or took members from
        (Z2, accident 9)."""
        taken = self._tx.execute(
            "SELECT DISTINCT grp FROM stage_edge WHERE batch = :batch AND gone ORDER BY grp", {"batch": batch}
        ).scalars()
        found = []
        for id in dict.fromkeys([*whole, *taken]):
            values = {"directory": directory, "batch": batch, "id": id}
            after = f"(SELECT count(*) {_STAGED})" if id in whole else f"(SELECT count(*) {_OF_GROUP} AND NOT {_TAKEN})"
            row = self._tx.execute(
                f"SELECT g.name, (SELECT count(*) {_OF_GROUP}), {after} FROM grp AS g"
                " WHERE g.directory = :directory AND g.id = :id",
                values,
            ).one_or_none()
            if row is not None:
                found.append(GroupSize(id, row[0], row[1], row[2]))
        return found

    def lost(self, directory: int, batch: int, id: str, *, whole: bool) -> frozenset[str]:
        """The members that a group loses by a staged walk, which listed it completely or not."""
        unlisted = " OR NOT EXISTS (SELECT 1 FROM stage_edge AS s WHERE s.batch = :batch AND s.grp = :id"
        condition = f"({_TAKEN}{f'{unlisted} AND s.member = e.member)' if whole else ''})"
        rows = self._tx.execute(
            f"SELECT e.member {_OF_GROUP} AND {condition}", {"directory": directory, "batch": batch, "id": id}
        )
        return frozenset(rows.scalars())

    def merge(self, directory: int, batch: int, whole: Sequence[str]) -> int:
        """Lay a staged walk over the memberships; accounts that gained or lost one are noted for planning.

        Returns how many memberships changed. In a walk the last word on an edge counts.
        """
        values: dict[str, Any] = {"directory": directory, "batch": batch}
        self._tx.execute(
            "DELETE FROM stage_edge WHERE batch = :batch AND EXISTS (SELECT 1 FROM stage_edge AS later WHERE"
            " later.batch = :batch AND later.grp = stage_edge.grp AND later.member = stage_edge.member"
            " AND later.n > stage_edge.n)",
            values,
        )
        changed = self._remove(values, "s.gone") + self._remove_unlisted(values, whole)
        return changed + self._add(values)

    def _remove(self, values: dict[str, Any], condition: str) -> int:
        of = (
            "FROM edge WHERE directory = :directory AND EXISTS (SELECT 1 FROM stage_edge AS s JOIN grp AS g"
            " ON g.directory = :directory AND g.id = s.grp WHERE s.batch = :batch AND s.member = edge.member"
            f" AND g.key = edge.grp AND {condition})"
        )
        return self._delete(values, of)

    def _remove_unlisted(self, values: dict[str, Any], whole: Sequence[str]) -> int:
        removed = 0
        for id in whole:
            of = (
                "FROM edge WHERE directory = :directory AND grp = (SELECT key FROM grp WHERE directory = :directory"
                " AND id = :id) AND NOT EXISTS (SELECT 1 FROM stage_edge AS s WHERE s.batch = :batch AND s.grp = :id"
                " AND s.member = edge.member AND NOT s.gone)"
            )
            removed += self._delete({**values, "id": id}, of)
        return removed

    def _delete(self, values: dict[str, Any], of: str) -> int:
        self._plan(values, f"SELECT member, member_is {of}")
        return self._tx.execute(f"DELETE {of}", values).rowcount

    def _add(self, values: dict[str, Any]) -> int:
        new = (
            "FROM stage_edge AS s JOIN grp AS g ON g.directory = :directory AND g.id = s.grp WHERE s.batch = :batch"
            " AND NOT s.gone AND NOT EXISTS (SELECT 1 FROM edge AS e WHERE e.directory = :directory"
            " AND e.member = s.member AND e.grp = g.key)"
        )
        self._plan(values, f"SELECT s.member, s.member_is {new}")
        return self._tx.execute(
            "INSERT INTO edge (directory, member, grp, member_is)"
            f" SELECT :directory, s.member, g.key, s.member_is {new}",
            values,
        ).rowcount

    def _plan(self, values: dict[str, Any], members: str) -> None:
        """Note the accounts among members that change; a group among them touches everybody below it."""
        self._tx.execute(
            f"INSERT INTO unplanned (account, directory) SELECT DISTINCT a.key, a.directory FROM ({members}) AS m"
            " CROSS JOIN account AS a WHERE a.directory = :directory AND a.id = m.member AND m.member_is = 'account'"
            " ON CONFLICT (account) DO NOTHING",
            values,
        )
        self._tx.execute(
            "UPDATE directory SET plan_whole = true WHERE key = :directory AND NOT plan_whole AND EXISTS"
            f" (SELECT 1 FROM ({members}) AS m WHERE m.member_is <> 'account')",
            values,
        )

    # --- who is in what ---

    def closure(self, directory: int, refs: Mapping[str, str]) -> Closure:
        """The references that members of each group match; `refs` maps a reference to the id it is bound to."""
        keys = self.keys(directory)
        own: dict[int, set[str]] = {}
        for ref, id in refs.items():
            if id in keys:
                own.setdefault(keys[id], set()).add(ref)
        rows = self._tx.execute(
            "SELECT e.member, e.grp FROM edge AS e WHERE e.directory = :directory AND e.member_is = 'group'",
            {"directory": directory},
        )
        parents: dict[int, list[int]] = {}
        for member, group in rows:
            if member in keys:
                parents.setdefault(keys[member], []).append(group)
        above = {key: _above(key, parents, own) for key in keys.values()}
        return Closure(above, frozenset().union(*(above[group] for group in self._with_everybody(directory))))

    def memberships(self, closure: Closure, directory: int, ids: Mapping[str, AccountKey]) -> Memberships:
        """What accounts, by id, are members of; nested groups count."""
        rows = self._tx.execute(
            "SELECT e.member, e.grp FROM edge AS e WHERE e.directory = :directory AND"
            f" {self._tx.dialect.among('e.member', 'ids')} ORDER BY e.member, e.grp",
            {"directory": directory, "ids": self._tx.dialect.listed(list(ids))},
        )
        direct: dict[str, list[int]] = {}
        for member, group in rows:
            direct.setdefault(member, []).append(group)
        members = {ids[member]: closure.of(tuple(groups)) for member, groups in direct.items()}
        if closure.everybody:
            return {key: members.get(key, closure.everybody) for key in ids.values()}
        return members

    def below(self, directory: int, ids: Sequence[str]) -> dict[str, int]:
        """These groups and all that are nested in them: keys by id."""
        refs = self.closure(directory, {id: id for id in ids}).refs
        return {id: key for id, key in self.keys(directory).items() if refs.get(key)}

    def members_of(self, directory: int, ids: Sequence[str]) -> dict[int, str]:
        """Key and mailbox kind of the accounts in these groups, nested groups counted."""
        within = list(self.below(directory, ids).values())
        rows = self._tx.execute(
            "SELECT DISTINCT a.key, a.mailbox FROM edge AS e CROSS JOIN account AS a WHERE a.directory = :directory"
            f" AND a.id = e.member AND e.directory = :directory AND e.member_is = 'account'"
            f" AND {self._tx.dialect.among('e.grp', 'groups')}",
            {"directory": directory, "groups": self._tx.dialect.listed(within)},
        )
        return {row[0]: row[1] for row in rows}

    def _with_everybody(self, directory: int) -> list[int]:
        rows = self._tx.execute(
            "SELECT grp FROM edge WHERE directory = :directory AND member = :everybody ORDER BY grp",
            {"directory": directory, "everybody": EVERYBODY},
        )
        return [row[0] for row in rows]


def by_ref(rows: Iterable[Sequence[str]]) -> dict[str, frozenset[str]]:
    """The directories of each reference."""
    found: dict[str, set[str]] = {}
    for ref, directory in rows:
        found.setdefault(ref, set()).add(directory)
    return {ref: frozenset(directories) for ref, directories in found.items()}


def _above(key: int, parents: Mapping[int, list[int]], own: Mapping[int, set[str]]) -> frozenset[GroupRef]:
    """The references of a group and of all that it is nested in; directories allow cycles, so each is visited once."""
    seen, todo = {key}, [key]
    while todo:
        for parent in parents.get(todo.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return frozenset(GroupRef(ref) for group in seen for ref in own.get(group, ()))
