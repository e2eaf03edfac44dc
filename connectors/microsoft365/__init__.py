"""Microsoft 365: accounts, groups and mailbox kinds of an Entra tenant, read through Microsoft Graph."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from connectors.base import Capabilities
from connectors.kinds import DirectoryConnector
from policies.credentials import MicrosoftCredential
from policies.document import Url
from policies.key import Key
from policies.model import ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Options:
    """A Microsoft 365 tenant."""

    tenant: Annotated[
        str,
        Key(
            "The tenant's id, or one of its domains.",
            pattern=r"[0-9A-Za-z][0-9A-Za-z-]*(\.[0-9A-Za-z-]+)*",
            expected="a tenant id, as in 7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10, or a domain of the tenant",
        ),
    ]
    credential: Annotated[MicrosoftCredential, Key("How Seatkeeper signs in.")]
    cloud: Annotated[
        Literal["global", "us-gov-high", "us-gov-dod", "china"], Key("The cloud that the tenant is in.")
    ] = "global"
    graph_url: Annotated[Url | None, Key("Another address for Microsoft Graph: a simulator's or a proxy's.")] = None
    login_url: Annotated[Url | None, Key("Another address to sign in at: a simulator's or a proxy's.")] = None


CAPABILITIES = Capabilities(
    delta=True,
    groups=True,
    look_up=True,
    count=True,
    deleted=True,
    mailbox_queue=True,
    attributes=frozenset(ATTRIBUTES),
)
DIRECTORY = DirectoryConnector(
    options=Options,
    every=timedelta(minutes=1),
    capabilities=CAPABILITIES,
    opens="connectors.microsoft365.directory:open_directory",
    examines="connectors.microsoft365.examining:examine",
)
