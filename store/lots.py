"""Lots: the seats that were bought, in the order in which they are used (L3, M4, S1).

Seats of a pool are given out under the pool's lock, which is its company's row. How many are held is not counted here:
triggers keep `lot.held` true, and a check keeps it within the seats.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store.audit import Entry, json_text
from store.errors import NotFound
from store.times import instant, rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

LATELY = 24 * 3_600 * 1_000_000
"""Microseconds after a lot's first day in which passes over pools look for who waits for it; every run looks later."""
TRIAL = "trial"
TERMS = ("monthly", "yearly", TRIAL, "perpetual")
VALID = "starts_at <= :now AND (expires_at IS NULL OR expires_at > :now)"
_PURCHASED = f"term <> '{TRIAL}' OR :trial"


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot as the store has it. `expires_at` is the first instant at which it is no longer valid, None is never."""

    key: int
    id: str
    pool: int
    license: str
    seats: int
    held: int
    term: str
    starts_at: int
    expires_at: int | None
    renews: bool
    ref: str | None
    order_id: str | None
    term_ends_at: int | None = None
    """The end of its own term, while a placed renewal keeps it valid for longer (M3)."""


class FreeLot(NamedTuple):
    """A lot with free seats."""

    key: int
    id: str
    free: int
    expires_at: int | None
    term: str


class Stock(NamedTuple):
    """The seats of a pool's lots that are valid now, and how many hold one of a lot that ended."""

    seats: int
    held: int
    free: int
    expired: int


class Listed(msgspec.Struct, frozen=True):
    """A lot as `lots list --json` shows it; it is valid from the day `starts` through the day `expires` (P5)."""

    id: str
    pool: str
    company: str | None
    license: str
    seats: int
    held: int
    free: int
    term: str
    starts: str
    expires: str | None
    renews: bool
    ref: str | None


_COLUMNS = ", ".join(f"l.{name}" for name in LotRow.__slots__)
_LOT = f"SELECT {_COLUMNS}, c.id FROM lot AS l JOIN company AS c ON c.key = l.pool"


class Lots:
    """The lots of every pool; a pool is the key of the company that owns it, 0 the provider."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def lock_pool(self, pool: int) -> None:
        """Let nobody else give out the pool's seats until the transaction ends. Taken after a directory's lease is
        checked and before the first audit entry. Raises NotFound."""
        sql = f"SELECT key FROM company WHERE key = :pool{self._tx.dialect.for_update()}"
        if self._tx.execute(sql, {"pool": pool}).scalar_one_or_none() is None:
            raise NotFound(f"there is no pool {pool}")

    def add(
        self,
        *,
        pool: int,
        license: str,
        seats: int,
        term: str,
        starts_at: int,
        expires_at: int | None,
        who: str,
        now: int,
        because: str | None = None,
        renews: bool = True,
        ref: str | None = None,
        order_id: str | None = None,
    ) -> LotRow:
        """Put a lot into a pool. The pool's chain records it."""
        values = {
            "id": f"lot-{secrets.token_hex(5)}", "pool": pool, "license": license, "seats": seats, "term": term,
            "starts_at": starts_at, "expires_at": expires_at, "renews": renews, "ref": ref, "order_id": order_id,
        }  # fmt: skip
        key = self._tx.execute(
            f"INSERT INTO lot ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)}) RETURNING key",
            values,
        ).scalar_one()
        added = LotRow(key=key, held=0, **values)  # type: ignore[arg-type]
        self._tx.audit.append(pool, [Entry(who, "lot.added", added.id, None, None, _told(added), because)], now)
        return added

    def came_of(self, lot: LotRow, order_id: str) -> LotRow:
        """The lot is what this order brought."""
        self._tx.execute("UPDATE lot SET order_id = :order_id WHERE key = :key", {"order_id": order_id, "key": lot.key})
        return replace(lot, order_id=order_id)

    def by_id(self, id: str) -> LotRow:
        """The lot of that id. Raises NotFound."""
        row = self._tx.execute(f"{_LOT} WHERE l.id = :id", {"id": id}).one_or_none()
        if row is None:
            raise NotFound(f"there is no lot {id!r}")
        return _lot(row)

    def of_order(self, order_id: str) -> LotRow | None:
        """The lot that an order brought, if it was fulfilled."""
        row = self._tx.execute(f"{_LOT} WHERE l.order_id = :order_id", {"order_id": order_id}).one_or_none()
        return None if row is None else _lot(row)

    def free_seats(self, pool: int, license: str, now: int) -> list[FreeLot]:
        """Lots of a pool with free seats that are valid now, in the order in which they are used: the one that ends
        first, first (M4)."""
        rows = self._tx.execute(
            "SELECT key, id, seats - held, expires_at, term FROM lot WHERE pool = :pool AND license = :license"
            f" AND {VALID} AND held < seats ORDER BY expires_at IS NULL, expires_at, key",
            {"pool": pool, "license": license, "now": now},
        )
        return [FreeLot(*row) for row in rows]

    def renewals_with_seats(self, pool: int, license: str, now: int) -> list[tuple[FreeLot, int]]:
        """Lots of a pool with free seats that are valid now and were bought to renew another, with that one's key."""
        rows = self._tx.execute(
            "SELECT l.key, l.id, l.seats - l.held, l.expires_at, l.term, o.renews_lot FROM lot AS l JOIN orders AS o"
            " ON o.id = l.order_id WHERE l.pool = :pool AND l.license = :license AND o.renews_lot IS NOT NULL AND"
            f" {VALID} AND l.held < l.seats ORDER BY l.expires_at IS NULL, l.expires_at, l.key",
            {"pool": pool, "license": license, "now": now},
        )
        return [(FreeLot(*row[:-1]), row[-1]) for row in rows]

    def usable(self, pool: int, license: str, now: int) -> list[FreeLot]:
        """Every lot of a pool that is valid now, in the order of use; full ones too, since seats of theirs may be
        given back on the way."""
        rows = self._tx.execute(
            "SELECT key, id, seats - held, expires_at, term FROM lot WHERE pool = :pool AND license = :license"
            f" AND {VALID} ORDER BY expires_at IS NULL, expires_at, key",
            {"pool": pool, "license": license, "now": now},
        )
        return [FreeLot(*row) for row in rows]

    def stock(self, pool: int, license: str, now: int) -> Stock:
        """What a pool has of a license."""
        row = self._tx.execute(
            f"SELECT coalesce(sum(CASE WHEN {VALID} THEN seats END), 0),"
            f" coalesce(sum(CASE WHEN {VALID} THEN held END), 0),"
            " coalesce(sum(CASE WHEN expires_at <= :now THEN held END), 0) FROM lot"
            " WHERE pool = :pool AND license = :license",
            {"pool": pool, "license": license, "now": now},
        ).one()
        seats, held, expired = (int(n) for n in row)
        return Stock(seats, held, seats - held, expired)

    def pools_begun(self, now: int) -> list[int]:
        """The pools in which a lot has begun lately that somebody waits for, and that has seats free."""
        rows = self._tx.execute(
            "SELECT DISTINCT l.pool FROM lot AS l JOIN company AS c ON c.pool = l.pool JOIN waiting_count AS w"
            f" ON w.company = c.key AND w.license = l.license WHERE {VALID} AND l.starts_at > :now - {LATELY}"
            " AND l.held < l.seats AND w.through = 'seat' AND w.reason = 'insufficient_licenses' AND w.n > 0"
            " ORDER BY l.pool",
            {"now": now},
        )
        return [row[0] for row in rows]

    def purchased(self, pool: int, license: str, now: int, *, trial: bool) -> int:
        """The seats of a pool's valid lots that were bought, held or not; with `trial`, those on trial too (S1)."""
        found = self._tx.execute(
            f"SELECT coalesce(sum(seats), 0) FROM lot WHERE pool = :pool AND license = :license AND {VALID}"
            f" AND ({_PURCHASED})",
            {"pool": pool, "license": license, "now": now, "trial": trial},
        ).scalar_one()
        return int(found)

    def purchased_held(self, company: int, license: str, now: int, *, trial: bool) -> int:
        """The bought seats of valid lots that the company holds; with `trial`, those on trial too (S1)."""
        found = self._tx.execute(
            "SELECT coalesce(sum(n.held), 0) FROM holding_count AS n JOIN lot AS l ON l.key = n.lot"
            f" WHERE n.company = :company AND l.license = :license AND {VALID} AND ({_PURCHASED})",
            {"company": company, "license": license, "now": now, "trial": trial},
        ).scalar_one()
        return int(found)

    def listing(
        self, now: int, *, pool: int | None = None, license: str | None = None, ending_before: int | None = None
    ) -> list[Listed]:
        """Lots as scripts read them; with `ending_before`, only those that are valid now and end sooner."""
        conditions = {
            "l.pool = :pool": pool, "l.license = :license": license,
            f"l.expires_at < :ending_before AND {VALID}": ending_before,
        }  # fmt: skip
        values = {"now": now, "pool": pool, "license": license, "ending_before": ending_before}
        return self._listed([condition for condition, value in conditions.items() if value is not None], values, now)

    def ended(self, now: int, *, renewing: bool = False, unheld: bool = False) -> list[Listed]:
        """The lots that ended; with `renewing`, only those that were to be renewed; with `unheld`, only those of which
        no seat is held (M5)."""
        conditions = ["l.expires_at <= :now", *(["l.renews"] if renewing else []), *(["l.held = 0"] if unheld else [])]
        return self._listed(conditions, {"now": now}, now)

    def remove(self, ids: Sequence[str], who: str, now: int) -> list[Listed]:
        """Show these lots no more, those of them that have ended; who holds a seat of one keeps it, expired, until it
        is exchanged (M5). Each is on record in its pool's chain; returns those that are removed."""
        among = self._tx.dialect.among("l.id", "ids")
        values = {"now": now, "ids": self._tx.dialect.listed(list(ids))}
        rows = self._tx.execute(
            f"{_LOT} WHERE l.expires_at <= :now AND NOT l.removed AND {among} ORDER BY l.key", values
        )
        lots = [(_lot(row), row[-1]) for row in rows]
        self._tx.audit.open({lot.pool for lot, _ in lots})
        for lot, _ in lots:
            self._tx.execute("UPDATE lot SET removed = true WHERE key = :key", {"key": lot.key})
            why = f"it ended on {last_day(lot.expires_at)}, {lot.held} seats held"
            self._tx.audit.append(lot.pool, [Entry(who, "lot.removed", lot.id, None, _told(lot), None, why)], now)
        return [_listed(lot, owner, now) for lot, owner in lots]

    def _listed(self, conditions: Sequence[str], values: dict[str, Any], now: int) -> list[Listed]:
        rows = self._tx.execute(
            f"{_LOT} WHERE {' AND '.join(['NOT l.removed', *conditions])}"
            " ORDER BY l.pool, l.license, l.expires_at IS NULL, l.expires_at, l.key",
            values,
        )
        return [_listed(_lot(row), row[-1], now) for row in rows]


def day_after(day: date) -> int:
    """The instant at which a lot that is valid through a day is no longer valid (P5)."""
    return (day - date(1970, 1, 1)).days * 86_400_000_000 + 86_400_000_000


def start_of(day: date) -> int:
    """The first instant of a UTC day."""
    return (day - date(1970, 1, 1)).days * 86_400_000_000


def last_day(expires_at: int | None) -> str | None:
    """The last day on which a lot is valid, as people and programs read it."""
    return None if expires_at is None else (instant(expires_at) - timedelta(microseconds=1)).date().isoformat()


def _lot(row: Any) -> LotRow:
    values = dict(zip(LotRow.__slots__, row, strict=False))
    return LotRow(**{**values, "renews": bool(values["renews"])})


def _listed(lot: LotRow, owner: str, now: int) -> Listed:
    valid = lot.starts_at <= now and (lot.expires_at is None or lot.expires_at > now)
    return Listed(
        id=lot.id,
        pool="own" if lot.pool else "global",
        company=owner if lot.pool else None,
        license=lot.license,
        seats=lot.seats,
        held=lot.held,
        free=lot.seats - lot.held if valid else 0,
        term=lot.term,
        starts=instant(lot.starts_at).date().isoformat(),
        expires=last_day(lot.term_ends_at or lot.expires_at),
        renews=lot.renews,
        ref=lot.ref,
    )


def _told(lot: LotRow) -> str:
    return json_text(
        license=lot.license, seats=lot.seats, term=lot.term, starts=rfc3339(lot.starts_at),
        expires=last_day(lot.expires_at), renews=lot.renews, ref=lot.ref, order=lot.order_id,
    )  # fmt: skip
