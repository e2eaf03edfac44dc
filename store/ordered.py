"""What purchases rest on: seats that are on their way, seats ordered lately, and refusals that stand (P1, P3, P7)."""

from typing import TYPE_CHECKING, Any

from store.order_rows import CANCELLED, FULFILLED, OPEN, REJECTED, REOPENED

if TYPE_CHECKING:
    from store.transaction import Transaction

DAY = 24 * 3_600 * 1_000_000
ANY_SHORTAGE = 1_000_000_000
"""More than is ever short: nothing is bought until a person reopens the order that a seller refused (P7)."""

_ORDERED = f"{OPEN[:-1]}, '{FULFILLED}')"
_CAME = (
    "coalesce((SELECT l.seats FROM lot AS l WHERE l.pool = orders.pool AND l.license = orders.license"
    " AND l.order_id = orders.id), seats)"
)
_DECLINED = f"o.renews_lot IS NULL AND o.shortage > 0 AND o.state IN ('{REJECTED}', '{CANCELLED}')"
_REFUSALS = (
    "SELECT o.id FROM orders AS o JOIN company AS c ON c.key = o.company LEFT JOIN policy_version AS v"
    f" ON v.key = c.policy WHERE o.state = 'failed' AND o.shortage > {REOPENED} AND o.changed_at >= coalesce(v.at, 0)"
)


class Ordered:
    """Sums over the orders of a company. Renewals are in none: no cap counts them (M3)."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def open_seats(self, pool: int, license: str, company: int | None = None) -> int:
        """Seats on order for a pool (wanted, awaiting approval, placed), of all companies or of one; no renewals."""
        mine = "" if company is None else " AND company = :company"
        return self._sum(
            f"state IN {OPEN} AND pool = :pool{mine}",
            license,
            {"pool": pool} | ({} if company is None else {"company": company}),
        )

    def seats_renewing_ended(self, pool: int, license: str, company: int, now: int) -> int:
        """Seats on order in place of lots that have ended: all of the company's own renewals, and of those that
        somebody else ordered as many as people of the company wait for (M3)."""
        ended = (
            f"o.state IN {OPEN} AND o.pool = :pool AND o.license = :license AND l.expires_at <= :now"
            " AND l.key = o.renews_lot"
        )
        mine, others = self._tx.execute(
            f"SELECT (SELECT coalesce(sum(o.seats), 0) FROM orders AS o, lot AS l WHERE {ended}"
            " AND o.company = :company), (SELECT count(*) FROM orders AS o, lot AS l, assignment AS h, waiting AS w"
            f" WHERE {ended} AND o.company <> :company AND h.lot = l.key AND h.company = :company"
            " AND w.account = h.account AND w.kind = 'exchange')",
            {"pool": pool, "license": license, "company": company, "now": now},
        ).one()
        return int(mine) + int(others)

    def bought_since(self, company: int, license: str, since: int) -> int:
        """Seats of orders made since an instant: what came of those that are fulfilled, and what the others are for; no
        renewals."""
        return self._sum(
            f"company = :company AND state IN {_ORDERED} AND created_at >= :since",
            license,
            {"company": company, "since": since},
            seats=f"CASE WHEN state = '{FULFILLED}' THEN {_CAME} ELSE seats END",
        )

    def ordered_in_a_day(self, company: int, now: int) -> int:
        """Seats ordered in the last 24 hours that no person approved, of whatever license (Z1); no renewals."""
        return self._sum(
            f"company = :company AND state IN {_ORDERED} AND decided_by IS NULL AND created_at > :since",
            None,
            {"company": company, "since": now - DAY},
        )

    def refused(self, company: int) -> bool:
        """Whether a seller refused an order of the company (P7), and since then neither has a person reopened it nor
        another version of the company's policy come into force."""
        found = self._tx.execute(f"{_REFUSALS} AND o.company = :company LIMIT 1", {"company": company})
        return found.scalar_one_or_none() is not None

    def refusals(self, limit: int) -> list[str]:
        """The newest orders whose refusal stands, of any company."""
        return list(self._tx.execute(f"{_REFUSALS} ORDER BY o.key DESC LIMIT :limit", {"limit": limit}).scalars())

    def rejected_shortage(self, company: int, license: str) -> int:
        """Up to which shortage, less what is on order, nothing is bought, because a person rejected or cancelled what
        was ordered for it (P3), or a seller refused an order (P7: then nothing at all for the company). 0 where
        nothing stands in the way. A rejection stands until an order is made by itself for a larger shortage; what a
        person orders by hand is none, and has the shortage 0."""
        if self.refused(company):
            return ANY_SHORTAGE
        return int(
            self._tx.execute(
                "SELECT coalesce(sum(o.shortage), 0) FROM orders AS o WHERE o.company = :company"
                f" AND o.license = :license AND {_DECLINED} AND NOT EXISTS (SELECT 1 FROM orders AS n"
                " WHERE n.company = o.company AND n.license = o.license AND n.renews_lot IS NULL AND n.shortage <> 0"
                " AND n.key > o.key AND n.created_at >= o.changed_at)",
                {"company": company, "license": license},
            ).scalar_one()
        )

    def _sum(self, condition: str, license: str | None, values: dict[str, Any], *, seats: str = "seats") -> int:
        of = "" if license is None else " AND license = :license"
        return int(
            self._tx.execute(
                f"SELECT coalesce(sum({seats}), 0) FROM orders WHERE {condition}{of} AND renews_lot IS NULL",
                values | ({} if license is None else {"license": license}),
            ).scalar_one()
        )
