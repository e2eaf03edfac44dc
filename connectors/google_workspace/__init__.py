"""Google Workspace: accounts, groups and organizational units of a customer, read through the Directory API."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from connectors.base import Capabilities
from connectors.kinds import DirectoryConnector
from policies.credentials import GoogleCredential
from policies.document import Address, Url
from policies.key import Key

OWN = "my_customer"
"""How Google calls the customer that the administrator belongs to."""


@dataclass(frozen=True, slots=True)
class Options:
    """A Google Workspace customer."""

    credential: Annotated[GoogleCredential, Key("The service account that Seatkeeper signs in as.")]
    customer: Annotated[
        str,
        Key(
            "The customer's id; `my_customer` is the one that `admin` belongs to.",
            pattern=r"my_customer|C[0-9A-Za-z]{3,40}",
            expected="my_customer, or a customer id, as in C03az79cb",
        ),
    ] = OWN
    admin: Annotated[
        Address | None,
        Key("The administrator that the service account acts as; without one it needs an admin role of its own."),
    ] = None
    read_every: Annotated[
        timedelta | None,
        Key(
            "How long everybody may go unread while Google's audit events tell of no change.",
            at_least=1,
            at_most=12 * 3_600,
        ),
    ] = None
    push: Annotated[
        str | None,
        Key(
            "The public address that leads to `/google` of a daemon's console, where Google tells of changes.",
            pattern=r"https://[^\s/?#@]+(/[^\s?#]*)?|http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]{1,5})?(/[^\s?#]*)?",
            expected="an https:// address without a query, as in https://seatkeeper.example/google",
        ),
    ] = None
    directory_url: Annotated[Url | None, Key("Another address for the Directory API: a simulator's or a proxy's.")] = (
        None
    )


CAPABILITIES = Capabilities(
    groups=True,
    org_units=True,
    unit_ids=True,
    look_up=True,
    deleted=True,
    quiet=False,
    attributes=frozenset({"department", "job_title", "company", "employee_type", "cost_center"}),
)
DIRECTORY = DirectoryConnector(
    options=Options,
    every=timedelta(minutes=5),
    capabilities=CAPABILITIES,
    opens="connectors.google_workspace.directory:open_directory",
    pushes=("add", "delete", "undelete", "update"),
    examines="connectors.google_workspace.examining:examine",
)
