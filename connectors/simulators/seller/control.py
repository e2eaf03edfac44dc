"""How another process drives a simulated seller: `POST /_simulator/…` on loopback.

GET    /_simulator                        the secret, the time, every order, and how often what was asked
POST   /_simulator/orders/{id}/fulfill    {"seats"?, "expires"?}
GET    /_simulator/faults                 what is still to come
POST   /_simulator/faults                 a fault, or a list of them
DELETE /_simulator/faults
POST   /_simulator/clock                  {"advance": seconds}
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.driving import from_elsewhere
from connectors.simulators.seller.faults import Fault
from connectors.simulators.serving import Answer, Request

if TYPE_CHECKING:
    from connectors.simulators.seller.ledger import Bought
    from connectors.simulators.seller.simulator import Simulator


class _Delivery(msgspec.Struct, forbid_unknown_fields=True):
    seats: int | None = None
    expires: date | None = None


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class Control:
    """Answers below `/_simulator`: 200 with what was done, 400 with what was wrong."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    def answer(self, request: Request, parts: tuple[str, ...]) -> Answer:
        if from_elsewhere(request):
            return _json(403, {"error": "a simulator is driven from this machine only"})
        try:
            return _json(200, self._done(request, parts))
        except (LookupError, ValueError, TypeError, msgspec.MsgspecError) as problem:
            return _json(400, {"error": str(problem)})

    def _done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "GET", ():
                return self._overview()
            case "POST", ("orders", id, "fulfill"):
                delivery = msgspec.json.decode(request.body or b"{}", type=_Delivery)
                return self._told(self._simulator.fulfill(id, seats=delivery.seats, expires=delivery.expires))
            case _, ("faults",):
                return self._faults(request)
            case "POST", ("clock",):
                return self._advance(msgspec.json.decode(request.body, type=_Step))
        raise LookupError(f"{request.method} /_simulator/{'/'.join(parts)} is nothing that a simulator does")

    def _overview(self) -> Mapping[str, object]:
        simulator = self._simulator
        return {
            "secret": simulator.secret,
            "now": simulator.clock(),
            "orders": [self._told(bought) for bought in simulator.bought()],
            "requests": simulator.requests(),
        }

    def _told(self, bought: "Bought") -> Mapping[str, object]:
        known = {"id": bought.id, "idempotency_key": bought.key, "state": self._simulator.state(bought)}
        return {**msgspec.to_builtins(bought.wanted), **known, "seats": bought.seats, "expires": bought.expires}

    def _faults(self, request: Request) -> object:
        if request.method == "POST":
            ordered = msgspec.json.decode(request.body, type=Fault | list[Fault])
            self._simulator.order(*(ordered if isinstance(ordered, list) else [ordered]))
        elif request.method == "DELETE":
            self._simulator.withdraw_faults()
        return self._simulator.outstanding_faults()

    def _advance(self, step: _Step) -> Mapping[str, object]:
        clock = self._simulator.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("this simulator's clock is set by whoever started it")
        return {"now": clock.advance(timedelta(seconds=step.advance))}


def _json(status: int, body: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, msgspec.json.encode(body))
