"""A Google Workspace customer as a `Directory`: what the promises of `connectors.base` come to with Google."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from connectors.asking import Asker
from connectors.base import Capabilities, Directory, Found, GroupPage, MailboxAnswer, OrgUnit, Page
from connectors.context import Context
from connectors.errors import NeedsPerson
from connectors.google_workspace import (
    CAPABILITIES,
    OWN,
    Options,
    channels,
    groups,
    hints,
    lookups,
    names,
    pace,
    units,
    users,
)  # fmt: skip
from connectors.google_workspace.access import Access, Signer
from connectors.google_workspace.faults import SIGN_IN
from connectors.google_workspace.google import PATIENCE, Google
from connectors.google_workspace.hints import Hints
from connectors.google_workspace.wire import DIALECT
from connectors.links import Root, permitted, root
from connectors.pushes import Registered
from policies.credentials import GoogleFederated, GoogleKey
from policies.model import AccountId, Sighting

HOST = "admin.googleapis.com"
VERSION = "/admin/directory/v1"


@dataclass(frozen=True, slots=True)
class GoogleWorkspace:
    """One customer; it keeps nothing but its way there."""

    google: Google
    hints: Hints | None = None

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def tenant(self) -> str:
        return users.reported(self.google)

    def pull(self, cursor: str | None, resume: str | None = None) -> Iterator[Page]:
        return users.pull(self.google, cursor, resume, self.hints)

    def pull_groups(self, cursor: str | None, wanted: Collection[str]) -> Iterator[GroupPage]:
        return groups.pull_groups(self.google, wanted, cursor, self.hints)

    def read_group(self, id: str) -> Iterator[GroupPage]:
        return groups.read_group(self.google, id)

    def find_groups(self, refs: Sequence[str]) -> Iterator[Found]:
        return names.find_groups(self.google, refs)

    def org_units(self) -> Iterator[OrgUnit]:
        return units.org_units(self.google)

    def look_up(self, ids: Sequence[AccountId]) -> Iterator[Sighting]:
        return lookups.look_up(self.google, ids)

    def watch(self, event: str, address: str, id: str, token: str) -> Registered:
        return channels.watch(self.google, event, address, id, token)

    def stop(self, id: str, resource: str) -> None:
        channels.stop(self.google, id, resource)

    def count(self) -> int | None:
        """Google does not count its users."""
        return None

    def mailboxes(self, ids: Sequence[AccountId]) -> Iterator[MailboxAnswer]:
        """Google has no kinds of mailboxes (S6)."""
        return iter(())


def open_directory(options: Options, context: Context) -> Directory:
    """The customer of a directory's entry. Raises NeedsPerson where the entry cannot be used as it is."""
    credential, _shared = context.credential(options.credential)
    if not isinstance(credential, GoogleKey | GoogleFederated):
        raise NeedsPerson("the credential is not one for Google", remedy="name another one in `credential`")
    if options.admin is None and options.customer == OWN:
        raise NeedsPerson(
            "without `admin` there is no customer that is Google's `my_customer`",
            remedy="write the customer's id as `customer` of the directory (Admin console, Account > Account settings)",
        )
    access = context.one(Access)
    patient = Asker(context.http, SIGN_IN, context.world, PATIENCE)
    signer = Signer(access, credential, options.admin, context.secrets, context.allowed_hosts, patient)
    own = access.pace((credential, options.customer, options.admin), pace.of_customer)
    paces = (own, access.pace(credential, pace.of_project))
    asker = Asker(context.http, DIALECT, context.world, PATIENCE, too_often=own.slow_down)
    place = _place(options, context)
    google = Google(place, options.customer, signer, asker, paces)
    if options.read_every is None:
        return GoogleWorkspace(google)
    reports = place._replace(path=place.path.removesuffix(VERSION) + hints.VERSION)
    return GoogleWorkspace(google, hints.hints_beside(google, reports, options.read_every, context.one(hints.Silenced)))


def _place(options: Options, context: Context) -> Root:
    if options.directory_url is None:
        return root(f"https://{HOST}{VERSION}")
    place = permitted(options.directory_url, {HOST}, context.allowed_hosts)
    return place._replace(path=place.path.removesuffix(VERSION) + VERSION)
