"""Policy files as numbered versions: the last good one of each company is in force, whatever its file says now (Z4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store.audit import Entry, json_text
from store.errors import NotFound
from store.times import rfc3339

if TYPE_CHECKING:
    from policies.errors import Problem
    from store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a company's policy, with the provider's file that it was read with."""

    key: int
    company: str
    n: int
    file: str
    text: str
    provider_text: str | None
    hash: str
    at: int


class Broken(NamedTuple):
    """A policy file that is not in force as it stands now, and every reason (as `policy check --json` prints them)."""

    file: str
    company: str | None
    """The company whose last good version came from this file, if there was one."""
    since: str
    problems: list[dict[str, Any]]


_VERSION = (
    "SELECT v.key, c.id, v.n, v.file, v.text, v.provider_text, v.hash, v.at"
    " FROM policy_version AS v JOIN company AS c ON c.key = v.company"
)


class Versions:
    """Policies as they were, and as they are in force."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def in_force(self, company: str) -> PolicyVersion | None:
        """The version by which the company is run now, or None where it never had a good one."""
        row = self._tx.execute(f"{_VERSION} WHERE c.id = :company AND v.key = c.policy", {"company": company})
        found = row.one_or_none()
        return None if found is None else PolicyVersion(*found)

    def all_in_force(self) -> list[PolicyVersion]:
        """The version in force of every company that has one, by company."""
        rows = self._tx.execute(f"{_VERSION} WHERE v.key = c.policy ORDER BY c.id")
        return [PolicyVersion(*row) for row in rows]

    def newest_in_force(self) -> PolicyVersion | None:
        """The version in force that was stored last, whosever it is; None where nobody has one."""
        row = self._tx.execute(f"{_VERSION} WHERE v.key = c.policy ORDER BY v.key DESC LIMIT 1").one_or_none()
        return None if row is None else PolicyVersion(*row)

    def newest(self) -> int | None:
        """The key of the version that was made last, of whichever company."""
        found: int | None = self._tx.execute("SELECT max(key) FROM policy_version").scalar_one()
        return found

    def version(self, key: int) -> PolicyVersion:
        """A version by its key: what a run was made with. Raises NotFound."""
        row = self._tx.execute(f"{_VERSION} WHERE v.key = :key", {"key": key}).one_or_none()
        if row is None:
            raise NotFound(f"there is no policy version {key}")
        return PolicyVersion(*row)

    def history(self, company: str) -> list[PolicyVersion]:
        """Every version of a company's policy, the newest first."""
        rows = self._tx.execute(f"{_VERSION} WHERE c.id = :company ORDER BY v.n DESC", {"company": company})
        return [PolicyVersion(*row) for row in rows]

    def store_good(
        self, company: str, text: str, file: str, provider_text: str | None, now: int, *, who: str = "system"
    ) -> int:
        """Put a good file in force; a new version only where its text, or the provider's, differs from the one in
        force. Returns the key of the version in force. Raises NotFound for a company that is not registered."""
        last = self.in_force(company)
        if last is not None and (last.text, last.provider_text) == (text, provider_text):
            if last.file != file:
                self._tx.execute(
                    "UPDATE policy_version SET file = :file WHERE key = :key", {"file": file, "key": last.key}
                )
            return last.key
        row = self._tx.directories.company(company)
        n = 1 + int(
            self._tx.execute(
                "SELECT coalesce(max(n), 0) FROM policy_version WHERE company = :company", {"company": row.key}
            ).scalar_one()
        )
        digest = sha256(msgspec.json.encode((text, provider_text))).hexdigest()
        key = int(
            self._tx.execute(
                "INSERT INTO policy_version (company, n, file, text, hash, provider_text, at)"
                " VALUES (:company, :n, :file, :text, :hash, :provider_text, :now) RETURNING key",
                {
                    "company": row.key, "n": n, "file": file, "text": text, "hash": digest,
                    "provider_text": provider_text, "now": now,
                },
            ).scalar_one()
        )  # fmt: skip
        self._tx.execute("UPDATE company SET policy = :key WHERE key = :company", {"key": key, "company": row.key})
        before = None if last is None else json_text(version=last.n, hash=last.hash)
        changed = Entry(
            who, "policy.changed", company, None, before, json_text(version=n, hash=digest), f"{file} was read"
        )
        self._tx.audit.append(row.key, [changed], now)
        return key

    def report_broken(self, broken: Mapping[str, Sequence["Problem"]], now: int) -> None:
        """Note which files are broken as they stand now, by path, and forget those that no longer are."""
        told = {
            file: msgspec.json.encode([_problem(problem) for problem in found]).decode()
            for file, found in broken.items()
        }
        known = {row[0]: row[1] for row in self._tx.execute("SELECT file, problems FROM policy_problem")}
        self._tx.execute_many(
            "DELETE FROM policy_problem WHERE file = :file",
            [{"file": file} for file in sorted(known) if file not in told],
        )
        self._tx.execute_many(
            "INSERT INTO policy_problem (file, problems, at) VALUES (:file, :problems, :now)"
            " ON CONFLICT (file) DO UPDATE SET problems = excluded.problems",
            [
                {"file": file, "problems": problems, "now": now}
                for file, problems in sorted(told.items())
                if known.get(file) != problems
            ],
        )

    def problems(self) -> list[Broken]:
        """The files that are broken as they stand now, by path."""
        rows = self._tx.execute(
            "SELECT p.file, c.id, p.at, p.problems FROM policy_problem AS p LEFT JOIN policy_version AS v"
            " ON v.file = p.file AND v.key IN (SELECT policy FROM company) LEFT JOIN company AS c ON c.policy = v.key"
            " ORDER BY p.file, c.id"
        )
        return [Broken(file, company, rfc3339(at) or "", msgspec.json.decode(told)) for file, company, at, told in rows]


def _problem(problem: "Problem") -> dict[str, Any]:
    mark = problem.mark
    return {
        "file": mark.file, "line": mark.line, "column": mark.column, "message": problem.message,
        "found": problem.found, "expected": problem.expected, "nearest": problem.nearest,
    }  # fmt: skip
