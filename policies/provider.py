"""The shape of `provider.yaml`: what whoever runs the installation says for all companies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from policies.credentials import Credential, CredentialName, InlineCredential, SecretFile
from policies.document import (
    BUILT_IN_LICENSES,
    BUILT_IN_PURCHASING,
    BUILT_IN_SAFETY,
    RECEIVER,
    Licenses,
    Purchasing,
    Receiver,
)
from policies.forms import SAFETY
from policies.key import NOT_WRITTEN, Key
from policies.model import Safety
from policies.text import Money

AllowedHost = Annotated[
    str,
    Key(
        pattern=r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?",
        expected="host or host:port, without a scheme",
    ),
]
CatalogName = Annotated[
    str, Key(pattern=r"(?!none$)[a-z][a-z0-9_-]{0,62}", expected="a license kind's name of a-z, 0-9, - and _")
]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every company that does not say otherwise itself."""

    licenses: Annotated[Licenses, Key("As in a company's file.")] = BUILT_IN_LICENSES
    purchasing: Annotated[Purchasing, Key("As in a company's file.", written=False)] = BUILT_IN_PURCHASING
    safety: Annotated[Safety, Key("As in a company's file."), SAFETY] = BUILT_IN_SAFETY
    notify: Annotated[tuple[Annotated[Receiver, RECEIVER], ...], Key("As in a company's file.")] = ()
    said: Annotated[frozenset[str], NOT_WRITTEN] = field(default=frozenset(), repr=False, compare=False)
    """The dotted keys below `defaults` that the file says."""


@dataclass(frozen=True, slots=True)
class About:
    """Who runs this installation, and what holds where a company says nothing."""

    name: Annotated[str, Key("The provider's name, as people read it.")] = "provider"
    defaults: Annotated[Defaults, Key("What holds where a company says nothing.", written=False)] = Defaults()


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A license kind that the provider sells (M7)."""

    price: Annotated[Money | None, Key("The price of a seat for a term.")] = None
    term: Annotated[Literal["monthly", "yearly", "perpetual"], Key("The term that it is sold for.")] = "yearly"
    per: Annotated[
        Literal["user", "computer", "host", "socket", "administrator"] | None,
        Key("What it is assigned to; the two automated types are per user."),
    ] = None


AUTOMATED: Final = {"standard": CatalogEntry(per="user"), "archived": CatalogEntry(per="user")}
"""The license types that are in every catalog: those that rules give."""


@dataclass(frozen=True, slots=True)
class LicenseKeys:
    """How license keys are known to be the provider's own (M6)."""

    public_key: Annotated[SecretFile, Key("The Ed25519 public key, PEM.")]


@dataclass(frozen=True, slots=True)
class Provider:
    """What whoever runs this installation says."""

    about: Annotated[About, Key("Who runs this installation, and the defaults.", name="provider", written=False)] = (
        About()
    )
    credentials: Annotated[
        Mapping[CredentialName, Credential], Key("Credentials that companies name, so that one app serves them all.")
    ] = field(default_factory=dict[str, InlineCredential])
    allowed_hosts: Annotated[
        tuple[AllowedHost, ...], Key("Hosts that overrides, sellers and webhooks may name besides the usual ones.")
    ] = ()
    catalog: Annotated[Mapping[CatalogName, CatalogEntry], Key("License kinds that are sold (M7).")] = field(
        default_factory=lambda: dict(AUTOMATED)
    )
    license_keys: Annotated[LicenseKeys | None, Key("How license keys are verified (M6).")] = None

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.about.name

    @property
    def defaults(self) -> Defaults:
        """What holds where a company says nothing."""
        return self.about.defaults
