"""How another process drives a simulator, beside what `driving` has for all: `POST /_simulator/…` on loopback.

GET    /_simulator                                  customers, and the service account with a key file of it
POST   /_simulator/customers                        {"domain", "id"?, "name"?, "users"?, "seed"?}
POST   /_simulator/customers/{customer}/{verb}      the arguments of a method of `Customer`, by name
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.simulators.driving import Driving
from connectors.simulators.google_workspace.customer import Customer, Habits
from connectors.simulators.google_workspace.faults import Fault
from connectors.simulators.google_workspace.people import Shares
from connectors.simulators.serving import Request

if TYPE_CHECKING:
    from connectors.simulators.google_workspace.simulator import Simulator as Simulator

VERBS = frozenset({
    "add_domain", "add_everybody", "add_foreign_group", "add_member", "add_members", "add_stranger", "address",
    "appoint", "archive", "assign_role", "create_group", "create_unit", "delegate", "delete_group", "delete_unit",
    "delete_user", "find_group", "find_user", "hire", "move", "move_unit", "populate", "purge_user", "rehire",
    "remove_member", "rename", "rename_domain", "rename_group", "rename_unit", "resell", "restore_user", "suspend",
    "swap_addresses", "switch_api_access", "unarchive", "unsuspend", "update_user", "user", "withdraw",
    "withdraw_role",
})  # fmt: skip
"""What can happen to a customer from outside; `habits` can be set, too."""
_NAMES_THE_ID = frozenset({"hire", "create_group"})
_LISTS = ("scopes", "privileges")


class NewCustomer(msgspec.Struct, forbid_unknown_fields=True):
    """A customer to add, with so many made-up users."""

    domain: str
    id: str | None = None
    name: str | None = None
    users: int = 0
    seed: int = 0


class Control(Driving["Simulator"]):
    """Answers below `/_simulator`."""

    fault = Fault

    def own(self, request: Request, parts: tuple[str, ...]) -> object:
        match request.method, parts:
            case "GET", ():
                return self._overview(f"http://{request.headers.get('host', '127.0.0.1')}")
            case "POST", ("customers",):
                return self._add(msgspec.json.decode(request.body, type=NewCustomer))
            case "POST", ("customers", name, verb):
                return self._apply(self.simulator.customer(name), verb, request.body)
        return super().own(request, parts)

    def requests(self, tenant: str | None) -> object:
        return self.simulator.requests(self.simulator.customer(tenant) if tenant else None)

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

    def _apply(self, customer: Customer, verb: str, body: bytes) -> object:
        arguments = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        if verb == "habits":
            customer.habits = msgspec.convert({**msgspec.to_builtins(customer.habits), **arguments}, Habits)
            return customer.habits
        if verb not in VERBS:
            raise LookupError(f"nothing called {verb!r} happens to a customer; there is {', '.join(sorted(VERBS))}")
        if "shares" in arguments:
            arguments["shares"] = msgspec.convert(arguments["shares"], Shares)
        positional = [arguments.pop("id")] if "id" in arguments and verb not in _NAMES_THE_ID else []
        positional += [arguments.pop("client_id")] if "client_id" in arguments else []
        for name in _LISTS:
            positional += arguments.pop(name, [])
        return getattr(customer, verb)(*positional, **arguments)
