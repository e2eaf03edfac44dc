"""The simulated seller is held to the protocol that interface and documents describe, request by request."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from connectors.signing import key_of, sign
from connectors.simulators.seller import (
    SIMULATED_SECRET,
    Fault,
    FaultFileError,
    SellerServer,
    SimulatedClock,
    Simulator,
    read_faults,
    run,
    serve,
)

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ORDER = {"company": "contoso", "license": "standard", "seats": 10, "term": "yearly", "note": "8 waiting"}
KEY = key_of(SIMULATED_SECRET)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START)


@pytest.fixture
def simulator(clock: SimulatedClock) -> Simulator:
    return Simulator(clock, fulfills_after=timedelta(hours=1))


@pytest.fixture
def server(simulator: Simulator) -> Iterator[SellerServer]:
    with serve(simulator) as served:
        yield served


def send(
    server: SellerServer, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, Any, Mapping[str, str]]:
    """Status, body and headers of an answer; the body is decoded where it is JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port or 0, timeout=60)
    try:
        connection.request(method, target, body, dict(headers or {}))
        answer = connection.getresponse()
        raw = answer.read()
        is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
        return answer.status, msgspec.json.decode(raw) if is_json else raw, dict(answer.getheaders())
    finally:
        connection.close()


def signed(server: SellerServer, body: bytes = b"", id: str = "msg-1") -> Mapping[str, str]:
    return sign(KEY, id, body, server.simulator.clock())


def buy(server: SellerServer, key: str = "key-1", **changes: object) -> tuple[int, Any, Mapping[str, str]]:
    body = msgspec.json.encode({**ORDER, **changes})
    return send(server, "POST", "/orders", body, {"Idempotency-Key": key, **signed(server, body, key)})


def look(server: SellerServer, target: str) -> tuple[int, Any]:
    status, body, _ = send(server, "GET", target, headers=signed(server))
    return status, body


def test_an_order_is_placed_and_fulfilled_when_its_time_has_come(server: SellerServer, clock: SimulatedClock) -> None:
    status, placed, _ = buy(server)
    assert (status, placed) == (201, {"id": "po-00001", "state": "placed", "seats": 10, "expires": "2027-03-01"})

    clock.advance(timedelta(hours=1))

    assert look(server, "/orders/po-00001") == (200, {**placed, "state": "fulfilled"})


def test_the_same_key_again_is_the_same_order(server: SellerServer, simulator: Simulator) -> None:
    first = buy(server)[1]

    assert buy(server)[1] == buy(server, seats=500)[1] == first
    assert look(server, "/orders?idempotency_key=key-1") == (200, [first])
    assert look(server, "/orders?idempotency_key=key-2") == (200, [])
    assert buy(server, "key-2")[1]["id"] == "po-00002"
    assert [bought.key for bought in simulator.bought()] == ["key-1", "key-2"]


@pytest.mark.parametrize("term, expires", [("monthly", "2026-03-31"), ("yearly", "2027-03-01"), ("perpetual", None)])
def test_a_term_has_its_end(server: SellerServer, term: str, expires: str | None) -> None:
    assert buy(server, term=term)[1]["expires"] == expires


def test_who_does_not_sign_is_not_answered(server: SellerServer, simulator: Simulator) -> None:
    body = msgspec.json.encode(ORDER)
    forged = sign(key_of("another"), "key-1", body, START)
    for headers in ({}, forged, signed(server, b"another body"), sign(KEY, "key-1", body, START - timedelta(hours=1))):
        assert send(server, "POST", "/orders", body, {"Idempotency-Key": "key-1", **headers})[0] == 401
    assert send(server, "GET", "/orders/po-00001")[0] == 401
    assert simulator.bought() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"seats": 10}', msgspec.json.encode({**ORDER, "seats": 0}), msgspec.json.encode({**ORDER, "x": 1})],
)
def test_what_is_no_order_is_refused(server: SellerServer, body: bytes) -> None:
    assert send(server, "POST", "/orders", body, {"Idempotency-Key": "k", **signed(server, body)})[0] == 400


def test_an_order_needs_a_key(server: SellerServer) -> None:
    body = msgspec.json.encode(ORDER)
    assert send(server, "POST", "/orders", body, signed(server, body))[0] == 400


@pytest.mark.parametrize("target", ["/orders/po-00009", "/", "/elsewhere"])
def test_what_is_not_there_is_not_found(server: SellerServer, target: str) -> None:
    assert look(server, target)[0] == 404


# Faults


@pytest.mark.parametrize(
    "fault, status, body",
    [
        (Fault("throttle", retry_after=30), 429, {"error": "too many requests"}),
        (Fault("error"), 500, b"<h1>500 Internal Server Error</h1>"),
        (Fault("error", status=503), 503, b"<h1>503 Service Unavailable</h1>"),
        (Fault("refuse"), 402, {"refused": "card_declined"}),
        (Fault("refuse", status=409, refused="credit_limit"), 409, {"refused": "credit_limit"}),
    ],
)
def test_an_order_that_is_turned_away_is_not_taken(
    server: SellerServer, simulator: Simulator, fault: Fault, status: int, body: object
) -> None:
    simulator.order(fault)

    answered = buy(server)

    assert answered[:2] == (status, body)
    assert answered[2].get("Retry-After") == (None if fault.retry_after is None else "30")
    assert simulator.bought() == []
    assert buy(server)[0] == 201


@pytest.mark.parametrize("kind", ["reset", "lost_reply", "cut_connection"])
def test_a_connection_may_break_before_or_after_an_order_is_taken(
    server: SellerServer, simulator: Simulator, kind: str
) -> None:
    simulator.order(Fault(kind))  # type: ignore[arg-type]
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        buy(server)

    assert len(simulator.bought()) == (0 if kind == "reset" else 1)


@pytest.mark.parametrize("kind, status", [("late_error", 500), ("cut", 201), ("blank", 200)])
def test_an_answer_may_be_spoiled_after_an_order_is_taken(
    server: SellerServer, simulator: Simulator, kind: str, status: int
) -> None:
    simulator.order(Fault(kind))  # type: ignore[arg-type]
    try:
        assert buy(server)[0] == status
    except msgspec.DecodeError:
        assert kind == "cut"

    assert len(simulator.bought()) == 1


def test_an_answer_may_have_other_seats_than_were_ordered(server: SellerServer, simulator: Simulator) -> None:
    simulator.order(Fault("more_seats", seats=990), Fault("no_seats"))

    assert [buy(server)[1]["seats"] for _ in range(3)] == [1000, 0, 10]


def test_a_look_up_may_find_too_much_or_nothing(server: SellerServer, simulator: Simulator) -> None:
    order = buy(server)[1]
    simulator.order(Fault("twice"), Fault("unknown", "/orders"), Fault("unknown", "/orders/*"))

    assert look(server, "/orders?idempotency_key=key-1") == (200, [order, order])
    assert look(server, "/orders?idempotency_key=key-1") == (200, [])
    assert look(server, "/orders/po-00001")[0] == 404
    assert simulator.outstanding_faults() == []


def test_faults_wait_for_their_turn(server: SellerServer, simulator: Simulator) -> None:
    simulator.order(Fault("error", "/orders/*"), Fault("refuse", after=1, times=2))

    assert [buy(server)[0] for _ in range(4)] == [201, 402, 402, 201]
    assert simulator.outstanding_faults() == [Fault("error", "/orders/*")]
    simulator.withdraw_faults()
    assert look(server, "/orders/po-00001")[0] == 200


def test_a_file_orders_faults() -> None:
    text = "- {kind: lost_reply, times: 2}\n- kind: refuse\n  status: 409\n  refused: credit_limit\n"
    assert read_faults(text, "faults.yaml") == (
        Fault("lost_reply", times=2),
        Fault("refuse", status=409, refused="credit_limit"),
    )
    with pytest.raises(FaultFileError, match=r"faults.yaml:1:9: .*did you mean 'lost_reply'\?"):
        read_faults("- kind: lost_replay\n", "faults.yaml")


# From another process


def test_another_process_can_drive_it(server: SellerServer, simulator: Simulator, clock: SimulatedClock) -> None:
    buy(server)
    assert send(server, "POST", "/_simulator/faults", b'{"kind": "error"}')[1] == [{"kind": "error"}]
    assert send(server, "DELETE", "/_simulator/faults")[1] == []
    assert send(server, "POST", "/_simulator/clock", b'{"advance": 60}')[0] == 200
    fulfilled = send(server, "POST", "/_simulator/orders/po-00001/fulfill", b'{"seats": 4, "expires": "2026-12-31"}')[1]

    assert (fulfilled["state"], fulfilled["seats"], fulfilled["expires"]) == ("fulfilled", 4, "2026-12-31")
    overview = send(server, "GET", "/_simulator")[1]
    assert overview["orders"] == [fulfilled] and overview["requests"] == {"POST /orders": 1}
    assert clock() == START + timedelta(minutes=1)
    assert simulator.bought()[0].expires == date(2026, 12, 31)


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("POST", "orders/po-9/fulfill", b""),
        ("POST", "faults", b'{"kind": "sold_out"}'),
        ("POST", "clock", b'{"advance": -1}'),
        ("POST", "clock", b"no JSON"),
        ("GET", "elsewhere", b""),
    ],
)
def test_what_cannot_be_done_is_told(server: SellerServer, method: str, path: str, body: bytes) -> None:
    status, told, _ = send(server, method, f"/_simulator/{path}", body)
    assert status == 400 and told["error"]


def test_a_page_in_a_browser_cannot_drive_it(server: SellerServer) -> None:
    assert send(server, "GET", "/_simulator", headers={"Host": "evil.example"})[0] == 403


def test_it_serves_in_the_foreground_until_it_is_stopped() -> None:
    stop, told = threading.Event(), []

    def announce(server: SellerServer) -> None:
        told.append(buy(server)[1]["state"])
        stop.set()

    run(announce, faults=[Fault("throttle", "/orders/*")], stop=stop)

    assert told == ["fulfilled"]
