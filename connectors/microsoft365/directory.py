"""A Microsoft 365 tenant as a `Directory`: what the promises of `connectors.base` come to with Graph."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from connectors.asking import Asker
from connectors.base import Capabilities, Directory, Found, GroupPage, MailboxAnswer, OrgUnit, Page
from connectors.context import Context
from connectors.errors import NeedsPerson
from connectors.links import Root, permitted, root
from connectors.microsoft365 import CAPABILITIES, Options, groups, lookups, mailboxes, names, tenants, users
from connectors.microsoft365.clouds import CLOUDS, GRAPH_HOSTS, LOGIN_HOSTS
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.wire import DIALECT
from connectors.tokens import Purpose
from policies.credentials import InlineMicrosoft, MicrosoftManagedIdentity
from policies.model import AccountId, Sighting

VERSION = "/v1.0"


@dataclass(frozen=True, slots=True)
class Microsoft365:
    """One tenant; it keeps nothing but its way there."""

    graph: Graph

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def tenant(self) -> str:
        return tenants.reported(self.graph)

    def pull(self, cursor: str | None, resume: str | None = None) -> Iterator[Page]:
        return users.pull(self.graph, cursor, resume)

    def pull_groups(self, cursor: str | None, wanted: Collection[str]) -> Iterator[GroupPage]:
        return groups.pull_groups(self.graph, cursor, wanted)

    def read_group(self, id: str) -> Iterator[GroupPage]:
        return groups.read_group(self.graph, id)

    def find_groups(self, refs: Sequence[str]) -> Iterator[Found]:
        return names.find_groups(self.graph, refs)

    def org_units(self) -> Iterator[OrgUnit]:
        """Microsoft 365 has none."""
        return iter(())

    def look_up(self, ids: Sequence[AccountId]) -> Iterator[Sighting]:
        return lookups.look_up(self.graph, ids)

    def count(self) -> int | None:
        return tenants.count(self.graph)

    def mailboxes(self, ids: Sequence[AccountId]) -> Iterator[MailboxAnswer]:
        return mailboxes.mailboxes(self.graph, ids)


def open_directory(options: Options, context: Context) -> Directory:
    """The tenant of a directory's entry. Raises NeedsPerson where the entry cannot be used as it is."""
    cloud = CLOUDS[options.cloud]
    place = _place(options.graph_url, cloud.graph, GRAPH_HOSTS, context.allowed_hosts)
    login = _place(options.login_url, cloud.login, LOGIN_HOSTS, context.allowed_hosts)
    credential, shared = context.credential(options.credential)
    if not isinstance(credential, InlineMicrosoft):
        raise NeedsPerson(
            "the credential is not one for Microsoft", remedy="name another one in `credential` of the directory"
        )
    purpose = Purpose(options.tenant, cloud.scope, login)
    tokens = context.credentials.source(purpose, credential, shared=shared)
    asker = Asker(context.http, DIALECT, context.world, application=_application(credential), pauses=context.pauses)
    return Microsoft365(Graph(_versioned(place), tokens, asker))


def _application(credential: InlineMicrosoft) -> str:
    """As which application Graph counts what is asked."""
    if isinstance(credential, MicrosoftManagedIdentity):
        return credential.managed_identity.lower()
    return credential.client_id.lower()


def _place(override: str | None, host: str, known: Collection[str], allowed: Collection[str]) -> Root:
    return root(f"https://{host}") if override is None else permitted(override, known, allowed)


def _versioned(place: Root) -> Root:
    return place._replace(path=place.path.removesuffix(VERSION) + VERSION)
