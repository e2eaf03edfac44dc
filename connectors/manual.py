"""The seller who is a person: an order is placed by being written down, and fulfilled when somebody says so (P8)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.base import Order, Receipt, Seller
from connectors.errors import NeedsPerson
from connectors.kinds import SellerConnector
from policies.document import NoOptions

if TYPE_CHECKING:
    from connectors.context import Context

SELLER = SellerConnector(options=NoOptions, opens="connectors.manual:open_seller")


@dataclass(frozen=True, slots=True)
class Manual:
    """Keeps nothing: the order in the store is the order."""

    address: str = ""

    def place(self, order: Order) -> Receipt:
        return Receipt(ref=order.key, state="placed", seats=order.seats)

    def find(self, key: str) -> Receipt | None:
        """Nobody else has a copy to look in; placing it again is the same order."""
        return None

    def look_up(self, ref: str, key: str) -> Receipt:
        """A person who has something to say of an order says it to the store. Raises NeedsPerson."""
        raise NeedsPerson(f"{ref} is with a person", remedy="seatkeeper orders fulfill, once its seats are there")


def open_seller(options: NoOptions, context: "Context") -> Seller:
    """The person."""
    return Manual()
