"""Asks a portal: to take an order, which order a key stands for, how an order stands.

Each request is sent once. Whether there is another attempt, and when, is decided by whoever keeps the orders: only
there it is known what has been asked already (P2).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeVar
from urllib.parse import quote
from uuid import uuid4

from connectors.asking import Surroundings, Unreadable, described
from connectors.base import Order, Receipt, Refusal, Seller
from connectors.context import Context
from connectors.errors import NeedsPerson, Transient
from connectors.http import Answer, HttpClient, NoAnswer, Request
from connectors.links import Root, is_loopback, redacted, root
from connectors.portal import Options
from connectors.portal.wire import DIALECT, body_of, read_order, read_orders, refusals
from connectors.secrets import Secrets
from connectors.signing import NotAKey, SigningKey, keys_of, sign
from connectors.verdicts import Meaning, judge
from policies.credentials import EnvRef, FileRef

log = logging.getLogger(__name__)

Read = TypeVar("Read")
REFUSALS = frozenset({402, 409})
"""The statuses of a final no; its reason is in the body."""
KEY = "idempotency-key"


@dataclass(frozen=True, slots=True)
class Portal:
    """One company's account at a portal."""

    http: HttpClient
    home: Root
    secret: EnvRef | FileRef
    secrets: Secrets
    world: Surroundings
    listed: bool
    """The provider lists the host, so that it may be on a private network."""

    @property
    def address(self) -> str:
        return self.home.url

    def place(self, order: Order) -> Receipt | Refusal:
        body = body_of(order)
        headers = {KEY: order.key, "content-type": "application/json"}
        request = self._request("POST", "/orders", order.key, headers, body)
        answer = self._send(request)
        if answer.status in REFUSALS and (why := refusals(answer.body)):
            return Refusal(why[0])
        return self._read(request, answer, read_order)

    def find(self, key: str) -> Receipt | None:
        request = self._request("GET", f"/orders?idempotency_key={quote(key, safe='')}", None, {KEY: key})
        found = self._read(request, self._send(request), read_orders)
        if len({receipt.ref for receipt in found}) > 1:
            self._fail(request, f"there are {len(found)} orders under one key", "ask the seller which one counts")
        return found[-1] if found else None

    def look_up(self, ref: str, key: str) -> Receipt:
        request = self._request("GET", f"/orders/{quote(ref, safe='')}", None, {KEY: key})
        found = self._read(request, self._send(request), read_order)
        if found.ref != ref:
            self._fail(request, "the answer is another order", "ask the seller what became of this one")
        return found

    # --- below ---

    def _request(
        self, method: str, path: str, id: str | None, headers: dict[str, str], body: bytes | None = None
    ) -> Request:
        """A signed request. What is asked is a message of its own; an order is the same message in every attempt."""
        try:
            key, *others = self._keys()
        except NeedsPerson as missing:
            missing.unsent = True
            raise
        signed = sign(key, id or f"ask_{uuid4().hex}", body or b"", self.world.clock(), *others)
        all_headers = {"accept": "application/json", **headers, **signed}
        return Request(method, f"{self.home.url}{path}", all_headers, body, public_only=not self.listed)

    def _keys(self) -> list[SigningKey]:
        try:
            return keys_of(self.secrets.text(self.secret))
        except NotAKey as problem:
            raise NeedsPerson(
                f"the secret for {self.home.url} is none: {problem}", remedy="copy it from the seller once more"
            ) from None

    def _send(self, request: Request) -> Answer:
        """The whole answer. Raises Transient where there is none, or one that asks for patience."""
        place = _named(request)
        try:
            answer = self.http.send(request)
        except NoAnswer as problem:
            unanswered = Transient(f"{place}: {problem}")
            unanswered.unsent = problem.unsent
            raise unanswered from None
        verdict = judge(answer.status, (), answer.headers, DIALECT, self.world.clock())
        log.info("%s: status %d", place, answer.status)
        if verdict.meaning is Meaning.RETRY or answer.status >= 500:
            raise Transient(f"{place}: {described(answer, ())}", retry_after=verdict.after)
        return answer

    def _read(self, request: Request, answer: Answer, read: Callable[[bytes], Read]) -> Read:
        """What `read` makes of an answer that says yes."""
        if not 200 <= answer.status < 300:
            self._fail(request, described(answer, refusals(answer.body)), _REMEDIES.get(answer.status, _ASK))
        try:
            return read(answer.body)
        except Unreadable as problem:
            raise Transient(f"{_named(request)}: {problem}") from None

    def _fail(self, request: Request, what: str, remedy: str) -> NoReturn:
        raise NeedsPerson(f"{_named(request)}: {what}", remedy=remedy)


_ASK = "look at the seller's url in the policy, and ask the seller"
_REMEDIES = {
    401: "look at the seller's secret in the policy: the signature is not accepted",
    403: "look at the seller's secret in the policy: the signature is not accepted",
}


def open_seller(options: Options, context: Context) -> Seller:
    """The portal of a policy. Raises NeedsPerson for an address that orders may not go to."""
    home = root(options.url)
    listed = home.is_among(context.allowed_hosts)
    if is_loopback(home.host) and not listed:
        raise NeedsPerson(
            f"{home.url} is this machine, and orders do not go there",
            remedy=f"add {home.host}:{home.port} to allowed_hosts in provider.yaml, if it is meant",
        )
    return Portal(context.http, home, options.secret, context.secrets, context.world, listed)


def _named(request: Request) -> str:
    return f"{request.method} {redacted(request.url)}"
