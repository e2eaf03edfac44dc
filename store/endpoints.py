"""Endpoints: what people assign license kinds to that no directory knows, and the seats that they hold (M7).

Their seats are of the same lots, under the same constraints and counters, as those of accounts (L2, L3). Nothing is
decided about them but by people; only when a lot ends, their seats move to free ones by themselves (M4). Whoever writes
here has locked the pool before.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store.audit import Entry, json_text
from store.errors import Ambiguous, Conflict, NotFound
from store.lots import last_day
from store.times import rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

SYSTEM = "system"
MANUAL = "manual"
_ENDPOINT = (
    "SELECT e.key, e.company, c.id AS company_id, e.name, e.kind, h.license, h.lot, l.id AS lot_id, l.expires_at,"
    " h.since FROM endpoint AS e JOIN company AS c ON c.key = e.company"
    " LEFT JOIN endpoint_assignment AS h ON h.endpoint = e.key LEFT JOIN lot AS l ON l.key = h.lot"
)


class Endpoint(NamedTuple):
    """An endpoint, and what it holds."""

    key: int
    company: int
    company_id: str
    name: str
    kind: str | None
    """computer, host, socket or administrator; None where nobody said."""
    license: str | None
    lot: int | None
    lot_id: str | None
    expires_at: int | None
    """When its lot is no longer valid; None is never."""
    since: int | None


class EndpointRow(msgspec.Struct, frozen=True):
    """An endpoint as `endpoints list --json` shows it."""

    name: str
    company: str
    kind: str | None
    license: str | None
    lot: str | None
    since: str | None
    state: str
    """licensed, expired (its lot ended, and there was no free seat to move to), or unlicensed."""


class Endpoints:
    """The endpoints of every company."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    # --- looking ---

    def listing(self, now: int, *, company: int | None = None, license: str | None = None) -> list[EndpointRow]:
        """Endpoints by company and name; with `license`, those that hold it."""
        conditions = {"e.company = :company": company, "h.license = :license": license}
        where = " AND ".join(condition for condition, value in conditions.items() if value is not None)
        values = {"company": company, "license": license}
        return [shown(found, now) for found in self._found(f"{where or 'true'} ORDER BY c.id, e.name", values)]

    def named(self, name: str, company: int | None = None) -> Endpoint:
        """The endpoint of that name. Raises NotFound, and Ambiguous where several companies have one."""
        only = "" if company is None else " AND e.company = :company"
        found = self._found(f"e.name = :name{only} ORDER BY c.id", {"name": name, "company": company})
        if not found:
            raise NotFound(f"there is no endpoint {name!r}; `seatkeeper endpoints list` shows them")
        if len(found) > 1:
            companies = ", ".join(endpoint.company_id for endpoint in found)
            raise Ambiguous(f"several companies have an endpoint {name!r}: {companies}; say which with --company")
        return found[0]

    def by_keys(self, keys: Collection[int]) -> list[Endpoint]:
        """These endpoints as they are now, by name."""
        among = self._tx.dialect.among("e.key", "keys")
        return self._found(f"{among} ORDER BY e.name, e.key", {"keys": self._tx.dialect.listed(sorted(keys))})

    # --- what people do ---

    def add(self, company: int, name: str, kind: str | None, who: str, now: int) -> Endpoint:
        """Make an endpoint known. Raises Conflict where the company has one of that name."""
        added = self._tx.execute(
            "INSERT INTO endpoint (company, name, kind, added_at) VALUES (:company, :name, :kind, :now)"
            " ON CONFLICT (company, name) DO NOTHING",
            {"company": company, "name": name, "kind": kind, "now": now},
        )
        if added.rowcount != 1:
            raise Conflict(f"there is an endpoint {name!r} already")
        self._record(company, [Entry(who, "endpoint.added", name, None, None, json_text(kind=kind), None)], now)
        return self.named(name, company)

    def remove(self, endpoint: Endpoint, who: str, now: int) -> None:
        """Forget an endpoint. Raises Conflict while it holds a license."""
        removed = self._tx.execute(
            "DELETE FROM endpoint WHERE key = :key AND NOT EXISTS (SELECT 1 FROM endpoint_assignment AS h"
            " WHERE h.endpoint = endpoint.key)",
            {"key": endpoint.key},
        )
        if removed.rowcount != 1:
            raise Conflict(
                f"{endpoint.name} holds a license; `seatkeeper licenses deactivate --endpoint {endpoint.name}` first"
            )
        before = json_text(kind=endpoint.kind)
        self._record(endpoint.company, [Entry(who, "endpoint.removed", endpoint.name, None, before, None, None)], now)

    def assign(
        self, endpoints: Sequence[Endpoint], license: str, lots: Iterable[int], who: str, because: str, now: int
    ) -> None:
        """Give each of these, which hold nothing, a seat of the next of these lots."""
        held = list(zip(endpoints, lots, strict=False))
        self._tx.copy(
            "endpoint_assignment",
            ("endpoint", "company", "license", "lot", "source", "because", "since"),
            [(endpoint.key, endpoint.company, license, lot, MANUAL, because, now) for endpoint, lot in held],
        )
        ids = self._lot_ids({lot for _, lot in held})
        for endpoint, lot in held:
            after = json_text(license=license, lot=ids[lot])
            entry = Entry(who, "endpoint.assigned", endpoint.name, None, None, after, because)
            self._record(endpoint.company, [entry], now)

    def release(self, endpoints: Sequence[Endpoint], who: str, because: str, now: int) -> None:
        """Take what these hold; their seats are free."""
        self._tx.execute(
            f"DELETE FROM endpoint_assignment WHERE {self._tx.dialect.among('endpoint', 'keys')}",
            {"keys": self._tx.dialect.listed([endpoint.key for endpoint in endpoints])},
        )
        for endpoint in endpoints:
            before = json_text(license=endpoint.license, lot=endpoint.lot_id)
            entry = Entry(who, "endpoint.released", endpoint.name, None, before, None, because)
            self._record(endpoint.company, [entry], now)

    # --- what time brings (M4) ---

    def expired(self, pool: int, companies: Collection[int], now: int) -> list[Endpoint]:
        """Those of these companies that hold a seat of a lot of the pool that ended: whose ended first, first."""
        values = {"pool": pool, "now": now, "companies": self._tx.dialect.listed(sorted(companies))}
        return self._found(
            f"l.pool = :pool AND l.expires_at <= :now AND {self._tx.dialect.among('e.company', 'companies')}"
            " ORDER BY l.expires_at, e.name, e.key",
            values,
        )

    def exchange(self, endpoints: Sequence[Endpoint], lots: Sequence[int], now: int) -> None:
        """Move each of these to a seat of the lot at its place."""
        ids = self._lot_ids(set(lots))
        self._tx.execute_many(
            "UPDATE endpoint_assignment SET lot = :lot WHERE endpoint = :key",
            [{"lot": lot, "key": endpoint.key} for endpoint, lot in zip(endpoints, lots, strict=True)],
        )
        for endpoint, lot in zip(endpoints, lots, strict=True):
            before = json_text(license=endpoint.license, lot=endpoint.lot_id)
            after, because = json_text(license=endpoint.license, lot=ids[lot]), _ended(endpoint)
            entry = Entry(SYSTEM, "endpoint.exchanged", endpoint.name, None, before, after, because)
            self._record(endpoint.company, [entry], now)

    def tell_expired(self, lot: int, now: int) -> None:
        """Record who still holds a seat of a lot that ended."""
        for endpoint in self._found("h.lot = :lot ORDER BY e.company, e.name", {"lot": lot}):
            held = json_text(license=endpoint.license, lot=endpoint.lot_id)
            entry = Entry(SYSTEM, "endpoint.expired", endpoint.name, None, held, held, _ended(endpoint))
            self._record(endpoint.company, [entry], now)

    # --- within ---

    def _found(self, condition: str, values: dict[str, Any]) -> list[Endpoint]:
        return [Endpoint._make(row) for row in self._tx.execute(f"{_ENDPOINT} WHERE {condition}", values)]

    def _lot_ids(self, keys: Collection[int]) -> dict[int, str]:
        rows = self._tx.execute(
            f"SELECT key, id FROM lot WHERE {self._tx.dialect.among('key', 'keys')}",
            {"keys": self._tx.dialect.listed(sorted(keys))},
        )
        return {row[0]: row[1] for row in rows}

    def _record(self, company: int, entries: Iterable[Entry], now: int) -> None:
        self._tx.audit.append(company, entries, now)


def shown(endpoint: Endpoint, now: int) -> EndpointRow:
    """An endpoint as people and programs are told of it."""
    over = endpoint.expires_at is not None and endpoint.expires_at <= now
    state = "unlicensed" if endpoint.license is None else "expired" if over else "licensed"
    since = None if endpoint.since is None else rfc3339(endpoint.since)
    return EndpointRow(
        endpoint.name, endpoint.company_id, endpoint.kind, endpoint.license, endpoint.lot_id, since, state
    )


def _ended(endpoint: Endpoint) -> str:
    return f"{endpoint.lot_id} ended on {last_day(endpoint.expires_at)}"
