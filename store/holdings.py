"""Who holds what: every change to assignments, waits, graces and retention clocks, with its audit entry.

Changes come in chunks; each chunk is a handful of statements, whatever its size. Counters follow by triggers.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from policies.model import Source
from policies.planner import Proposal
from store.audit import Entry
from store.limits import APPROVED_NOW

if TYPE_CHECKING:
    from store.transaction import Transaction

_ASSIGNMENT = ("account", "company", "directory", "license", "through", "lot", "source", "because", "since")
_WAITING = (
    "account", "company", "directory", "license", "through", "rank", "rule_position", "rule", "since", "address", "id",
    "reason", "kind", "source", "because",
)  # fmt: skip
UNSERVABLE_RANK = 90
"""Where those wait whom no stock can help, so that nobody who reads the line meets them."""

EVENTS = {
    "assign": "license.assigned",
    "archive": "license.archived",
    "release": "license.released",
    "restore": "license.restored",
    "move": "license.moved",
    "exchange": "license.exchanged",
    "follow": "account.followed",
    "pin": "account.pinned",
    "unpin": "account.unpinned",
}


class Held(NamedTuple):
    """A license as an account holds it."""

    license: str
    through: str
    lot: int | None
    source: str
    because: str
    since: int


class Change(NamedTuple):
    """One account's license before and after. `directory` is the key of the directory that the account is of."""

    account: int
    directory: int
    id: str
    kind: str
    who: str
    because: str
    before: Held | None
    after: Held | None


class Wait(NamedTuple):
    """An account that waits from now on, or for another reason than before."""

    directory: int
    proposal: Proposal
    reason: str
    who: str


class Holdings:
    """Assignments and what surrounds them, of one company at a time."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def change(self, company: int, changes: Sequence[Change], now: int, retention: int) -> None:
        """Carry out changes to licenses: assignments, clocks, audit. Waits of these accounts end.

        `retention` is how long an account keeps its data after `standard` was taken, in microseconds (L4).
        """
        if not changes:
            return
        accounts = [change.account for change in changes]
        held = [change.account for change in changes if change.before is not None]
        if held:
            self._delete("assignment", held)
        self._tx.copy("assignment", _ASSIGNMENT, _assignments(company, changes))
        for table in ("waiting", "grace", "retention"):
            self._delete(table, accounts)
        self._start_clocks(company, changes, now, retention)
        self._tx.audit.append(company, _entries(changes, self._lot_ids(changes)), now)

    def exchange(self, company: int, changes: Sequence[Change], now: int) -> None:
        """Carry out changes that are only of the lot that a seat is from (M4): whatever else is under way for these
        accounts goes on, but for their wait for this very seat."""
        accounts: dict[int, list[int]] = {}
        for change in changes:
            if change.after is not None and change.after.lot is not None:
                accounts.setdefault(change.after.lot, []).append(change.account)
        among = self._tx.dialect.among("account", "accounts")
        for lot, moved in accounts.items():
            listed = {"accounts": self._tx.dialect.listed(moved)}
            self._tx.execute(f"UPDATE assignment SET lot = :lot WHERE {among}", {"lot": lot, **listed})
            self._tx.execute(f"DELETE FROM waiting WHERE kind = 'exchange' AND {among}", listed)
        self._tx.audit.append(company, _entries(changes, self._lot_ids(changes)), now)

    def wait(self, company: int, waits: Sequence[Wait], now: int) -> None:
        """Put accounts in line, or note that they wait for another reason."""
        if not waits:
            return
        self._delete("waiting", [wait.proposal.account for wait in waits])
        self._delete("grace", [wait.proposal.account for wait in waits if _has_come_back(wait.proposal)])
        self._tx.copy("waiting", _WAITING, (_waiting(company, wait) for wait in waits))
        self._tx.audit.append(company, (_wait_entry(wait) for wait in waits), now)

    def wait_for_limit(self, company: int, license: str, reason: str, now: int, sources: Collection[str] = ()) -> None:
        """Those who wait for a seat of this license, for want of one, wait for a limit (`reason`) from now on: with
        `sources`, those who would hold it from one of these and do not yet. Expired holders need no room."""
        of = ""
        if sources:
            of = (
                f" AND {self._tx.dialect.among('source', 'sources')} AND NOT EXISTS (SELECT 1 FROM assignment AS h"
                " WHERE h.account = waiting.account AND h.source = waiting.source)"
            )
        rows = self._tx.execute(
            "UPDATE waiting SET reason = :reason WHERE company = :company AND reason = 'insufficient_licenses'"
            f" AND license = :license AND through = 'seat' AND kind <> 'exchange'{of}"
            " RETURNING address, id, directory, rule, because",
            {"company": company, "license": license, "reason": reason}
            | ({"sources": self._tx.dialect.listed(sorted(sources))} if sources else {}),
        )
        after = _wait_json(license, reason)
        entries = (
            Entry(f"rule:{rule}" if rule else "system", "account.waiting", id, directory, None, after, because)
            for _, id, directory, rule, because in sorted(map(tuple, rows))
        )
        self._tx.audit.append(company, entries, now)

    def settle(self, accounts: Sequence[int]) -> None:
        """These wait for nothing any more, and no grace runs for them."""
        self._delete("waiting", accounts)
        self._delete("grace", accounts)

    def take_without_clock(self, accounts: Sequence[int]) -> None:
        """These hold nothing any more, and no clock runs for them: another license covers their backups (D5)."""
        for table in ("assignment", "waiting", "grace", "retention"):
            self._delete(table, accounts)

    def start_graces(self, directory: int, proposals: Sequence[Proposal], now: int) -> None:
        """Note when graces started and when they end (G4); one of that kind that runs goes on, to its new end. Whose
        grace runs waits for nothing any more."""
        accounts = [proposal.account for proposal in proposals]
        rows = self._tx.execute(
            f"SELECT account, kind, started_at FROM grace WHERE {self._tx.dialect.among('account', 'accounts')}",
            {"accounts": self._tx.dialect.listed(accounts)},
        )
        began = {(row[0], row[1]): row[2] for row in rows}
        self._delete("grace", accounts)
        self._delete("waiting", accounts)
        self._tx.copy(
            "grace",
            ("account", "directory", "kind", "rule", "started_at", "due"),
            (
                (p.account, directory, p.source, p.rule, began.get((p.account, p.source), now), p.since)
                for p in proposals
            ),
        )

    def next_grace(self, directory: int, now: int) -> int | None:
        """When the next grace of the directory ends. One that has ended and is held, or was rejected, wakes nobody."""
        due: int | None = self._tx.execute(
            "SELECT min(due) FROM grace WHERE directory = :directory AND due > :now",
            {"directory": directory, "now": now},
        ).scalar_one()
        return due

    def held(self, company: int) -> dict[tuple[str, str], int]:
        """Licenses that the company holds, by license and what they rest on."""
        rows = self._tx.execute(
            "SELECT license, through, sum(held) FROM holding_count WHERE company = :company GROUP BY license, through",
            {"company": company},
        )
        return {(row[0], row[1]): int(row[2]) for row in rows}

    def entitlements_used(self) -> list[tuple[int, str, int]]:
        """Company, license, and how many shared mailboxes hold it without a seat, of all that ever had one."""
        rows = self._tx.execute(
            "SELECT company, license, sum(held) FROM holding_count WHERE through = 'entitlement'"
            " GROUP BY company, license ORDER BY company, license"
        )
        return [(row[0], row[1], int(row[2])) for row in rows]

    def by_rule(self, company: int) -> dict[str, int]:
        """Licenses that the company holds, by source."""
        rows = self._tx.execute(
            "SELECT source, sum(held) FROM holding_count WHERE company = :company GROUP BY source", {"company": company}
        )
        return {row[0]: int(row[1]) for row in rows}

    def anybody_waits(self, company: int) -> bool:
        """Whether anybody of a company waits, for whatever it is."""
        waits = "SELECT 1 FROM waiting_count WHERE company = :company AND n > 0 LIMIT 1"
        return self._tx.execute(waits, {"company": company}).first() is not None

    def waiting_count(self, company: int, license: str, reason: str) -> int:
        """How many wait for a seat of this license for this reason."""
        return int(
            self._tx.execute(
                "SELECT coalesce(sum(n), 0) FROM waiting_count WHERE company = :company AND license = :license"
                " AND through = 'seat' AND reason = :reason",
                {"company": company, "license": license, "reason": reason},
            ).scalar_one()
        )

    def waiting_in(self, directories: Collection[int], license: str, reason: str) -> int:
        """How many accounts of these directories wait for a seat of this license for this reason; not those who hold
        one of a lot that ended."""
        return int(
            self._tx.execute(
                "SELECT count(*) FROM waiting WHERE license = :license AND through = 'seat' AND reason = :reason"
                f" AND kind <> 'exchange' AND {self._tx.dialect.among('directory', 'directories')}",
                {
                    "license": license, "reason": reason,
                    "directories": self._tx.dialect.listed(sorted(directories)),
                },
            ).scalar_one()
        )  # fmt: skip

    def waiting_by_source(
        self, company: int, license: str, reason: str, sources: Collection[str], but: Collection[int] = ()
    ) -> dict[str, int]:
        """How many wait for a seat of this license for this reason, by the source that it would be from; not those
        who hold a license from it already, nor the accounts of the directories `but`."""
        here = f" AND NOT {self._tx.dialect.among('w.directory', 'but')}" if but else ""
        rows = self._tx.execute(
            "SELECT w.source, count(*) FROM waiting AS w LEFT JOIN assignment AS h ON h.account = w.account"
            " WHERE w.company = :company AND w.license = :license AND w.through = 'seat' AND w.reason = :reason"
            f" AND {self._tx.dialect.among('w.source', 'sources')} AND h.source IS DISTINCT FROM w.source{here}"
            " GROUP BY w.source",
            {
                "company": company, "license": license, "reason": reason,
                "sources": self._tx.dialect.listed(sorted(sources)),
            }
            | ({"but": self._tx.dialect.listed(sorted(but))} if but else {}),
        )  # fmt: skip
        return {row[0]: int(row[1]) for row in rows}

    def in_line(self, company: int, kind: str, since: int) -> int:
        """How many were let into the line for this kind of change since an instant, and wait for a seat; not those
        that a person approved."""
        return int(
            self._tx.execute(
                "SELECT count(*) FROM waiting AS w JOIN assignment AS h ON h.account = w.account"
                " WHERE w.company = :company AND w.kind = :kind AND w.since > :since AND NOT EXISTS"
                f" (SELECT 1 FROM {APPROVED_NOW})",
                {"company": company, "kind": kind, "since": since},
            ).scalar_one()
        )

    def waiting_in_pool(self, pool: int) -> int:
        """How many wait for seats of a pool, whatever their company."""
        return int(
            self._tx.execute(
                "SELECT coalesce(sum(n), 0) FROM waiting_count AS w JOIN company AS c ON c.key = w.company"
                " WHERE c.pool = :pool AND w.through = 'seat'",
                {"pool": pool},
            ).scalar_one()
        )

    def _start_clocks(self, company: int, changes: Sequence[Change], now: int, retention: int) -> None:
        """L4: sixty days by default after `standard` is taken; L5: nothing is kept after `archived` is."""
        ended = [change for change in changes if change.after is None and change.before is not None]
        self._tx.copy(
            "retention",
            ("account", "company", "directory", "license", "started_at", "ends"),
            (
                (c.account, company, c.directory, c.before.license, now, now + _kept(c.before, retention))
                for c in ended
                if c.before is not None
            ),
        )

    def _lot_ids(self, changes: Sequence[Change]) -> Mapping[int, str]:
        lots = {held.lot for c in changes for held in (c.before, c.after) if held is not None and held.lot is not None}
        rows = self._tx.execute(
            f"SELECT key, id FROM lot WHERE {self._tx.dialect.among('key', 'lots')}",
            {"lots": self._tx.dialect.listed(sorted(lots))},
        )
        return {row[0]: row[1] for row in rows}

    def _delete(self, table: str, accounts: Sequence[int]) -> None:
        self._tx.execute(
            f"DELETE FROM {table} WHERE {self._tx.dialect.among('account', 'accounts')}",
            {"accounts": self._tx.dialect.listed(accounts)},
        )


def _has_come_back(proposal: Proposal) -> bool:
    """Whether a rule claims the license, so that no grace runs even while the account waits (G4)."""
    return proposal.kind != "wait" and Source.rule_name(proposal.source) is not None


def _kept(before: Held, retention: int) -> int:
    return retention if before.license == "standard" else 0


def _assignments(company: int, changes: Sequence[Change]) -> Iterator[tuple[object, ...]]:
    for change in changes:
        if change.after is not None:
            yield (change.account, company, change.directory, *change.after)


def _waiting(company: int, wait: Wait) -> tuple[object, ...]:
    p = wait.proposal
    rank = UNSERVABLE_RANK if p.kind == "wait" else p.rank
    return (
        p.account, company, wait.directory, p.license, p.through, rank, p.rule_position, p.rule, p.since, p.address,
        p.id, wait.reason, p.kind, p.source, p.because,
    )  # fmt: skip


def _entries(changes: Sequence[Change], lots: Mapping[int, str]) -> Iterable[Entry]:
    for c in changes:
        before, after = _told(c.before, lots), _told(c.after, lots)
        yield Entry(c.who, EVENTS[c.kind], c.id, c.directory, before, after, c.because)


def _told(held: Held | None, lots: Mapping[int, str]) -> str | None:
    if held is None:
        return None
    return _json(held.license, held.through, None if held.lot is None else lots.get(held.lot), held.source)


@lru_cache(maxsize=4096)
def _json(license: str, through: str, lot: str | None, source: str) -> str:
    """The same few texts serve a whole tenant."""
    return msgspec.json.encode({"license": license, "through": through, "lot": lot, "source": source}).decode()


def _wait_entry(wait: Wait) -> Entry:
    p = wait.proposal
    after = _wait_json(p.license or "", wait.reason)
    return Entry(wait.who, "account.waiting", p.id, wait.directory, None, after, p.because)


@lru_cache(maxsize=256)
def _wait_json(license: str, reason: str) -> str:
    return msgspec.json.encode({"for": license, "reason": reason}).decode()
