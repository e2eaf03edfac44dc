"""Webhooks: each event is a signed request of its own to the address that a policy names (Standard Webhooks).

Each request is sent once. Whether there is another attempt, and when, is decided by whoever keeps what was told. What
an answer says beside its status is not looked at.
"""

import logging
from dataclasses import dataclass

from connectors.asking import Surroundings, described
from connectors.context import Context
from connectors.errors import ConnectorError, NeedsPerson, Permanent, Transient
from connectors.http import Answer, Bounds, HttpClient, NoAnswer, Request
from connectors.links import is_loopback, redacted, root
from connectors.secrets import Secrets
from connectors.signing import NotAKey, SigningKey, keys_of, sign
from connectors.verdicts import retry_after
from policies.credentials import EnvRef, FileRef
from policies.document import WebhookReceiver

log = logging.getLogger(__name__)

BOUNDS = Bounds(connect=10.0, read=15.0, whole=30.0, largest=1 << 20)
"""A receiver that takes longer has the work done behind its answer, not in front of it."""
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_BUSY = frozenset({408, 425, 429})
_REMEDIES = {
    401: "look at the secret under `notify` in the policy: the signature is not accepted",
    403: "look at the secret under `notify` in the policy: the signature is not accepted",
    404: "look at the url under `notify` in the policy: nobody is there",
    410: "take the receiver out of `notify` in the policy, or bring it back: it says that it is gone for good",
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where one receiver's events go."""

    http: HttpClient
    url: str
    secret: EnvRef | FileRef
    secrets: Secrets
    world: Surroundings
    listed: bool
    """The provider lists the host, so that it may be on a private network."""

    def post(self, id: str, body: bytes) -> None:
        """Tell of one event; when this returns, the receiver has accepted it. `id` is the same in every attempt."""
        key, *others = self._keys()
        signed = sign(key, id, body, self.world.clock(), *others)
        headers = {"accept": "*/*", "content-type": CONTENT_TYPE, **signed}
        answer = self._send(Request("POST", self.url, headers, body, public_only=not self.listed))
        if not 200 <= answer.status < 300:
            raise self._problem(answer)

    def _keys(self) -> list[SigningKey]:
        try:
            return keys_of(self.secrets.text(self.secret))
        except NeedsPerson as missing:
            missing.unsent = True
            raise
        except NotAKey as problem:
            raise _unsent(f"the secret for {redacted(self.url)} is none: {problem}", "copy it once more") from None

    def _send(self, request: Request) -> Answer:
        try:
            answer = self.http.send(request)
        except NoAnswer as problem:
            unanswered = Transient(f"{redacted(self.url)}: {problem}")
            unanswered.unsent = problem.unsent
            raise unanswered from None
        log.info("POST %s: status %d", redacted(self.url), answer.status)
        return answer

    def _problem(self, answer: Answer) -> ConnectorError:
        status, said = answer.status, f"{redacted(self.url)}: {described(answer, ())}"
        if status in _BUSY or status >= 500:
            return Transient(said, retry_after=retry_after(answer.headers.get("retry-after"), self.world.clock()))
        if status < 400:
            remedy = "write the address that it leads to under `notify` in the policy; redirects are not followed"
            return NeedsPerson(said, remedy=remedy)
        if status in _REMEDIES:
            return NeedsPerson(said, remedy=_REMEDIES[status])
        return Permanent(said)


def open_webhook(receiver: WebhookReceiver, context: Context, http: HttpClient) -> Webhook:
    """The webhook of a policy. Raises NeedsPerson for an address that events may not go to."""
    home = root(receiver.url)
    listed = home.is_among(context.allowed_hosts)
    if is_loopback(home.host) and not listed:
        raise _unsent(
            f"{redacted(receiver.url)} is this machine, and webhooks do not go there",
            f"add {home.host}:{home.port} to allowed_hosts in provider.yaml, if it is meant",
        )
    return Webhook(http, receiver.url, receiver.secret, context.secrets, context.world, listed)


def _unsent(problem: str, remedy: str) -> NeedsPerson:
    refused = NeedsPerson(problem, remedy=remedy)
    refused.unsent = True
    return refused
