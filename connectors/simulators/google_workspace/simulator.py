"""The simulated Google: customers, the endpoints for tokens, the APIs, and the faults that were ordered."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import unquote

from connectors.simulators.breaking import BROKEN, broken
from connectors.simulators.clock import Clock, SimulatedClock
from connectors.simulators.google_workspace import channels, keyless, misfortunes, signing_in
from connectors.simulators.google_workspace.api import Api
from connectors.simulators.google_workspace.control import Control
from connectors.simulators.google_workspace.customer import READ_SCOPES, Customer
from connectors.simulators.google_workspace.customers import Customers
from connectors.simulators.google_workspace.faults import SIGN_IN, Fault
from connectors.simulators.google_workspace.identifiers import customer_id
from connectors.simulators.google_workspace.service_accounts import (
    SIMULATED_POOL,
    SIMULATED_SUBJECT_TOKEN,
    ServiceAccount,
)
from connectors.simulators.google_workspace.signing_in import OAuthRefusal
from connectors.simulators.google_workspace.tokens import LIFETIME, Grant, Issuer
from connectors.simulators.ordering import Orders, Target
from connectors.simulators.serving import Answer, Request
from connectors.simulators.tally import Tally

_KEY = blake2b(b"what Google signs here proves nothing outside a simulator", digest_size=32).digest()


class Simulator:
    """Answers requests as Google would. State is changed through the customers, faults are ordered here."""

    def __init__(
        self, clock: Clock | None = None, *, account: ServiceAccount | None = None, signing_clock: Clock | None = None
    ) -> None:
        """`signing_clock` tells what the time is where assertions are signed: by Google's own library that is the
        time of this machine, whatever `clock` says."""
        self.clock = clock or SimulatedClock()
        self.signing_clock = signing_clock or (lambda: datetime.now(UTC))
        self.account = account or ServiceAccount()
        """The service account that every new customer delegates."""
        self.accounts = {self.account.email: self.account}
        self.customers = Customers()
        self.pools: dict[str, set[str]] = {SIMULATED_POOL: {SIMULATED_SUBJECT_TOKEN}}
        """The subject tokens that each workload identity pool takes."""
        self._orders: Orders[Fault] = Orders()
        self._tally = Tally()
        self._issuer = Issuer(_KEY)
        self._api = Api(self.clock, _KEY, self.customers, self.accounts, self._issuer, self._orders, self._tally)
        self._control = Control(self)

    def add_account(self, account: ServiceAccount) -> None:
        """Register another service account, which no customer has delegated yet."""
        self.accounts[account.email] = account

    def add_customer(
        self, ident: str | None = None, *, domain: str = "northwind.example", name: str | None = None
    ) -> Customer:
        """Create a customer with nobody but the account to impersonate. The id follows from the domain."""
        delegations = {self.account.client_id: READ_SCOPES}
        title = name or domain.partition(".")[0].title()
        customer = Customer(ident or customer_id(domain), domain, title, self.clock, delegations)
        self.customers.add(customer)
        return customer

    def remove_customer(self, customer: Customer) -> None:
        """Delete a whole customer: nobody can sign in to it any more."""
        self.customers.remove(customer)

    def customer(self, name: str) -> Customer:
        """The customer with this id or domain. Raises LookupError."""
        customer = self.customers.of(name) or self.customers.of_domain(name)
        if customer is None:
            raise LookupError(f"there is no customer {name}")
        return customer

    def token(
        self, customer: Customer | None, *, lifetime: int = LIFETIME, scopes: frozenset[str] = READ_SCOPES
    ) -> str:
        """An access token for a customer's reader, as the endpoint would issue it; for the account itself, for None."""
        expires = int(self.clock().timestamp()) + lifetime
        ident, subject = (customer.id, customer.reader) if customer else (None, None)
        return self._issuer.issue(Grant(self.account.email, tuple(sorted(scopes)), expires, ident, subject))

    def order(self, *faults: Fault) -> None:
        """Let these faults happen, each when its turn comes."""
        self._orders.add(*faults)

    def withdraw_faults(self) -> None:
        """Cancel every fault that is still to come."""
        self._orders.withdraw()

    def outstanding_faults(self) -> list[Fault]:
        """The faults that have not happened as often as they were ordered."""
        return self._orders.outstanding()

    def requests(self, customer: Customer | None = None) -> dict[str, int]:
        """How often what was asked: `{"GET /users": 1, "GET /users?pageToken": 3, "POST login/token": 1}`."""
        return self._tally.seen(customer.id if customer else None)

    def forget_requests(self) -> None:
        """Count requests anew."""
        self._tally.reset()

    def deliver(self) -> int:
        """Push what is due by now to whoever watches; tell how many notifications that were."""
        sent = 0
        for customer in list(self.customers):
            with customer.lock:
                due = customer.channels.take(self.clock().astimezone(UTC))
            for channel, state in due:
                sent += 1
                if not channels.post(channel, state):
                    customer.channels.again(channel, state, self.clock().astimezone(UTC))
        return sent

    def answer(self, request: Request) -> Answer:
        """Answer one request, whoever it is for."""
        parts = tuple(unquote(part) for part in request.target.partition("?")[0].split("/") if part)
        if parts[:1] == ("_simulator",):
            return self._control.answer(request, parts[1:])
        if parts[:1] == ("admin",):
            return self._api.answer(request)
        return self._sign_in(request, parts)

    def _sign_in(self, request: Request, parts: tuple[str, ...]) -> Answer:
        now, path = self.clock().astimezone(UTC), "/".join(("login", *parts))
        self._tally.count("", f"{request.method} {_without_email(path)}")
        fault = self._orders.take(Target(request.method, path, "", SIGN_IN | BROKEN))
        if fault and (ordered := misfortunes.of_sign_in(fault, now)):
            return ordered
        try:
            answer = self._signed_in(request, parts, now)
        except OAuthRefusal as refusal:
            answer = refusal.answer()
        return broken(answer, fault.kind, fault.seconds) if fault else answer

    def _signed_in(self, request: Request, parts: tuple[str, ...], now: datetime) -> Answer:
        match request.method, parts:
            case "POST", ("token",):
                at = self.signing_clock()
                return signing_in.issue_token(self.accounts, self.customers, self._issuer, request, now, at)
            case "POST", ("v1", "token"):
                return keyless.exchange(self.pools, self._issuer, request.body, now)
            case "POST", ("v1", "projects", _, "serviceAccounts", name):
                return keyless.impersonate(self.accounts, self._issuer, request, name, now)
        return Answer(404, {"Content-Type": "text/plain"}, b"There is nothing here.")

    def __iter__(self) -> Iterator[Customer]:
        return iter(self.customers)


def _without_email(path: str) -> str:
    """`login/v1/projects/-/serviceAccounts/{email}:signJwt`."""
    before, slash, name = path.partition("/serviceAccounts/")
    return f"{before}{slash}{{email}}:{name.partition(':')[2]}" if slash else before
