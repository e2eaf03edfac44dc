"""The Directory and the Reports API: from a request to an answer, through token, scope, quota and endpoint."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, unquote

import msgspec

from connectors.simulators.bodies import Body, Packed, plain
from connectors.simulators.breaking import broken
from connectors.simulators.clock import Clock
from connectors.simulators.google_workspace import masks, misfortunes, refusals, routes
from connectors.simulators.google_workspace.call import Call, Place
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.customers import Customers
from connectors.simulators.google_workspace.faults import REFUSED, Fault
from connectors.simulators.google_workspace.quotas import Quotas, is_filtered
from connectors.simulators.google_workspace.refusals import Refusal
from connectors.simulators.google_workspace.service_accounts import ServiceAccount
from connectors.simulators.google_workspace.tokens import BadToken, Grant, Issuer
from connectors.simulators.memo import Memo
from connectors.simulators.ordering import Orders, Target
from connectors.simulators.seals import Seal
from connectors.simulators.serving import Answer, Request
from connectors.simulators.tally import Tally

_PACKED_BYTES = 192 * 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_COUNTED = ("showDeleted", "pageToken", "query", "includeDerivedMembership")


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request as it is being answered."""

    request: Request
    method: str
    api: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes
    now: datetime


class Api:
    """Answers what comes below `/admin/directory/v1` and `/admin/reports/v1`."""

    def __init__(
        self,
        clock: Clock,
        key: bytes,
        customers: Customers,
        accounts: Mapping[str, ServiceAccount],
        issuer: Issuer,
        orders: Orders[Fault],
        tally: Tally,
    ) -> None:
        self._clock = clock
        self._customers = customers
        self._accounts = accounts
        self._issuer = issuer
        self._orders = orders
        self._tally = tally
        self._quotas = Quotas()
        self._seal = Seal(key, Place)
        self._packed: Memo[Packed] = Memo(_PACKED_BYTES, lambda packed: len(packed.deflated))

    def answer(self, request: Request) -> Answer:
        """Answer one request; a GET may come as a POST, with its parameters in the body."""
        path, _, text = request.target.partition("?")
        method, body = request.method, request.body
        if method == "POST" and "x-http-method-override" in request.headers:
            method, body = request.headers["x-http-method-override"].upper(), b""
            if request.headers.get("content-type", _FORM).startswith(_FORM):
                text = "&".join(part for part in (text, request.body.decode("utf-8", "replace")) if part)
        parts = tuple(unquote(part) for part in path.split("/") if part)
        api, parts = _of(parts)
        query = dict(parse_qsl(text, keep_blank_values=True))
        return self._play(_Visit(request, method, api, parts, query, body, self._clock().astimezone(UTC)))

    def _play(self, visit: _Visit) -> Answer:
        match = routes.find(visit.method, visit.api, visit.parts, visit.query)
        grant = self._grant(visit)
        customer = grant.customer or "" if isinstance(grant, Grant) else ""
        path = match.path if match else "/" + "/".join(visit.parts)
        self._tally.count(customer, label(visit.method, match.endpoint.pattern if match else path, visit.query))
        possible = match.endpoint.can_meet(visit.query) if match else REFUSED
        fault = self._orders.take(Target(visit.method, path, customer, possible))
        answer = self._answer(visit, match, grant, fault)
        return broken(answer, fault.kind, fault.seconds) if fault else answer

    def _grant(self, visit: _Visit) -> Grant | Refusal:
        scheme, _, token = visit.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return refusals.no_token()
        try:
            grant = self._issuer.read(token.strip())
        except BadToken:
            return refusals.bad_token()
        known = grant.account in self._accounts and visit.now.timestamp() < grant.expires and self._lives(grant)
        return grant if known else refusals.bad_token()

    def _lives(self, grant: Grant) -> bool:
        """Whether the user for whom the token speaks has not been deleted since."""
        if grant.customer is None or grant.subject is None:
            return True
        customer = self._customers.of(grant.customer)
        number = customer.users.number(grant.subject) if customer else None
        return customer is not None and number is not None and customer.users.live(number)

    def _answer(self, visit: _Visit, match: routes.Match | None, grant: Grant | Refusal, fault: Fault | None) -> Answer:
        if fault and (page := misfortunes.gateway(fault, visit.now)):
            return page
        try:
            return self._agree(visit, match, grant, fault)
        except Refusal as refusal:
            return self._sent(visit, refusal.status, refusal.headers, msgspec.json.encode(refusal.body()))

    def _agree(self, visit: _Visit, match: routes.Match | None, grant: Grant | Refusal, fault: Fault | None) -> Answer:
        project = self._accounts[grant.account].project if isinstance(grant, Grant) else "unknown"
        scopes = match.endpoint.scopes if match else frozenset()
        if fault and (ordered := misfortunes.refusal(fault, visit.now, scopes, project)):
            raise ordered
        if isinstance(grant, Refusal):
            raise grant
        if match is None:
            raise refusals.not_played(f"{visit.method} /{'/'.join(visit.parts)}")
        home = self._admitted(visit, match, grant)
        unknown = visit.query.keys() - match.endpoint.parameters - routes.EVERY_REQUEST
        if unknown:
            raise refusals.not_played(f"the parameter {min(unknown)} of {match.endpoint.id}")
        mask = masks.parse(visit.query.get("fields", ""), match.endpoint.fields)
        call = Call(
            self._customers, grant, home, match.endpoint.area, visit.now, match.path, match.names, visit.query, mask,
            visit.body, self._seal, self._packed, fault,
        )  # fmt: skip
        with home.lock if home is not None else nullcontext():
            body = match.endpoint.answer(call)
        return self._sent(visit, 200 if body else 204, {}, body)

    def _admitted(self, visit: _Visit, match: routes.Match, grant: Grant) -> Customer | None:
        """The customer of whoever asks. Raises Refusal for a project without the API, a lost scope, a full quota."""
        account = self._accounts[grant.account]
        if not account.api_enabled:
            raise refusals.not_configured(account.project)
        home = self._customers.of(grant.customer) if grant.customer else None
        scopes = frozenset(grant.scopes)
        if home is not None and not home.habits.scopes_stay_in_tokens:
            scopes &= home.delegations.get(account.client_id, frozenset())
        if scopes.isdisjoint(match.endpoint.scopes):
            raise refusals.insufficient_scope(match.endpoint.scopes)
        if home is not None and match.endpoint.area == "reports":
            filtered = is_filtered(frozenset(visit.query)) or match.names["userKey"] != "all"
            self._quotas.check_report(home, visit.now, filtered=filtered)
        elif home is not None:
            self._quotas.check(home, grant, visit.now)
        return home

    def _sent(self, visit: _Visit, status: int, headers: Mapping[str, str], body: Body) -> Answer:
        if body and visit.query.get("prettyPrint", "true").lower() == "true":
            body = msgspec.json.format(plain(body), indent=2)
        named = {
            "Content-Type": "application/json; charset=UTF-8",
            "Date": format_datetime(visit.now, usegmt=True),
            "Cache-Control": "private" if status == 200 else "no-cache",
            "Vary": "Origin, X-Origin, Referer",
            "Server": "ESF",
            **headers,
        }
        return Answer(status, named, body, compressible="gzip" in visit.request.headers.get("user-agent", ""))


def _of(parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Which API a path is of, and what comes after that; stopping a channel has a place of its own."""
    if parts[1:2] == ("directory_v1",):
        return "admin", parts[2:]
    return parts[1] if parts[2:3] == ("v1",) else "", parts[3:]


def label(method: str, pattern: str, query: Mapping[str, str]) -> str:
    """How a request is counted: `GET /users?showDeleted&pageToken`, so that first pages are told from later ones."""
    said = [name for name in _COUNTED if query.get(name, "").lower() not in ("", "false")]
    return f"{method} {pattern}" + (f"?{'&'.join(said)}" if said else "")
