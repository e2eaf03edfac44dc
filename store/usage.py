"""What was held from day to day, for bills: a row for each day on which it changed, and none for all others.

A day is one of UTC. Of each company, license and way of holding it a row has the most that were held at once on that
day, and how many were held when it was over. What a transaction passes through on its way is not counted, only what it
leaves. Rows are written as the last thing of whatever writes to a company's part of the record: no change to a license
is beside the record (A1), so none can be forgotten, and the lock on the company's chain makes the counts exact.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from store.transaction import Transaction

DAY = 86_400_000_000
"""Microseconds."""
SEAT, ENTITLEMENT, EXPIRED = "seat", "entitlement", "expired"
"""Ways of holding: a seat of a lot that is valid, shared mailboxes that come free (S1), a seat of a lot that has ended
(M4), from the pass that found its end."""
_CHUNK = 10_000


class Measure(msgspec.Struct, frozen=True):
    """What was held in a month: the most at once, how many when it was over, and the sum of every day's most."""

    peak: int = 0
    last_day: int = 0
    days: int = 0


class Usage(msgspec.Struct, frozen=True):
    """What a company held of a license in a month. Shared mailboxes and seats of lots that ended stand apart."""

    month: str
    """`2026-11`; of the running month what has passed of it, today included."""
    company: str
    license: str
    peak: int
    last_day: int
    seat_days: int
    entitlement: Measure
    expired: Measure


class Change(NamedTuple):
    """A day on which what was held changed."""

    day: int
    """Since 1970."""
    peak: int
    held: int


class UsageDays:
    """What was held, day by day."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx
        self._concerned: dict[int, int] = {}

    def concerns_holders(self, lot: int, now: int) -> None:
        """What becomes of a lot changes what its holders hold, though nothing is said of them in the record."""
        rows = self._tx.execute("SELECT DISTINCT company FROM holding_count WHERE lot = :lot", {"lot": lot})
        self._concerned |= {row[0]: now for row in rows}

    def seal(self, written: Iterable[tuple[int, int]]) -> None:
        """Note what companies hold by now, where that is not what was noted last: those of whom something was
        written at an instant, and whom else this transaction concerned."""
        for company, now in sorted({**self._concerned, **dict(written)}.items()):
            self._tx.execute(_KEEP, {"company": company, "day": now // DAY})

    def between(self, first: int, last: int, company: int | None = None) -> Iterator[tuple[str, str, str, Measure]]:
        """Company, license, way of holding, and what was held from one day to another, both included; sorted."""
        values = {"first": first, "last": last} | ({} if company is None else {"company": company})
        only = "" if company is None else " WHERE c.key = :company"
        rows = self._tx.stream(_BETWEEN.format(only=only), values, _CHUNK)
        for held, days in groupby((row for some in rows for row in some), key=lambda row: (row[0], row[1], row[2])):
            yield *held, measured((Change(*day[3:]) for day in days), first, last)

    def untrue(self) -> list[str]:
        """The companies of which something else was noted last than what they hold."""
        rows = self._tx.execute(f"SELECT DISTINCT c.id FROM company AS c, ({_NOTED}) AS n {_DIFFERS} ORDER BY c.id")
        return [row[0] for row in rows]


def measured(changes: Iterable[Change], first: int, last: int) -> Measure:
    """What was held from one day to another, by the days of change; one before the first says what was held then."""
    peak = held = total = 0
    next_day = first
    for day, highest, left in changes:
        if day >= first:
            if day > next_day:
                peak, total = max(peak, held), total + held * (day - next_day)
            peak, total, next_day = max(peak, highest), total + highest, day + 1
        held = left
    if last >= next_day:
        peak, total = max(peak, held), total + held * (last + 1 - next_day)
    return Measure(peak, held, total)


def by_license(month: str, rows: Iterable[tuple[str, str, str, Measure]]) -> Iterator[Usage]:
    """A line for each company and license that was held at all."""
    for (company, license), ways in groupby(rows, key=lambda row: row[:2]):
        found: dict[str, Any] = {way: measure for _, _, way, measure in ways}
        seats, free, ended = (found.get(way, Measure()) for way in (SEAT, ENTITLEMENT, EXPIRED))
        if seats.peak or free.peak or ended.peak:
            yield Usage(month, company, license, seats.peak, seats.last_day, seats.days, free, ended)


_WAYS = f"SELECT '{SEAT}' AS way UNION ALL SELECT '{ENTITLEMENT}' UNION ALL SELECT '{EXPIRED}'"


def _held(where: str) -> str:
    """What is held now, in every way, also where that is nothing any more."""
    return (
        f"SELECT h.company, h.license, w.way, sum(CASE WHEN w.way = CASE WHEN l.ended THEN '{EXPIRED}' ELSE h.through"
        " END THEN h.held ELSE 0 END) AS held FROM holding_count AS h LEFT JOIN lot AS l ON l.key = h.lot"
        f" CROSS JOIN ({_WAYS}) AS w{where} GROUP BY h.company, h.license, w.way"
    )


_LATEST = (
    "(SELECT p.{column} FROM usage_day AS p WHERE p.company = {x}.company AND p.license = {x}.license"
    " AND p.way = {x}.way{earlier} ORDER BY p.day DESC LIMIT 1)"
)
_WAS, _ON = (_LATEST.format(column=column, x="x", earlier="") for column in ("held", "day"))

# A clock that was put back must not write before what is noted already, hence the later of the two days.
_KEEP = (
    "INSERT INTO usage_day AS u (company, license, way, day, peak, held)"
    " SELECT n.company, n.license, n.way, CASE WHEN n.latest > :day THEN n.latest ELSE :day END,"
    " CASE WHEN n.held > n.was THEN n.held ELSE n.was END, n.held FROM"
    f" (SELECT x.company, x.license, x.way, x.held, coalesce({_WAS}, 0) AS was, coalesce({_ON}, 0) AS latest"
    f" FROM ({_held(' WHERE h.company = :company')}) AS x) AS n WHERE n.held <> n.was"
    " ON CONFLICT (company, license, way, day) DO UPDATE SET"
    " peak = CASE WHEN excluded.held > u.peak THEN excluded.held ELSE u.peak END, held = excluded.held"
)
_NOTED = f"SELECT x.company, x.held, coalesce({_WAS}, 0) AS was FROM ({_held('')}) AS x"
_DIFFERS = "WHERE n.company = c.key AND n.held <> n.was"

_EARLIER = _LATEST.format(column="held", x="k", earlier=" AND p.day < :first")
_BETWEEN = (
    "SELECT c.id, d.license, d.way, d.day, d.peak, d.held FROM"
    " (SELECT company, license, way, day, peak, held FROM usage_day WHERE day BETWEEN :first AND :last"
    f" UNION ALL SELECT k.company, k.license, k.way, :first - 1, 0, coalesce({_EARLIER}, 0) FROM"
    f" (SELECT DISTINCT h.company, h.license, w.way FROM holding_count AS h CROSS JOIN ({_WAYS}) AS w) AS k) AS d"
    " JOIN company AS c ON c.key = d.company{only} ORDER BY c.id, d.license, d.way, d.day"
)
