"""Serving: in a block, in the foreground, for real clients."""

import threading
from dataclasses import replace

import pytest
import urllib3
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential

from connectors.simulators.microsoft365 import (
    CONTOSO_TENANT,
    SIMULATED_CLIENT_ID,
    SIMULATED_SECRET,
    Fault,
    GraphServer,
    Simulator,
    Tenant,
    run,
    serve,
)
from tests.connectors.simulators.microsoft365.graph_client import GraphClient


class Loopback(RequestsTransport):  # type: ignore[misc]
    """Speaks plain http where the metadata say https, to this machine alone."""

    def send(self, request: HttpRequest, **options: object) -> object:
        request.url = request.url.replace("https://127.0.0.1", "http://127.0.0.1")
        return super().send(request, **options)


def credential(server: GraphServer, secret: str) -> ClientSecretCredential:
    authority = server.login_url.replace("http:", "https:")
    return ClientSecretCredential(
        server.simulator.tenant("contoso.example").id,
        SIMULATED_CLIENT_ID,
        secret,
        authority=authority,
        transport=Loopback(),
        disable_instance_discovery=True,
    )


def test_azure_identity_signs_in(graph: GraphClient) -> None:
    with credential(graph.server, SIMULATED_SECRET) as good:
        graph.token = good.get_token(f"{graph.server.graph_url}/.default").token

    assert graph.get("/users").status == 200


def test_azure_identity_is_told_what_is_wrong(graph: GraphClient) -> None:
    with credential(graph.server, "guessed") as bad, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        bad.get_token(f"{graph.server.graph_url}/.default")


def test_a_simulator_runs_in_the_foreground_until_it_is_told_to_stop(http: urllib3.PoolManager) -> None:
    ready, stop = threading.Event(), threading.Event()
    served: list[GraphServer] = []

    def announce(server: GraphServer) -> None:
        served.append(server)
        ready.set()

    options = {"users": 20, "tenants": 3, "faults": [Fault("error", "/users")], "stop": stop}
    thread = threading.Thread(target=run, args=(announce,), kwargs=options)
    thread.start()
    assert ready.wait(60)
    simulator = served[0].simulator
    tenant = simulator.tenant(CONTOSO_TENANT)
    graph = GraphClient(http, served[0], tenant, simulator.token(tenant))
    statuses = [graph.get("/users").status for _ in range(2)]
    stop.set()
    thread.join(60)

    assert statuses == [500, 200] and not thread.is_alive()
    assert [other.domains.own for other in simulator] == ["contoso.example", "tenant-2.example", "tenant-3.example"]


def test_a_stop_ends_what_hangs(http: urllib3.PoolManager, simulator: Simulator, tenant: Tenant) -> None:
    simulator.order(Fault("hang"))
    outcome: list[Exception] = []

    def ask(client: GraphClient) -> None:
        try:
            client.get("/users")
        except urllib3.exceptions.HTTPError as error:
            outcome.append(error)

    with serve(simulator) as server:
        thread = threading.Thread(target=ask, args=(GraphClient(http, server, tenant, simulator.token(tenant)),))
        thread.start()
        while not simulator.requests():
            thread.join(0.01)
    thread.join(60)

    assert len(outcome) == 1 and not isinstance(outcome[0], urllib3.exceptions.ReadTimeoutError)


def test_many_ask_while_much_happens(graph: GraphClient, simulator: Simulator, tenant: Tenant) -> None:
    ids = tenant.populate(300)
    tenant.habits = replace(tenant.habits, page_size=60)
    failures: list[object] = []

    def walk() -> None:
        try:
            for _ in range(5):
                graph.walk("/users/delta?$select=id,department")
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=walk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for ident in ids:
        tenant.update_user(ident, department="Legal")
    for thread in threads:
        thread.join()

    assert failures == []
    assert {entry.get("department") for entry in graph.walk("/users/delta?$select=department")[0][3:]} == {"Legal"}
