"""One request to an API with all that answering it takes: for whom, when, what of it, and what shall go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import msgspec

from connectors.simulators.bodies import Packed
from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.customers import Customers
from connectors.simulators.google_workspace.faults import Fault
from connectors.simulators.google_workspace.masks import Mask
from connectors.simulators.google_workspace.tokens import Grant
from connectors.simulators.memo import Memo
from connectors.simulators.seals import Seal, Unsealed

MY_CUSTOMER = "my_customer"


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a walk stands: what a page token stands for."""

    walk: bytes
    """A digest of the customer, the path and every parameter but the token."""
    started: int
    """Seconds since 1970, in simulated time."""
    issued: int
    after: str = ""
    """The last address, where a list is in the order of addresses."""
    at: int = 0
    """How many were before, or the last one's number, in any other list."""


@dataclass
class Call:
    """A request that may be answered, as far as the token and the scopes go."""

    customers: Customers
    grant: Grant
    home: Customer | None
    """The customer of the user for whom the service account acts; None where it acts for itself."""
    area: str
    """Which privilege it takes."""
    now: datetime
    path: str
    names: Mapping[str, str]
    """What stands in the path, by the names that Google has for it."""
    query: Mapping[str, str]
    mask: Mask | None
    body: bytes
    seal: Seal[Place]
    packed: Memo[Packed]
    fault: Fault | None = None

    def meets(self, kind: str) -> Fault | None:
        """The fault of this request, where it is of this kind."""
        return self.fault if self.fault and self.fault.kind == kind else None

    def customer(self, ident: str) -> Customer:
        """The customer with this id, or the caller's own. Raises Refusal for one that it may not see."""
        if self.home is None:
            if ident == MY_CUSTOMER:
                raise refusals.domain_not_found()
            return self._with_role(self.customers.of(ident))
        if ident in (MY_CUSTOMER, self.home.id):
            return self._privileged(self.home)
        other = self.customers.of(ident) if ident in self.home.resold else None
        if other is None:
            raise refusals.forbidden()
        self._privileged(self.home)
        return other

    def customer_of_domain(self, domain: str) -> Customer:
        """The customer that a domain is of. Raises Refusal for one that it may not see."""
        found = self.customers.of_domain(domain)
        if found is None or self.home not in (None, found):
            raise refusals.domain_not_found()
        return self._privileged(found) if self.home is not None else self._with_role(found)

    def visible(self) -> list[Customer]:
        """Where to look for somebody who is named without the customer."""
        if self.home is not None:
            return [self._privileged(self.home)]
        found = list(self.customers.held_by(self.grant.account))
        if not found:
            raise refusals.forbidden()
        return [self._with_role(customer) for customer in found]

    def number(self, name: str, default: int, largest: int) -> int:
        """A parameter that is a number, cut to what is allowed. Raises Refusal."""
        text = self.query.get(name, str(default))
        if not text.isdecimal() or int(text) < 1:
            raise refusals.bad_parameter(name, text)
        return min(int(text), largest)

    def choice(self, name: str, *allowed: str) -> str:
        """A parameter that is one of some words, the first where nothing is said. Raises Refusal."""
        value = self.query.get(name, allowed[0])
        if value not in allowed:
            raise refusals.bad_parameter(name, value)
        return value

    def says(self, name: str) -> bool:
        """Whether a parameter says true."""
        return self.query.get(name, "false").lower() == "true"

    def place(self, customer: Customer) -> Place:
        """Where this walk stands. Raises Refusal for the token of another walk, for an old one, and for an old walk."""
        now, walk = int(self.now.timestamp()), self._walk(customer)
        token = self.query.get("pageToken")
        if not token:
            return Place(walk, now, now)
        try:
            place = self.seal.read(token)
        except Unsealed:
            raise refusals.invalid("pageToken") from None
        if place.walk != walk or now >= place.issued + customer.habits.tokens_last or self.meets("invalid"):
            raise refusals.invalid()
        if now >= place.started + customer.habits.walk_ends_after:
            raise refusals.backend_error()
        return place

    def token(self, place: Place) -> str:
        """The page token that leads to a place."""
        return self.seal.token(msgspec.structs.replace(place, issued=int(self.now.timestamp())))

    def _walk(self, customer: Customer) -> bytes:
        said = sorted((name, value) for name, value in self.query.items() if name != "pageToken")
        return blake2b(repr((customer.id, self.path, said)).encode(), digest_size=12).digest()

    def _privileged(self, home: Customer) -> Customer:
        number = home.users.number(self.grant.subject or "")
        if number is None or not home.may_see(number, self.area):
            raise refusals.forbidden()
        return self._open(home)

    def _with_role(self, customer: Customer | None) -> Customer:
        if customer is None or self.grant.account not in customer.role_holders:
            raise refusals.forbidden()
        return self._open(customer)

    @staticmethod
    def _open(customer: Customer) -> Customer:
        if not customer.api_access:
            raise refusals.no_api_access()
        return customer
