"""A vendor's portal without a wire: it sells at once, late, or not at all, and loses its answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base import Order, Receipt, Refusal
from connectors.errors import Transient

LATE = timedelta(days=2)
MOODS = ("sells", "sells late", "refuses", "loses answers", "is closed", "delivers part")


@dataclass
class Portal:
    """Sells under a key once, however often it is asked. It is a `connectors.base.Seller` as well."""

    clock: Callable[[], datetime]
    mood: str = "sells"
    sold: dict[str, tuple[Order, datetime, int]] = field(default_factory=dict)
    """What was bought under each key, when it is there, and how many seats of it."""

    @property
    def address(self) -> str:
        return "https://portal.example"

    def place(self, order: Order) -> Receipt | Refusal:
        if self.mood == "is closed":
            raise Transient("the portal is closed")
        if self.mood == "refuses" and order.key not in self.sold:
            return Refusal("card_declined")
        if order.key not in self.sold:
            ready = self.clock() + (LATE if self.mood == "sells late" else timedelta(0))
            part = max(1, order.seats - 1) if self.mood == "delivers part" else order.seats
            self.sold[order.key] = (order, ready, part)
        if self.mood == "loses answers":
            self.mood = "sells"
            raise Transient("the answer never came")
        return self.look_up(order.key, order.key)

    def find(self, key: str) -> Receipt | None:
        if self.mood == "is closed":
            raise Transient("the portal is closed")
        return self.look_up(key, key) if key in self.sold else None

    def look_up(self, ref: str, key: str) -> Receipt:
        if self.mood == "is closed":
            raise Transient("the portal is closed")
        _, ready, seats = self.sold[key]
        number = list(self.sold).index(key) + 1
        return Receipt(f"portal-{number}", "fulfilled" if ready <= self.clock() else "placed", seats)
