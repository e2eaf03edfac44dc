"""Holds: what a safety limit stopped until a person approves or rejects it by its hash, and what limits count (Z1).

A hold is one kind of change of one directory, or a purchase of one company, or a reading that is not believed (Z2). Its
hash covers the actions alone, so that the same hold keeps its name for as long as a run decides the same. Of several
rows with one hash the open one counts, else the newest: what was approved once may have to be held again later.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from policies.judging import Recent
from policies.planner import Proposal
from store.audit import Entry, json_text
from store.errors import Ambiguous, Conflict, NotFound
from store.times import instant, rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

HELD, APPROVED, REJECTED, SUPERSEDED = "held", "approved", "rejected", "superseded"
PURCHASE, READ = "purchase", "read"
PREFIX = "sha256:"
SHORTEST = 8
"""Hex digits of a hash that a person must give at the least."""
SYSTEM = "system"
DAY = 24 * 3_600 * 1_000_000
CHUNK = 10_000
NOBODY = 0
"""The account of a purchase."""

_ACTION = ("plan", "account", "kind", "held_license", "license", "rule", "because", "address", "id", "footing")
_REMOVALS = "('archive', 'release')"
_SAME = (
    "a.account = p.account AND a.kind = p.kind AND a.rule = p.rule AND a.license IS NOT DISTINCT FROM p.license"
    " AND a.held_license IS NOT DISTINCT FROM p.held_license"
)
_OF_DIRECTORY = "company = (SELECT company FROM directory WHERE key = :directory) AND directory = :directory"


class HeldPlan(NamedTuple):
    """A hold as the store has it, whatever became of it."""

    key: int
    hash: str
    company: int
    directory: int | None
    """None for a purchase."""
    kind: str
    state: str
    total: int
    """Actions; of a purchase, seats."""
    since: int
    run: str | None
    policy: int | None
    why: str
    decided_by: str | None
    decided_at: int | None
    license: str | None
    """What a purchase is of; None for every other kind."""


class PlanRow(msgspec.Struct, frozen=True):
    """A hold as `plan list --json` shows it."""

    hash: str
    company: str
    directory: str | None
    kind: str
    state: str
    total: int
    since: str
    why: str
    decided_by: str | None


class PlanAccount(msgspec.Struct, frozen=True):
    id: str
    address: str


class PlanAction(msgspec.Struct, frozen=True):
    """A held action as `plan show --json` shows it, in the shape of `sync --json`; of a purchase, without account."""

    kind: str
    account: PlanAccount | None
    license: str | None
    because: str
    held_license: str | None
    rule: str | None


class Plans:
    """Held plans of every company."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    # --- holding ---

    def hold(
        self,
        *,
        company: int,
        directory: int,
        kind: str,
        actions: Sequence[Proposal],
        why: str,
        run: str | None,
        policy: int | None,
        now: int,
    ) -> str:
        """Hold these actions of one kind and return their hash; those held already under it are left as they are.

        An open hold of the directory and kind with another hash is superseded, unless one of the two is a run's and
        the other a person's (`run` is None).
        """
        id = self._directory_id(directory)
        found = digest((p.kind, id, p.id, p.held_license or "", p.license or "", p.rule) for p in actions)
        older = self._open_of(directory, kind, by_run=run is not None)
        if older is not None and older.hash == found:
            return found
        key = self._save(company, directory, kind, found, len(actions), why, run, policy, older, now)
        self._tx.copy("plan_action", _ACTION, (_stored(key, p) for p in actions))
        return found

    def hold_purchase(self, company: int, license: str, seats: int, why: str, now: int) -> str:
        """Hold a purchase and return its hash. Nothing is written while the same is held, or while a person's
        rejection of as many seats stands."""
        id = self._company_id(company)
        found = digest([(PURCHASE, id, license, str(seats))])
        older = self._latest_purchase(company, license)
        if older is not None and _stands(older, found, seats):
            return found if older.state == HELD else older.hash
        if older is not None and older.state != HELD:
            older = None
        key = self._save(company, None, PURCHASE, found, seats, why, None, None, older, now)
        self._tx.copy("plan_action", _ACTION, [(key, NOBODY, PURCHASE, None, license, "", why, "", "", "")])
        return found

    def hold_read(self, company: int, directory: int, accounts: Sequence[str], why: str, run: str, now: int) -> str:
        """Hold a reading that would lose these accounts, by the directory's ids, and return its hash (Z2). Nothing
        is written while the same is held, or was rejected."""
        found = self._read_hash(directory, accounts)
        older = self._open_of(directory, READ, by_run=True)
        latest = self._latest(found)
        if latest is not None and latest.state in (HELD, REJECTED):
            return found
        key = self._save(company, directory, READ, found, len(accounts), why, run, None, older, now)
        for start in range(0, len(accounts), CHUNK):
            self._tx.execute(
                f"INSERT INTO plan_action ({', '.join(_ACTION)})"
                " SELECT :plan, a.key, :kind, h.license, NULL, '', 'missing from the listing', a.address, a.id, ''"
                " FROM account AS a LEFT JOIN assignment AS h ON h.account = a.key"
                f" WHERE a.directory = :directory AND {self._tx.dialect.among('a.id', 'ids')}",
                {
                    "plan": key,
                    "kind": READ,
                    "directory": directory,
                    "ids": self._tx.dialect.listed(list(accounts[start : start + CHUNK])),
                },
            )
        return found

    def read_approved(self, directory: int, accounts: Sequence[str]) -> bool:
        """Whether a person approved a reading that loses these very accounts, and none was merged since."""
        return bool(
            self._tx.execute(
                "SELECT count(*) FROM plan AS p JOIN directory AS d ON d.key = p.directory WHERE p.hash = :hash"
                " AND p.state = 'approved' AND p.decided_at > d.read_whole_at",
                {"hash": self._read_hash(directory, accounts)},
            ).scalar_one()
        )

    def supersede_others(self, directory: int, held: Sequence[str], now: int) -> None:
        """Close the directory's holds of removals whose kind its plan does not hold any more, and the hold of a
        reading once a whole one was believed. What a person asked for stays."""
        closed = self._tx.execute(
            f"SELECT key, hash, kind, total, company FROM plan WHERE {_OF_DIRECTORY} AND state = 'held'"
            f" AND run IS NOT NULL AND ((kind IN {_REMOVALS} AND NOT {self._tx.dialect.among('kind', 'held')})"
            " OR (kind = 'read' AND since < (SELECT read_whole_at FROM directory WHERE key = :directory)))"
            " ORDER BY key",
            {"directory": directory, "held": self._tx.dialect.listed(list(held))},
        ).all()
        for key, hash, kind, total, company in closed:
            self._close(key, SUPERSEDED, SYSTEM, now)
            before, after = _told(kind, total, HELD), _told(kind, total, SUPERSEDED)
            because = "a whole reading was believed" if kind == READ else "no longer beyond the limit"
            entry = Entry(SYSTEM, "plan.superseded", hash, directory, before, after, because)
            self._tx.audit.append(company, [entry], now)

    def withdraw_purchase(self, company: int, license: str, now: int) -> None:
        """Close the hold of a purchase that is not needed any more."""
        older = self._latest_purchase(company, license)
        if older is not None and older.state == HELD:
            self._close(older.key, SUPERSEDED, SYSTEM, now)
            self._record(older, "plan.superseded", SYSTEM, SUPERSEDED, now, "no longer needed")

    # --- what runs ask ---

    def plan_held_again(self, directory: int) -> None:
        """Note the accounts of the directory's open holds for planning: what is held is decided anew by every run."""
        self._tx.execute(
            "INSERT INTO unplanned (account, directory) SELECT a.account, p.directory FROM plan AS p"
            " JOIN plan_action AS a ON a.plan = p.key WHERE p.company = (SELECT company FROM directory"
            " WHERE key = :directory) AND p.directory = :directory AND p.state = 'held' AND p.kind <> 'read'"
            " ON CONFLICT (account) DO NOTHING",
            {"directory": directory},
        )

    def rejected(self, directory: int, batch: int) -> dict[str, list[int]]:
        """The accounts, by kind, for which this batch proposes what a person rejected, on the same footing."""
        keys = self._tx.execute(
            f"SELECT key FROM plan WHERE {_OF_DIRECTORY} AND state = 'rejected' ORDER BY key", {"directory": directory}
        )
        found: dict[str, set[int]] = {}
        for (key,) in keys.all():
            rows = self._tx.execute(
                f"SELECT p.kind, p.account FROM {_MATCHED} AND a.footing = p.footing", {"batch": batch, "plan": key}
            )
            for kind, account in rows:
                found.setdefault(kind, set()).add(account)
        return {kind: sorted(accounts) for kind, accounts in sorted(found.items())}

    def no_longer_proposed(self, plan: HeldPlan, batch: int) -> int:
        """How many of the plan's actions this batch does not propose: same account, kind, from, to and rule."""
        proposed = self._tx.execute(f"SELECT count(*) FROM {_MATCHED}", {"batch": batch, "plan": plan.key}).scalar_one()
        return plan.total - int(proposed)

    def recent(self, company: int, kind: str, license: str, now: int) -> Recent:
        """What counts against a limit already: changes of the last 24 hours, and licenses held then or now if more."""
        values = {"company": company, "kind": kind, "license": license, "since": now - DAY}
        done, held, change = self._tx.execute(
            "SELECT (SELECT coalesce(sum(n), 0) FROM removal WHERE company = :company AND kind = :kind"
            " AND license = :license AND at > :since), (SELECT coalesce(sum(held), 0) FROM holding_count"
            " WHERE company = :company AND license = :license), (SELECT coalesce(sum(change), 0) FROM movement"
            " WHERE company = :company AND license = :license AND at > :since)",
            values,
        ).one()
        return Recent(int(done), max(int(held), int(held) - int(change)))

    def note_removals(self, company: int, kind: str, license: str, n: int, now: int) -> None:
        """Remember removals that limits will count; those that a person approved are not to be told here."""
        self._tx.execute(
            "INSERT INTO removal (company, kind, license, at, n) VALUES (:company, :kind, :license, :now, :n)",
            {"company": company, "kind": kind, "license": license, "now": now, "n": n},
        )

    def note_movement(self, company: int, license: str, change: int, now: int) -> None:
        """Remember by how much the licenses held changed."""
        self._tx.execute(
            "INSERT INTO movement (company, license, at, change) VALUES (:company, :license, :now, :change)",
            {"company": company, "license": license, "now": now, "change": change},
        )

    # --- what people ask ---

    def find(self, hash: str) -> HeldPlan:
        """The plan of this hash, or of its first eight digits or more, whatever became of it.

        Raises NotFound, and Ambiguous where the digits begin several hashes; of these an open one comes first.
        """
        wanted = hash.strip().lower().removeprefix(PREFIX)
        if len(wanted) < SHORTEST or not set(wanted) <= set("0123456789abcdef"):
            raise NotFound(f"{hash!r} is no hash of a plan; give sha256: and at least {SHORTEST} digits of it")
        rows = self._plans("hash LIKE :hash ORDER BY (state = 'held') DESC, key DESC", hash=f"{PREFIX}{wanted}%")
        plans = [plan for plan in rows if plan.state == HELD] or rows
        if not plans:
            raise NotFound(f"no plan has the hash {hash}; `seatkeeper plan list` shows those that are held")
        if len({plan.hash for plan in plans}) > 1:
            raise Ambiguous(f"several plans have a hash that begins with {hash}; give more of its digits")
        return plans[0]

    def held(self, hash: str) -> HeldPlan:
        """The open hold of this hash. Raises NotFound and Ambiguous like `find`, and NotFound once it was decided."""
        plan = self.find(hash)
        if plan.state != HELD:
            raise NotFound(_decided(plan))
        return plan

    def listing(self, all_: bool = False, company: int | None = None) -> list[PlanRow]:
        """Open holds, oldest first; with `all_`, whatever became of them."""
        conditions = [*(() if all_ else ("p.state = 'held'",)), *(() if company is None else ("p.company = :company",))]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self._tx.execute(
            "SELECT p.hash, c.id AS company, d.id AS directory, p.kind, p.state, p.total, p.since, p.why, p.decided_by"
            " FROM plan AS p JOIN company AS c ON c.key = p.company LEFT JOIN directory AS d ON d.key = p.directory"
            f"{where} ORDER BY p.since, p.key",
            {} if company is None else {"company": company},
        )
        return [
            PlanRow(hash, of, directory, kind, state, total, rfc3339(since) or "", why, decided_by)
            for hash, of, directory, kind, state, total, since, why, decided_by in rows
        ]

    def actions(self, hash: str, limit: int) -> list[PlanAction]:
        """The first actions of a plan, by address."""
        rows = self._tx.execute(
            "SELECT kind, id, address, license, because, held_license, rule, account FROM plan_action"
            " WHERE plan = :plan ORDER BY address, id LIMIT :limit",
            {"plan": self.find(hash).key, "limit": limit},
        )
        return [
            PlanAction(
                row.kind, None if row.account == NOBODY else PlanAccount(row.id, row.address), row.license,
                row.because, row.held_license, row.rule or None,
            )
            for row in rows
        ]  # fmt: skip

    def accounts(self, plan: HeldPlan) -> frozenset[int]:
        """The keys of the accounts that the plan's actions are for."""
        rows = self._tx.execute(
            "SELECT account FROM plan_action WHERE plan = :plan AND account <> :nobody",
            {"plan": plan.key, "nobody": NOBODY},
        )
        return frozenset(row[0] for row in rows)

    def approve(self, plan: HeldPlan, who: str, now: int) -> None:
        """A person lets the hold go ahead. Raises Conflict if it is not open any more."""
        self._decide(plan, APPROVED, who, now)

    def reject(self, plan: HeldPlan, who: str, now: int) -> None:
        """A person refuses the hold: none of it is proposed again until what it rests on changes, or `reopen`.
        Raises Conflict if it is not open any more."""
        self._decide(plan, REJECTED, who, now)

    def reopen(self, hash: str, who: str, now: int) -> None:
        """Let what was rejected be proposed again, from the next run on. Raises NotFound, Ambiguous, and Conflict for
        a plan that nobody rejected."""
        plan = self.find(hash)
        if plan.state != REJECTED:
            raise Conflict(f"{plan.hash} is {plan.state}; only what was rejected can be reopened")
        # The directory's row is locked before its accounts are noted, so that no run under way misses them.
        where = "company = :company" if plan.directory is None else "key = :directory"
        self._tx.execute(
            f"UPDATE directory SET plan_some = true WHERE {where}",
            {"company": plan.company} if plan.directory is None else {"directory": plan.directory},
        )
        if plan.directory is not None and plan.kind != READ:
            self._tx.execute(
                "INSERT INTO unplanned (account, directory) SELECT account, :directory FROM plan_action"
                " WHERE plan = :plan ON CONFLICT (account) DO NOTHING",
                {"directory": plan.directory, "plan": plan.key},
            )
        self._close(plan.key, SUPERSEDED, who, now)
        self._record(plan, "plan.reopened", who, SUPERSEDED, now, plan.why)

    # --- below ---

    def _decide(self, plan: HeldPlan, state: str, who: str, now: int) -> None:
        # The pool comes before the audit in the order of locks (store.audit), and what is approved is applied next.
        self._tx.execute(
            "SELECT key FROM company WHERE key = (SELECT pool FROM company WHERE key = :company)"
            f"{self._tx.dialect.for_update()}",
            {"company": plan.company},
        )
        if not self._close(plan.key, state, who, now, was=HELD):
            raise Conflict(_decided(self._plans("key = :key", key=plan.key)[0]))
        self._record(plan, f"plan.{state}", who, state, now, plan.why)

    def _close(self, key: int, state: str, who: str, now: int, was: str | None = None) -> bool:
        only = "" if was is None else " AND state = :was"
        changed = self._tx.execute(
            f"UPDATE plan SET state = :state, decided_by = :who, decided_at = :now WHERE key = :key{only}",
            {"state": state, "who": who, "now": now, "key": key} | ({} if was is None else {"was": was}),
        )
        return changed.rowcount == 1

    def _save(
        self,
        company: int,
        directory: int | None,
        kind: str,
        hash: str,
        total: int,
        why: str,
        run: str | None,
        policy: int | None,
        older: HeldPlan | None,
        now: int,
    ) -> int:
        if older is not None:
            self._close(older.key, SUPERSEDED, SYSTEM, now)
        key = self._tx.execute(
            "INSERT INTO plan (hash, company, directory, kind, state, total, since, run, policy, why)"
            " VALUES (:hash, :company, :directory, :kind, 'held', :total, :now, :run, :policy, :why) RETURNING key",
            {
                "hash": hash, "company": company, "directory": directory, "kind": kind, "total": total, "now": now,
                "run": run, "policy": policy, "why": why,
            },
        ).scalar_one()  # fmt: skip
        before = None if older is None else json_text(hash=older.hash, kind=kind, total=older.total)
        entry = Entry(SYSTEM, "plan.held", hash, directory, before, _told(kind, total, HELD), why)
        self._tx.audit.append(company, [entry], now)
        return int(key)

    def _record(self, plan: HeldPlan, what: str, who: str, state: str, now: int, because: str) -> None:
        before, after = _told(plan.kind, plan.total, plan.state), _told(plan.kind, plan.total, state)
        self._tx.audit.append(plan.company, [Entry(who, what, plan.hash, plan.directory, before, after, because)], now)

    def _plans(self, condition: str, **values: Any) -> list[HeldPlan]:
        rows = self._tx.execute(
            "SELECT key, hash, company, directory, kind, state, total, since, run, policy, why, decided_by, decided_at,"
            f" (SELECT license FROM plan_action WHERE plan = key AND account = {NOBODY}) FROM plan WHERE {condition}",
            values,
        )
        return [HeldPlan._make(row) for row in rows]

    def _latest(self, hash: str) -> HeldPlan | None:
        return next(iter(self._plans("hash = :hash ORDER BY (state = 'held') DESC, key DESC LIMIT 1", hash=hash)), None)

    def _open_of(self, directory: int, kind: str, *, by_run: bool) -> HeldPlan | None:
        condition = f"{_OF_DIRECTORY} AND kind = :kind AND state = 'held' AND run IS {'NOT ' if by_run else ''}NULL"
        return next(iter(self._plans(condition, directory=directory, kind=kind)), None)

    def _latest_purchase(self, company: int, license: str) -> HeldPlan | None:
        condition = (
            "company = :company AND kind = 'purchase' AND EXISTS (SELECT 1 FROM plan_action AS a"
            " WHERE a.plan = plan.key AND a.license = :license) ORDER BY key DESC LIMIT 1"
        )
        return next(iter(self._plans(condition, company=company, license=license)), None)

    def _read_hash(self, directory: int, accounts: Sequence[str]) -> str:
        id = self._directory_id(directory)
        return digest([(READ, id), *((READ, id, account) for account in accounts)])

    def _directory_id(self, directory: int) -> str:
        id: str = self._tx.execute("SELECT id FROM directory WHERE key = :key", {"key": directory}).scalar_one()
        return id

    def _company_id(self, company: int) -> str:
        id: str = self._tx.execute("SELECT id FROM company WHERE key = :key", {"key": company}).scalar_one()
        return id


# A plan's actions are looked up by their key for each proposal: SQLite takes the tables in the order written.
_MATCHED = f"proposal AS p CROSS JOIN plan_action AS a WHERE p.batch = :batch AND a.plan = :plan AND {_SAME}"


def digest(actions: Iterable[tuple[str, ...]]) -> str:
    """The hash of actions, whatever order they come in."""
    found = sha256()
    for action in sorted(actions):
        found.update(msgspec.json.encode(action) + b"\n")
    return PREFIX + found.hexdigest()


def _stored(key: int, p: Proposal) -> tuple[Any, ...]:
    return (key, p.account, p.kind, p.held_license, p.license, p.rule, p.because, p.address, p.id, p.footing)


def _stands(plan: HeldPlan, hash: str, seats: int) -> bool:
    """Whether a purchase need not be held: it is, or a person rejected as many seats."""
    return (plan.state == HELD and plan.hash == hash) or (plan.state == REJECTED and seats <= plan.total)


def _told(kind: str, total: int, state: str) -> str:
    return json_text(kind=kind, total=total, state=state)


def _decided(plan: HeldPlan) -> str:
    """What became of a plan, in a sentence."""
    if plan.state == SUPERSEDED:
        return f"{plan.hash} is no longer held; `seatkeeper plan list` shows what is held now"
    at = "" if plan.decided_at is None else f" on {instant(plan.decided_at):%Y-%m-%d %H:%M} UTC"
    return f"{plan.hash} was {plan.state} by {plan.decided_by}{at}"
