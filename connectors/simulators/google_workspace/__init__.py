"""Google's Directory API, its Reports API and the endpoints for tokens, as documented, on loopback.

    simulator = Simulator(SimulatedClock(start))
    customer = simulator.add_customer(domain="northwind.example")
    ada = customer.hire("Ada Winter", unit="/")
    with serve(simulator) as server:
        key = server.write_key(folder / "key.json")     # its token_uri leads here; impersonate customer.subject
        ...                                             # server.url in place of https://admin.googleapis.com
        customer.delete_user(ada)
        simulator.order(Fault("short_list", "/users"))

It is shaped by the documented answers, not by any client: what it does not play it refuses with 501 and never answers
wrongly. Time is the simulator's own, but for assertions, which are signed by the clock of this machine.
"""

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.fault_files import FaultFileError
from connectors.simulators.google_workspace.customer import PRIVILEGES, READ_SCOPES, Customer, Habits
from connectors.simulators.google_workspace.faults import Fault, read_faults
from connectors.simulators.google_workspace.northwind import NORTHWIND_CUSTOMER, northwind
from connectors.simulators.google_workspace.people import Shares
from connectors.simulators.google_workspace.running import GoogleServer, run, serve
from connectors.simulators.google_workspace.service_accounts import (
    SIMULATED_ACCOUNT,
    SIMULATED_CLIENT_ID,
    SIMULATED_POOL,
    SIMULATED_SUBJECT_TOKEN,
    ServiceAccount,
)
from connectors.simulators.google_workspace.simulator import Simulator

__all__ = [
    "NORTHWIND_CUSTOMER",
    "PRIVILEGES",
    "READ_SCOPES",
    "SIMULATED_ACCOUNT",
    "SIMULATED_CLIENT_ID",
    "SIMULATED_POOL",
    "SIMULATED_SUBJECT_TOKEN",
    "Customer",
    "Fault",
    "FaultFileError",
    "GoogleServer",
    "Habits",
    "ServiceAccount",
    "Shares",
    "SimulatedClock",
    "Simulator",
    "northwind",
    "read_faults",
    "run",
    "serve",
]
