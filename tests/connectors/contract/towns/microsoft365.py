"""Contoso's tenant in the simulated Microsoft 365."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace as changed

from connectors import registry
from connectors.base import Directory
from connectors.context import Context
from connectors.http import HttpClient
from connectors.microsoft365 import Options
from connectors.secrets import Secrets
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, SIMULATED_SECRET, Fault, Simulator
from connectors.simulators.serving import Answer, LoopbackServer, Request
from policies.credentials import EnvRef, MicrosoftSecret
from policies.document import DirectoryEntry
from policies.model import DirectoryId
from tests.connectors.contract import town as contract
from tests.connectors.world import World

STREAMS = {"users": "/users/delta", "groups": "/groups/delta", "mailboxes": "/users/*/mailboxSettings/*"}
FAULTS = {
    contract.BUSY: Fault("throttle", retry_after=7),
    contract.BUSY_FOR_LONG: Fault("throttle", retry_after=600, times=None),
    contract.BREAKS_HALFWAY: Fault("unavailable", after=1, times=None),
    contract.CURSOR_EXPIRED: Fault("expired"),
    contract.CURSOR_DAMAGED: Fault("malformed"),
    contract.LINK_LOST: Fault("page_lost", times=None),
    contract.EMPTY_PAGE: Fault("empty_page", times=2),
    contract.REPEATED_PAGE: Fault("repeat_page"),
    contract.TWICE: Fault("duplicate", entries=2, times=None),
    contract.NO_LINK: Fault("no_link"),
    contract.FOREIGN_LINK: Fault("foreign_link"),
    contract.CIRCLE: Fault("repeat_page", times=None),
    contract.DENIED: Fault("denied", times=None),
}


class Microsoft365Town:
    kind: ClassVar[str] = "microsoft365"
    troubles: ClassVar[frozenset[str]] = frozenset(FAULTS) | {contract.UNREADABLE, contract.WRONG_TENANT}
    page: ClassVar[int] = 4

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.clock = SimulatedClock(self.world.now)
        self.world.passes = self.clock.advance
        self.simulator = Simulator(self.clock)
        self.contoso = self.simulator.add_tenant(domain="contoso.example")
        self.contoso.habits = replace(self.contoso.habits, page_size=self.page)
        self.url = ""
        self.elsewhere: list[Request] = []
        """What reached the host that no link may lead to."""
        self._foreign_url = ""
        self._answers_for = self.contoso.id
        self._context = Context(
            Secrets(folder, {"CONTOSO_SECRET": SIMULATED_SECRET}),
            world=self.world.surroundings(),
            http=HttpClient(),
        )

    @classmethod
    @contextmanager
    def founded(cls, folder: Path) -> "Iterator[Microsoft365Town]":
        town = cls(folder)
        with ExitStack() as servers:
            town.url = servers.enter_context(LoopbackServer(town._answer)).url
            town._foreign_url = servers.enter_context(LoopbackServer(town._overhear)).url
            yield town

    @property
    def tenant(self) -> str:
        return self.contoso.id

    def open(self) -> Directory:
        return self._open(self.contoso.id, "contoso-m365")

    def open_another(self) -> Directory:
        """A tenant of another company, read by the same application."""
        return self._open(self.simulator.add_tenant(domain="fabrikam.example").id, "fabrikam-m365")

    def _open(self, tenant: str, id: str) -> Directory:
        credential = MicrosoftSecret(SIMULATED_CLIENT_ID, EnvRef("CONTOSO_SECRET"))
        options = Options(tenant, credential, graph_url=self.url, login_url=self.url)
        entry = DirectoryEntry(DirectoryId(id), self.kind, timedelta(minutes=1), options)
        return registry.open_directory(entry, self._context)

    def hire(self, name: str) -> str:
        return self.contoso.hire(name)

    def rename(self, id: str, name: str) -> None:
        self.contoso.update_user(id, displayName=name)

    def disable(self, id: str) -> None:
        self.contoso.disable(id)

    def leave(self, id: str) -> None:
        self.contoso.delete_user(id)

    def come_back(self, id: str) -> None:
        self.contoso.restore_user(id)

    def vanish(self, id: str) -> None:
        self.contoso.purge_user(id)

    def create_group(self, name: str, members: Iterable[str] = (), address: str | None = None) -> str:
        return self.contoso.create_group(name, mail=address, unified=True, members=members)

    def join(self, group: str, member: str) -> None:
        self.contoso.add_member(group, member)

    def quit(self, group: str, member: str) -> None:
        self.contoso.remove_member(group, member)

    def delete_group(self, group: str) -> None:
        self.contoso.delete_group(group)

    def restore_group(self, group: str) -> None:
        self.contoso.restore_group(group)

    def rename_group(self, group: str, name: str) -> None:
        self.contoso.update_group(group, displayName=name)

    def give_mailbox(self, id: str, kind: str) -> None:
        self.contoso.convert_mailbox(id, "denied" if kind == "refused" else kind)

    def trouble(self, trouble: str, feature: str = "users") -> None:
        if trouble == contract.UNREADABLE:
            self.contoso.update_user(next(self.contoso.user_ids()), department=5)
        elif trouble == contract.WRONG_TENANT:
            self._answers_for = self.simulator.add_tenant(domain="fabrikam.example").id
        else:
            host = self._foreign_url if trouble == contract.FOREIGN_LINK else FAULTS[trouble].host
            self.simulator.order(changed(FAULTS[trouble], path=STREAMS[feature], host=host))

    def requests(self) -> int:
        return sum(count for what, count in self.simulator.requests().items() if " login/" not in what)

    def _answer(self, request: Request) -> Answer:
        target = request.target
        if target.startswith(f"/{self.contoso.id}/"):
            target = target.replace(self.contoso.id, self._answers_for)
        return self.simulator.answer(replace(request, target=target))

    def _overhear(self, request: Request) -> Answer:
        self.elsewhere.append(request)
        return Answer(200, {"Content-Type": "application/json"}, b'{"value": []}')


TOWN = Microsoft365Town
