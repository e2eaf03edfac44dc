"""`seatkeeper simulate`: a vendor's documented HTTP on loopback, to try things out without one."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.answers import encoded
from console.cli.call import Call
from console.cli.groups import Group

if TYPE_CHECKING:
    from worker.operations.simulating import Simulated, SimulatedGoogle, SimulatedSeller


@click.group(cls=Group, help="Serve a simulated vendor on loopback until interrupted.")
def simulate() -> None: ...


@simulate.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one if left out.")
@click.option("--users", type=click.IntRange(0), help="How many made-up people the tenant has; 240 if left out.")
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False), help="A file of faults that shall happen.")
def microsoft365(call: Call, port: int, users: int | None, faults: Path | None) -> None:
    """Serve Contoso, a Microsoft 365 tenant with nested groups and shared mailboxes."""
    from worker.operations.simulating import simulate_microsoft365

    def announce(simulated: "Simulated") -> None:
        if call.as_json:
            tenants = [{"id": id, "domain": domain} for id, domain in simulated.tenants]
            told = {"url": simulated.url, "client_id": simulated.client_id, "secret": simulated.secret}
            print(encoded({**told, "tenants": tenants}), flush=True)
            return
        for line in _lines(simulated):
            print(line, flush=True)

    simulate_microsoft365(announce, port=port, users=users, faults=faults)


@simulate.command(name="google_workspace")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one if left out.")
@click.option("--users", type=click.IntRange(0), help="How many made-up people the customer has; 180 if left out.")
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False), help="A file of faults that shall happen.")
def google_workspace(call: Call, port: int, users: int | None, faults: Path | None) -> None:
    """Serve Northwind, a Google Workspace customer with units and nested groups; write a key file to sign in with."""
    from worker.operations.simulating import simulate_google_workspace

    def announce(simulated: "SimulatedGoogle") -> None:
        if call.as_json:
            customers = [{"id": id, "domain": domain, "admin": admin} for id, domain, admin in simulated.customers]
            told = {"url": simulated.url, "key_file": str(simulated.key), "customers": customers}
            print(encoded(told), flush=True)
            return
        for line in _lines_of_google(simulated):
            print(line, flush=True)

    simulate_google_workspace(announce, port=port, users=users, faults=faults)


@simulate.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one if left out.")
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False), help="A file of faults that shall happen.")
def seller(call: Call, port: int, faults: Path | None) -> None:
    """Serve a vendor's portal that sells licenses over HTTP, and delivers at once."""
    from worker.operations.simulating import simulate_seller

    def announce(simulated: "SimulatedSeller") -> None:
        if call.as_json:
            print(encoded({"url": simulated.url, "secret": simulated.secret}), flush=True)
            return
        for line in _lines_of_seller(simulated):
            print(line, flush=True)

    simulate_seller(announce, port=port, faults=faults)


def _lines_of_seller(simulated: "SimulatedSeller") -> Iterator[str]:
    yield f"{simulated.url} simulates a seller of licenses until interrupted (Ctrl-C)."
    yield ""
    yield "In a policy file:"
    yield "  purchasing:"
    yield f"    seller: {{kind: http, url: {simulated.url}, secret: {{env: SIMULATED_SELLER_SECRET}}}}"
    yield "    standard: {auto: true}"
    yield "in provider.yaml:"
    yield f"  allowed_hosts: [{simulated.url.partition('//')[2]}]"
    yield f"and in the environment: SIMULATED_SELLER_SECRET={simulated.secret}"


def _lines_of_google(simulated: "SimulatedGoogle") -> Iterator[str]:
    id, domain, admin = simulated.customers[0]
    yield f"{simulated.url} simulates Google Workspace with the customer {domain} until interrupted (Ctrl-C)."
    yield ""
    yield "In a policy file:"
    yield "  kind: google_workspace"
    yield f"  customer: {id}"
    yield f"  admin: {admin}"
    yield f"  credential: {{key: {{file: {simulated.key}}}}}"
    yield f"  directory_url: {simulated.url}"
    yield f"{simulated.key} was written here; it signs in to this simulator, and to nothing else."
    yield "Put it into SEATKEEPER_SECRETS_DIR, or let that be this folder: SEATKEEPER_SECRETS_DIR=."


def _lines(simulated: "Simulated") -> Iterator[str]:
    id, domain = simulated.tenants[0]
    yield f"{simulated.url} simulates Microsoft 365 with the tenant {domain} until interrupted (Ctrl-C)."
    yield ""
    yield "In a policy file:"
    yield "  kind: microsoft365"
    yield f"  tenant: {id}"
    yield f"  credential: {{client_id: {simulated.client_id}, secret: {{env: SIMULATED_SECRET}}}}"
    yield f"  graph_url: {simulated.url}"
    yield f"  login_url: {simulated.url}"
    yield f"and in the environment: SIMULATED_SECRET={simulated.secret}"
