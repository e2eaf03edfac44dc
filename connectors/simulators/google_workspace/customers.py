"""Which customers there are, by their ids and by their domains."""

from collections.abc import Iterator

from connectors.simulators.google_workspace.customer import Customer


class Customers:
    """Customers in the order in which they came."""

    def __init__(self) -> None:
        self._by_id: dict[str, Customer] = {}
        self._by_domain: dict[str, Customer] = {}
        """Whoever was last found under a domain; domains are renamed."""

    def add(self, customer: Customer) -> None:
        """Raises ValueError for an id or a domain that another one has."""
        if customer.id in self._by_id or customer.domain in self._by_domain:
            raise ValueError(f"there is a customer {customer.id} or {customer.domain} already")
        self._by_id[customer.id] = customer
        self._by_domain[customer.domain] = customer

    def remove(self, customer: Customer) -> None:
        del self._by_id[customer.id]

    def of(self, ident: str) -> Customer | None:
        return self._by_id.get(ident)

    def of_domain(self, domain: str) -> Customer | None:
        """Whose domain, or alias of a domain, this is."""
        wanted = domain.lower()
        known = self._by_domain.get(wanted)
        if known is not None and known.id in self._by_id and wanted in known.all_domains():
            return known
        found = next((one for one in self if wanted in one.all_domains()), None)
        if found is not None:
            self._by_domain[wanted] = found
        return found

    def of_address(self, address: str) -> Customer | None:
        """In whose domains this address is."""
        return self.of_domain(address.rpartition("@")[2])

    def held_by(self, account: str) -> Iterator[Customer]:
        """The customers where a service account has a role of its own."""
        return (one for one in self if account in one.role_holders)

    def __iter__(self) -> Iterator[Customer]:
        return iter(list(self._by_id.values()))
