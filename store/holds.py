"""Holding: what a safety limit stops is written down under the hash of its actions, once (Z1, Z2).

A hold is one kind of change of one directory, or a purchase of one company, or a reading that is not believed. A newer
one takes the place of the older one of its kind.
"""

from collections.abc import Sequence
from typing import Any

from policies.planner import Proposal
from store.audit import Entry, json_text
from store.plan_rows import (
    HELD,
    NOBODY,
    OF_DIRECTORY,
    PURCHASE,
    READ,
    REJECTED,
    REMOVALS,
    SUPERSEDED,
    SYSTEM,
    HeldPlan,
    PlanTable,
    digest,
    told,
)

CHUNK = 10_000
UNASSIGN = "unassign"

_ACTION = ("plan", "account", "kind", "held_license", "license", "rule", "because", "address", "id", "footing")


class Holds(PlanTable):
    """Holding, and closing what is not held any more."""

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

        A run's open hold of the directory and kind with another hash is superseded; what a person asked for (`run` is
        None) stands beside whatever else is held.
        """
        id = self._directory_id(directory)
        found = digest((p.kind, id, p.id, p.held_license or "", p.license or "", p.rule) for p in actions)
        if run is None and (same := self._latest(found)) is not None and same.state == HELD:
            return found
        older = None if run is None else self._open_of(directory, kind)
        if older is not None and older.hash == found:
            self._refresh(older.key, actions)
            return found
        key = self._save(company, directory, kind, found, len(actions), why, run, policy, older, now)
        self._tx.copy("plan_action", _ACTION, (_stored(key, p) for p in actions))
        return found

    def _refresh(self, plan: int, actions: Sequence[Proposal]) -> None:
        """Keep what held actions rest on as it is now: that is what a rejection will stand on."""
        rows = self._tx.execute("SELECT account, footing FROM plan_action WHERE plan = :plan", {"plan": plan})
        known = {row[0]: row[1] for row in rows}
        self._tx.execute_many(
            "UPDATE plan_action SET footing = :footing WHERE plan = :plan AND account = :account",
            [
                {"plan": plan, "account": p.account, "footing": p.footing}
                for p in actions
                if known[p.account] != p.footing
            ],
        )

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

    def hold_endpoints(self, company: int, actions: Sequence[tuple[int, str, str]], why: str, now: int) -> str:
        """Hold the deactivation of endpoints, by key, name and the license that each holds, and return its hash;
        nothing is written while the same is held."""
        id = self._company_id(company)
        found = digest((UNASSIGN, id, name, license) for _, name, license in actions)
        latest = self._latest(found)
        if latest is not None and latest.state == HELD:
            return found
        key = self._save(company, None, UNASSIGN, found, len(actions), why, None, None, None, now)
        rows = (
            (key, -endpoint, UNASSIGN, license, None, "", why, name, name, "") for endpoint, name, license in actions
        )
        self._tx.copy("plan_action", _ACTION, rows)
        return found

    def hold_read(self, company: int, directory: int, accounts: Sequence[str], why: str, run: str, now: int) -> str:
        """Hold a reading that would lose these accounts, by the directory's ids, and return its hash (Z2). Nothing
        is written while the same is held, or was rejected."""
        found = self._read_hash(directory, accounts)
        older = self._open_of(directory, READ)
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
            f"SELECT key, hash, kind, total, company FROM plan WHERE {OF_DIRECTORY} AND state = 'held'"
            f" AND run IS NOT NULL AND ((kind IN {REMOVALS} AND NOT {self._tx.dialect.among('kind', 'held')})"
            " OR (kind = 'read' AND since < (SELECT read_whole_at FROM directory WHERE key = :directory)))"
            " ORDER BY key",
            {"directory": directory, "held": self._tx.dialect.listed(list(held))},
        ).all()
        for key, hash, kind, total, company in closed:
            self._close(key, SUPERSEDED, SYSTEM, now)
            before, after = told(kind, total, HELD), told(kind, total, SUPERSEDED)
            because = "a whole reading was believed" if kind == READ else "no longer beyond the limit"
            entry = Entry(SYSTEM, "plan.superseded", hash, directory, before, after, because)
            self._tx.audit.append(company, [entry], now)

    def withdraw_purchase(self, company: int, license: str, now: int) -> None:
        """Close the hold of a purchase that is not needed any more."""
        older = self._latest_purchase(company, license)
        if older is not None and older.state == HELD:
            self._close(older.key, SUPERSEDED, SYSTEM, now)
            self._record(older, "plan.superseded", SYSTEM, SUPERSEDED, now, "no longer needed")

    def close_of_directory(self, directory: int, because: str, who: str, now: int) -> None:
        """Close whatever is held of a directory that no run touches any more."""
        self._close_all(f"{OF_DIRECTORY} AND state = 'held'", because, who, now, directory=directory)

    def close_of_company(self, company: int, because: str, who: str, now: int) -> None:
        """Close whatever is held of a company, purchases included."""
        self._close_all("company = :company AND state = 'held'", because, who, now, company=company)

    def _close_all(self, condition: str, because: str, who: str, now: int, **values: int) -> None:
        for plan in self._plans(f"{condition} ORDER BY key", **values):
            self._close(plan.key, SUPERSEDED, who, now)
            self._record(plan, "plan.superseded", who, SUPERSEDED, now, because)

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
        entry = Entry(SYSTEM, "plan.held", hash, directory, before, told(kind, total, HELD), why)
        self._tx.audit.append(company, [entry], now)
        return int(key)

    def _latest(self, hash: str) -> HeldPlan | None:
        return next(iter(self._plans("hash = :hash ORDER BY (state = 'held') DESC, key DESC LIMIT 1", hash=hash)), None)

    def _open_of(self, directory: int, kind: str) -> HeldPlan | None:
        condition = f"{OF_DIRECTORY} AND kind = :kind AND state = 'held' AND run IS NOT NULL"
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


def _stored(key: int, p: Proposal) -> tuple[Any, ...]:
    return (key, p.account, p.kind, p.held_license, p.license, p.rule, p.because, p.address, p.id, p.footing)


def _stands(plan: HeldPlan, hash: str, seats: int) -> bool:
    """Whether a purchase need not be held: it is, or a person rejected as many seats."""
    return (plan.state == HELD and plan.hash == hash) or (plan.state == REJECTED and seats <= plan.total)
