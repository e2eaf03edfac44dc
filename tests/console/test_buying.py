"""Buying at a simulated seller, from the command line."""

import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.simulators.microsoft365 import GraphServer
from connectors.simulators.seller import SIMULATED_SECRET as PORTAL_SECRET
from connectors.simulators.seller import Fault, SellerServer, serve
from connectors.simulators.seller import Simulator as Portal
from tests.console.conftest import POLICY, Terminal, command
from tests.proves import proves


@pytest.fixture
def portal() -> Iterator[SellerServer]:
    with serve(Portal(fulfills_after=None)) as server:
        yield server


@pytest.fixture
def buying(connected: Terminal, graph: GraphServer, portal: SellerServer, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A command line whose policy buys at the portal."""
    monkeypatch.setenv("PORTAL_SECRET", PORTAL_SECRET)
    seller = f"  seller: {{kind: http, url: {portal.url}, secret: {{env: PORTAL_SECRET}}}}\n"
    text = POLICY.format(url=graph.url).replace("approve_above: 5", "approve_above: 50")
    connected.policy(text.replace("purchasing:\n", f"purchasing:\n{seller}"))
    connected.policy(f"allowed_hosts: ['{portal.url.partition('//')[2]}']\n", "provider.yaml")
    return connected


def order(terminal: Terminal) -> Any:
    [found] = terminal("orders", "list", "--json").json
    return found


@proves("P4", "P8")
def test_sync_tells_what_became_of_an_order(buying: Terminal, portal: SellerServer) -> None:
    said = buying("sync")
    placed = order(buying)
    assert said.code == 0
    assert (placed["state"], placed["seller"], placed["seller_ref"], placed["problem"]) == (
        "placed", "http", "po-00001", None,
    )  # fmt: skip
    assert f"{placed['id']} of contoso: {placed['seats']} standard seats, placed\n" in said.out

    portal.simulator.fulfill("po-00001")
    assert f"{placed['id']} of contoso: {placed['seats']} standard seats, fulfilled\n" in buying("sync").out

    assert order(buying)["state"] == "fulfilled"
    [lot] = buying("lots", "list", "--json").json
    assert (lot["seats"], lot["ref"]) == (placed["seats"], "po-00001")
    assert buying("status", "--json").json["orders_open"] == 0
    assert "po-00001" not in buying("sync").out


@proves("P7")
def test_sync_tells_what_stands_in_the_way_of_an_order(buying: Terminal, portal: SellerServer) -> None:
    portal.simulator.order(Fault("error", status=503))

    said = buying("sync")

    assert said.code == 0
    assert "standard seats, wanted\n  POST http://127.0.0.1" in said.out and "status 503\n" in said.out
    assert "status 503" in order(buying)["problem"]
    assert "status 503" in buying("orders", "list").out
    assert "standard seats, wanted\n    POST http://127.0.0.1" in buying("status").out


@proves("P7")
def test_a_refusal_needs_a_person(buying: Terminal, portal: SellerServer) -> None:
    portal.simulator.order(Fault("refuse"))
    assert "standard seats, failed\n" in buying("sync").out

    refused = order(buying)
    told = buying("status").out
    assert f"- {refused['id']} (contoso): the seller refused {refused['seats']} standard seats: card_declined\n" in told
    assert f"nothing is bought for contoso until: seatkeeper orders reopen {refused['id']}\n" in told

    assert buying("orders", "reopen", refused["id"]).code == 0
    assert "the seller refused" not in buying("status").out
    assert "standard seats, placed\n" in buying("sync").out


@proves("Z2")
def test_what_nobody_ordered_is_held_until_a_person_takes_it(buying: Terminal, portal: SellerServer) -> None:
    portal.simulator.order(Fault("more_seats", times=None, seats=90))

    said = buying("sync", "--json")

    assert said.code == 3
    [hold] = said.json[0]["held"]
    wanted = order(buying)["seats"]
    assert (hold["kind"], hold["total"], said.json[0]["outcome"]) == ("delivery", wanted + 90, "partly_held")
    shown = buying("plan", "show", hold["hash"], "--json").json
    assert (shown["company"], shown["directory"], shown["kind"]) == ("contoso", None, "delivery")
    assert f"{wanted} were ordered" in shown["why"]
    assert buying("lots", "list", "--json").json == []

    portal.simulator.fulfill("po-00001")
    assert buying("plan", "approve", hold["hash"]).code == 0
    assert [lot["seats"] for lot in buying("lots", "list", "--json").json] == [wanted + 90]


def test_a_seller_can_be_simulated(buying: Terminal) -> None:
    (buying.folder / "faults.yaml").write_text("- {kind: refuse, status: 409}\n")
    served = subprocess.Popen(
        command(["simulate", "seller", "--faults", "faults.yaml"]),
        cwd=buying.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert served.stdout is not None
    out = "".join(served.stdout.readline() for _ in range(9))
    served.send_signal(signal.SIGINT)
    served.communicate(timeout=100)
    assert served.returncode == 130
    assert "simulates a seller of licenses" in out
    assert "seller: {kind: http, url: http://127.0.0.1:" in out and "allowed_hosts: [127.0.0.1:" in out
    assert f"SIMULATED_SELLER_SECRET={PORTAL_SECRET}" in out


def test_a_file_of_faults_that_it_does_not_know_is_told_by_its_places(terminal: Terminal) -> None:
    (terminal.folder / "faults.yaml").write_text("- kind: sold_out\n")

    said = terminal("simulate", "seller", "--faults", "faults.yaml", "--json")

    assert said.code != 0
    assert said.error["code"] == "faults_invalid" and "faults.yaml:1:9" in said.error["message"]
