"""Pages of accounts in their one order: directory, address, key; each row as `accounts list --json` has it.

A page walks the accounts in stretches. A stretch is one query: the keys of the next so many accounts by an index, less
those that do not fit; the rows are read once the keys are known. A search walks three times: the id, what begins with
the text, any part of it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from policies.model import Source
from store.account_filters import PROTECTION, Narrowed, search_conditions
from store.errors import NotFound
from store.times import rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

SHORTEST_STRETCH, FIRST_STRETCH, LONGEST_STRETCH = 100, 1_000, 50_000
"""A stretch is four times as long as the one before, while accounts that fit are still missing."""

_ORDER = "a.directory, a.address, a.key"
_ROW = (
    "c.id AS company, d.id AS directory_id, a.id, a.address, a.name, a.kind, a.state, h.license, h.through,"
    " l.id AS lot, h.since, CASE WHEN b.pinned THEN :pinned WHEN b.account IS NOT NULL THEN :manual"
    " ELSE h.source END AS source,"
    f" {PROTECTION} AS protection, w.license AS waits_for, w.since AS waits_since, w.reason, r.ends,"
    " coalesce(h.because, w.because) AS because, a.key, k.new, n.id AS linked_to"
)
_HELD = {
    "h.": "LEFT JOIN assignment AS h ON h.account = a.key",
    "l.": "LEFT JOIN lot AS l ON l.key = h.lot",
    "w.": "LEFT JOIN waiting AS w ON w.account = a.key",
    "r.": "LEFT JOIN retention AS r ON r.account = a.key",
}
_JOINS = (
    " JOIN directory AS d ON d.key = a.directory JOIN company AS c ON c.key = d.company"
    f" {' '.join(_HELD.values())} LEFT JOIN by_hand AS b ON b.account = a.key"
    " LEFT JOIN link AS k ON k.old = a.key LEFT JOIN account AS n ON n.key = k.new"
)


class Waiting(msgspec.Struct, frozen=True):
    """What an account waits for."""

    for_: str = msgspec.field(name="for")
    since: str
    reason: str


class AccountRow(msgspec.Struct, frozen=True):
    """An account as `accounts list --json` shows it."""

    company: str
    directory: str
    id: str
    address: str
    name: str
    kind: str
    state: str
    license: str | None
    through: str | None
    lot: str | None
    since: str | None
    source: str | None
    protection: str
    waiting: Waiting | None
    retention_ends: str | None
    because: str | None
    linked_to: str | None = None
    """The id of the account whose license covers its backups: `protection` is that one's (D5)."""
    possible_return_of: str | None = None
    """The id of a deleted account that had this address: perhaps the same person, who came back (D5)."""
    legal_hold: bool = False
    """Its backups may not go, whatever clock has run out (R2)."""


class Page(NamedTuple):
    """Some accounts, and the cursor of the page after them; None at the end."""

    rows: list[AccountRow]
    keys: tuple[int, ...]
    after: str | None


class Place(NamedTuple):
    """The last account that was looked at."""

    phase: int
    directory: int
    address: str
    key: int

    @property
    def cursor(self) -> str:
        return urlsafe_b64encode(msgspec.json.encode(tuple(self))).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Raises NotFound for what is no cursor."""
        try:
            text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            return cls(*msgspec.json.decode(text, type=tuple[int, int, str, int]))
        except (ValueError, msgspec.DecodeError):
            raise NotFound(f"{cursor!r} is no cursor of a list of accounts; begin without one") from None


@dataclass(frozen=True)
class _Phase:
    """One walk over directories in their order."""

    directories: Sequence[int] | None
    """None is all."""
    indexed: Sequence[str]
    conditions: Sequence[str]


class _Range(NamedTuple):
    """Accounts of one directory (`=`) or of all behind it (`>`), after a place; relation '' is all there are."""

    relation: str
    directory: int
    place: Place | None


@dataclass
class _Found:
    """A page as it fills."""

    limit: int
    left: int | None
    """Accounts that may still be looked at."""
    places: list[Place] = field(default_factory=list)
    length: int = field(init=False)

    def __post_init__(self) -> None:
        self._next(FIRST_STRETCH)

    @property
    def missing(self) -> int:
        """Accounts that are still to be found, with the one that says that there are more."""
        return self.limit + 1 - len(self.places)

    @property
    def exhausted(self) -> bool:
        return self.left is not None and self.left <= 0

    def looked_at(self, length: int) -> None:
        if self.left is not None:
            self.left -= length
        self._next(min(4 * length, LONGEST_STRETCH))

    def _next(self, length: int) -> None:
        self.length = length if self.left is None else min(length, max(self.left, SHORTEST_STRETCH))


class Reader:
    """Accounts that fit a filter."""

    def __init__(self, tx: "Transaction", filter: Narrowed, now: int) -> None:
        self._tx = tx
        self._filter = filter
        self._values: dict[str, Any] = {"now": now, **filter.values}
        self._phases = list(self._walks())

    def page(self, place: Place | None, limit: int, examine: int | None) -> Page:
        """The next rows after a place; not more than `examine` accounts are looked at that might not fit."""
        keys, stopped = self.keys(place, limit, examine)
        return Page(self.of_keys(keys), keys, None if stopped is None else stopped.cursor)

    def keys(self, place: Place | None, limit: int, examine: int | None) -> tuple[tuple[int, ...], Place | None]:
        """The keys of the next accounts, and the place behind which there may be more; None at the end."""
        found = _Found(limit, examine)
        stopped = None
        for number in range(0 if place is None else place.phase, len(self._phases)):
            stopped = self._walk(number, place, found)
            if stopped is not None or found.missing <= 0:
                break
            place = None
        if found.missing <= 0:
            stopped = found.places[limit - 1]
        return tuple(at.key for at in found.places[:limit]), stopped

    def of_keys(self, keys: Sequence[int]) -> list[AccountRow]:
        """The accounts with these keys, in that order."""
        if not keys:
            return []
        values = {
            "now": self._values["now"],
            "pinned": Source.PINNED,
            "manual": Source.MANUAL,
            "keys": self._tx.dialect.listed(list(keys)),
        }
        rows = self._tx.execute(
            f"SELECT {_ROW} FROM account AS a{_JOINS} WHERE {self._tx.dialect.among('a.key', 'keys')}", values
        ).all()
        by_key = {row.key: _row(row) for row in rows}
        by_key |= self._covered({row.key: row.new for row in rows if row.new is not None}, by_key)
        returns, held = self._tx.links.possible_returns(keys), self._tx.legal_holds.among(keys)
        for key in {*returns, *held} & by_key.keys():
            by_key[key] = replace(by_key[key], possible_return_of=returns.get(key), legal_hold=key in held)
        return [by_key[key] for key in keys if key in by_key]

    def _covered(self, links: Mapping[int, int], rows: Mapping[int, AccountRow]) -> dict[int, AccountRow]:
        """Those whose backups another account's license covers, protected as that one is (D5)."""
        if not links:
            return {}
        wanted = sorted(set(links.values()))
        protecting = dict(zip(wanted, self.of_keys(wanted), strict=True))
        return {
            old: replace(
                rows[old], protection=protecting[new].protection, retention_ends=protecting[new].retention_ends
            )
            for old, new in links.items()
        }

    # --- walks ---

    def _walks(self) -> Iterator[_Phase]:
        filter = self._filter
        if filter.search is None:
            yield _Phase(filter.directories, filter.indexed, filter.conditions)
            return
        id, prefix, part = search_conditions(filter.search, self._values)
        rest = [*filter.indexed, *filter.conditions]
        yield _Phase(self._having(id), [id], rest)
        yield _Phase(self._having(prefix), [prefix], rest)
        yield _Phase(filter.directories, filter.indexed, [*filter.conditions, part])

    def _having(self, condition: str) -> list[int]:
        """The directories in which an account fits a condition that an index of each answers."""
        scope = self._filter.directories
        among = "" if scope is None else f" AND {self._tx.dialect.among('d.key', 'scope')}"
        values = {**self._values, **({} if scope is None else {"scope": self._tx.dialect.listed(list(scope))})}
        rows = self._tx.execute(
            "SELECT d.key FROM directory AS d WHERE EXISTS (SELECT 1 FROM account AS a WHERE a.directory = d.key"
            f" AND {condition}){among} ORDER BY d.key",
            values,
        )
        return [row[0] for row in rows]

    def _walk(self, number: int, place: Place | None, found: _Found) -> Place | None:
        """Fill the page from one walk; returns where it stopped because enough was looked at, else None."""
        phase = self._phases[number]
        ahead = deque(_ranges(phase, place))
        while ahead and found.missing > 0:
            range = ahead.popleft()
            end = self._look_at(phase, number, range, found)
            if end is not None:
                ahead.extendleft(reversed(_after(range, end)))
            if found.exhausted and found.missing > 0 and ahead and ahead[0].relation == "=":
                return end or Place(number, ahead[0].directory, "", 0)
        return None

    def _look_at(self, phase: _Phase, number: int, range: _Range, found: _Found) -> Place | None:
        """One stretch; returns the last account that was looked at, or None if there are no more in the range."""
        accounts, values = self._accounts(phase, range)
        length = found.length if phase.conditions else found.missing
        inner = f"SELECT {_looked_at(phase.conditions)} {accounts} ORDER BY {_ORDER} LIMIT {length}"
        sql = (
            f"SELECT {_ORDER} FROM ({inner}) AS a{_joins(phase.conditions)} WHERE {' AND '.join(phase.conditions)}"
            f" ORDER BY {_ORDER} LIMIT {found.missing}"
            if phase.conditions
            else f"SELECT {_ORDER} {accounts} ORDER BY {_ORDER} LIMIT {length}"
        )
        found.places += [Place(number, *row) for row in self._tx.execute(sql, values)]
        if not phase.conditions or found.missing <= 0:
            return None
        end = self._tx.execute(
            f"SELECT {_ORDER} {accounts} ORDER BY {_ORDER} LIMIT 1 OFFSET {length - 1}", values
        ).one_or_none()
        found.looked_at(length)
        return None if end is None else Place(number, *end)

    def _accounts(self, phase: _Phase, range: _Range) -> tuple[str, dict[str, Any]]:
        """The accounts of a range, by an index that has them in order."""
        few = self._filter.among
        source = "" if few is None else f"(SELECT DISTINCT account FROM ({few}) AS x) AS m CROSS JOIN "
        conditions = [*phase.indexed] if few is None else ["a.key = m.account", *phase.indexed]
        values = {**self._values, "directory": range.directory}
        if range.relation:
            conditions.append(f"a.directory {range.relation} :directory")
        if range.place is not None:
            conditions.append("a.address >= :at_address AND (a.address, a.key) > (:at_address, :at_key)")
            values |= {"at_address": range.place.address, "at_key": range.place.key}
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"FROM {source}{self._filter.source} AS a{where}", values


def _ranges(phase: _Phase, place: Place | None) -> list[_Range]:
    """What a walk goes through from a place on."""
    if phase.directories is not None:
        return [
            _Range("=", directory, place if place is not None and place.directory == directory else None)
            for directory in phase.directories
            if place is None or directory >= place.directory
        ]
    everything = _Range("", 0, None)
    return [everything] if place is None else _after(everything, place)


def _after(range: _Range, place: Place) -> list[_Range]:
    """The rest of a range after a place: of that one's directory, and of those behind it."""
    rest = [_Range("=", place.directory, place)]
    return rest if range.relation == "=" else [*rest, _Range(">", place.directory, None)]


def _looked_at(conditions: Sequence[str]) -> str:
    """The order, and what these conditions ask of the account itself: often the index alone answers."""
    asked = {match[1] for match in re.finditer(r"\ba\.(id|name|kind|state)\b", " ".join(conditions))}
    return ", ".join([_ORDER, *(f"a.{column}" for column in sorted(asked))])


def _joins(conditions: Sequence[str]) -> str:
    """What must be joined for these conditions."""
    asked = " ".join(conditions)
    needs = {alias for alias in _HELD if re.search(rf"\b{re.escape(alias)}", asked)}
    if "l." in needs:
        needs.add("h.")
    return "".join(f" {join}" for alias, join in _HELD.items() if alias in needs)


def _row(row: Any) -> AccountRow:
    waiting = None if row.reason is None else Waiting(row.waits_for, rfc3339(row.waits_since) or "", row.reason)
    return AccountRow(
        row.company, row.directory_id, row.id, row.address, row.name, row.kind, row.state, row.license, row.through,
        row.lot, rfc3339(row.since), row.source, row.protection, waiting, rfc3339(row.ends), row.because,
        row.linked_to,
    )  # fmt: skip
