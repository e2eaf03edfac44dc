"""Serving a simulated seller: for the length of a `with` block, or in the foreground until it is told to stop."""

import threading
from collections.abc import Callable, Sequence

from connectors.simulators.seller.faults import Fault
from connectors.simulators.seller.simulator import Simulator
from connectors.simulators.serving import LoopbackServer


class SellerServer(LoopbackServer):
    """A served simulator; `url` is what a policy's seller has to name."""

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        super().__init__(simulator.answer, port)
        self.simulator = simulator


def serve(simulator: Simulator, port: int = 0) -> SellerServer:
    """A server for a `with` block; port 0 takes any free one."""
    return SellerServer(simulator, port)


def run(
    announce: Callable[[SellerServer], None],
    *,
    port: int = 0,
    faults: Sequence[Fault] = (),
    stop: threading.Event | None = None,
) -> None:
    """Serve in the foreground until `stop` is set or the process is interrupted; orders are fulfilled at once.

    `announce` is called once the server answers, with all that there is to tell a person. Raises OSError for a taken
    port.
    """
    simulator = Simulator()
    simulator.order(*faults)
    with serve(simulator, port) as server:
        announce(server)
        (stop or threading.Event()).wait()
