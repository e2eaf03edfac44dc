"""A customer of three, and the account that reads it, served, at a time that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import urllib3

from connectors.simulators.google_workspace import Customer, GoogleServer, SimulatedClock, Simulator, serve
from tests.connectors.simulators.google_workspace.google_client import GoogleClient

ADA = "103918273645546372819"
BO = "103918273645546380738"
CY = "103918273645546390001"
CUSTOMER = "C03az79cb"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture
def simulator(clock: SimulatedClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def customer(simulator: Simulator) -> Customer:
    """Ada in Sales, EMEA, Bo in Leavers, and Cy at the root."""
    ours = simulator.add_customer(CUSTOMER, domain="customer.example", name="Customer")
    ours.create_unit("/Sales/EMEA")
    ours.create_unit("/Leavers")
    ours.hire("Ada King", id=ADA, unit="/Sales/EMEA")
    ours.hire("Bo Lane", id=BO, unit="/Leavers")
    ours.hire("Cy Moss", id=CY)
    return ours


@pytest.fixture
def server(simulator: Simulator) -> Iterator[GoogleServer]:
    with serve(simulator) as running:
        yield running


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as pool:
        yield pool


@pytest.fixture
def google(http: urllib3.PoolManager, server: GoogleServer, customer: Customer) -> GoogleClient:
    return GoogleClient(http, server, customer, server.simulator.token(customer))
