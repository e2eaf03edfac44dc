"""Serving a simulator: for the length of a `with` block, or in the foreground until it is told to stop."""

import threading
from collections.abc import Callable, Sequence

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365.contoso import contoso
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.simulator import Simulator
from connectors.simulators.serving import LoopbackServer

CONTOSO_PEOPLE = 240


class GraphServer(LoopbackServer):
    """A served simulator. Login and Graph are at one address, told apart by path, as their hosts are in life."""

    def __init__(self, simulator: Simulator, port: int = 0, latency: float = 0.0) -> None:
        super().__init__(simulator.answer, port, latency)
        self.simulator = simulator

    @property
    def graph_url(self) -> str:
        """What a policy's `graph_url` has to be."""
        return self.url

    @property
    def login_url(self) -> str:
        """What a policy's `login_url` has to be."""
        return self.url


def serve(simulator: Simulator, port: int = 0, latency: float = 0.0) -> GraphServer:
    """A server for a `with` block; port 0 takes any free one. `latency` is seconds added to every answer."""
    return GraphServer(simulator, port, latency)


def run(
    announce: Callable[[GraphServer], None],
    *,
    port: int = 0,
    users: int | None = None,
    seed: int = 7,
    tenants: int = 1,
    faults: Sequence[Fault] = (),
    latency: float = 0.0,
    stop: threading.Event | None = None,
) -> None:
    """Serve in the foreground until `stop` is set or the process is interrupted.

    Contoso is the first tenant, with so many made-up people; further ones are `tenant-2.example` and on. `announce`
    is called once the server answers, with all that there is to tell a person. Raises OSError for a taken port.
    """
    simulator = Simulator(SimulatedClock())
    contoso(simulator, CONTOSO_PEOPLE if users is None else users, seed)
    for number in range(2, tenants + 1):
        simulator.add_tenant(domain=f"tenant-{number}.example").populate(users or CONTOSO_PEOPLE, seed + number)
    simulator.order(*faults)
    with serve(simulator, port, latency) as server:
        announce(server)
        (stop or threading.Event()).wait()
