"""How another process drives a simulator: what all of them have below `/_simulator`, on this machine alone.

GET    /_simulator/faults                 what is still to come
POST   /_simulator/faults                 a fault, or a list of them
DELETE /_simulator/faults
GET    /_simulator/requests[?tenant=ID]   how often what was asked
DELETE /_simulator/requests
POST   /_simulator/clock                  {"advance": seconds}
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import parse_qs

import msgspec

from connectors.simulators.clock import Clock, SimulatedClock
from connectors.simulators.serving import Answer, Request

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


class Driven(Protocol):
    """What every simulator lets happen to it."""

    clock: Clock

    def order(self, *faults: Any) -> None: ...

    def withdraw_faults(self) -> None: ...

    def outstanding_faults(self) -> list[Any]: ...

    def forget_requests(self) -> None: ...


Simulated = TypeVar("Simulated", bound=Driven)


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class Driving(Generic[Simulated]):
    """Answers below `/_simulator`: 200 with what was done, 400 with what was wrong."""

    fault: type[msgspec.Struct]
    """What the simulator takes for a fault."""

    def __init__(self, simulator: Simulated) -> None:
        self.simulator = simulator

    def answer(self, request: Request, parts: tuple[str, ...]) -> Answer:
        """Answer one request, of which these are the parts of the path after the first."""
        if _from_elsewhere(request):
            return _json(403, {"error": "a simulator is driven from this machine only"})
        try:
            return _json(200, self._done(request, parts))
        except (LookupError, ValueError, TypeError, msgspec.MsgspecError) as problem:
            return _json(400, {"error": str(problem)})

    def own(self, request: Request, parts: tuple[str, ...]) -> object:
        """What this simulator alone has here. Raises LookupError for what it has not."""
        raise LookupError(f"{request.method} /_simulator/{'/'.join(parts)} is nothing that a simulator does")

    def requests(self, tenant: str | None) -> object:
        """How often what was asked, of one tenant or of all."""
        raise NotImplementedError

    def _done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case _, ("faults",):
                return self._faults(request)
            case "GET", ("requests",):
                asked = parse_qs(request.target.partition("?")[2]).get("tenant")
                return self.requests(asked[0] if asked else None)
            case "DELETE", ("requests",):
                self.simulator.forget_requests()
                return {}
            case "POST", ("clock",):
                return self._advance(msgspec.json.decode(request.body, type=_Step))
        return self.own(request, parts)

    def _faults(self, request: Request) -> object:
        if request.method == "POST":
            decoded = msgspec.json.decode(request.body)
            ordered = msgspec.convert(decoded if isinstance(decoded, list) else [decoded], list[self.fault])  # type: ignore[name-defined]
            self.simulator.order(*ordered)
        elif request.method == "DELETE":
            self.simulator.withdraw_faults()
        return self.simulator.outstanding_faults()

    def _advance(self, step: _Step) -> Mapping[str, object]:
        clock = self.simulator.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("this simulator's clock is set by whoever started it")
        return {"now": clock.advance(timedelta(seconds=step.advance))}


def from_elsewhere(request: Request) -> bool:
    """Whether the request was meant for another host than this machine, as when a name was made to stand for it."""
    said = request.headers.get("host", "")
    return (said.rpartition(":")[0] or said) not in _LOOPBACK


_from_elsewhere = from_elsewhere


def _json(status: int, value: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, msgspec.json.encode(value))
