"""How another process drives a simulator, beside what `driving` has for all: `POST /_simulator/…` on loopback.

GET    /_simulator                                  customers, and the service account with a key file of it
POST   /_simulator/customers                        {"domain", "id"?, "name"?, "users"?, "seed"?}
POST   /_simulator/customers/{customer}/{verb}      the arguments of a method of `Customer`, by name
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import msgspec

from connectors.simulators.driving import DrivingTenants
from connectors.simulators.google_workspace.customer import Customer, Habits
from connectors.simulators.google_workspace.faults import Fault
from connectors.simulators.google_workspace.people import Shares
from connectors.simulators.serving import Request

if TYPE_CHECKING:
    from connectors.simulators.google_workspace.simulator import Simulator

VERBS = frozenset({
    "add_domain", "add_everybody", "add_foreign_group", "add_member", "add_members", "add_stranger", "address",
    "appoint", "archive", "assign_role", "create_group", "create_unit", "delegate", "delete_group", "delete_unit",
    "delete_user", "find_group", "find_user", "hire", "move", "move_unit", "populate", "purge_user", "rehire",
    "remove_member", "rename", "rename_domain", "rename_group", "rename_unit", "resell", "restore_user", "suspend",
    "swap_addresses", "switch_api_access", "unarchive", "unsuspend", "update_user", "user", "withdraw",
    "withdraw_role",
})  # fmt: skip
"""What can happen to a customer from outside; `habits` can be set, too."""


class NewCustomer(msgspec.Struct, forbid_unknown_fields=True):
    """A customer to add, with so many made-up users."""

    domain: str
    id: str | None = None
    name: str | None = None
    users: int = 0
    seed: int = 0


class Control(DrivingTenants):
    """Answers below `/_simulator`."""

    simulator: "Simulator"
    fault = Fault
    plural = "customers"
    verbs = VERBS
    types: ClassVar = {"habits": Habits, "shares": Shares}
    positional = ("id", "client_id", "scopes", "privileges")
    named = frozenset({"hire", "create_group"})

    def tenant(self, name: str) -> Customer:
        return self.simulator.customer(name)

    def done(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "GET", ():
                return self._overview(f"http://{request.headers.get('host', '127.0.0.1')}")
            case "POST", ("customers",):
                return self._add(msgspec.json.decode(request.body, type=NewCustomer))
        return super().done(request, parts)

    def _overview(self, url: str) -> Mapping[str, object]:
        customers = [
            {
                "id": customer.id,
                "domain": customer.domain,
                "name": customer.name,
                "subject": customer.subject,
                "users": customer.users.live_count,
            }
            for customer in self.simulator
        ]
        key = self.simulator.account.key_file(url)
        return {"key": key, "now": self.simulator.clock(), "customers": customers}

    def _add(self, wanted: NewCustomer) -> Mapping[str, str]:
        customer = self.simulator.add_customer(wanted.id, domain=wanted.domain, name=wanted.name)
        if wanted.users:
            customer.populate(wanted.users, wanted.seed)
        return {"id": customer.id, "subject": customer.subject}
