"""Serving a simulated vendor in the foreground, for trying things out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from worker.errors import Usage


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

    try:
        ordered = () if faults is None else read_faults(faults.read_text(encoding="utf-8"), str(faults))
        run(told, port=port, users=users, faults=ordered)
    except OSError as taken:
        raise Usage(f"cannot serve on port {port}: {taken.strerror}" if faults is None else str(taken)) from None


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

    try:
        ordered = () if faults is None else read_faults(faults.read_text(encoding="utf-8"), str(faults))
        run(told, port=port, faults=ordered)
    except OSError as taken:
        raise Usage(f"cannot serve on port {port}: {taken.strerror}" if faults is None else str(taken)) from None
