"""The orders of a simulated seller, by the keys under which they came."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import msgspec

_TERMS = {"monthly": 30, "yearly": 365}


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an order."""

    company: str
    license: str
    seats: int
    term: str
    note: str


@dataclass(frozen=True, slots=True)
class Bought:
    """An order that was taken."""

    id: str
    key: str
    wanted: Wanted
    placed_at: datetime
    fulfilled: bool = False
    """Somebody said so; else it is when its time has come."""
    seats: int = 0
    expires: date | None = None


class Ledger:
    """Takes each key once, whoever asks how often."""

    def __init__(self, clock: Callable[[], datetime], fulfills_after: timedelta | None) -> None:
        self._clock = clock
        self._after = fulfills_after
        self._by_key: dict[str, Bought] = {}
        self._lock = threading.Lock()

    def take(self, key: str, wanted: Wanted) -> Bought:
        """The order of this key; a new one where there is none."""
        with self._lock:
            if key not in self._by_key:
                at = self._clock()
                days = _TERMS.get(wanted.term)
                ends = None if days is None else at.date() + timedelta(days=days - 1)
                id = f"po-{len(self._by_key) + 1:05}"
                self._by_key[key] = Bought(id, key, wanted, at, seats=wanted.seats, expires=ends)
            return self._by_key[key]

    def of_key(self, key: str) -> Bought | None:
        return self._by_key.get(key)

    def of_id(self, id: str) -> Bought | None:
        return next((bought for bought in self.all() if bought.id == id), None)

    def all(self) -> list[Bought]:
        """Every order, in the order in which they came."""
        with self._lock:
            return list(self._by_key.values())

    def fulfill(self, id: str, seats: int | None, expires: date | None) -> Bought:
        """Deliver an order; as it was ordered, unless something else is said. Raises LookupError."""
        bought = self.of_id(id)
        if bought is None:
            raise LookupError(f"there is no order {id}")
        changed = replace(
            bought,
            fulfilled=True,
            seats=bought.seats if seats is None else seats,
            expires=bought.expires if expires is None else expires,
        )
        with self._lock:
            self._by_key[bought.key] = changed
        return changed

    def state(self, bought: Bought) -> str:
        """`placed` until the seats are there, then `fulfilled`."""
        due = self._after is not None and bought.placed_at + self._after <= self._clock()
        return "fulfilled" if bought.fulfilled or due else "placed"
