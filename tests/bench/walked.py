"""What a first read of every simulated tenant brings, by the connector but without the wire: a line a tenant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import msgspec

from connectors.asking import Asker
from connectors.context import REAL
from connectors.http import Answer, HttpClient, Request
from connectors.links import root
from connectors.microsoft365.directory import Microsoft365
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.wire import DIALECT
from connectors.simulators import serving
from connectors.simulators.bodies import plain
from connectors.simulators.microsoft365 import Simulator, Tenant
from connectors.tokens import Purpose, TokenSource

GROUP = "Staff"


class Walked(msgspec.Struct):
    """A tenant's people as id, address and name; its group; and the cursors from which a next read goes on."""

    tenant: str
    people: list[tuple[str, str, str]]
    group: str
    cursor: str
    groups_cursor: str


class _Straight(HttpClient):
    """Asks the simulator in its own process."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def send(self, request: Request) -> Answer:
        parts = urlsplit(request.url)
        headers = {"host": parts.netloc, **{name.lower(): value for name, value in request.headers.items()}}
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        said = self._simulator.answer(serving.Request(request.method, target, headers, request.body or b""))
        return Answer(said.status, {}, plain(said.body))


@dataclass
class _Token:
    """A token that nobody had to sign in for."""

    purpose: Purpose
    token: str

    def sign(self, _challenge: str | None) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def tenant(self) -> str:
        return self.purpose.tenant


def walk(simulator: Simulator, url: str, tenants: Iterable[Tenant], file: Path) -> None:
    """Read each tenant as a first pass would, and write down what it was told."""
    asker = Asker(_Straight(simulator), DIALECT, REAL)
    with file.open("wb") as lines:
        for tenant in tenants:
            purpose = Purpose(tenant.id, "", root(url))
            token = cast(TokenSource, _Token(purpose, simulator.token(tenant)))
            walked = _walked(tenant.id, Microsoft365(Graph(root(f"{url}/v1.0"), token, asker)))
            lines.write(msgspec.json.encode(walked) + b"\n")


def _walked(tenant: str, directory: Microsoft365) -> Walked:
    pages = list(directory.pull(None))
    people = [(seen.id, seen.address or "", seen.name or "") for page in pages for seen in page.accounts]
    group = next(directory.find_groups([GROUP])).groups[0].id
    *_, last = directory.pull_groups(None, [group])
    return Walked(tenant, people, group, pages[-1].cursor or "", last.cursor or "")
