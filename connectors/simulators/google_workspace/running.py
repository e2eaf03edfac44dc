"""Serving a simulator: for the length of a `with` block, or in the foreground until it is told to stop."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.google_workspace.faults import Fault
from connectors.simulators.google_workspace.northwind import northwind
from connectors.simulators.google_workspace.service_accounts import SIMULATED_SUBJECT_TOKEN
from connectors.simulators.google_workspace.simulator import Simulator
from connectors.simulators.serving import LoopbackServer

NORTHWIND_PEOPLE = 180
PER_MINUTE = 2400
"""The quota that Google documents for each user of a project."""


class GoogleServer(LoopbackServer):
    """A served simulator. All of Google's hosts are at one address, told apart by path."""

    def __init__(self, simulator: Simulator, port: int = 0, latency: float = 0.0) -> None:
        super().__init__(simulator.answer, port, latency)
        self.simulator = simulator

    def write_key(self, path: Path) -> Path:
        """Write a key file of the service account that signs in here, for its owner's eyes only."""
        return _write(path, self.simulator.account.key_file(self.url))

    def write_federation(self, path: Path) -> Path:
        """Write a file for signing in without a key, and beside it the token of the identity provider's."""
        token = path.with_suffix(".token")
        token.write_text(SIMULATED_SUBJECT_TOKEN)
        return _write(path, self.simulator.account.federation_file(self.url, str(token)))


def serve(simulator: Simulator, port: int = 0, latency: float = 0.0) -> GoogleServer:
    """A server for a `with` block; port 0 takes any free one. `latency` is seconds added to every answer."""
    return GoogleServer(simulator, port, latency)


def run(
    announce: Callable[[GoogleServer], None],
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

    Northwind is the first customer, with so many made-up people; further ones are `customer-2.example` and on.
    `announce` is called once the server answers, with all that there is to tell a person. Raises OSError for a taken
    port.
    """
    simulator = Simulator(SimulatedClock())
    people = NORTHWIND_PEOPLE if users is None else users
    northwind(simulator, people, seed)
    for number in range(2, tenants + 1):
        simulator.add_customer(domain=f"customer-{number}.example").populate(people, seed + number)
    for customer in simulator:
        customer.habits = replace(customer.habits, queries_per_minute=PER_MINUTE)
    simulator.order(*faults)
    ended = stop or threading.Event()
    with serve(simulator, port, latency) as server:
        announce(server)
        while not ended.wait(0.5):
            simulator.deliver()


def _write(path: Path, content: object) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2))
    return path
