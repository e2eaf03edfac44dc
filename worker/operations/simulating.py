"""Serving a simulated vendor in the foreground, for trying things out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from worker.errors import Usage

Fault = TypeVar("Fault")
GOOGLE_KEY = Path("simulated-google-key.json")
"""Where the key file of the simulated service account is written, in the current folder."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What there is to tell of a simulator that serves: its address, and what a policy needs."""

    url: str
    client_id: str
    secret: str | None
    tenants: tuple[tuple[str, str], ...]
    """Id and domain of each tenant."""


def simulate_microsoft365(
    announce: Callable[[Simulated], None], *, port: int = 0, users: int | None = None, faults: Path | None = None
) -> None:
    """Serve Contoso's Microsoft 365 until the process is interrupted. Raises Usage for a port that is taken."""
    from connectors.simulators.microsoft365 import GraphServer, run
    from connectors.simulators.microsoft365.fault_files import read_faults

    def told(server: GraphServer) -> None:
        simulator = server.simulator
        tenants = tuple((tenant.id, tenant.domains.own) for tenant in simulator)
        announce(Simulated(server.url, simulator.app.client_id, simulator.app.secret, tenants))

    with _serving(port, faults):
        run(told, port=port, users=users, faults=_ordered(faults, read_faults))


@dataclass(frozen=True, slots=True)
class SimulatedSeller:
    """What there is to tell of a simulated seller: its address, and the secret that requests are signed with."""

    url: str
    secret: str


def simulate_seller(announce: Callable[[SimulatedSeller], None], *, port: int = 0, faults: Path | None = None) -> None:
    """Serve a seller's portal, which delivers at once, until the process is interrupted. Raises Usage for a port that
    is taken."""
    from connectors.simulators.seller import SellerServer, read_faults, run

    def told(server: SellerServer) -> None:
        announce(SimulatedSeller(server.url, server.simulator.secret))

    with _serving(port, faults):
        run(told, port=port, faults=_ordered(faults, read_faults))


@dataclass(frozen=True, slots=True)
class SimulatedGoogle:
    """What there is to tell of a simulated Google: its address, and what a policy needs."""

    url: str
    key: Path
    """The key file that was written."""
    customers: tuple[tuple[str, str, str], ...]
    """Id, domain and the administrator to impersonate, of each customer."""


def simulate_google_workspace(
    announce: Callable[[SimulatedGoogle], None], *, port: int = 0, users: int | None = None, faults: Path | None = None
) -> None:
    """Serve Northwind's Google Workspace until the process is interrupted; a key file is written to sign in with.
    Raises Usage for a port that is taken."""
    from connectors.simulators.google_workspace import GoogleServer, read_faults, run

    def told(server: GoogleServer) -> None:
        customers = tuple((customer.id, customer.domain, customer.subject) for customer in server.simulator)
        announce(SimulatedGoogle(server.url, server.write_key(GOOGLE_KEY), customers))

    with _serving(port, faults):
        run(told, port=port, users=users, faults=_ordered(faults, read_faults))


def _ordered(faults: Path | None, read: Callable[[str, str], Sequence[Fault]]) -> Sequence[Fault]:
    """The faults of a file, where there is one."""
    return () if faults is None else read(faults.read_text(encoding="utf-8"), str(faults))


@contextmanager
def _serving(port: int, faults: Path | None) -> Iterator[None]:
    """Tells of a port that is taken, or a file that cannot be read, as a mistake in the call."""
    try:
        yield
    except OSError as problem:
        raise Usage(f"cannot serve on port {port}: {problem.strerror}" if faults is None else str(problem)) from None
