"""Graph itself: from a request to an answer, through token, fault, permission and endpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import uuid4

import msgspec

from connectors.simulators.bodies import Packed
from connectors.simulators.breaking import broken
from connectors.simulators.clock import Clock
from connectors.simulators.memo import Memo
from connectors.simulators.microsoft365 import misfortunes, refusals, routes
from connectors.simulators.microsoft365.call import JSON_TYPE, Call, Grant
from connectors.simulators.microsoft365.cursors import Sealer
from connectors.simulators.microsoft365.faults import BROKEN, REFUSED, Fault, Orders, Target
from connectors.simulators.microsoft365.odata import Query, segments
from connectors.simulators.microsoft365.refusals import Refusal
from connectors.simulators.microsoft365.tenant import Tenant
from connectors.simulators.microsoft365.tokens import BadToken, Issuer
from connectors.simulators.serving import Answer, Request
from connectors.simulators.tally import Tally

_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"SIM0001"}}'
)
_PACKED_BYTES = 192 * 1024 * 1024
_REMEMBERED_ENTRIES = 4_000_000


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request as it is being answered."""

    request: Request
    parts: tuple[str, ...]
    query: Query
    now: datetime
    root: str
    grant: Grant | None
    refusal: Refusal | None
    """Why there is no grant."""
    in_batch: bool = False


class Graph:
    """Answers what comes below `/v1.0`."""

    def __init__(
        self, clock: Clock, key: bytes, tenants: Mapping[str, Tenant], issuer: Issuer, orders: Orders, tally: Tally
    ) -> None:
        self._clock = clock
        self._tenants = tenants
        self._issuer = issuer
        self._orders = orders
        self._tally = tally
        self._sealer = Sealer(key)
        self._packed: Memo[Packed] = Memo(_PACKED_BYTES, lambda packed: len(packed.deflated))
        self._rounds: Memo[object] = Memo(_REMEMBERED_ENTRIES, _length)

    def answer(self, request: Request, parts: tuple[str, ...]) -> Answer:
        """Answer one request, of which these are the parts of the path after the version."""
        now, root = self._clock().astimezone(UTC), f"http://{request.headers.get('host', '127.0.0.1')}/v1.0"
        grant, refusal = self._grant(request, now, root)
        query = Query.parse(request.target.partition("?")[2])
        return self._play(_Visit(request, parts, query, now, root, grant, refusal))

    def _grant(self, request: Request, now: datetime, root: str) -> tuple[Grant | None, Refusal | None]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None, refusals.unauthenticated("Access token is empty.", root)
        try:
            grant = self._issuer.read(token.strip())
        except BadToken:
            return None, refusals.unauthenticated("CompactToken parsing failed with error code: 80049217", root)
        tenant = self._tenants.get(grant.tenant)
        if tenant is None or grant.client_id not in tenant.consented - tenant.disabled_apps:
            return None, refusals.unauthenticated("Access token validation failure.", root)
        if now.timestamp() >= grant.expires:
            return None, refusals.unauthenticated("Lifetime validation failed, the token is expired.", root)
        return grant, None

    def _play(self, visit: _Visit) -> Answer:
        method = visit.request.method
        match = routes.find(method, visit.parts)
        path = match.path if match else "/" + "/".join(visit.parts)
        tenant_id = visit.grant.tenant if visit.grant else ""
        self._tally.count(tenant_id, label(method, match.endpoint.pattern if match else path, visit.query))
        possible = match.endpoint.can_meet(visit.query, in_batch=visit.in_batch) if match else REFUSED
        fault = self._orders.take(Target(method, path, tenant_id, possible))
        answer = self._answer(visit, match, fault)
        return broken(answer, fault.kind, fault.seconds) if fault and fault.kind in BROKEN else answer

    def _answer(self, visit: _Visit, match: routes.Match | None, fault: Fault | None) -> Answer:
        try:
            if fault and not visit.in_batch and (page := misfortunes.page_of_html(fault, visit.now)):
                return replace(page, headers={**page.headers, **self._headers(visit)})
            self._refuse(visit, match, fault)
            assert match is not None and visit.grant is not None
            return self._agree(visit, visit.grant, match, fault)
        except Refusal as refusal:
            return self._error(visit, refusal)

    def _refuse(self, visit: _Visit, match: routes.Match | None, fault: Fault | None) -> None:
        """Raise what stands in the way of an answer, in the order in which Graph notices it."""
        exchange = match is not None and match.endpoint.exchange
        if fault and (ordered := misfortunes.refusal(fault, visit.now, visit.grant, visit.root, exchange=exchange)):
            raise ordered
        if visit.refusal:
            raise visit.refusal
        if match is None:
            raise _unknown(visit)

    def _agree(self, visit: _Visit, grant: Grant, match: routes.Match, fault: Fault | None) -> Answer:
        endpoint, tenant = match.endpoint, self._tenants[grant.tenant]
        request, play = visit.request, self._player(visit)
        call = Call(
            tenant, grant, visit.now, visit.root, request.method, match.path, match.ids, visit.query,
            request.headers, request.body, self._sealer, self._packed, self._rounds, play, fault,
        )  # fmt: skip
        if endpoint.readers is not None and call.permissions.isdisjoint(endpoint.readers):
            raise refusals.access_denied() if endpoint.exchange else refusals.denied()
        tenant.settle(visit.now)
        with tenant.lock:
            body = endpoint.answer(call)
        units = {"x-ms-resource-unit": str(endpoint.cost(visit.query))}
        return Answer(200, {"Content-Type": JSON_TYPE, **self._headers(visit), **units, **call.answer_headers}, body)

    def _player(self, visit: _Visit) -> Callable[[Request], Answer]:
        """What answers the items of a batch: as requests of the same app, at the same time."""

        def play(request: Request) -> Answer:
            path, _, text = request.target.partition("?")
            parts = segments(path)[1:]
            return self._play(replace(visit, request=request, parts=parts, query=Query.parse(text), in_batch=True))

        return play

    def _error(self, visit: _Visit, refusal: Refusal) -> Answer:
        headers = self._headers(visit)
        inner = {
            "date": visit.now.strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": headers["request-id"],
            "client-request-id": headers["client-request-id"],
        }
        if refusal.status == 429:
            inner = {"code": "429", **inner}
        error = {"code": refusal.code, "message": refusal.message, "innerError": inner}
        body = msgspec.json.encode({"error": error})
        return Answer(refusal.status, {"Content-Type": "application/json", **headers, **refusal.headers}, body)

    def _headers(self, visit: _Visit) -> dict[str, str]:
        request_id = str(uuid4())
        return {
            "Cache-Control": "no-cache",
            "Date": format_datetime(visit.now, usegmt=True),
            "request-id": request_id,
            "client-request-id": visit.request.headers.get("client-request-id") or request_id,
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
            "OData-Version": "4.0",
        }


def label(method: str, pattern: str, query: Query) -> str:
    """How a request is counted: with the kind of its token, so that first rounds are told from later ones."""
    for name in ("$skiptoken", "$deltatoken"):
        if query.get(name):
            return f"{method} {pattern}?{name}" + ("=latest" if query.get(name) == "latest" else "")
    return f"{method} {pattern}"


def _unknown(visit: _Visit) -> Refusal:
    if visit.request.method not in ("GET", "HEAD"):
        return refusals.denied()
    part = visit.parts[-1] if visit.parts else ""
    return Refusal(400, "BadRequest", f"Resource not found for the segment '{part}'.")


def _length(value: object) -> int:
    return len(value) if hasattr(value, "__len__") else 1
