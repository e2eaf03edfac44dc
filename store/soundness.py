"""Whether the counters are what they count: kept by triggers and by whatever changes licenses, compared by `doctor`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.transaction import Transaction

_COUNTED = "company, license, through, lot, source"
_HELD = "company, license, through, coalesce(lot, 0), source"
_HOLDERS = f"(SELECT {_COUNTED} FROM assignment UNION ALL SELECT {_COUNTED} FROM endpoint_assignment) AS h"
_WAITING = "company, license, through, reason"

COUNTERS = {
    "lot.held": (
        "SELECT key, held FROM lot WHERE held <> 0",
        f"SELECT lot, count(*) FROM {_HOLDERS} WHERE lot IS NOT NULL GROUP BY lot",
    ),
    "holding_count": (
        "SELECT company, license, through, lot, source, held FROM holding_count WHERE held <> 0",
        f"SELECT {_HELD}, count(*) FROM {_HOLDERS} GROUP BY {_HELD}",
    ),
    "waiting_count": (
        f"SELECT {_WAITING}, n FROM waiting_count WHERE n <> 0",
        f"SELECT {_WAITING}, count(*) FROM waiting GROUP BY {_WAITING}",
    ),
}
"""By what is counted: the counter, and the count, which reads every license held or every wait."""


def untrue(tx: "Transaction") -> Iterator[str]:
    """The counters that are not what they count, and where they differ; none in a sound store."""
    for name, (counter, count) in COUNTERS.items():
        differences = [row for one, other in ((counter, count), (count, counter)) for row in _beyond(tx, one, other)]
        if differences:
            yield f"{name} differs at {', '.join(map(str, differences[0][:-1]))}"
    companies = tx.usage.untrue()
    if companies:
        yield f"usage_day is not what {', '.join(companies[:5])} holds"


def _beyond(tx: "Transaction", one: str, other: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in tx.execute(f"SELECT * FROM ({one}) AS a EXCEPT SELECT * FROM ({other}) AS b LIMIT 1")]
