"""Microsoft Graph and the Entra login service, as documented, on loopback.

    simulator = Simulator(SimulatedClock(start))
    tenant = simulator.add_tenant(domain="contoso.example")
    ada = tenant.hire("Ada Winter", department="Finance")
    with serve(simulator) as server:
        ...                                     # server.graph_url, server.login_url
        tenant.delete_user(ada)
        simulator.order(Fault("throttle", "/users/delta", retry_after=7))

It is shaped by the documented answers, not by any client: every spelling that Graph takes is taken, what it does not
play is refused with 501 and never answered wrongly. Time is the simulator's own.
"""

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365.apps import SIMULATED_CLIENT_ID, SIMULATED_SECRET, App
from connectors.simulators.microsoft365.contoso import CONTOSO_TENANT, contoso
from connectors.simulators.microsoft365.fault_files import FaultFileError, read_faults
from connectors.simulators.microsoft365.faults import Fault
from connectors.simulators.microsoft365.people import Shares
from connectors.simulators.microsoft365.running import GraphServer, run, serve
from connectors.simulators.microsoft365.simulator import Simulator
from connectors.simulators.microsoft365.tenant import CORE_PERMISSIONS, Habits, Tenant

__all__ = [
    "CONTOSO_TENANT",
    "CORE_PERMISSIONS",
    "SIMULATED_CLIENT_ID",
    "SIMULATED_SECRET",
    "App",
    "Fault",
    "FaultFileError",
    "GraphServer",
    "Habits",
    "Shares",
    "SimulatedClock",
    "Simulator",
    "Tenant",
    "contoso",
    "read_faults",
    "run",
    "serve",
]
