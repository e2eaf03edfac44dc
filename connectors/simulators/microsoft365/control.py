"""How another process drives a simulator: `POST /_simulator/…` on loopback.

GET    /_simulator                              tenants, with the app's client id and secret
POST   /_simulator/tenants                      {"domain", "id"?, "name"?, "users"?, "seed"?}
POST   /_simulator/tenants/{tenant}/{verb}      the arguments of a method of `Tenant`, by name
GET    /_simulator/faults                       what is still to come
POST   /_simulator/faults                       a fault, or a list of them
DELETE /_simulator/faults
GET    /_simulator/requests[?tenant=ID]         how often what was asked
DELETE /_simulator/requests
POST   /_simulator/clock                        {"advance": seconds}
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.driving import from_elsewhere
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.people import Shares
from connectors.simulators.microsoft365.tenant import Habits, Tenant
from connectors.simulators.serving import Answer, Request

if TYPE_CHECKING:
    from connectors.simulators.microsoft365.simulator import Simulator

VERBS = frozenset({
    "add_member", "add_members", "consent", "convert_mailbox", "create_device", "create_group", "create_mailbox",
    "delete_group", "delete_user", "disable", "disable_app", "enable", "find_group", "find_user", "grant", "hire",
    "populate", "purge_group", "purge_user", "remove_member", "rename", "restore_group", "restore_user", "revoke",
    "update_group", "update_user", "user", "withdraw_consent",
})  # fmt: skip
"""What can happen to a tenant from outside; `habits` can be set, too."""


class NewTenant(msgspec.Struct, forbid_unknown_fields=True):
    """A tenant to add, with so many made-up users."""

    domain: str
    id: str | None = None
    name: str | None = None
    users: int = 0
    seed: int = 0


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    advance: float


class Control:
    """Answers below `/_simulator`: 200 with what a method returned, 400 with what was wrong."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    def answer(self, request: Request, parts: tuple[str, ...]) -> Answer:
        if from_elsewhere(request):
            return _json(403, {"error": "a simulator is driven from this machine only"})
        try:
            return _json(200, self._done(request, parts))
        except (LookupError, ValueError, TypeError, msgspec.ValidationError) as problem:
            return _json(400, {"error": str(problem)})

    def _done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "GET", ():
                return self._overview()
            case "POST", ("tenants",):
                return self._add(msgspec.json.decode(request.body, type=NewTenant))
            case "POST", ("tenants", name, verb):
                return self._apply(self._simulator.tenant(name), verb, request.body)
            case _, ("faults",):
                return self._faults(request)
            case "GET", ("requests",):
                asked = parse_qs(request.target.partition("?")[2]).get("tenant")
                return self._simulator.requests(self._simulator.tenant(asked[0]) if asked else None)
            case "DELETE", ("requests",):
                self._simulator.forget_requests()
                return {}
            case "POST", ("clock",):
                return self._advance(msgspec.json.decode(request.body, type=_Step))
        raise LookupError(f"{request.method} /_simulator/{'/'.join(parts)} is nothing that a simulator does")

    def _overview(self) -> Mapping[str, object]:
        app = self._simulator.app
        tenants = [
            {"id": tenant.id, "domain": tenant.domains.own, "name": tenant.name, "users": tenant.users.live_count}
            for tenant in self._simulator
        ]
        return {"client_id": app.client_id, "secret": app.secret, "now": self._simulator.clock(), "tenants": tenants}

    def _add(self, wanted: NewTenant) -> Mapping[str, str]:
        tenant = self._simulator.add_tenant(wanted.id, domain=wanted.domain, name=wanted.name)
        if wanted.users:
            tenant.populate(wanted.users, wanted.seed)
        return {"id": tenant.id}

    def _apply(self, tenant: Tenant, verb: str, body: bytes) -> object:
        arguments = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        if verb == "habits":
            tenant.habits = msgspec.convert({**msgspec.to_builtins(tenant.habits), **arguments}, Habits)
            return tenant.habits
        if verb not in VERBS:
            raise LookupError(f"nothing called {verb!r} happens to a tenant; there is {', '.join(sorted(VERBS))}")
        if "shares" in arguments:
            arguments["shares"] = msgspec.convert(arguments["shares"], Shares)
        positional = [arguments.pop("id")] if "id" in arguments and verb not in ("hire", "create_group") else []
        positional += arguments.pop("permissions", [])
        return getattr(tenant, verb)(*positional, **arguments)

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


def _json(status: int, value: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, msgspec.json.encode(value))
