"""The record: who changed what, and why, in a chain of hashes per company (A1), and as one feed for everybody (A2).

Each entry's hash covers the entry and the hash before it, so that nothing can be changed, left out or put in later
without `verify` naming the place. A transaction that appends holds its company's chain until it ends, which is what
makes the entries of a transaction stand together. Whoever also locks a pool locks it before the first entry, and
whoever writes for several companies opens their chains at once, in the order of their keys: then nobody waits in a
circle.

The feed is the same entries in the order in which their transactions committed. Its positions are given out last, just
before the commit, under the one lock that everybody shares (`seal`): so no reader ever sees a position before a smaller
one, and the lock is held for a moment only.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store.dialects import Postgresql
from store.errors import NotFound
from store.times import rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

CHUNK = 10_000
"""Entries in memory at once: a run may append a million."""
COLUMNS = ("company", "n", "at", "who", "what", "directory", "subject", "before", "after", "because", "hash")
PREFIX = "seatkeeper."
"""What the type of an event begins with outside of the store."""
FEED_TYPES = (
    "license.assigned", "license.archived", "license.released", "license.restored", "license.exchanged",
    "license.expired", "license.moved", "account.waiting", "account.linked", "account.unlinked", "account.purge_due",
    "account.by_hand", "account.followed", "account.pinned", "account.unpinned", "legal_hold.set", "legal_hold.lifted",
    "notice.due", "plan.held", "plan.approved", "plan.rejected", "order.wanted", "order.placed", "order.fulfilled",
    "order.failed", "directory.failing", "directory.recovered", "directory.frozen", "stock.low",
    "stock.over_entitled", "lot.expiring", "endpoint.added", "endpoint.removed", "endpoint.assigned",
    "endpoint.released", "endpoint.exchanged", "endpoint.expired",
)  # fmt: skip
"""What the feed tells of; an entry of another kind is in the audit alone, and its number is skipped."""

_IN_FEED = frozenset(FEED_TYPES)
_CHAINS_AT_ONCE = 50
_GONE = "missing"

_encode = msgspec.json.Encoder().encode
_sha256 = hashlib.sha256


class Entry(NamedTuple):
    """One thing that happened, before it has its place in the chain. `before` and `after` are JSON objects as text."""

    who: str
    what: str
    subject: str
    directory: int | None
    before: str | None
    after: str | None
    because: str | None


class Recorded(msgspec.Struct, frozen=True):
    """An entry as `audit --json` shows it."""

    n: int
    company: str
    at: str
    who: str
    what: str
    directory: str | None
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    because: str | None
    hash: str


class Event(msgspec.Struct, frozen=True):
    """An entry as the feed tells it; its `id` is the same on every delivery."""

    n: int
    id: str
    at: str
    type: str
    company: str
    directory: str | None
    account: str | None
    data: dict[str, Any]


class Head(NamedTuple):
    """The end of a company's chain: kept elsewhere, it proves later that nothing before it was written anew."""

    company: str
    n: int
    hash: str


class Break(NamedTuple):
    """Where a chain does not hold: the first entry that is not as it was written, and what is wrong with it."""

    company: str
    n: int
    why: str


@dataclass
class _Chain:
    """One company's chain while a transaction appends to it."""

    key: int
    id: str
    first: int
    n: int
    hash: bytes
    at: int = 0
    """Of its latest entry."""

    def link(self, entries: Iterable[Entry], at: int) -> Iterator[tuple[Any, ...]]:
        key, id, n, last = self.key, self.id, self.n, self.hash
        for who, what, subject, directory, before, after, because in entries:
            n += 1
            body = _encode((id, n, at, who, what, directory, subject, before, after, because))
            last = _sha256(body + last).digest()
            yield key, n, at, who, what, directory, subject, before, after, because, last
        self.n, self.hash = n, last

    def link_text(self, entries: Iterable[Entry], at: int) -> Iterator[str]:
        """The same rows as PostgreSQL's COPY reads them, written here because the driver takes twice as long."""
        key, id, n, last = self.key, self.id, self.n, self.hash
        for entry in entries:
            n += 1
            who, what, subject, directory, before, after, because = entry
            body = _encode((id, n, at, who, what, directory, subject, before, after, because))
            last = _sha256(body + last).digest()
            # Text that JSON escapes for more than its quotes needs escapes of COPY's own.
            if body.count(b"\\") != body.count(b'\\"'):
                who, what, subject, _, before, after, because = map(_escaped, entry)
            yield (
                f"{key}\t{n}\t{at}\t{who}\t{what}\t{_NULL if directory is None else directory}\t{subject}"
                f"\t{_NULL if before is None else before}\t{_NULL if after is None else after}"
                f"\t{_NULL if because is None else because}\t\\\\x{last.hex()}\n"
            )
        self.n, self.hash = n, last


_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _escaped(value: Any) -> Any:
    return value.translate(_ESCAPES) if isinstance(value, str) else value


class Audit:
    """The audit entries of every company, and the feed over them."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx
        self._chains: dict[int, _Chain] = {}

    def open(self, companies: Iterable[int]) -> None:
        """Hold the chains of several companies, in an order that cannot make two transactions wait for each other."""
        wanted = sorted(set(companies) - self._chains.keys())
        for start in range(0, len(wanted), CHUNK):
            names = {f"c{n}": key for n, key in enumerate(wanted[start : start + CHUNK])}
            rows = self._tx.execute(
                f"SELECT key, id, audit_n, audit_hash FROM company WHERE key IN ({', '.join(f':{c}' for c in names)})"
                f" ORDER BY key{self._tx.dialect.for_update()}",
                names,
            )
            for key, id, n, last in rows:
                self._chains[key] = _Chain(key, id, n + 1, n, bytes(last))

    def append(self, company: int, entries: Iterable[Entry], at: int) -> None:
        """Record what happened, in its order, at an instant in microseconds. Entries are taken as they come, so a
        generator of a million needs no memory; where there are none, nothing is locked or written."""
        source = iter(entries)
        while chunk := list(islice(source, CHUNK)):
            chain, dialect = self._chain(company), self._tx.dialect
            chain.at = at
            if isinstance(dialect, Postgresql):
                dialect.copy_text(self._tx.connection, "audit", COLUMNS, "".join(chain.link_text(chunk, at)))
            else:
                self._tx.copy("audit", COLUMNS, chain.link(chunk, at))

    def written(self) -> list[tuple[int, int]]:
        """The companies that this transaction has appended for, in the order of their keys, and when it did last."""
        return [(key, chain.at) for key, chain in sorted(self._chains.items()) if chain.n >= chain.first]

    def _chain(self, company: int) -> _Chain:
        if company not in self._chains:
            self.open((company,))
        try:
            return self._chains[company]
        except KeyError:
            raise NotFound(f"there is no company {company}") from None

    def seal(self) -> None:
        """Write the chains' new ends and give the entries their places in the feed. Nothing may be appended after."""
        written = [chain for _, chain in sorted(self._chains.items()) if chain.n >= chain.first]
        self._chains.clear()
        if not written:
            return
        self._tx.execute_many(
            "UPDATE company SET audit_n = :n, audit_hash = :hash WHERE key = :key",
            [{"key": chain.key, "n": chain.n, "hash": chain.hash} for chain in written],
        )
        last = self._tx.execute(f"SELECT last FROM feed_head WHERE key = 0{self._tx.dialect.for_update()}").scalar_one()
        rows = []
        for chain in written:
            first, last = last + 1, last + 1 + chain.n - chain.first
            rows.append({"first": first, "last": last, "company": chain.key, "audit_first": chain.first})
        self._tx.execute_many(
            "INSERT INTO feed (first, last, company, audit_first) VALUES (:first, :last, :company, :audit_first)", rows
        )
        self._tx.execute("UPDATE feed_head SET last = :last WHERE key = 0", {"last": last})

    # --- reading ---

    def entries(
        self, company: int, *, after: int = 0, limit: int = 1_000, subject: str | None = None
    ) -> list[Recorded]:
        """A page of one company's chain, from the entry after number `after`; with `subject`, of one account, lot …"""
        only = "" if subject is None else " AND a.subject = :subject"
        rows = self._tx.execute(
            f"{_RECORDED} WHERE a.company = :company AND a.n > :after{only} ORDER BY a.n LIMIT :limit",
            {"company": company, "after": after, "limit": limit} | ({} if subject is None else {"subject": subject}),
        )
        return [_recorded(row) for row in rows]

    def latest(
        self, company: int, *, before: int | None = None, limit: int = 100, subject: str | None = None
    ) -> list[Recorded]:
        """A page of one company's chain backwards, newest first, from the entry before number `before`."""
        only = "" if subject is None else " AND a.subject = :subject"
        upto = "" if before is None else " AND a.n < :before"
        rows = self._tx.execute(
            f"{_RECORDED} WHERE a.company = :company{upto}{only} ORDER BY a.n DESC LIMIT :limit",
            {"company": company, "limit": limit}
            | ({} if before is None else {"before": before})
            | ({} if subject is None else {"subject": subject}),
        )
        return [_recorded(row) for row in rows]

    def feed(
        self,
        after: int,
        limit: int = 1_000,
        *,
        company: int | None = None,
        types: Collection[str] | None = None,
        upto: int | None = None,
    ) -> list[Event]:
        """What happened after a position of the feed, in order; with `company`, to that one alone, with `types` (as the
        audit has them), of these kinds, and with `upto`, no further than that position. An empty list is the end of
        the feed: positions of entries that the feed does not tell of are passed over here."""
        found: list[Event] = []
        while len(found) < limit:
            stretch = self._stretch(after, limit if types is None else CHUNK, company)
            if not stretch or (upto is not None and stretch[0].first > upto):
                break
            found.extend(self._events(stretch, types))
            after = stretch[-1].last
        return [event for event in found[:limit] if upto is None or event.n <= upto]

    def feed_end(self) -> int:
        """The last position of the feed, for those who want to hear only of what comes."""
        return int(self._tx.execute("SELECT last FROM feed_head WHERE key = 0").scalar_one())

    def position_before(self, company: int, subject: str, what: str, at: int) -> int | None:
        """The position in the feed before the transaction that recorded this of a subject at an instant."""
        found: int | None = self._tx.execute(
            "SELECT f.first - 1 FROM feed AS f WHERE f.company = :company AND f.audit_first <= (SELECT min(n)"
            " FROM audit WHERE company = :company AND subject = :subject AND what = :what AND at = :at)"
            " ORDER BY f.first DESC LIMIT 1",
            {"company": company, "subject": subject, "what": what, "at": at},
        ).scalar()
        return found

    def _stretch(self, after: int, limit: int, company: int | None) -> "list[_Range]":
        """The ranges of the feed, cut to the next `limit` entries after a position, whatever their kind."""
        mine = "" if company is None else " AND company = :company"
        values = {"next": after + 1, "limit": limit} | ({} if company is None else {"company": company})
        rows = self._tx.execute(
            "SELECT first, last, company, audit_first FROM feed WHERE first >= coalesce("
            f"(SELECT first FROM feed WHERE first <= :next{mine} ORDER BY first DESC LIMIT 1), 0){mine}"
            " ORDER BY first LIMIT :limit + 1",  # one more, since the first range may be over already
            values,
        )
        return list(_cut((_Range(*row) for row in rows), after, limit))

    def _events(self, stretch: "Sequence[_Range]", types: Collection[str] | None) -> Iterator[Event]:
        """The entries of these ranges that the feed tells of. One company's entries stand in the feed as they do in
        its chain, so that one stretch of each chain has them all."""
        chains: dict[int, tuple[int, int]] = {}
        for part in stretch:
            chains[part.company] = (chains.get(part.company, (part.n, 0))[0], part.n + part.last - part.first)
        found: dict[tuple[int, int], Any] = {}
        wanted = [(company, low, high) for company, (low, high) in chains.items()]
        for start in range(0, len(wanted), _CHAINS_AT_ONCE):
            found |= self._between(wanted[start : start + _CHAINS_AT_ONCE], types)
        for part in stretch:
            for position in range(part.first, part.last + 1):
                row = found.get((part.company, part.n + position - part.first))
                if row is not None and row.what in _IN_FEED:
                    yield _event(position, row)

    def _between(
        self, stretches: Sequence[tuple[int, int, int]], types: Collection[str] | None
    ) -> dict[tuple[int, int], Any]:
        """Entries of several chains, by company and number. Told apart by constants, because PostgreSQL would read
        the whole audit for a join over ranges."""
        values: dict[str, Any] = {}
        for i, (company, low, high) in enumerate(stretches):
            values |= {f"c{i}": company, f"l{i}": low, f"h{i}": high}
        any_of = " OR ".join(f"(a.company = :c{i} AND a.n BETWEEN :l{i} AND :h{i})" for i in range(len(stretches)))
        only = ""
        if types is not None:
            only = f" AND {self._tx.dialect.among('a.what', 'types')}"
            values["types"] = self._tx.dialect.listed(sorted(types))
        return {(row.key, row.n): row for row in self._tx.execute(f"{_RECORDED} WHERE ({any_of}){only}", values)}

    # --- proving ---

    def heads(self, company: int | None = None) -> list[Head]:
        """Where every chain, or one, ends now; those without entries are left out."""
        return [Head(id, n, last.hex()) for _, id, n, last in self._ends(company) if n]

    def verify(self, company: int | None = None) -> Iterator[Break]:
        """Recompute every chain, or one, and name the first bad entry of each that does not hold; compare each with
        what the feed says to have told, in which no chain ends sooner.

        What nobody finds here: a record that was written anew as a whole, hashes, ends and feed included. An end that
        was kept elsewhere does (`heads`).
        """
        for key, id, n, last in self._ends(company):
            found = self._first_break(key, id, n, last) or self._untold(key, id, n)
            if found is not None:
                yield found
        if company is None:
            rows = self._tx.execute(
                "SELECT key FROM (SELECT company AS key FROM feed UNION SELECT company FROM audit) AS x"
                " WHERE NOT EXISTS (SELECT 1 FROM company AS c WHERE c.key = x.key) ORDER BY key"
            )
            yield from (Break(f"the company with key {key}, which is gone", 1, _GONE) for (key,) in rows)

    def _ends(self, company: int | None) -> list[tuple[int, str, int, bytes]]:
        one = "" if company is None else " WHERE key = :company"
        rows = self._tx.execute(
            f"SELECT key, id, audit_n, audit_hash FROM company{one} ORDER BY key",
            {} if company is None else {"company": company},
        )
        return [(key, id, n, bytes(last)) for key, id, n, last in rows]

    def _untold(self, key: int, id: str, end: int) -> Break | None:
        """Where the chain and the feed begin to differ: the feed tells of each entry once, and of no others."""
        told = 0
        for first, last in self._tx.execute(
            "SELECT audit_first, audit_first + last - first FROM feed WHERE company = :company ORDER BY audit_first",
            {"company": key},
        ):
            if first != told + 1:
                return Break(id, min(first, told + 1), "told otherwise by the feed")
            told = int(last)
        if told > end:
            return Break(id, end + 1, _GONE)
        return None if told == end else Break(id, told + 1, "not in the feed")

    def _first_break(self, key: int, id: str, end: int, end_hash: bytes) -> Break | None:
        n, last = 0, b""
        for row in self._stored(key):
            n += 1
            if row.n != n:
                return Break(id, n, _GONE)
            body = _encode((id, *row[:-1]))
            last = _sha256(body + last).digest()
            if last != row.hash:
                return Break(id, n, "not what was written")
        if n < end:
            return Break(id, n + 1, _GONE)
        if n > end:
            return Break(id, end + 1, "added behind the end of the chain")
        return None if last == end_hash else Break(id, n, "not the end that the chain had")

    def _stored(self, key: int) -> Iterator[Any]:
        after = 0
        while True:
            rows = self._tx.execute(
                "SELECT n, at, who, what, directory, subject, before, after, because, hash FROM audit"
                " WHERE company = :company AND n > :after ORDER BY n LIMIT :limit",
                {"company": key, "after": after, "limit": CHUNK},
            ).all()
            yield from rows
            if len(rows) < CHUNK:
                return
            after = rows[-1].n


class _Range(NamedTuple):
    """A part of the feed: positions `first` to `last` are a company's entries from number `n` on."""

    first: int
    last: int
    company: int
    n: int


def _cut(ranges: Iterable[_Range], after: int, limit: int) -> Iterator[_Range]:
    """What of these ranges lies behind a position, up to `limit` entries."""
    left = limit
    for part in ranges:
        first = max(part.first, after + 1)
        last = min(part.last, first + left - 1)
        if last >= first:
            yield _Range(first, last, part.company, part.n + first - part.first)
            left -= last - first + 1
        if left == 0:
            return


_RECORDED = (
    "SELECT c.key, c.id AS company, a.n, a.at, a.who, a.what, d.id AS directory, a.subject, a.before, a.after,"
    " a.because, a.hash FROM audit AS a JOIN company AS c ON c.key = a.company"
    " LEFT JOIN directory AS d ON d.key = a.directory"
)


def _recorded(row: Any) -> Recorded:
    return Recorded(
        n=row.n,
        company=row.company,
        at=rfc3339(row.at) or "",
        who=row.who,
        what=row.what,
        directory=row.directory,
        subject=row.subject,
        before=_object(row.before),
        after=_object(row.after),
        because=row.because,
        hash=bytes(row.hash).hex(),
    )


def _event(position: int, row: Any) -> Event:
    about_account = row.what.startswith(("license.", "account.", "notice.")) or (
        row.what.startswith("legal_hold.") and row.directory is not None
    )
    return Event(
        n=position,
        id=f"{row.company}-{row.n}",
        at=rfc3339(row.at) or "",
        type=PREFIX + row.what,
        company=row.company,
        directory=row.directory,
        account=row.subject if about_account else None,
        data={
            "subject": row.subject,
            "who": row.who,
            "because": row.because,
            "before": _object(row.before),
            "after": _object(row.after),
        },
    )


def _object(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {} if text is None else msgspec.json.decode(text)
    return found


def json_text(**facts: Any) -> str:
    """The `before` or `after` of an entry, with its keys in their order."""
    return _encode(facts).decode()
