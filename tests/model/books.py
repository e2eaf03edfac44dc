"""The store's tables at one moment, read by SQL of our own: what the invariants go by."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from store.engine import Store


class Company(NamedTuple):
    key: int
    id: str
    state: str
    pool: int
    audit_n: int
    audit_hash: bytes


class Account(NamedTuple):
    key: int
    id: str
    directory: int
    name: str
    kind: str
    state: str


class Held(NamedTuple):
    account: int
    company: int
    license: str
    through: str
    lot: int | None
    source: str


class Lot(NamedTuple):
    key: int
    id: str
    pool: int
    license: str
    seats: int
    held: int
    term: str
    starts_at: int
    expires_at: int | None

    def valid(self, now: int) -> bool:
        return self.starts_at <= now and (self.expires_at is None or self.expires_at > now)


class Order(NamedTuple):
    key: int
    id: str
    company: int
    pool: int
    license: str
    seats: int
    state: str
    renews_lot: int | None
    created_at: int
    decided_by: str | None


class Waiting(NamedTuple):
    account: int
    company: int
    directory: int
    license: str
    through: str
    reason: str
    kind: str


class Entry(NamedTuple):
    """An entry of the audit."""

    company: int
    n: int
    at: int
    who: str
    what: str
    directory: int | None
    subject: str
    before: str | None
    after: str | None
    because: str | None
    hash: bytes

    @property
    def was(self) -> dict[str, Any]:
        return _json(self.before)

    @property
    def is_(self) -> dict[str, Any]:
        return _json(self.after)

    @property
    def by_person(self) -> bool:
        return self.who.startswith("cli:")


class Stretch(NamedTuple):
    """Positions of the feed that a transaction filled with a company's entries."""

    first: int
    last: int
    company: int
    audit_first: int


class Clock(NamedTuple):
    account: int
    company: int
    license: str
    started_at: int
    ends: int
    purge_due: bool


class Hold(NamedTuple):
    key: int
    hash: str
    company: int
    kind: str
    state: str


@dataclass(frozen=True)
class Books:
    """Everything that rules of the domain are about."""

    now: int
    companies: dict[int, Company]
    accounts: dict[int, Account]
    held: tuple[Held, ...]
    lots: dict[int, Lot]
    orders: dict[int, Order]
    waiting: dict[int, Waiting]
    by_hand: dict[int, bool]
    """Whether each is pinned, too."""
    links: dict[int, int]
    clocks: dict[int, Clock]
    legal_holds: frozenset[tuple[int, int]]
    directories: dict[int, tuple[str, str]]
    """Id and state of those that are not retired."""
    holds: tuple[Hold, ...]
    holding_counts: frozenset[tuple[Any, ...]]
    waiting_counts: frozenset[tuple[Any, ...]]
    new_entries: tuple[Entry, ...]
    """Those written since the books before."""
    new_stretches: tuple[Stretch, ...]
    feed_last: int

    @property
    def by_account(self) -> dict[int, Held]:
        return {held.account: held for held in self.held}

    def key_of(self, directory: int | None, id: str) -> int | None:
        return next((a.key for a in self.accounts.values() if (a.directory, a.id) == (directory, id)), None)

    def essence(self) -> tuple[object, ...]:
        """Licenses, waits, orders, holds, lots, clocks and the ends of the record: what a pass with nothing to do
        leaves alone."""
        record = [(c.key, c.audit_n, c.audit_hash) for c in self.companies.values()]
        return self.held, self.lots, self.orders, self.waiting, self.holds, self.clocks, record, self.feed_last


def read(store: Store, now: int, before: Books | None) -> Books:
    """The books as they stand, in one snapshot."""
    ends = {} if before is None else {c.key: c.audit_n for c in before.companies.values()}
    with store.read() as tx:
        raw: Any = tx.connection.connection.driver_connection  # books are read after every step, and quicker so

        def rows(sql: str) -> list[tuple[Any, ...]]:
            found: list[tuple[Any, ...]] = raw.execute(sql).fetchall()
            return found

        companies = {row[0]: Company._make((*row[:5], bytes(row[5]))) for row in rows(_COMPANIES)}
        return Books(
            now=now,
            companies=companies,
            accounts={row[0]: Account(*row) for row in rows(_ACCOUNTS)},
            held=tuple(Held(*row) for row in rows(_HELD)),
            lots={row[0]: Lot(*row) for row in rows(_LOTS)},
            orders={row[0]: Order(*row) for row in rows(_ORDERS)},
            waiting={row[0]: Waiting(*row) for row in rows(_WAITING)},
            by_hand={row[0]: bool(row[1]) for row in rows("SELECT account, pinned FROM by_hand")},
            links={row[0]: row[1] for row in rows("SELECT old, new FROM link")},
            clocks={row[0]: Clock._make((*row[:5], bool(row[5]))) for row in rows(_CLOCKS)},
            legal_holds=frozenset((row[0], row[1]) for row in rows("SELECT company, account FROM legal_hold")),
            directories={row[0]: (row[1], row[2]) for row in rows(_DIRECTORIES)},
            holds=tuple(Hold(*row) for row in rows("SELECT key, hash, company, kind, state FROM plan ORDER BY key")),
            holding_counts=frozenset(rows(_HOLDING_COUNTS)),
            waiting_counts=frozenset(rows(_WAITING_COUNTS)),
            new_entries=tuple(
                Entry._make((*row[:10], bytes(row[10])))
                for key, company in companies.items()
                if company.audit_n != ends.get(key, 0)
                for row in rows(f"{_ENTRIES} WHERE company = {key} AND n > {ends.get(key, 0)} ORDER BY n")
            ),
            new_stretches=tuple(
                Stretch(*row) for row in rows(f"{_FEED} WHERE first > {before.feed_last if before else 0} ORDER BY 1")
            ),
            feed_last=int(rows("SELECT last FROM feed_head")[0][0]),
        )


_COMPANIES = "SELECT key, id, state, pool, audit_n, audit_hash FROM company ORDER BY key"
_ACCOUNTS = "SELECT key, id, directory, name, kind, state FROM account"
_HELD = "SELECT account, company, license, through, lot, source FROM assignment ORDER BY account"
_LOTS = "SELECT key, id, pool, license, seats, held, term, starts_at, expires_at FROM lot ORDER BY key"
_ORDERS = (
    "SELECT key, id, company, pool, license, seats, state, renews_lot, created_at, decided_by FROM orders ORDER BY key"
)
_WAITING = "SELECT account, company, directory, license, through, reason, kind FROM waiting ORDER BY account"
_CLOCKS = "SELECT account, company, license, started_at, ends, purge_due FROM retention ORDER BY account"
_DIRECTORIES = "SELECT key, id, state FROM directory WHERE NOT retired ORDER BY key"
_HOLDING_COUNTS = "SELECT company, license, through, lot, source, held FROM holding_count WHERE held <> 0"
_WAITING_COUNTS = "SELECT company, license, through, reason, n FROM waiting_count WHERE n <> 0"
_ENTRIES = "SELECT company, n, at, who, what, directory, subject, before, after, because, hash FROM audit"
_FEED = "SELECT first, last, company, audit_first FROM feed"


def _json(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {} if text is None else json.loads(text)
    return found
