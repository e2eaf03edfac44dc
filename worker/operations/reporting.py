"""What a provider bills from: who held how much in a month."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from store.times import micros
from store.usage import DAY, Usage, by_license
from worker.errors import Usage as WrongUsage

if TYPE_CHECKING:
    from worker.bootstrap import App

_EPOCH = date(1970, 1, 1)


def usage(app: "App", month: date, company: str | None = None) -> list[Usage]:
    """What every company (or one) held in the month that begins on this day; of the running month what has passed of
    it, today included. Raises WrongUsage for a month that has not begun, and NotFound for an unknown company."""
    first = (month - _EPOCH).days
    today = micros(app.clock()) // DAY
    if first > today:
        raise WrongUsage(f"{month:%Y-%m} has not begun yet")
    following = (month + timedelta(days=31)).replace(day=1)
    last = min((following - _EPOCH).days - 1, today)
    with app.store.read() as tx:
        key = None if company is None else tx.directories.company(company).key
        return list(by_license(f"{month:%Y-%m}", tx.usage.between(first, last, key)))
