"""The condition `domains`: accounts by the domain of their address (G2)."""

from dataclasses import dataclass, field
from typing import Annotated

from policies.addresses import spelled_domain
from policies.conditions import Condition, condition
from policies.key import Key
from policies.model import Account, Because, Memberships

DomainName = Annotated[
    str,
    Key(
        pattern=r"[^\s@/:.*]+(\.[^\s@/:.*]+)+",
        expected="a domain name without @ or *, as in contoso.example",
    ),
]
DomainNames = Annotated[tuple[DomainName, ...], Key("Domains of addresses; a subdomain is another.", filled=True)]


@condition("domains")
@dataclass(frozen=True, slots=True)
class Domains(Condition):
    """Accounts whose address is in one of these domains; a subdomain is another domain.

        rules:
          - name: subsidiary
            domains: [fabrikam.example]
            license: standard

    Compared without case, and in whichever of its two spellings a domain beyond ASCII is written.
    """

    domains: DomainNames
    _becauses: dict[str, Because] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        becauses = {spelled_domain(domain): self.because(f"address in {domain}") for domain in reversed(self.domains)}
        object.__setattr__(self, "_becauses", becauses)

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """The domain of the account's address, if the rule names it."""
        return self._becauses.get(spelled_domain(account.address.rpartition("@")[2]))
