"""How another process drives a simulated seller, beside what `driving` has for all: `POST /_simulator/…` on loopback.

GET    /_simulator                        the secret, the time, every order, and how often what was asked
POST   /_simulator/orders/{id}/fulfill    {"seats"?, "expires"?}
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from connectors.simulators.driving import Driving
from connectors.simulators.seller.faults import Fault
from connectors.simulators.serving import Request

if TYPE_CHECKING:
    from connectors.simulators.seller.ledger import Bought
    from connectors.simulators.seller.simulator import Simulator


class _Delivery(msgspec.Struct, forbid_unknown_fields=True):
    seats: int | None = None
    expires: date | None = None


class Control(Driving):
    """Answers below `/_simulator`."""

    simulator: "Simulator"
    fault = Fault

    def done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "GET", ():
                return self._overview()
            case "POST", ("orders", id, "fulfill"):
                delivery = msgspec.json.decode(request.body or b"{}", type=_Delivery)
                return self._told(self.simulator.fulfill(id, seats=delivery.seats, expires=delivery.expires))
        return super().done(request, parts)

    def _overview(self) -> Mapping[str, object]:
        simulator = self.simulator
        return {
            "secret": simulator.secret,
            "now": simulator.clock(),
            "orders": [self._told(bought) for bought in simulator.bought()],
            "requests": simulator.requests(),
        }

    def _told(self, bought: "Bought") -> Mapping[str, object]:
        known = {"id": bought.id, "idempotency_key": bought.key, "state": self.simulator.state(bought)}
        return {**msgspec.to_builtins(bought.wanted), **known, "seats": bought.seats, "expires": bought.expires}
