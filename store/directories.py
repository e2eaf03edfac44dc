"""Companies and directories: who is connected, and how each directory's reading goes (Z9, Z11).

Rows follow the policy files: what is new is added, and what disappears from the folder is frozen with its licenses as
they were, until a person retires it. A change of state is told once, not once a run. Directories are locked before
companies here, as in every run.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from policies.planner import RANK_NEW
from store.audit import Entry, json_text
from store.errors import Conflict, NotFound
from store.times import span

if TYPE_CHECKING:
    from policies.document import Policy
    from store.transaction import Transaction

HEALTHY, FAILING, FROZEN, NEVER_RUN = "healthy", "failing", "frozen", "never_run"
ACTIVE, RETIRED = "active", "retired"
SYSTEM = "system"
_INTERRUPTED = "fence = fence + 1, lease_owner = NULL, lease_until = 0"
"""Whoever runs over the directory may not write any more (Z5)."""


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """A company as the store has it; `pool` is the key of the company whose lots it draws from, 0 the provider's."""

    key: int
    id: str
    name: str
    state: str
    pool: int
    policy: int | None
    """The policy version in force."""


@dataclass(frozen=True, slots=True)
class DirectoryRow:
    """A directory as the store has it; instants and durations are in microseconds."""

    key: int
    id: str
    company: int
    company_id: str
    pool: int
    policy: int | None
    """The policy version of its company that is in force."""
    kind: str
    bound_to: str | None
    state: str
    retired: bool
    problem: str | None
    remedy: str | None
    mailbox_problem: str | None
    mailbox_remedy: str | None
    mailbox_asked_at: int | None
    failures: int
    failing_since: int | None
    last_success: int | None
    every: int
    due_at: int
    asked_at: int | None
    revision: int
    cursor: str | None
    groups_cursor: str | None
    groups_hash: str | None
    plan_whole: bool
    plan_some: bool
    wake_at: int | None
    planned_policy: int | None
    planned_whole_at: int
    read_whole_at: int
    count_off: int
    unstable_ids: bool


class Refused(NamedTuple):
    """Something that policy files ask for and the store does not do; the rest of the files is in force."""

    company: str
    directory: str
    why: str


class Outcome(Protocol):
    """What a run has to say of itself when it is recorded."""

    @property
    def mode(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def seen(self) -> int: ...
    @property
    def changed(self) -> int: ...
    @property
    def plan_hash(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...


_BOOLEANS = ("retired", "plan_whole", "plan_some", "unstable_ids")
_OF_COMPANY = {"company_id": "c.id", "pool": "c.pool", "policy": "c.policy"}
_DIRECTORY = (
    "SELECT "
    + ", ".join(_OF_COMPANY.get(name, f"d.{name}") for name in DirectoryRow.__slots__)
    + " FROM directory AS d JOIN company AS c ON c.key = d.company"
)
_UNREAD = "it was not read since a policy file names it again"
_RETURNS = "r.company = k.company AND r.license = k.license AND r.through = k.through AND r.rank < :new"
_LONGEST = (
    "SELECT w.since FROM waiting AS w JOIN directory AS d ON d.key = w.directory WHERE w.company = k.company"
    f" AND w.reason = k.reason AND (d.state = '{HEALTHY}' OR d.key = :own OR w.kind = 'exchange')"
    " ORDER BY w.since LIMIT 1"
)
_COMPANY = f"SELECT {', '.join(CompanyRow.__slots__)} FROM company"


class Directories:
    """The companies and their directories."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    # --- looking up ---

    def by_id(self, id: str) -> DirectoryRow:
        """The directory of that id. Raises NotFound."""
        return self._one(f"{_DIRECTORY} WHERE d.id = :id", {"id": id}, f"there is no directory {id!r}")

    def by_key(self, key: int) -> DirectoryRow:
        """The directory of that key. Raises NotFound."""
        return self._one(f"{_DIRECTORY} WHERE d.key = :key", {"key": key}, f"there is no directory with key {key}")

    def by_keys(self, keys: Sequence[int]) -> list[DirectoryRow]:
        """The directories of those keys, by key; those that are not there are left out."""
        dialect = self._tx.dialect
        rows = self._tx.execute(
            f"{_DIRECTORY} WHERE {dialect.among('d.key', 'keys')} ORDER BY d.key", {"keys": dialect.listed(keys)}
        )
        return [_directory(row) for row in rows]

    def all(self, company: int | None = None) -> list[DirectoryRow]:
        """Every directory, or one company's, by id; retired ones too."""
        where = "" if company is None else " WHERE d.company = :company"
        values = {} if company is None else {"company": company}
        return [_directory(row) for row in self._tx.execute(f"{_DIRECTORY}{where} ORDER BY d.id", values)]

    def company(self, id: str) -> CompanyRow:
        """The company of that id. Raises NotFound."""
        row = self._tx.execute(f"{_COMPANY} WHERE id = :id", {"id": id}).one_or_none()
        if row is None:
            raise NotFound(f"there is no company {id!r}")
        return CompanyRow(*row)

    def company_by_key(self, key: int) -> CompanyRow:
        """The company of that key. Raises NotFound."""
        row = self._tx.execute(f"{_COMPANY} WHERE key = :key", {"key": key}).one_or_none()
        if row is None:
            raise NotFound(f"there is no company with key {key}")
        return CompanyRow(*row)

    def company_id(self, key: int) -> str:
        """The id of the company of that key. Raises NotFound."""
        return self.company_by_key(key).id

    def companies(self) -> list[CompanyRow]:
        """Every company but the provider, by id."""
        return [CompanyRow(*row) for row in self._tx.execute(f"{_COMPANY} WHERE key > 0 ORDER BY id")]

    def waiting_for(self, pool: int, *, returning: bool = False, own: int = 0) -> list[int]:
        """The companies in which somebody waits for the pool's seats or for what they bring, the one first whose
        longest-waiting account has waited longest (M8); with `returning`, those of them in which somebody is to be
        archived or returns.

        Whom no free seat can serve gives a company no place, be it for a limit or for a directory that is not healthy
        (`own` was just read, and is well again); where there are only such, it comes last.
        """
        only = f" AND EXISTS (SELECT 1 FROM waiting AS r WHERE {_RETURNS})" if returning else ""
        rows = self._tx.execute(
            f"SELECT k.company, min(CASE WHEN k.reason = 'insufficient_licenses' THEN ({_LONGEST}) END) AS longest"
            " FROM waiting_count AS k JOIN company AS c ON c.key = k.company WHERE c.pool = :pool AND k.n > 0 AND"
            f" k.reason IN ('insufficient_licenses', 'company_limit', 'rule_limit', 'entitlement'){only}"
            " GROUP BY k.company ORDER BY longest NULLS LAST, k.company",
            {"pool": pool, "own": own} | ({"new": RANK_NEW} if returning else {}),
        )
        return [row[0] for row in rows]

    def next_due(self) -> int | None:
        """When the next pass over any directory is due."""
        due: int | None = self._tx.execute(
            f"SELECT min(due_at) FROM directory WHERE NOT retired AND state <> '{FROZEN}'"
        ).scalar_one()
        return due

    # --- following the policy files (Z11) ---

    def register(
        self, policies: Sequence["Policy"], now: int, *, broken: Collection[str] = frozenset()
    ) -> tuple[Refused, ...]:
        """Bring companies and directories in line with the good policy files.

        `broken` names companies whose file is there but broken: they stay as they are. What no file has any more is
        frozen; what was retired stays retired. A directory that stands under another company now is refused: its
        licenses cannot move.
        """
        known = self._companies_of(policies)
        before = {row.id: row for row in self.all()}
        wanted, refused = _claims(policies, known, before)
        entries: list[tuple[int, Entry]] = []
        for id, (company, kind, every) in sorted(wanted.items()):
            entries += self._follow(id, company, kind, every, before.get(id), now)
        kept = {known[id].key for id in broken if id in known}
        for row in before.values():
            if row.id not in wanted and row.company not in kept and not row.retired and row.state != FROZEN:
                entries.append(self._freeze(row))
        entries += self._follow_companies(policies, known, kept)
        self._audit(entries, now)
        return refused

    def _companies_of(self, policies: Sequence["Policy"]) -> dict[str, CompanyRow]:
        known = {row.id: row for row in self.companies()}
        new = sorted(policy.company for policy in policies if policy.company not in known)
        self._tx.execute_many(
            "INSERT INTO company (id, audit_hash) VALUES (:id, :none)", [{"id": id, "none": b""} for id in new]
        )
        return {row.id: row for row in self.companies()} if new else known

    def _follow(
        self, id: str, company: int, kind: str, every: int, before: DirectoryRow | None, now: int
    ) -> list[tuple[int, Entry]]:
        """Add a directory, or let it go on as its file says now."""
        values = {"id": id, "company": company, "kind": kind, "every": every, "now": now}
        if before is None:
            self._tx.execute(
                "INSERT INTO directory (id, company, kind, every, due_at) VALUES (:id, :company, :kind, :every, :now)",
                values,
            )
            return []
        if before.state == FROZEN:
            told = {"problem": _UNREAD, "remedy": f"seatkeeper sync {id}, unless a daemon reads it anyway"}
            self._tx.execute(
                f"UPDATE directory SET state = '{NEVER_RUN}', problem = :problem, remedy = :remedy, kind = :kind,"
                " every = :every, plan_whole = true, due_at = :now WHERE id = :id",
                {**values, **told},
            )
            return [(company, _state_entry(before, "returned", SYSTEM, None, "it is in a policy file again"))]
        if (before.kind, before.every) != (kind, every):
            self._tx.execute(
                "UPDATE directory SET kind = :kind, every = :every, due_at = CASE WHEN due_at > :soon THEN :soon ELSE"
                " due_at END WHERE id = :id",
                {**values, "soon": now + every},
            )
        return []

    def _freeze(self, row: DirectoryRow) -> tuple[int, Entry]:
        """Leave a directory as it is; a run that is under way may not write any more."""
        why = "no policy file names it any more; its licenses stay as they are"
        remedy = f"put its file back, or, if it is gone for good: seatkeeper directory retire {row.id}"
        self._tx.execute(
            f"UPDATE directory SET state = '{FROZEN}', problem = :why, remedy = :remedy, failures = 0,"
            f" failing_since = NULL, {_INTERRUPTED} WHERE key = :key",
            {"key": row.key, "why": why, "remedy": remedy},
        )
        return row.company, _state_entry(row, "frozen", SYSTEM, None, why)

    def _follow_companies(
        self, policies: Sequence["Policy"], known: dict[str, CompanyRow], kept: Collection[int]
    ) -> Iterable[tuple[int, Entry]]:
        said = {policy.company: policy for policy in policies}
        for row in sorted(known.values(), key=lambda row: row.key):
            policy = said.get(row.id)  # type: ignore[call-overload]
            if row.state == RETIRED or (policy is None and row.key in kept):
                continue
            if policy is None:
                if row.state == ACTIVE:
                    self._tx.execute("UPDATE company SET state = 'frozen' WHERE key = :key", {"key": row.key})
                    yield row.key, _company_entry(row, "policy.missing", "its policy file is gone")
                continue
            pool = 0 if policy.licenses.pool == "global" else row.key
            if (row.name, row.state, row.pool) != (policy.name, ACTIVE, pool):
                self._tx.execute(
                    "UPDATE company SET name = :name, state = 'active', pool = :pool WHERE key = :key",
                    {"name": policy.name, "pool": pool, "key": row.key},
                )
            if row.state == FROZEN:
                yield row.key, _company_entry(row, "policy.returned", "its policy file is there again")

    # --- what a person says ---

    def retire_directory(self, key: int, who: str, now: int) -> None:
        """No policy file brings it back, and no run touches it any more (Z11). Its licenses stay as they are, and
        nobody of it waits for one. Raises Conflict if it is retired."""
        row = self.by_key(key)
        if row.retired:
            raise Conflict(f"{row.id} is retired already")
        entry = self._retire([row], row.pool, who)[0]
        self._tx.plans.close_of_directory(key, "the directory was retired", who, now)
        self._audit([(row.company, entry)], now)

    def retire_company(self, key: int, who: str, now: int) -> None:
        """Retire a company and its directories (Z11). Raises Conflict if it is retired."""
        company = self.company_by_key(key)
        if company.state == RETIRED:
            raise Conflict(f"{company.id} is retired already")
        entries = self._retire([row for row in self.all(key) if not row.retired], company.pool, who)
        self._tx.execute(f"UPDATE company SET state = '{RETIRED}' WHERE key = :key", {"key": key})
        self._tx.plans.close_of_company(key, "the company was retired", who, now)
        entries.append(_company_entry(company, "policy.retired", "a person retired the company", who))
        self._audit([(key, entry) for entry in entries], now)

    def _retire(self, rows: Sequence[DirectoryRow], pool: int, who: str) -> list[Entry]:
        for row in rows:
            changes = f"retired = true, plan_some = false, {_INTERRUPTED}"
            self._tx.execute(f"UPDATE directory SET {changes} WHERE key = :key", {"key": row.key})
        self._tx.lots.lock_pool(pool)  # whoever serves from it counts who waits, too
        for table in ("waiting", "grace", "unplanned", "mailbox_queue"):
            self._tx.execute_many(
                f"DELETE FROM {table} WHERE directory = :directory", [{"directory": row.key} for row in rows]
            )
        return [_state_entry(row, "retired", who, None, "a person retired it") for row in rows]

    def interrupt(self, key: int) -> None:
        """Keep a run that is under way from writing, because what it read is not what it would be planned by; the next
        one plans everybody."""
        self._tx.execute(f"UPDATE directory SET plan_whole = true, {_INTERRUPTED} WHERE key = :key", {"key": key})

    def licenses(self, key: int) -> dict[str, int]:
        """How many of each license the accounts of a directory hold; counted one by one."""
        rows = self._tx.execute(
            "SELECT license, count(*) FROM assignment WHERE directory = :key GROUP BY license ORDER BY license",
            {"key": key},
        )
        return {row[0]: row[1] for row in rows}

    def ask(self, key: int, now: int, *, full: bool = False) -> None:
        """Somebody wants a pass now, however long a failing directory would wait (Z9); with `full`, everybody read.

        Raises Conflict for a directory that is frozen or retired.
        """
        row = self.by_key(key)
        if row.retired or row.state == FROZEN:
            raise Conflict(f"{row.id} is {RETIRED if row.retired else FROZEN}; nothing is changed for it")
        whole = ", read_whole_at = 0" if full else ""
        self._tx.execute(
            f"UPDATE directory SET asked_at = :now, due_at = CASE WHEN due_at < :now THEN due_at ELSE :now END{whole}"
            " WHERE key = :key",
            {"key": key, "now": now},
        )

    def touch(self, keys: Iterable[int]) -> None:
        """A person changed licenses of these directories' accounts: a run that planned before that plans again."""
        self._tx.execute_many(
            "UPDATE directory SET revision = revision + 1 WHERE key = :key", [{"key": key} for key in sorted(set(keys))]
        )

    # --- what a run says ---

    def bind(self, key: int, tenant: str) -> bool:
        """Bind the directory to the tenant, customer or path that answered at its first good read; True the first time.

        Raises Conflict when it is bound to another one, or when another directory has this one (Z11).
        """
        row = self.by_key(key)
        if row.bound_to == tenant:
            return False
        if row.bound_to is not None:
            raise Conflict(f"{row.id} is bound to {row.bound_to}, and now {tenant} answers; use another directory id")
        other = self._tx.execute(
            "SELECT id FROM directory WHERE bound_to = :tenant AND kind = :kind AND key <> :key AND NOT retired"
            " ORDER BY id LIMIT 1",
            {"tenant": tenant, "kind": row.kind, "key": key},
        ).scalar_one_or_none()
        if other is not None:
            raise Conflict(f"{row.id} reads {tenant}, which is bound to {other}; one tenant has one directory id")
        self._tx.execute("UPDATE directory SET bound_to = :tenant WHERE key = :key", {"tenant": tenant, "key": key})
        return True

    def save_read(
        self,
        key: int,
        now: int,
        *,
        cursor: str | None,
        groups_cursor: str | None,
        full: bool,
        count_off: bool = False,
        plan_whole: bool = False,
        plan_some: bool = False,
        mailbox_problem: str | None = None,
        mailbox_remedy: str | None = None,
        mailboxes_asked: bool = False,
    ) -> None:
        """Keep the cursors of a complete read, in the transaction that merged it (Z2).

        `groups_cursor` stays where None is given; counts are compared in full reads only; trouble with mailboxes is
        kept or forgotten when they were asked for.
        """
        changes = ["cursor = :cursor", "groups_cursor = coalesce(:groups_cursor, groups_cursor)"]
        if full:
            changes += ["read_whole_at = :now", f"count_off = {'count_off + 1' if count_off else '0'}"]
        if mailboxes_asked:
            changes += [
                "mailbox_problem = :mailbox_problem", "mailbox_remedy = :mailbox_remedy", "mailbox_asked_at = :now",
            ]  # fmt: skip
        changes += [f"{name} = true" for name, set in (("plan_whole", plan_whole), ("plan_some", plan_some)) if set]
        values = {
            "key": key, "now": now, "cursor": cursor, "groups_cursor": groups_cursor,
            "mailbox_problem": mailbox_problem, "mailbox_remedy": mailbox_remedy,
        }  # fmt: skip
        self._set(changes, values)

    def plan_whole(self, key: int) -> None:
        """Let the next run plan everybody."""
        self._tx.execute("UPDATE directory SET plan_whole = true WHERE key = :key AND NOT plan_whole", {"key": key})

    def plan_some(self, key: int) -> None:
        """Let the next run plan the accounts that are noted as unplanned."""
        self._tx.execute("UPDATE directory SET plan_some = true WHERE key = :key AND NOT plan_some", {"key": key})

    def planned(self, key: int, now: int, version: int, *, whole: bool) -> None:
        """What changed was planned, or everybody under this policy version."""
        changes = ["plan_some = false"]
        if whole:
            changes += ["plan_whole = false", "planned_policy = :version", "planned_whole_at = :now"]
        self._set(changes, {"key": key, "now": now, "version": version})

    def succeeded(self, key: int, now: int, *, due_at: int, wake_at: int | None, read: bool = True) -> bool:
        """A pass ended well; `wake_at` is when something ends by itself; without `read` it had no need to read. Returns
        whether the state changed, which is told once. A directory that was frozen meanwhile stays so."""
        row = self.by_key(key)
        state = FROZEN if row.state == FROZEN else HEALTHY
        self._set(
            [
                "state = :state", "failures = 0", "failing_since = NULL", "problem = NULL", "remedy = NULL",
                "last_success = CASE WHEN :read THEN :now ELSE last_success END", "due_at = :due_at",
                "wake_at = :wake_at",
            ],
            {"key": key, "now": now, "state": state, "due_at": due_at, "wake_at": wake_at, "read": read},
        )  # fmt: skip
        if row.state in (FAILING, NEVER_RUN) and row.problem is not None:
            self._audit([(row.company, _state_entry(row, "recovered", SYSTEM, None, "it can be read again"))], now)
        return row.state != state

    def wakes(self, key: int, wake_at: int | None) -> None:
        """Something ends by itself at `wake_at`: a directory that is well is due by then."""
        due = f"CASE WHEN state = '{HEALTHY}' AND due_at > :wake_at THEN :wake_at ELSE due_at END"
        self._set(["wake_at = :wake_at", f"due_at = {due}"], {"key": key, "wake_at": wake_at})

    def failed(self, key: int, now: int, problem: str, remedy: str | None, *, retry_at: int) -> bool:
        """A pass failed: what is wrong, what a person can do, and when it is tried again. Returns whether the state
        changed, which is told once, however often it fails."""
        row = self.by_key(key)
        state = FROZEN if row.state == FROZEN else FAILING
        self._set(
            [
                "state = :state", "failures = failures + 1", "failing_since = coalesce(failing_since, :now)",
                "problem = :problem", "remedy = :remedy", "due_at = :retry_at",
            ],
            {"key": key, "now": now, "state": state, "problem": problem, "remedy": remedy, "retry_at": retry_at},
        )  # fmt: skip
        changed = row.state not in (FAILING, FROZEN)
        if changed:
            told = json_text(problem=problem, remedy=remedy)
            self._audit([(row.company, _state_entry(row, "failing", SYSTEM, told, problem))], now)
        return changed

    def record_run(
        self, id: str, key: int, result: Outcome, version: int, now: int, *, started_at: int | None = None
    ) -> None:
        """Keep what a run did; one that changed nothing leaves no row (Z12)."""
        if result.outcome == "nothing_to_do" and not result.changed and result.error is None:
            return
        self._tx.execute(
            "INSERT INTO run (id, directory, started_at, finished_at, mode, outcome, policy, seen, changed, plan_hash,"
            " error) VALUES (:id, :key, :started_at, :now, :mode, :outcome, :version, :seen, :changed, :plan_hash,"
            " :error) ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at, outcome = excluded.outcome,"
            " seen = excluded.seen, changed = excluded.changed, plan_hash = excluded.plan_hash, error = excluded.error",
            {
                "id": id, "key": key, "started_at": now if started_at is None else started_at, "now": now,
                "mode": result.mode, "outcome": result.outcome, "version": version, "seen": result.seen,
                "changed": result.changed, "plan_hash": result.plan_hash, "error": result.error,
            },
        )  # fmt: skip

    # --- within ---

    def _one(self, sql: str, values: dict[str, Any], missing: str) -> DirectoryRow:
        row = self._tx.execute(sql, values).one_or_none()
        if row is None:
            raise NotFound(missing)
        return _directory(row)

    def _set(self, changes: Iterable[str], values: dict[str, Any]) -> None:
        self._tx.execute(f"UPDATE directory SET {', '.join(changes)} WHERE key = :key", values)

    def _audit(self, entries: Iterable[tuple[int, Entry]], now: int) -> None:
        by_company: dict[int, list[Entry]] = {}
        for company, entry in entries:
            by_company.setdefault(company, []).append(entry)
        if by_company:
            self._tx.audit.open(by_company)
        for company, told in sorted(by_company.items()):
            self._tx.audit.append(company, told, now)


def _claims(
    policies: Sequence["Policy"], known: dict[str, CompanyRow], before: dict[str, DirectoryRow]
) -> tuple[dict[str, tuple[int, str, int]], tuple[Refused, ...]]:
    """Company, kind and interval of each directory that the files name, and what cannot be."""
    wanted: dict[str, tuple[int, str, int]] = {}
    refused = []
    for policy in policies:
        company = known[policy.company]
        for entry in policy.directories:
            row = before.get(entry.id)
            if company.state == RETIRED or (row is not None and row.retired):
                why = f"{company.id if company.state == RETIRED else entry.id} is retired; use another id"
                refused.append(Refused(company.id, entry.id, why))
            elif row is not None and row.company != company.key:
                why = f"{entry.id} belongs to {row.company_id}; a directory cannot move to another company"
                refused.append(Refused(company.id, entry.id, why))
            elif entry.id in wanted:
                refused.append(Refused(company.id, entry.id, f"{entry.id} is named in two files"))
            else:
                wanted[entry.id] = (company.key, entry.kind, span(entry.every))
    return wanted, tuple(refused)


def _directory(row: Sequence[Any]) -> DirectoryRow:
    values = dict(zip(DirectoryRow.__slots__, row, strict=True))
    for name in _BOOLEANS:
        values[name] = bool(values[name])
    return DirectoryRow(**values)


def _state_entry(row: DirectoryRow, what: str, who: str, after: str | None, because: str) -> Entry:
    before = json_text(state=row.state)
    return Entry(who, f"directory.{what}", row.id, row.key, before, after, because)


def _company_entry(row: CompanyRow, what: str, because: str, who: str = SYSTEM) -> Entry:
    return Entry(who, what, row.id, None, json_text(state=row.state), None, because)
