"""Holds for legal reasons: whose backups may not go, whatever clock has run out and whoever started it (R2)."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from store.audit import Entry, json_text
from store.times import rfc3339

if TYPE_CHECKING:
    from store.by_hand import Subject
    from store.directories import CompanyRow
    from store.transaction import Transaction

EVERYBODY = 0
"""The account of a hold that is on a whole company."""
SET, LIFTED = "legal_hold.set", "legal_hold.lifted"


def on_hold(account: str, company: str) -> str:
    """The condition that the backups of an account may not go: it is on hold itself, or an account that it covers is,
    or the company. `account` and `company` are columns."""
    return (
        f"EXISTS (SELECT 1 FROM legal_hold AS lh WHERE lh.company = {company} AND (lh.account IN ({EVERYBODY},"
        f" {account}) OR lh.account IN (SELECT lk.old FROM link AS lk WHERE lk.new = {account})))"
    )


class LegalHolds:
    """Who is on hold for legal reasons."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def hold(self, subjects: Sequence["Subject"], who: str, now: int) -> int:
        """Put accounts of one company on hold; returns how many were not yet."""
        found = self._directly([subject.key for subject in subjects])
        new = [subject for subject in subjects if subject.key not in found]
        self._tx.execute_many(
            "INSERT INTO legal_hold (company, account, at, who) VALUES (:company, :account, :now, :who)",
            [{"company": s.company, "account": s.key, "now": now, "who": who} for s in new],
        )
        self._record(new, SET, who, now)
        return len(new)

    def lift(self, subjects: Sequence["Subject"], who: str, now: int) -> int:
        """End the holds on accounts of one company; returns how many were on hold. One on the company stays."""
        found = self._directly([subject.key for subject in subjects])
        held = [subject for subject in subjects if subject.key in found]
        self._tx.execute_many(
            "DELETE FROM legal_hold WHERE company = :company AND account = :account",
            [{"company": subject.company, "account": subject.key} for subject in held],
        )
        self._record(held, LIFTED, who, now)
        return len(held)

    def hold_company(self, company: "CompanyRow", who: str, now: int) -> int:
        """Put a whole company on hold, accounts of tomorrow included; 0 if it is already."""
        if self.company_held(company.key):
            return 0
        self._tx.execute(
            "INSERT INTO legal_hold (company, account, at, who) VALUES (:company, :account, :now, :who)",
            {"company": company.key, "account": EVERYBODY, "now": now, "who": who},
        )
        self._record_company(company, SET, who, now)
        return 1

    def lift_company(self, company: "CompanyRow", who: str, now: int) -> int:
        """End the hold on a company; those on single accounts of it stay. 0 if there is none."""
        if not self.company_held(company.key):
            return 0
        self._tx.execute(
            "DELETE FROM legal_hold WHERE company = :company AND account = :account",
            {"company": company.key, "account": EVERYBODY},
        )
        self._record_company(company, LIFTED, who, now)
        return 1

    def company_held(self, company: int) -> bool:
        """Whether the whole company is on hold."""
        return bool(
            self._tx.execute(
                "SELECT count(*) FROM legal_hold WHERE company = :company AND account = :account",
                {"company": company, "account": EVERYBODY},
            ).scalar_one()
        )

    def among(self, keys: Collection[int]) -> set[int]:
        """Those of these accounts whose backups may not go: on hold themselves, through an account that they cover, or
        with their company."""
        if not keys or not self._tx.execute("SELECT EXISTS (SELECT 1 FROM legal_hold)").scalar_one():
            return set()
        rows = self._tx.execute(
            "SELECT a.key FROM account AS a JOIN directory AS d ON d.key = a.directory WHERE"
            f" {self._tx.dialect.among('a.key', 'keys')} AND {on_hold('a.key', 'd.company')}",
            self._listed(keys),
        )
        return {row[0] for row in rows}

    def _directly(self, keys: Collection[int]) -> set[int]:
        rows = self._tx.execute(
            f"SELECT account FROM legal_hold WHERE {self._tx.dialect.among('account', 'keys')}", self._listed(keys)
        )
        return {row[0] for row in rows}

    def _record(self, subjects: Sequence["Subject"], what: str, who: str, now: int) -> None:
        for company in sorted({subject.company for subject in subjects}):
            own = [subject for subject in subjects if subject.company == company]
            before, after = _told(what, now)
            entries = (Entry(who, what, s.id, s.directory, before, after, "for legal reasons") for s in own)
            self._tx.audit.append(company, entries, now)

    def _record_company(self, company: "CompanyRow", what: str, who: str, now: int) -> None:
        before, after = _told(what, now)
        self._tx.audit.append(
            company.key, [Entry(who, what, company.id, None, before, after, "for legal reasons")], now
        )

    def _listed(self, keys: Collection[int]) -> dict[str, Any]:
        return {"keys": self._tx.dialect.listed(sorted(set(keys)))}


def _told(what: str, now: int) -> tuple[str, str]:
    held, free = json_text(legal_hold=True, at=rfc3339(now)), json_text(legal_hold=False)
    return (free, held) if what == SET else (json_text(legal_hold=True), free)
