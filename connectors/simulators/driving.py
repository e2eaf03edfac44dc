"""How another process drives a simulator: what all of them have below `/_simulator`, on this machine alone.

GET    /_simulator/faults                 what is still to come
POST   /_simulator/faults                 a fault, or a list of them
DELETE /_simulator/faults
POST   /_simulator/clock                  {"advance": seconds}

and those that play tenants (one calls them so, another customers), beside these:

POST   /_simulator/tenants/{tenant}/{verb}    the arguments of a method of the tenant, by name
GET    /_simulator/requests[?tenant=ID]       how often what was asked
DELETE /_simulator/requests
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Protocol
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


class Inhabited(Driven, Protocol):
    """A simulator that plays tenants, and counts what is asked of them."""

    def requests(self, tenant: Any = None, /) -> dict[str, int]: ...

    def forget_requests(self) -> None: ...


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class Driving:
    """Answers below `/_simulator`: 200 with what was done, 400 with what was wrong."""

    fault: type[msgspec.Struct]
    """What the simulator takes for a fault."""

    def __init__(self, simulator: Driven) -> None:
        self.simulator = simulator

    def answer(self, request: Request, parts: tuple[str, ...]) -> Answer:
        """Answer one request, of which these are the parts of the path after the first."""
        if _from_elsewhere(request):
            return _json(403, {"error": "a simulator is driven from this machine only"})
        try:
            return _json(200, self.done(request, parts))
        except (LookupError, ValueError, TypeError, msgspec.MsgspecError) as problem:
            return _json(400, {"error": str(problem)})

    def done(self, request: Request, parts: tuple[str, ...]) -> object:
        """Do what a request says, and tell what came of it. Raises LookupError for what nobody here does."""
        match request.method, parts:
            case _, ("faults",):
                return self._faults(request)
            case "POST", ("clock",):
                return self._advance(msgspec.json.decode(request.body, type=_Step))
        raise LookupError(f"{request.method} /_simulator/{'/'.join(parts)} is nothing that a simulator does")

    def _faults(self, request: Request) -> object:
        if request.method == "POST":
            said = msgspec.json.decode(request.body)
            faults = said if isinstance(said, list) else [said]
            self.simulator.order(*[msgspec.convert(fault, self.fault) for fault in faults])
        elif request.method == "DELETE":
            self.simulator.withdraw_faults()
        return self.simulator.outstanding_faults()

    def _advance(self, step: _Step) -> Mapping[str, object]:
        clock = self.simulator.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("this simulator's clock is set by whoever started it")
        return {"now": clock.advance(timedelta(seconds=step.advance))}


class DrivingTenants(Driving, ABC):
    """The same for a simulator that plays tenants."""

    simulator: Inhabited
    plural: str
    """What they are called in a path."""
    verbs: frozenset[str]
    """The methods of a tenant that may be called from outside; `habits` can be set, too."""
    types: ClassVar[Mapping[str, Any]]
    """What arguments are, by their names, where that is no type of JSON's; `habits` among them."""
    positional: tuple[str, ...]
    """The arguments that a method takes by place, where it is not one of `named`; a list is many of them."""
    named: frozenset[str]

    @abstractmethod
    def tenant(self, name: str) -> Any:
        """The tenant with this id or domain. Raises LookupError."""

    def done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "POST", (plural, name, verb) if plural == self.plural:
                return self._apply(self.tenant(name), verb, msgspec.json.decode(request.body or b"{}", type=dict))
            case "GET", ("requests",):
                asked = parse_qs(request.target.partition("?")[2]).get("tenant")
                return self.simulator.requests(self.tenant(asked[0]) if asked else None)
            case "DELETE", ("requests",):
                self.simulator.forget_requests()
                return {}
        return super().done(request, parts)

    def _apply(self, tenant: Any, verb: str, arguments: dict[str, Any]) -> object:
        if verb == "habits":
            tenant.habits = msgspec.convert({**msgspec.to_builtins(tenant.habits), **arguments}, self.types["habits"])
            return tenant.habits
        if verb not in self.verbs:
            one = self.plural.removesuffix("s")
            raise LookupError(f"nothing called {verb!r} happens to a {one}; there is {', '.join(sorted(self.verbs))}")
        for name in arguments.keys() & self.types.keys():
            arguments[name] = msgspec.convert(arguments[name], self.types[name])
        placed: list[object] = []
        for name in self.positional if verb not in self.named else ():
            value = arguments.pop(name, [])
            placed += value if isinstance(value, list) else [value]
        return getattr(tenant, verb)(*placed, **arguments)


def _from_elsewhere(request: Request) -> bool:
    """Whether the request was meant for another host than this machine, as when a name was made to stand for it."""
    said = request.headers.get("host", "")
    return (said.rpartition(":")[0] or said) not in _LOOPBACK


def _json(status: int, value: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, msgspec.json.encode(value))
