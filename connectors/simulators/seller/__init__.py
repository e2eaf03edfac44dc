"""A vendor's portal that sells licenses over HTTP, on loopback.

    simulator = Simulator(SimulatedClock(start), fulfills_after=timedelta(hours=1))
    with serve(simulator) as server:
        ...                                     # server.url, SIMULATED_SECRET
        simulator.order(Fault("lost_reply"))
        [bought] = simulator.bought()
        simulator.fulfill(bought.id)

It holds buyers to the protocol: what is not signed, or has no idempotency key, is refused.
"""

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.fault_files import FaultFileError
from connectors.simulators.seller.faults import Fault, read_faults
from connectors.simulators.seller.ledger import Bought
from connectors.simulators.seller.running import SellerServer, run, serve
from connectors.simulators.seller.simulator import SIMULATED_SECRET, Simulator

__all__ = [
    "SIMULATED_SECRET",
    "Bought",
    "Fault",
    "FaultFileError",
    "SellerServer",
    "SimulatedClock",
    "Simulator",
    "read_faults",
    "run",
    "serve",
]
