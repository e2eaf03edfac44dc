"""Contoso's customer in the simulated Google Workspace, read by a service account with an admin role of its own.

So nobody lives there but those who are hired. Pages are small because the town asks for small ones.
"""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace as changed

from connectors import registry
from connectors.base import Directory
from connectors.context import Context
from connectors.google_workspace import Options
from connectors.http import HttpClient
from connectors.secrets import Secrets
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.google_workspace import SIMULATED_ACCOUNT, Customer, Fault, Simulator
from connectors.simulators.serving import Answer, LoopbackServer, Request
from policies.credentials import FileRef, GoogleKey
from policies.document import DirectoryEntry
from policies.model import DirectoryId
from tests.connectors.contract import town as contract
from tests.connectors.world import World

STREAMS = {"users": "/users", "groups": "/groups*"}
FAULTS = {
    contract.BUSY: Fault("throttle", status=429, retry_after=7),
    contract.BUSY_FOR_LONG: Fault("throttle", status=429, retry_after=600, times=None),
    contract.BREAKS_HALFWAY: Fault("error", status=503, after=1, times=None),
    contract.EMPTY_PAGE: Fault("no_key"),
    contract.TWICE: Fault("duplicate", entries=2, times=None),
    contract.DENIED: Fault("lost_scope", times=None),
}


class GoogleWorkspaceTown:
    kind: ClassVar[str] = "google_workspace"
    troubles: ClassVar[frozenset[str]] = frozenset(FAULTS) | {contract.UNREADABLE}
    page: ClassVar[int] = 4

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.clock = SimulatedClock(self.world.now)
        self.world.passes = self.clock.advance
        self.simulator = Simulator(self.clock)
        self.contoso = self.simulator.add_customer(domain="contoso.example")
        self.contoso.assign_role(SIMULATED_ACCOUNT)
        self.contoso.purge_user(self.contoso.reader)
        self.url = ""
        self._folder = folder
        self._numbers = count()
        self._context = Context(Secrets(folder), world=self.world.surroundings(), http=HttpClient())

    @classmethod
    @contextmanager
    def founded(cls, folder: Path) -> "Iterator[GoogleWorkspaceTown]":
        town = cls(folder)
        with LoopbackServer(town._answer) as server:
            town.url = server.url
            key = folder / "key.json"
            key.touch(0o600)
            key.write_text(json.dumps(town.simulator.account.key_file(server.url)))
            yield town

    @property
    def tenant(self) -> str:
        return self.contoso.id

    def open(self) -> Directory:
        return self._opened(Options(GoogleKey(FileRef("key.json")), self.contoso.id, directory_url=self.url))

    def open_for(self, customer: Customer) -> Directory:
        """Another customer, by its administrator."""
        key = GoogleKey(FileRef("key.json"))
        return self._opened(Options(key, admin=customer.subject, directory_url=self.url))

    def _opened(self, options: Options) -> Directory:
        entry = DirectoryEntry(DirectoryId("contoso-gws"), self.kind, timedelta(minutes=5), options)
        return registry.open_directory(entry, self._context)

    def hire(self, name: str) -> str:
        return self.contoso.hire(name)

    def rename(self, id: str, name: str) -> None:
        self.contoso.rename(id, name)

    def disable(self, id: str) -> None:
        self.contoso.suspend(id)

    def leave(self, id: str) -> None:
        self.contoso.delete_user(id)

    def come_back(self, id: str) -> None:
        self.contoso.restore_user(id)

    def vanish(self, id: str) -> None:
        self.contoso.purge_user(id)

    def create_group(self, name: str, members: Iterable[str] = (), address: str | None = None) -> str:
        """Every group of Google's has an address, and nobody else has it."""
        address = address or f"group-{next(self._numbers)}@contoso.example"
        return self.contoso.create_group(name, address=address, members=members)

    def join(self, group: str, member: str) -> None:
        self.contoso.add_member(group, member, in_a_circle=True)

    def quit(self, group: str, member: str) -> None:
        self.contoso.remove_member(group, member)

    def delete_group(self, group: str) -> None:
        self.contoso.delete_group(group)

    def restore_group(self, group: str) -> None:
        raise NotImplementedError("a group that was deleted does not come back")

    def rename_group(self, group: str, name: str) -> None:
        self.contoso.rename_group(group, name)

    def give_mailbox(self, id: str, kind: str) -> None:
        raise NotImplementedError("Google has no kinds of mailboxes")

    def trouble(self, trouble: str, feature: str = "users") -> None:
        if trouble == contract.UNREADABLE:
            self.contoso.update_user(next(self.contoso.user_ids()), archived="perhaps")
        else:
            self.simulator.order(changed(FAULTS[trouble], path=STREAMS[feature]))

    def requests(self) -> int:
        return sum(count for what, count in self.simulator.requests().items() if " login/" not in what)

    def _answer(self, request: Request) -> Answer:
        small = re.sub(r"maxResults=\d+", f"maxResults={self.page}", request.target)
        return self.simulator.answer(replace(request, target=small))


TOWN = GoogleWorkspaceTown
