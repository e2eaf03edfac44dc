"""Plans that wait for a person, by their hash: who decides what, and what runs must know of it (Z1).

Of several rows with one hash the open one counts, else the newest: what was approved once may have to be held again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from store.deliveries import Deliveries
from store.errors import Ambiguous, Conflict, NotFound
from store.limits import Counted
from store.plan_rows import (
    APPROVED,
    HELD,
    NOBODY,
    OF_DIRECTORY,
    PREFIX,
    READ,
    REJECTED,
    REMOVALS,
    SUPERSEDED,
    SYSTEM,
    PlanAccount,
    what_became_of,
)
from store.plan_rows import HeldPlan as HeldPlan
from store.plan_rows import PlanAction as PlanAction
from store.plan_rows import PlanRow as PlanRow
from store.plan_rows import digest as digest
from store.times import rfc3339

SHORTEST = 8
"""Hex digits of a hash that a person must give at the least."""

_SAME = (
    "a.account = p.account AND a.kind = p.kind AND a.rule = p.rule AND a.license IS NOT DISTINCT FROM p.license"
    " AND a.held_license IS NOT DISTINCT FROM p.held_license"
)
# A plan's actions are looked up by their key for each proposal: SQLite takes the tables in the order written.
_MATCHED = f"proposal AS p CROSS JOIN plan_action AS a WHERE p.batch = :batch AND p.kind IN {REMOVALS} AND {_SAME}"


class Plans(Deliveries, Counted):
    """Held plans of every company."""

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
            f"SELECT key FROM plan WHERE {OF_DIRECTORY} AND state = 'rejected' AND kind IN {REMOVALS} ORDER BY key",
            {"directory": directory},
        ).scalars()
        rejected = ", ".join(map(str, keys))
        if not rejected:
            return {}
        found: dict[str, list[int]] = {}
        for kind, account in self._tx.execute(
            f"SELECT DISTINCT p.kind, p.account FROM {_MATCHED} AND a.plan IN ({rejected}) AND a.footing = p.footing"
            " ORDER BY p.kind, p.account",
            {"batch": batch},
        ):
            found.setdefault(kind, []).append(account)
        return found

    def no_longer_proposed(self, plan: HeldPlan, batch: int) -> int:
        """How many of the plan's actions this batch does not propose: same account, kind, from, to and rule."""
        proposed = self._tx.execute(
            f"SELECT count(*) FROM {_MATCHED} AND a.plan = :plan", {"batch": batch, "plan": plan.key}
        ).scalar_one()
        return plan.total - int(proposed)

    def withdraw(self, directory: int, kind: str, now: int) -> None:
        """Close the directory's hold of a kind that no run proposes, because nothing stands behind it any more."""
        older = self._open_of(directory, kind)
        if older is not None:
            self._close(older.key, SUPERSEDED, SYSTEM, now)
            self._record(older, "plan.superseded", SYSTEM, SUPERSEDED, now, "no longer beyond the limit")

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
            raise NotFound(what_became_of(plan))
        return plan

    def listing(self, all_: bool = False, company: int | None = None) -> list[PlanRow]:
        """Open holds, oldest first; with `all_`, whatever became of them."""
        conditions = [*(() if all_ else ("p.state = 'held'",)), *(() if company is None else ("p.company = :company",))]
        return self._shown(" AND ".join(conditions) or "true", {} if company is None else {"company": company})

    def held_of(self, companies: Sequence[int]) -> dict[str, list[PlanRow]]:
        """Open holds of these companies, by company, oldest first."""
        dialect = self._tx.dialect
        found: dict[str, list[PlanRow]] = {}
        condition = f"p.state = 'held' AND {dialect.among('p.company', 'companies')}"
        for plan in self._shown(condition, {"companies": dialect.listed(companies)}):
            found.setdefault(plan.company, []).append(plan)
        return found

    def shown(self, plan: HeldPlan) -> PlanRow:
        """A plan as lists show it."""
        return self._shown("p.key = :key", {"key": plan.key})[0]

    def _shown(self, condition: str, values: Mapping[str, Any]) -> list[PlanRow]:
        rows = self._tx.execute(
            "SELECT p.hash, c.id AS company, d.id AS directory, p.kind, p.state, p.total, p.since, p.why, p.decided_by"
            " FROM plan AS p JOIN company AS c ON c.key = p.company LEFT JOIN directory AS d ON d.key = p.directory"
            f" WHERE {condition} ORDER BY p.since, p.key",
            values,
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

    def _decide(self, plan: HeldPlan, state: str, who: str, now: int) -> None:
        # The pool comes before the audit in the order of locks (store.audit), and what is approved is applied next.
        self._tx.execute(
            "SELECT key FROM company WHERE key = (SELECT pool FROM company WHERE key = :company)"
            f"{self._tx.dialect.for_update()}",
            {"company": plan.company},
        )
        if not self._close(plan.key, state, who, now, was=HELD):
            raise Conflict(what_became_of(self._plans("key = :key", key=plan.key)[0]))
        self._record(plan, f"plan.{state}", who, state, now, plan.why)
