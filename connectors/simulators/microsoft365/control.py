"""How another process drives a simulator, beside what `driving` has for all: `POST /_simulator/…` on loopback.

GET    /_simulator                              tenants, with the app's client id and secret
POST   /_simulator/tenants                      {"domain", "id"?, "name"?, "users"?, "seed"?}
POST   /_simulator/tenants/{tenant}/{verb}      the arguments of a method of `Tenant`, by name
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import msgspec

from connectors.simulators.driving import DrivingTenants
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.people import Shares
from connectors.simulators.microsoft365.tenant import Habits, Tenant
from connectors.simulators.serving import Request

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


class Control(DrivingTenants):
    """Answers below `/_simulator`."""

    simulator: "Simulator"
    fault = Fault
    plural = "tenants"
    verbs = VERBS
    types: ClassVar = {"habits": Habits, "shares": Shares}
    positional = ("id", "permissions")
    named = frozenset({"hire", "create_group"})

    def tenant(self, name: str) -> Tenant:
        return self.simulator.tenant(name)

    def done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "GET", ():
                return self._overview()
            case "POST", ("tenants",):
                return self._add(msgspec.json.decode(request.body, type=NewTenant))
        return super().done(request, parts)

    def _overview(self) -> Mapping[str, object]:
        app = self.simulator.app
        tenants = [
            {"id": tenant.id, "domain": tenant.domains.own, "name": tenant.name, "users": tenant.users.live_count}
            for tenant in self.simulator
        ]
        return {"client_id": app.client_id, "secret": app.secret, "now": self.simulator.clock(), "tenants": tenants}

    def _add(self, wanted: NewTenant) -> Mapping[str, str]:
        tenant = self.simulator.add_tenant(wanted.id, domain=wanted.domain, name=wanted.name)
        if wanted.users:
            tenant.populate(wanted.users, wanted.seed)
        return {"id": tenant.id}
