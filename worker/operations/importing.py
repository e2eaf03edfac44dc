"""Importing what was licensed before Seatkeeper came: a list of accounts and licenses, all of it or nothing (L6)."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from policies.model import AccountKey, Kind, License, Source, Through
from policies.planner import LAST_POSITION, RANK_NEW, Proposal
from policies.stock import Claim
from store.directories import DirectoryRow
from store.holdings import Change, Held
from store.lots import start_of
from store.matching import Match, Matching
from store.times import micros, span
from worker.errors import Insufficient, Usage
from worker.operations.policies import in_force
from worker.operations.pools import open_pools
from worker.operations.serving import stock_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

COLUMNS = ("directory", "account", "license", "since")
LARGEST_FIELD = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    number: int
    directory: str
    account: str
    license: str
    since: int | None


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A line that cannot be imported, and why."""

    line: int
    directory: str
    account: str
    why: str


@dataclass
class Imported:
    """What an import did, or would do."""

    imported: dict[str, int] = field(default_factory=dict)
    """Licenses given, by license."""
    unchanged: int = 0
    """Accounts that hold this very license already."""
    ahead: int = 0
    """Accounts among them that no read has seen yet."""
    unmatched: list[Unmatched] = field(default_factory=list)


class _RolledBack(Exception):
    """Ends the transaction of an import that writes nothing."""


def import_licenses(app: "App", file: Path, who: str, *, dry: bool = False) -> Imported:
    """Give the accounts of a list their licenses, as `imported`, in one transaction.

    Lines that match no account are reported, and then nothing is written. Raises Usage for a file that is no such
    list, and Insufficient where seats are short.
    """
    lines = read_lines(file)
    done = Imported()
    try:
        with app.store.begin() as tx:
            _Import(app, tx, who, f"imported from {file.name}", done).run(lines)
            if dry or done.unmatched:
                raise _RolledBack
    except _RolledBack:
        if done.unmatched:
            done.imported, done.ahead, done.unchanged = {}, 0, 0
    return done


def read_lines(file: Path) -> list[Line]:
    """The lines of a CSV file with the columns directory, account, license and, if it likes, since."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            return list(_lines(file, csv.DictReader(source, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
        raise Usage(f"{file} cannot be read as CSV: {why}") from None


def _lines(file: Path, rows: "csv.DictReader[str]") -> Iterator[Line]:
    header = tuple(name.strip().lower() for name in rows.fieldnames or ())
    if missing := [name for name in COLUMNS[:3] if name not in header]:
        raise Usage(f"{file} has no column {missing[0]!r}; expected directory,account,license and perhaps since")
    if unknown := [name for name in header if name not in COLUMNS]:
        raise Usage(f"{file} has a column {unknown[0]!r} that means nothing here; expected {', '.join(COLUMNS)}")
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        if None in row or None in row.values():
            raise Usage(f"{file}:{rows.line_num}: expected {len(header)} fields, as the header has")
        cells = {name.strip().lower(): value.strip() for name, value in row.items()}
        since = _since(file, rows, cells)
        line = Line(rows.line_num, cells["directory"], cells["account"], cells["license"].lower(), since)
        if line.license not in tuple(License):
            raise Usage(f"{file}:{line.number}: license {line.license!r} is none of {', '.join(License)}")
        key = (line.directory, line.account.lower())
        if key in seen:
            raise Usage(f"{file}:{line.number}: {line.account} stands in line {seen[key]} already")
        seen[key] = line.number
        yield line


def _since(file: Path, rows: "csv.DictReader[str]", cells: dict[str, str]) -> int | None:
    if not cells.get("since"):
        return None
    try:
        return start_of(date.fromisoformat(cells["since"][:10]))
    except ValueError:
        raise Usage(f"{file}:{rows.line_num}: since {cells['since']!r} is no date, as in 2025-03-31") from None


@dataclass
class _Import:
    """One import under way in one transaction."""

    app: "App"
    tx: "Transaction"
    who: str
    because: str
    done: Imported
    _wanted: dict[str, int] = field(default_factory=dict)
    _refused: dict[str, int] = field(default_factory=dict)
    _why: set[str] = field(default_factory=set)

    def run(self, lines: Iterable[Line]) -> None:
        """Match every line first, then serve company by company; directories are locked before pools, pools before
        the record, and all of these before an account is looked at."""
        by_directory: dict[str, list[Line]] = {}
        for line in lines:
            by_directory.setdefault(line.directory, []).append(line)
        rows = {row.id: row for row in self.tx.directories.all()}
        known = [rows[id] for id in sorted(by_directory) if id in rows]
        self.tx.directories.touch(row.key for row in known)
        open_pools(self.app, self.tx, {row.pool for row in known if not row.retired}, micros(self.app.clock()))
        matched: dict[int, list[tuple[DirectoryRow, Line, Match]]] = {}
        for id, own in sorted(by_directory.items()):
            row = rows.get(id)
            if row is None or row.retired:
                self._unmatched(own, f"there is no directory {id!r}" if row is None else f"{id} is retired")
                continue
            matched.setdefault(row.company, []).extend((row, line, match) for line, match in self._match(row, own))
        if self.done.unmatched:
            return
        self.tx.audit.open(matched)
        for company, found in sorted(matched.items()):
            self._serve(company, found)
        if self._refused and not self.done.unmatched:
            license, short = max(self._refused.items(), key=lambda item: item[1])
            wanted = self._wanted[license]
            raise Insufficient(license, wanted=wanted, free=wanted - short, because=sorted(self._why))

    def _match(self, row: DirectoryRow, lines: list[Line]) -> Iterator[tuple[Line, Match]]:
        matching = Matching(self.tx)
        found = matching.find(row.key, [line.account for line in lines])
        ahead = [] if row.read_whole_at else [line for line in lines if line.account not in found and _is_id(row, line)]
        if ahead:
            matching.note(row.key, [_id(row, line) for line in ahead])
            found |= matching.find(row.key, [line.account for line in ahead])
            self.done.ahead += len(ahead)
        for line in lines:
            matches = found.get(line.account, [])
            if len(matches) == 1:
                yield line, matches[0]
            else:
                self._unmatched([line], _why(row, line, matches))

    def _unmatched(self, lines: Iterable[Line], why: str) -> None:
        self.done.unmatched += [Unmatched(line.number, line.directory, line.account, why) for line in lines]

    def _serve(self, company: int, found: list[tuple[DirectoryRow, Line, Match]]) -> None:
        row = found[0][0]
        policy = in_force(self.app, self.tx, row.company_id)
        if policy is None:
            raise Usage(f"{row.company_id} has no policy in force; `seatkeeper policy check` says why")
        now = micros(self.app.clock())
        stock = stock_of(self.tx, company, row.pool, policy, now)
        changes: list[Change] = []
        covering = self.tx.links.covering([match.key for _, _, match in found])
        for directory, line, match in found:
            if match.key in covering:
                self._unmatched([line], f"is linked to {covering[match.key]}, whose license covers it")
                continue
            if match.held is not None:
                self._held_already(line, match.held)
                continue
            claim = Claim(_proposal(match, line, now, self.because))
            outcome = stock.serve(claim)
            self._wanted[line.license] = self._wanted.get(line.license, 0) + 1
            if outcome.reason is not None:
                self._refused[line.license] = self._refused.get(line.license, 0) + 1
                self._why.add(outcome.reason)
                continue
            p = claim.proposal
            after = Held(line.license, p.through or "", outcome.lot, Source.IMPORTED, self.because, line.since or now)
            changes.append(Change(match.key, directory.key, match.id, "assign", self.who, self.because, None, after))
        if not self.done.unmatched and not self._refused:
            self._write(company, changes, now, span(policy.policy.licenses.retention))

    def _held_already(self, line: Line, held: Held) -> None:
        if held.license == line.license:
            self.done.unchanged += 1
        else:
            self._unmatched([line], f"holds {held.license} already")

    def _write(self, company: int, changes: list[Change], now: int, retention: int) -> None:
        self.tx.holdings.change(company, changes, now, retention)
        by_directory: dict[int, list[int]] = {}
        for change in changes:
            by_directory.setdefault(change.directory, []).append(change.account)
            license = change.after.license if change.after is not None else ""
            self.done.imported[license] = self.done.imported.get(license, 0) + 1
        for directory, keys in sorted(by_directory.items()):
            Matching(self.tx).plan_soon(directory, keys)
        for license in License:
            number = sum(change.after is not None and change.after.license == license for change in changes)
            if number:
                self.tx.plans.note_movement(company, license.value, number, now)


def _proposal(match: Match, line: Line, now: int, because: str) -> Proposal:
    through = Through.ENTITLEMENT if match.kind == Kind.SHARED_MAILBOX else Through.SEAT
    return Proposal(
        AccountKey(match.key), "assign", line.license, through.value, None, None, RANK_NEW, LAST_POSITION, "",
        Source.IMPORTED, because, now, None, match.address, match.id,
    )  # fmt: skip


def _is_id(row: DirectoryRow, line: Line) -> bool:
    """Before the first read only an id can be taken at its word; in a file an address may be one."""
    return bool(line.account) and ("@" not in line.account or row.kind == "file")


def _id(row: DirectoryRow, line: Line) -> str:
    return line.account.lower() if row.kind == "file" or _is_guid(line.account) else line.account


def _is_guid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def _why(row: DirectoryRow, line: Line, matches: list[Match]) -> str:
    if matches:
        return f"{len(matches)} accounts have this address; name it by the directory's id"
    if not row.read_whole_at:
        return f"{row.id} has not been read yet, and until then an account is named by the directory's id"
    return "matches no account"
