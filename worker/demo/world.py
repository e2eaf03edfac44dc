"""The world of the demo: a simulated customer of each vendor, policies, a store, and a clock that moves when told."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.simulators import google_workspace as google
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.google_workspace import Customer, GoogleServer, Shares
from connectors.simulators.microsoft365 import SIMULATED_SECRET, Simulator, Tenant, contoso, serve
from policies.model import License
from store.engine import open_store
from worker.bootstrap import App
from worker.demo.telling import Numbers, Stock
from worker.errors import OperationError
from worker.operations.policies import load
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync
from worker.settings import Settings

if TYPE_CHECKING:
    from policies.errors import Problem

CONTOSO, FABRIKAM = "contoso-m365", "fabrikam-gws"
PROVIDER = "cli:demo@northwind"
"""Who does in the demo what a person does."""
GRAPH_URL, GOOGLE_URL = "http://127.0.0.1:8490", "http://127.0.0.1:8491"
"""What the example policies say in place of the simulators' real addresses."""
GOOGLE_KEY = "simulated-google-key.json"
FABRIKAM_PEOPLE, FABRIKAM_SEED = 59, 11
UNITS = ("/Sales/EMEA", "/Sales/Americas", "/Engineering", "/Operations")
TEAMS = ("Invoices", "Support")
"""Fabrikam's mailboxes that several people read."""


class OffScript(OperationError):
    """The demo met something that its story does not have."""

    code = "demo"


@dataclass(frozen=True)
class World:
    """Everything that a scene can touch."""

    app: App
    clock: SimulatedClock
    simulator: Simulator
    google: google.Simulator
    contoso: Tenant
    fabrikam: Customer
    folder: Path

    def later(self, minutes: int) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(minutes=minutes))

    def sync(self, directory: str, *, dry: bool = False, fails: bool = False) -> RunResult:
        """One pass over one directory. Raises OffScript where it ends otherwise than the story has it."""
        result = sync(self.app, directory, Asked(dry=dry))
        if (result.outcome == "failed") is not fails:
            raise OffScript(f"the pass over {directory} ended as {result.outcome}: {result.error}")
        return result

    def load(self) -> "tuple[Problem, ...]":
        """Read the policy folder, as a pass on demand does first."""
        return load(self.app)

    def numbers(self) -> Numbers:
        """How things stand now."""
        from store.times import micros

        now = micros(self.clock())
        with self.app.store.read() as tx:
            standard, archived = (tx.lots.stock(0, license.value, now) for license in License)
            status = tx.views.status(now)
        return Numbers(
            Stock(standard.seats, standard.held),
            Stock(archived.seats, archived.held),
            status.waiting,
            status.holds,
            status.orders_open,
        )


@contextmanager
def open_world(folder: Path, start: datetime) -> Iterator[World]:
    """Set the stage in an empty folder: simulators that serve, policies, secrets, a store."""
    clock = SimulatedClock(start)
    simulator = Simulator(clock)
    tenant = contoso(simulator)
    workspaces = google.Simulator(clock)
    other = _fabrikam(workspaces)
    settings = settings_of(folder)
    with serve(simulator) as graph, google.serve(workspaces) as directory_api:
        write_policies(settings, graph.url, directory_api)
        app = App(
            settings,
            open_store(settings.database_url),
            clock=clock,
            sleep=_sleeping(clock),
            random=lambda: 0.0,
            owner="demo",
        )
        try:
            yield World(app, clock, simulator, workspaces, tenant, other, folder)
        finally:
            app.close()


def _fabrikam(simulator: google.Simulator) -> Customer:
    """A customer of Google's with people in units, and two mailboxes that teams share."""
    customer = simulator.add_customer(domain="fabrikam.example", name="Fabrikam Inc.")
    for unit in UNITS:
        customer.create_unit(unit)
    customer.populate(FABRIKAM_PEOPLE, FABRIKAM_SEED, Shares(without_mailbox=0.0), UNITS)
    for team in TEAMS:
        customer.hire(f"{team} Team", address=f"{team.lower()}-team@fabrikam.example")
    return customer


def settings_of(folder: Path) -> Settings:
    """The settings of everything in the folder."""
    return Settings(
        database_url=f"sqlite:///{folder / 'seatkeeper.db'}",
        policy_dir=folder / "policies.d",
        secrets_dir=folder / "secrets",
    )


def write_policies(settings: Settings, graph_url: str, directory_api: GoogleServer) -> None:
    """Copy the example policies, with the simulators' addresses in them, and the secrets of the simulated apps."""
    for place in (settings.policy_dir, settings.secrets_dir):
        place.mkdir(parents=True, exist_ok=True)
    for name in ("contoso.yaml", "fabrikam.yaml"):
        text = (files("policies") / "examples" / "demo" / name).read_text(encoding="utf-8")
        text = text.replace(GRAPH_URL, graph_url).replace(GOOGLE_URL, directory_api.url)
        (settings.policy_dir / name).write_text(text, encoding="utf-8")
    secret = settings.secrets_dir / "simulated-secret"
    secret.touch(mode=0o600)
    secret.write_text(SIMULATED_SECRET, encoding="utf-8")
    directory_api.write_key(settings.secrets_dir / GOOGLE_KEY)


def people_of(tenant: Tenant, department: str) -> Sequence[str]:
    """The ids of those who work in a department and can sign in, in order of creation."""
    users = ((ident, tenant.user(ident)) for ident in tenant.user_ids())
    return [ident for ident, user in users if user.get("department") == department and user["accountEnabled"]]


def called(tenant: Tenant, ident: str) -> str:
    """What people call an account."""
    return str(tenant.user(ident)["displayName"])


def staff_of(customer: Customer, unit: str) -> Sequence[str]:
    """The ids of those who are right in a unit and can sign in, in order of creation."""
    users = ((ident, customer.user(ident)) for ident in customer.user_ids())
    return [
        ident for ident, user in users if user["orgUnitPath"] == unit and not user["suspended"] and not user["archived"]
    ]


def named(customer: Customer, ident: str) -> str:
    """What people call a user of Google's."""
    name = customer.user(ident)["name"]
    return str(name["fullName"]) if isinstance(name, dict) else ident


def _sleeping(clock: SimulatedClock) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    return sleep
