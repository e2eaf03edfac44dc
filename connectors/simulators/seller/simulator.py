"""The simulated seller: takes orders as the protocol has it, and makes the faults that were ordered."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from http.client import responses
from urllib.parse import parse_qs, unquote

import msgspec

from connectors.signing import PREFIX, Forged, key_of, verify
from connectors.simulators.breaking import broken
from connectors.simulators.clock import Clock, SimulatedClock
from connectors.simulators.fault_book import FaultBook
from connectors.simulators.seller.control import Control
from connectors.simulators.seller.faults import CONTENT, EARLY, Fault
from connectors.simulators.seller.ledger import Bought, Ledger, Wanted
from connectors.simulators.serving import Answer, Ending, Request
from connectors.simulators.tally import Tally

SIMULATED_SECRET = PREFIX + base64.b64encode(b"what is sold here is only air").decode()
AT_ONCE = timedelta(0)


class Simulator:
    """Sells licenses to whoever signs with the secret."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        secret: str = SIMULATED_SECRET,
        fulfills_after: timedelta | None = AT_ONCE,
        license_key: Callable[[Bought], str] | None = None,
    ) -> None:
        """`fulfills_after` None: an order is fulfilled when somebody says so. `license_key` makes the key that is told
        with the seats."""
        self.clock = clock or SimulatedClock()
        self.secret = secret
        self.license_key = license_key
        self._ledger = Ledger(self.clock, fulfills_after)
        self._faults: FaultBook[Fault] = FaultBook()
        self._tally = Tally()
        self._control = Control(self)

    # --- what happens to it ---

    def order(self, *faults: Fault) -> None:
        """Let these faults happen, each when its turn comes."""
        self._faults.add(*faults)

    def withdraw_faults(self) -> None:
        """Cancel every fault that is still to come."""
        self._faults.withdraw()

    def outstanding_faults(self) -> list[Fault]:
        """The faults that have not happened as often as they were ordered."""
        return self._faults.outstanding()

    def fulfill(self, id: str, *, seats: int | None = None, expires: date | None = None) -> Bought:
        """Deliver an order; as it was ordered, unless something else is said. Raises LookupError."""
        return self._ledger.fulfill(id, seats, expires)

    # --- how it stands ---

    def bought(self) -> list[Bought]:
        """Every order that was taken, in the order in which they came."""
        return self._ledger.all()

    def state(self, bought: Bought) -> str:
        """`placed` or `fulfilled`."""
        return self._ledger.state(bought)

    def requests(self) -> dict[str, int]:
        """How often what was asked: `{"POST /orders": 1, "GET /orders?idempotency_key": 1, "GET /orders/{id}": 2}`."""
        return self._tally.seen()

    # --- the protocol ---

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        parts = tuple(unquote(part) for part in path.split("/") if part)
        if parts[:1] == ("_simulator",):
            return self._control.answer(request, parts[1:])
        self._tally.count("", _label(request.method, parts, query))
        fault = self._faults.first_due(lambda ordered: ordered.concerns(request.method, path))
        if fault is not None and fault.kind in EARLY:
            return _refusal(fault)
        try:
            verify([key_of(self.secret)], request.headers, request.body, self.clock())
        except Forged as problem:
            return _json(401, {"error": str(problem)})
        answer = self._answer(request, parts, query, fault if fault and fault.kind in CONTENT else None)
        return answer if fault is None else _spoiled(answer, fault)

    def _answer(self, request: Request, parts: tuple[str, ...], query: str, fault: Fault | None) -> Answer:
        match request.method, parts:
            case "POST", ("orders",):
                return self._take(request, fault)
            case "GET", ("orders",):
                keys = parse_qs(query).get("idempotency_key", [])
                return self._listed([self._ledger.of_key(key) for key in keys], fault)
            case "GET", ("orders", id):
                found = None if fault is not None and fault.kind == "unknown" else self._ledger.of_id(id)
                return _json(404, {"error": "no such order"}) if found is None else _json(200, self._told(found, fault))
        return _json(404, {"error": "there is nothing here"})

    def _take(self, request: Request, fault: Fault | None) -> Answer:
        key = request.headers.get("idempotency-key", "")
        if not key:
            return _json(400, {"error": "an order needs an Idempotency-Key"})
        try:
            wanted = msgspec.json.decode(request.body, type=Wanted)
        except msgspec.DecodeError as problem:
            return _json(400, {"error": str(problem)})
        if wanted.seats < 1:
            return _json(400, {"error": "an order is for one seat at least"})
        return _json(201, self._told(self._ledger.take(key, wanted), fault))

    def _listed(self, found: Sequence[Bought | None], fault: Fault | None) -> Answer:
        if fault is not None and fault.kind == "unknown":
            return _json(200, [])
        told = [self._told(bought, fault) for bought in found if bought is not None]
        return _json(200, told * 2 if fault is not None and fault.kind == "twice" else told)

    def _told(self, bought: Bought, fault: Fault | None) -> Mapping[str, object]:
        seats = bought.seats
        if fault is not None and fault.kind in ("more_seats", "no_seats"):
            seats = bought.seats + fault.seats if fault.kind == "more_seats" else 0
        ends = None if bought.expires is None else bought.expires.isoformat()
        told = {"id": bought.id, "state": self.state(bought), "seats": seats, "expires": ends}
        if self.license_key is not None and told["state"] == "fulfilled":
            told["license_key"] = self.license_key(bought)
        return told


def _label(method: str, parts: tuple[str, ...], query: str) -> str:
    path = "/orders/{id}" if parts[:1] == ("orders",) and len(parts) == 2 else f"/{'/'.join(parts)}"
    names = "&".join(sorted(parse_qs(query, keep_blank_values=True)))
    return f"{method} {path}" + (f"?{names}" if names else "")


def _refusal(fault: Fault) -> Answer:
    """The answer of a seller who takes nothing."""
    match fault.kind:
        case "throttle":
            wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return Answer(429, {"Content-Type": "application/json", **wait}, b'{"error": "too many requests"}')
        case "refuse":
            return _json(fault.status or 402, {"refused": fault.refused})
        case "error":
            return _page(fault)
    return Answer(200, {}, b"", Ending.RESET if fault.kind == "reset" else Ending.HANG)


def _spoiled(answer: Answer, fault: Fault) -> Answer:
    """An answer to a request that had its effect, as it arrives."""
    match fault.kind:
        case "late_error":
            return _page(fault)
        case "blank":
            return Answer(200, {})
        case "lost_reply":
            return broken(answer, "reset", 0)
    return broken(answer, fault.kind, fault.seconds)


def _page(fault: Fault) -> Answer:
    """What a gateway in front of the service answers in its place."""
    title = f"{fault.status or 500} {responses.get(fault.status or 500, 'Error')}"
    wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Answer(fault.status or 500, {"Content-Type": "text/html", **wait}, f"<h1>{title}</h1>".encode())


def _json(status: int, body: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, msgspec.json.encode(body))
