"""The simulated Microsoft 365: tenants, their login service and their Graph, and the faults that were ordered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID

from connectors.simulators.breaking import broken
from connectors.simulators.clock import Clock, SimulatedClock
from connectors.simulators.microsoft365 import misfortunes, signing_in
from connectors.simulators.microsoft365.apps import App
from connectors.simulators.microsoft365.call import Grant
from connectors.simulators.microsoft365.control import Control
from connectors.simulators.microsoft365.faults import SIGN_IN, Fault, Orders, Target
from connectors.simulators.microsoft365.graph import Graph
from connectors.simulators.microsoft365.odata import segments
from connectors.simulators.microsoft365.sts import StsRefusal, unknown_tenant
from connectors.simulators.microsoft365.tenant import Tenant
from connectors.simulators.microsoft365.tokens import Issuer
from connectors.simulators.serving import Answer, Request
from connectors.simulators.tally import Tally

_KEY = blake2b(b"what is signed here proves nothing outside a simulator", digest_size=32).digest()
_NO_TENANT = {"common", "organizations", "consumers"}


class Simulator:
    """Answers requests as Microsoft would. State is changed through the tenants, faults are ordered here."""

    def __init__(self, clock: Clock | None = None, *, app: App | None = None) -> None:
        self.clock = clock or SimulatedClock()
        self.app = app or App()
        """The app that every new tenant has consented to."""
        self.apps = {self.app.client_id: self.app}
        self.tenants: dict[str, Tenant] = {}
        self._domains: dict[str, Tenant] = {}
        self._orders = Orders()
        self._tally = Tally()
        self._issuer = Issuer(_KEY)
        self._graph = Graph(self.clock, _KEY, self.tenants, self._issuer, self._orders, self._tally)
        self._control = Control(self)

    def add_app(self, app: App) -> None:
        """Register an app, or change a registration: another secret, an expiry."""
        self.apps[app.client_id] = app

    def add_tenant(
        self, ident: str | None = None, *, domain: str = "contoso.example", name: str | None = None
    ) -> Tenant:
        """Create an empty tenant. Its id follows from its domain where none is given."""
        ident = (ident or str(UUID(bytes=blake2b(domain.encode(), digest_size=16).digest(), version=4))).lower()
        if ident in self.tenants or domain in self._domains:
            raise ValueError(f"there is a tenant {ident} or {domain} already")
        name = name or domain.partition(".")[0].title()
        tenant = Tenant(ident, domain, name, self.clock, frozenset({self.app.client_id}))
        self.tenants[ident] = self._domains[domain] = tenant
        return tenant

    def remove_tenant(self, tenant: Tenant) -> None:
        """Delete a whole tenant: nobody can sign in to it any more."""
        del self.tenants[tenant.id]
        del self._domains[tenant.domains.own]

    def tenant(self, name: str) -> Tenant:
        """The tenant with this id or domain. Raises LookupError."""
        tenant = self.tenants.get(name.lower()) or self._domains.get(name.lower())
        if tenant is None:
            raise LookupError(f"there is no tenant {name}")
        return tenant

    def token(self, tenant: Tenant, *, lifetime: int = 3600) -> str:
        """An access token of the app to a tenant, as the login service would issue it."""
        now = int(self.clock().timestamp())
        return self._issuer.issue(Grant(tenant.id, self.app.client_id, tenant.permissions, now + lifetime), now)

    def order(self, *faults: Fault) -> None:
        """Let these faults happen, each when its turn comes."""
        self._orders.add(*faults)

    def withdraw_faults(self) -> None:
        """Cancel every fault that is still to come."""
        self._orders.withdraw()

    def outstanding_faults(self) -> list[Fault]:
        """The faults that have not happened as often as they were ordered."""
        return self._orders.outstanding()

    def requests(self, tenant: Tenant | None = None) -> dict[str, int]:
        """How often what was asked, items of batches included: `{"GET /users/delta?$deltatoken": 3}`."""
        return self._tally.seen(tenant.id if tenant else None)

    def forget_requests(self) -> None:
        """Count requests anew."""
        self._tally.reset()

    def answer(self, request: Request) -> Answer:
        """Answer one request, whoever it is for."""
        parts = segments(request.target.partition("?")[0])
        if parts[:1] == ("_simulator",):
            return self._control.answer(request, parts[1:])
        if parts[:1] == ("v1.0",):
            return self._graph.answer(request, parts[1:])
        return self._sign_in(request, parts)

    def _sign_in(self, request: Request, parts: tuple[str, ...]) -> Answer:
        now, correlation = self.clock().astimezone(UTC), request.headers.get("client-request-id")
        path = "/".join(("login", *parts))
        tenant = self.tenants.get(parts[0].lower()) or self._domains.get(parts[0].lower()) if parts else None
        self._tally.count(tenant.id if tenant else "", f"{request.method} login/{{tenant}}/{'/'.join(parts[1:])}")
        fault = self._orders.take(Target(request.method, path, tenant.id if tenant else "", SIGN_IN))
        if fault and (ordered := misfortunes.of_sign_in(fault, now, correlation)):
            return ordered
        try:
            answer = self._signed_in(request, parts, tenant, now)
        except StsRefusal as refusal:
            answer = refusal.answer(now, correlation)
        return broken(answer, fault.kind, fault.seconds) if fault else answer

    def _signed_in(self, request: Request, parts: tuple[str, ...], tenant: Tenant | None, now: datetime) -> Answer:
        host = request.headers.get("host", "127.0.0.1")
        match request.method, parts:
            case "GET", ("common", "discovery", "instance"):
                return signing_in.instance_discovery(host)
            case "GET", (name, *_, ".well-known", "openid-configuration"):
                return signing_in.openid_configuration(_known(tenant, name), host)
            case "GET", (_, "discovery", "v2.0", "keys"):
                return signing_in.signing_keys()
            case "POST", (name, "oauth2", "v2.0", "token"):
                return signing_in.issue_token(_known(tenant, name), self.apps, self._issuer, request.body, host, now)
        return Answer(404, {"Content-Type": "text/plain"}, b"There is nothing here.")

    def __iter__(self) -> Iterator[Tenant]:
        return iter(list(self.tenants.values()))


def _known(tenant: Tenant | None, name: str) -> Tenant:
    if tenant is not None:
        return tenant
    if name in _NO_TENANT:
        text = "Application-only tokens need a tenant: use its id or domain in place of 'common' or 'organizations'."
        raise StsRefusal(400, "invalid_request", 50059, text)
    raise unknown_tenant(name)
