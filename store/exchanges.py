"""Lots that ended while seats of theirs are held: who holds them, who waits for another seat, what is told (M4)."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from policies.model import WaitReason
from policies.planner import RANK_EXPIRED
from store.audit import Entry, json_text
from store.holdings import Held
from store.lots import VALID, FreeLot, last_day

if TYPE_CHECKING:
    from store.transaction import Transaction

CHUNK = 10_000
EXCHANGE = "exchange"
"""The kind of wait of those who hold a seat of a lot that ended."""

_ENDED = "l.expires_at <= :now AND l.held > 0"
_HELD = "h.license, h.through, h.lot, h.source, h.because, h.since"


class Ended(NamedTuple):
    """A lot that ended while seats of it are held."""

    key: int
    id: str
    expires_at: int

    @property
    def why(self) -> str:
        """The reason that its holders are told."""
        return _why(self)


class Holder(NamedTuple):
    """An account with a seat of a lot that ended."""

    account: int
    company: int
    directory: int
    id: str
    lot: Ended
    held: Held


class Exchanges:
    """The seats of lots that ended. The pool's row must be locked for whatever writes here."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def pools(self, now: int) -> list[int]:
        """The pools in which somebody holds a seat of a lot that ended."""
        rows = self._tx.execute(f"SELECT DISTINCT l.pool FROM lot AS l WHERE {_ENDED} ORDER BY l.pool", {"now": now})
        return [row[0] for row in rows]

    def is_due(self, pool: int, now: int) -> bool:
        """Whether seats of a lot of the pool that ended are held, and since the last pass over the pool either that lot
        ended or another one began that has free seats for them."""
        sql = (
            f"SELECT EXISTS (SELECT 1 FROM lot AS l WHERE l.pool = :pool AND {_ENDED} AND (NOT l.ended OR EXISTS"
            f" (SELECT 1 FROM lot WHERE pool = :pool AND license = l.license AND {VALID} AND held < seats)))"
        )
        return bool(self._tx.execute(sql, {"pool": pool, "now": now}).scalar_one())

    def companies(self, pool: int, now: int) -> list[int]:
        """The companies that hold seats of the pool's lots that ended."""
        rows = self._tx.execute(
            "SELECT DISTINCT n.company FROM lot AS l JOIN holding_count AS n ON n.lot = l.key"
            f" WHERE l.pool = :pool AND {_ENDED} AND n.held > 0 ORDER BY n.company",
            {"pool": pool, "now": now},
        )
        return [row[0] for row in rows]

    def held_by(self, company: int, license: str, now: int) -> int:
        """How many seats of lots that ended a company holds."""
        found = self._tx.execute(
            "SELECT coalesce(sum(n.held), 0) FROM holding_count AS n JOIN lot AS l ON l.key = n.lot"
            f" WHERE n.company = :company AND n.license = :license AND {_ENDED}",
            {"company": company, "license": license, "now": now},
        ).scalar_one()
        return int(found)

    def holders(self, pool: int, license: str, companies: Collection[int], now: int, limit: int) -> list[Holder]:
        """The next holders of a license in these companies to be given another seat: whose lot ended first, first."""
        values = {"pool": pool, "license": license, "now": now, "limit": limit} | self._companies(companies)
        return self._holders(
            f"l.pool = :pool AND l.license = :license AND {_ENDED} AND"
            f" {self._tx.dialect.among('h.company', 'companies')}"
            " ORDER BY l.expires_at, a.address, a.id, a.key LIMIT :limit",
            values,
        )

    def holders_renewed(
        self, pool: int, license: str, companies: Collection[int], now: int
    ) -> list[tuple[FreeLot, list[Holder]]]:
        """The lots with free seats that are the renewals of lots that ended, each with the holders in these companies
        whom its seats were bought for (M9), no more than it has seats."""
        found = []
        for renewal, renewed in self._tx.lots.renewals_with_seats(pool, license, now):
            condition = (
                f"l.key = :lot AND {_ENDED} AND {self._tx.dialect.among('h.company', 'companies')}"
                " ORDER BY a.address, a.id, a.key LIMIT :limit"
            )
            values = {"lot": renewed, "now": now, "limit": renewal.free} | self._companies(companies)
            found.append((renewal, self._holders(condition, values)))
        return found

    def put_in_line(self, pool: int, companies: Collection[int], now: int) -> int:
        """Let who holds a seat of a lot that ended wait for another, unless it waits for something else already;
        returns how many are new in line."""
        return self._tx.execute(
            "INSERT INTO waiting (account, company, directory, license, through, rank, rule_position, rule, since,"
            " address, id, reason, kind, source, because) SELECT h.account, h.company, h.directory, h.license,"
            " h.through, :rank, 0, '', l.expires_at, a.address, a.id, :reason, :kind, h.source, l.id || ' ended'"
            " FROM lot AS l JOIN assignment AS h ON h.lot = l.key JOIN account AS a ON a.key = h.account"
            f" WHERE l.pool = :pool AND {_ENDED} AND {self._tx.dialect.among('h.company', 'companies')}"
            " AND NOT EXISTS (SELECT 1 FROM waiting AS w WHERE w.account = h.account)",
            {
                "pool": pool, "now": now, "rank": RANK_EXPIRED, "kind": EXCHANGE,
                "reason": WaitReason.INSUFFICIENT_LICENSES.value, **self._companies(companies),
            },
        ).rowcount  # fmt: skip

    def take_out_of_line(self, companies: Collection[int]) -> None:
        """These companies do not want their seats to be exchanged any more."""
        self._tx.execute(
            f"DELETE FROM waiting WHERE kind = :kind AND {self._tx.dialect.among('company', 'companies')}",
            {"kind": EXCHANGE, **self._companies(companies)},
        )

    def tell(self, pool: int, now: int) -> None:
        """Record, once for each, who still holds a seat of a lot that ended."""
        rows = self._tx.execute(
            f"SELECT l.key, l.id, l.expires_at FROM lot AS l WHERE l.pool = :pool AND {_ENDED} AND NOT l.ended"
            " ORDER BY l.key",
            {"pool": pool, "now": now},
        )
        for lot in [Ended._make(row) for row in rows]:
            for holders in self._of_lot(lot):
                self._record(holders, now)
            self._tx.endpoints.tell_expired(lot.key, now)
            self._tx.execute("UPDATE lot SET ended = true WHERE key = :key", {"key": lot.key})

    def _of_lot(self, lot: Ended) -> Iterator[list[Holder]]:
        after = (-1, 0)
        while True:
            holders = self._holders(
                "l.key = :lot AND (h.company, h.account) > (:company, :account)"
                " ORDER BY h.company, h.account LIMIT :limit",
                {"lot": lot.key, "company": after[0], "account": after[1], "limit": CHUNK},
            )
            if holders:
                yield holders
            if len(holders) < CHUNK:
                return
            after = (holders[-1].company, holders[-1].account)

    def _holders(self, condition: str, values: dict[str, Any]) -> list[Holder]:
        sql = (
            f"SELECT h.account, h.company, h.directory, a.id, l.key, l.id, l.expires_at, {_HELD} FROM lot AS l"
            f" JOIN assignment AS h ON h.lot = l.key JOIN account AS a ON a.key = h.account WHERE {condition}"
        )
        return [_holder(row) for rows in self._tx.stream(sql, values, CHUNK) for row in rows]

    def _record(self, holders: Sequence[Holder], now: int) -> None:
        for company in sorted({holder.company for holder in holders}):
            own = (holder for holder in holders if holder.company == company)
            self._tx.audit.append(company, (_expired(holder) for holder in own), now)

    def _companies(self, companies: Collection[int]) -> dict[str, Any]:
        return {"companies": self._tx.dialect.listed(sorted(companies))}


def _holder(row: Sequence[Any]) -> Holder:
    account, company, directory, id = row[:4]
    return Holder(account, company, directory, id, Ended._make(row[4:7]), Held._make(row[7:]))


def _expired(holder: Holder) -> Entry:
    held, lot = holder.held, holder.lot
    before, after = _told(held.license, held.through, held.source, lot)
    return Entry("system", "license.expired", holder.id, holder.directory, before, after, _why(lot))


@lru_cache(maxsize=4096)
def _told(license: str, through: str, source: str, lot: Ended) -> tuple[str, str]:
    """The same few texts serve a whole tenant."""
    facts = {"license": license, "through": through, "lot": lot.id, "source": source}
    return json_text(**facts), json_text(**facts, expired=last_day(lot.expires_at))


@lru_cache(maxsize=1024)
def _why(lot: Ended) -> str:
    return f"{lot.id} ended on {last_day(lot.expires_at)}"
