"""A tenant of three, served, at a time that stands still."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import urllib3

from connectors.simulators.microsoft365 import GraphServer, SimulatedClock, Simulator, Tenant, serve
from tests.connectors.simulators.microsoft365.graph_client import GraphClient

ADELE = "6e7b768e-07e2-4810-8459-485f84f8f204"
LIDIA = "25dc0000-959e-4ece-9973-e5d9b800e8cc"
PAT = "0f1a2b3c-0000-4000-8000-0000000000aa"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture
def simulator(clock: SimulatedClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def tenant(simulator: Simulator) -> Tenant:
    """Contoso with Adele and Lidia, and Pat who is a guest; pages of two."""
    contoso = simulator.add_tenant("84bd8158-6d4d-4958-8b9f-9d6445542f95", domain="contoso.example", name="Contoso")
    contoso.hire("Adele Vance", id=ADELE, department="Finance")
    contoso.hire("Lidia Holloway", id=LIDIA)
    contoso.hire("Pat Sanders", id=PAT, guest=True)
    contoso.habits = replace(contoso.habits, page_size=2)
    return contoso


@pytest.fixture
def server(simulator: Simulator) -> Iterator[GraphServer]:
    with serve(simulator) as running:
        yield running


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as pool:
        yield pool


@pytest.fixture
def graph(http: urllib3.PoolManager, server: GraphServer, tenant: Tenant) -> GraphClient:
    return GraphClient(http, server, tenant, server.simulator.token(tenant))
