"""A company whose directory is a simulated Google Workspace customer, beside those of `tests.worker.world`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import pytest

from connectors.simulators.google_workspace import Customer as Workspace
from connectors.simulators.google_workspace import GoogleServer, Simulator, serve
from tests.worker.world import Customer, World

EVERYONE = "- {name: everyone, everyone: true, license: standard, on_leave: {then: release, after: 0s}}"
STAFF = "- {name: staff, groups: [staff@contoso.example], license: standard, on_leave: {then: release, after: 0s}}"
SALES = "- {name: sales, org_units: [/Sales], license: standard, on_leave: {then: release, after: 0s}}"
"""The hastiest rules that can be written: whoever leaves them loses the license at once."""
NAMES = [f"Person {number:02}" for number in range(12)]


@dataclass
class GoogleCustomer(Customer):
    """A company with one customer of Google's."""

    workspace: Workspace | None = None
    google: Simulator | None = None
    server: GoogleServer | None = None

    @property
    def directory(self) -> str:
        return f"{self.id}-gws"

    @property
    def gws(self) -> Workspace:
        assert self.workspace is not None
        return self.workspace

    @property
    def wire(self) -> Simulator:
        assert self.google is not None
        return self.google

    def hire(self, *names: str, **properties: Any) -> list[str]:
        """People of these names; their ids."""
        ids = [self.gws.hire(name, **properties) for name in names]
        self.people |= dict(zip(names, ids, strict=True))
        return ids

    def group(self, name: str, *members: str, **more: Any) -> str:
        """A group with members by their names (or ids); its id."""
        return self.gws.create_group(name, members=[self.people.get(member, member) for member in members], **more)

    def delete(self, *names: str) -> None:
        for name in names:
            self.gws.delete_user(self.people[name])

    def policy(self, rules: str, *, directory: str = "", tenant: str | None = None, **sections: str) -> None:
        """Write the policy file and read the folder: rules as a YAML list, other sections by their keys."""
        assert self.server is not None
        entry = (
            f"company: {self.id}\nname: {self.id.title()} Ltd\ndirectories:\n  {self.directory}:\n"
            f"    kind: google_workspace\n    customer: {tenant or 'my_customer'}\n    admin: {self.gws.subject}\n"
            f"    credential: {{key: {{file: {self.id}.json}}}}\n    directory_url: {self.server.url}\n"
        )
        parts = [entry + (f"    {directory}\n" if directory else ""), f"rules:\n{indent(rules.strip(), '  ')}\n"]
        parts += [f"{key}: {value}\n" for key, value in sections.items()]
        self.file.write_text("".join(parts), encoding="utf-8")
        problems = self.world.load()
        assert problems == (), problems


@contextmanager
def workspace(world: World, company: str = "contoso") -> Iterator[GoogleCustomer]:
    """A company with an empty Workspace, but for the administrator who reads it."""
    google = Simulator(world.clock)
    customer = google.add_customer(domain=f"{company}.example")
    with serve(google) as server:
        server.write_key(world.app.settings.secrets_dir / f"{company}.json")
        found = GoogleCustomer(world, company, None, workspace=customer, google=google, server=server)  # type: ignore[arg-type]
        found.people["Directory Reader"] = customer.reader
        yield found


@pytest.fixture
def contoso(wire: World) -> Iterator[GoogleCustomer]:
    with workspace(wire) as customer:
        yield customer


@pytest.fixture
def anywhere(world: World) -> Iterator[GoogleCustomer]:
    """The same on either database, for what the store does with it."""
    with workspace(world) as customer:
        yield customer
