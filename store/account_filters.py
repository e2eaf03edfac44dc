"""What accounts can be filtered by, and how each filter is asked of the database.

A filter is either a condition on each account that is looked at, or, where few fit, a set of accounts to begin with:
counters and partial indexes say which, before anything is looked at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from policies.model import EVERYBODY, License, Source, State
from store.errors import NotFound

if TYPE_CHECKING:
    from store.transaction import Transaction

FEW = 5_000
"""A set of so many accounts is quicker to sort than a list that it is one in two hundred of is to look through."""
NONE = "none"
LAST_CHARACTER = "\U0010ffff"

EXPIRED = "l.expires_at <= :now"
GONE = "a.state IN ('deleted', 'purged')"
PROTECTION = (
    f"CASE WHEN h.license = 'standard' AND w.kind = 'archive' AND {GONE} THEN 'archive_waiting'"
    f" WHEN h.license IS NOT NULL AND {EXPIRED} THEN 'expired' WHEN h.license = 'archived' THEN 'archived'"
    f" WHEN h.license = 'standard' AND {GONE} THEN 'not_running' WHEN h.license = 'standard' THEN 'backed_up'"
    " WHEN r.purge_due THEN 'purge_due' WHEN r.account IS NOT NULL THEN 'retained' ELSE 'none' END"
)
"""How an account's backups stand, over the joins of `store.account_pages`."""
_WAITS = f"(w.kind = 'archive' AND {GONE})"
_VALID = f"({EXPIRED}) IS NOT TRUE"
PROTECTED = {
    "backed_up": f"h.license = 'standard' AND NOT {GONE} AND {_VALID}",
    "archived": f"h.license = 'archived' AND {_VALID}",
    "archive_waiting": f"h.license = 'standard' AND {_WAITS}",
    "not_running": f"h.license = 'standard' AND {GONE} AND w.kind IS DISTINCT FROM 'archive' AND {_VALID}",
    "expired": f"{EXPIRED} AND (h.license = 'archived' OR {_WAITS} IS NOT TRUE)",
    "retained": "h.license IS NULL AND r.account IS NOT NULL AND NOT r.purge_due",
    "purge_due": "h.license IS NULL AND r.purge_due",
    "none": "h.license IS NULL AND r.account IS NULL AND NOT EXISTS (SELECT 1 FROM link AS k WHERE k.old = a.key)",
}
"""The same, one by one, with as few joins as each needs."""


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What accounts to show; None is all. The values are those that `accounts list` takes."""

    company: str | None = None
    directory: str | None = None
    state: str | None = None
    kind: str | None = None
    license: str | None = None
    """`none` for those without one."""
    protection: str | None = None
    waiting: str | None = None
    """The reason for which they wait."""
    rule: str | None = None
    """The name of the rule that gave the license."""
    group: str | None = None
    """As the policy names it; nested members count."""
    domain: str | None = None
    search: str | None = None
    """A part of the address or name, whatever its case, or an id."""


@dataclass
class Narrowed:
    """A filter as the database is asked for it."""

    directories: Sequence[int] | None = None
    """Keys of the directories to look in, in order; None is all."""
    indexed: list[str] = field(default_factory=list)
    """Conditions on `a` that an index in the order of the list answers."""
    source: str = "account"
    """What the list is walked by: accounts, or, in the same order, those of them that wait."""
    among: str | None = None
    """A select of few account keys to begin with."""
    conditions: list[str] = field(default_factory=list)
    """Conditions on each account that is looked at."""
    values: dict[str, Any] = field(default_factory=dict)
    search: str | None = None

    @property
    def plain(self) -> bool:
        """Whether every account that is looked at fits."""
        return not self.conditions and self.search is None


def narrowed(tx: "Transaction", filter: AccountFilter, now: int) -> Narrowed:
    """How to ask for a filter. Raises NotFound for a company, directory or group that is not there."""
    company = _company(tx, filter.company)
    found = Narrowed(directories=_directories(tx, filter.directory, company), search=filter.search or None)
    found.values["now"] = now
    _of_account(filter, found)
    _of_license(filter, found)
    if filter.group is not None:
        _of_group(tx, filter.group, found)
    if found.among is None:
        _begin_with_few(tx, filter, company, now, found)
    if filter.waiting is not None:
        _of_those_who_wait(filter.waiting, found)
    return found


def _of_account(filter: AccountFilter, found: Narrowed) -> None:
    if filter.state is not None:
        found.values["state"] = filter.state
        if filter.state == State.ACTIVE:
            found.conditions.append("a.state = :state")
        else:  # the second half names the partial index, which SQLite does not infer
            found.indexed.append("a.state = :state AND a.state <> 'active'")
    if filter.kind is not None:
        found.values["kind"] = filter.kind
        found.conditions.append("a.kind = :kind")
    if filter.domain is not None:
        found.values["domain"] = f"%@{_literal(filter.domain.lower())}"
        found.conditions.append(r"lower(a.address) LIKE :domain ESCAPE '\'")


def _of_license(filter: AccountFilter, found: Narrowed) -> None:
    if filter.license == NONE:
        found.conditions.append("h.license IS NULL")
    if filter.protection is not None:
        found.conditions.append(PROTECTED.get(filter.protection, "false"))
    for column, value in {
        "h.license": None if filter.license == NONE else filter.license,
        "h.source": None if filter.rule is None else Source.rule(filter.rule),
    }.items():
        if value is not None:
            name = f"value{len(found.values)}"
            found.values[name] = value
            found.conditions.append(f"{column} = :{name}")


# --- few accounts to begin with ---

_WAITING = (
    "SELECT account FROM waiting WHERE reason = :waiting"
    " AND company IN (SELECT company FROM waiting_count WHERE reason = :waiting AND n > 0)"
)
_THOSE_WHO_WAIT = (
    "(SELECT v.directory, v.address, v.account AS key, b.id, b.name, b.kind, b.state FROM waiting AS v"
    " JOIN account AS b ON b.key = v.account WHERE v.reason = :waiting)"
)


def _of_those_who_wait(reason: str, found: Narrowed) -> None:
    """Unless there is a smaller set to begin with, those who wait are themselves the list to walk."""
    found.values["waiting"] = reason
    if found.among is None:
        found.source = _THOSE_WHO_WAIT
    elif not found.among.startswith(_WAITING):
        found.conditions.append("w.reason = :waiting")


def _begin_with_few(tx: "Transaction", filter: AccountFilter, company: int | None, now: int, found: Narrowed) -> None:
    """Begin with the smallest set that a counter knows of, if one is small."""
    if found.indexed and filter.waiting is None:
        return
    values = {"now": now, "company": company, "waiting": filter.waiting}
    values["source"] = None if filter.rule is None else Source.rule(filter.rule)
    sized = [(_size(tx, count, company, values), select) for count, select in _sets(filter)]
    few = min(sized, default=None)
    if few is not None and few[0] == 0:
        found.directories = ()
    elif few is not None and few[0] <= FEW:
        found.among = few[1] + ("" if company is None else " AND company = :company")
        found.values |= {name: value for name, value in values.items() if f":{name}" in found.among}


def _sets(filter: AccountFilter) -> Iterable[tuple[str, str]]:
    """For filters that may fit few: how many accounts at the most, and which."""
    if filter.waiting is not None:
        yield (
            "SELECT sum(n) FROM waiting_count WHERE reason = :waiting",
            _WAITING,
        )
    if filter.protection == "archive_waiting":
        yield (
            "SELECT sum(n) FROM waiting_count WHERE license = 'archived'",
            "SELECT account FROM waiting WHERE license = 'archived'",
        )
    if filter.protection in ("retained", "purge_due"):
        yield (
            f"SELECT count(*) FROM (SELECT 1 FROM retention WHERE true{{company}} LIMIT {FEW + 1}) AS x",
            ("SELECT account FROM retention WHERE true"),
        )
    if filter.protection == "expired":
        yield (
            "SELECT sum(n.held) FROM holding_count AS n JOIN lot AS l ON l.key = n.lot WHERE l.expires_at <= :now",
            "SELECT account FROM assignment WHERE lot IN (SELECT key FROM lot WHERE expires_at <= :now AND held > 0)",
        )
    if License.ARCHIVED in (filter.license, filter.protection):
        yield (
            "SELECT sum(held) FROM holding_count WHERE license = 'archived'",
            "SELECT account FROM assignment WHERE license = 'archived'",
        )
    if filter.rule is not None:
        yield (
            "SELECT sum(held) FROM holding_count WHERE source = :source",
            "SELECT account FROM assignment WHERE source = :source",
        )


def _size(tx: "Transaction", count: str, company: int | None, values: dict[str, Any]) -> int:
    mine = "" if company is None else " AND company = :company"
    sql = count.format(company=mine) if "{company}" in count else count + mine
    found = tx.execute(sql, {name: value for name, value in values.items() if f":{name}" in sql}).scalar_one()
    return int(found or 0)


# --- groups ---


def _of_group(tx: "Transaction", group: str, found: Narrowed) -> None:
    """Members of a group and of all that is nested in it, per directory that has it."""
    groups = _groups(tx, group, found.directories)
    if not groups:
        raise NotFound(f"no directory has a group {group!r} that a policy names")
    found.directories = sorted({directory for _, directory in groups})
    keys = _below(tx, [key for key, _ in groups], found.directories)
    members = f"e.grp IN ({_numbers(keys)}) AND e.member_is <> 'group'"
    if tx.execute(f"SELECT EXISTS (SELECT 1 FROM edge AS e WHERE {members} AND e.member = '{EVERYBODY}')").scalar_one():
        found.conditions.append(
            "EXISTS (SELECT 1 FROM edge AS e WHERE e.directory = a.directory"
            f" AND e.member IN (a.id, '{EVERYBODY}') AND {members})"
        )
        return
    count = f"SELECT count(*) FROM (SELECT 1 FROM edge AS e WHERE {members} LIMIT {FEW + 1}) AS x"
    if tx.execute(count).scalar_one() <= FEW:
        found.among = (
            "SELECT m.key AS account FROM edge AS e CROSS JOIN account AS m"
            f" WHERE m.directory = e.directory AND m.id = e.member AND {members}"
        )
    else:
        found.conditions.append(
            f"EXISTS (SELECT 1 FROM edge AS e WHERE e.directory = a.directory AND e.member = a.id AND {members})"
        )


def _groups(tx: "Transaction", group: str, directories: Sequence[int] | None) -> list[tuple[int, int]]:
    """Key and directory of the groups of this name: what policies bound it to, else by id, address or name (G3)."""
    scope = "" if directories is None else f" AND {tx.dialect.among('g.directory', 'directories')}"
    values: dict[str, Any] = {"group": group}
    if directories is not None:
        values["directories"] = tx.dialect.listed(list(directories))
    rows = tx.execute(
        "SELECT g.key, g.directory FROM grp AS g LEFT JOIN group_ref AS r"
        " ON r.directory = g.directory AND r.ref = :group WHERE (r.group_id = g.id OR (r.group_id IS NULL"
        f" AND NOT g.gone AND (g.id = :group OR g.name = :group OR lower(g.address) = lower(:group)))){scope}"
        " ORDER BY g.directory, g.key",
        values,
    )
    return [(row[0], row[1]) for row in rows]


def _below(tx: "Transaction", keys: Sequence[int], directories: Sequence[int]) -> list[int]:
    """These groups and all that are nested in them; groups may contain each other in a circle."""
    seen, level = set(keys), list(keys)
    while level:
        rows = tx.execute(
            "SELECT g.key FROM edge AS e JOIN grp AS g ON g.directory = e.directory AND g.id = e.member"
            f" WHERE e.member_is = 'group' AND e.directory IN ({_numbers(directories)})"
            f" AND e.grp IN ({_numbers(level)})"
        )
        level = sorted({row[0] for row in rows} - seen)
        seen |= set(level)
    return sorted(seen)


# --- scope ---


def _company(tx: "Transaction", id: str | None) -> int | None:
    return None if id is None else tx.directories.company(id).key


def _directories(tx: "Transaction", id: str | None, company: int | None) -> Sequence[int] | None:
    if id is not None:
        row = tx.directories.by_id(id)
        return (row.key,) if company in (None, row.company) else ()
    if company is None:
        return None
    rows = tx.execute("SELECT key FROM directory WHERE company = :company ORDER BY key", {"company": company})
    return tuple(row[0] for row in rows)


def search_conditions(text: str, values: dict[str, Any]) -> tuple[str, str, str]:
    """A search as three conditions that exclude each other: the id, the beginning of the address, any part."""
    lower = text.lower()
    values |= {"id": text, "begins": lower, "ends": lower + LAST_CHARACTER, "part": f"%{_literal(lower)}%"}
    prefix = "a.address >= :begins AND a.address < :ends"
    part = r"(lower(a.address) LIKE :part ESCAPE '\' OR lower(a.name) LIKE :part ESCAPE '\')"
    return "a.id = :id", f"{prefix} AND a.id <> :id", f"{part} AND NOT ({prefix}) AND a.id <> :id"


def _numbers(keys: Sequence[int]) -> str:
    return ", ".join(map(str, keys))


def _literal(text: str) -> str:
    """Text in which LIKE finds no pattern."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
