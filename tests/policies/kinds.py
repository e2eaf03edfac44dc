"""Kinds of directories and sellers with the fields that the documentation gives them, declared by the tests alone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal

from policies.credentials import GoogleCredential, MicrosoftCredential, SecretRef
from policies.document import DirectoryKind, Kinds, NoOptions, Url
from policies.key import Key


@dataclass(frozen=True)
class Microsoft365:
    """A Microsoft 365 tenant."""

    tenant: Annotated[str, Key("The tenant's id or one of its domains.")]
    credential: MicrosoftCredential
    cloud: Literal["global", "us-gov-high", "us-gov-dod", "china"] = "global"
    graph_url: Url | None = None
    login_url: Url | None = None


@dataclass(frozen=True)
class GoogleWorkspace:
    """A Google Workspace customer."""

    customer: str
    credential: GoogleCredential
    admin: str | None = None
    directory_url: Url | None = None


@dataclass(frozen=True)
class Export:
    """A file that an admin center exported."""

    path: str


@dataclass(frozen=True)
class Portal:
    """A vendor's portal."""

    url: Url
    secret: SecretRef


KINDS: Final = Kinds(
    directories={
        "microsoft365": DirectoryKind(
            Microsoft365, timedelta(minutes=1), frozenset({"org_units", "shared_mailboxes_are"})
        ),
        "google_workspace": DirectoryKind(GoogleWorkspace, timedelta(minutes=5)),
        "file": DirectoryKind(Export, timedelta(hours=1), frozenset({"groups", "shared_mailboxes_are"})),
    },
    sellers={"manual": NoOptions, "http": Portal},
)
