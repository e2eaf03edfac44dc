"""Whoever is told outside, for the tests: programs that listen on loopback, and a mail server with its letters."""

import base64
import email.policy
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from connectors.simulators.serving import Answer, LoopbackServer, Request
from tests.services.kept import free_port
from tests.services.waiting import PATIENCE
from tests.worker.shop import in_use
from tests.worker.world import World

KEY = b"a key of thirty-two bytes, or so"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
YES = Answer(204)
OPS = "ops@contoso.example"


@dataclass
class Hook:
    """A program that is told. It verifies every message as the Standard Webhooks specification says it should."""

    world: World
    url: str = ""
    answers: Callable[[dict[str, Any]], Answer] = lambda _event: YES
    came: list[dict[str, Any]] = field(default_factory=list)
    """Every event as it came, whatever was answered."""
    accepted: list[dict[str, Any]] = field(default_factory=list)
    open_while_told: list[int] = field(default_factory=list)
    """Connections to the store that were in use meanwhile."""

    def hear(self, request: Request) -> Answer:
        id, seconds = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = hmac.new(KEY, f"{id}.{seconds}.".encode() + request.body, hashlib.sha256).digest()
        assert request.headers["webhook-signature"].split(" ") == ["v1," + base64.b64encode(signed).decode()]
        assert abs(int(seconds) - self.world.clock().timestamp()) < 300
        event = json.loads(request.body)
        assert event["id"] == id
        self.open_while_told.append(in_use(self.world.app))
        self.came.append(event)
        answer = self.answers(event)
        if answer.status < 300:
            self.accepted.append(event)
        return answer

    @property
    def ids(self) -> list[str]:
        """The ids of what it accepted, in the order in which it did."""
        return [event["id"] for event in self.accepted]

    @property
    def entry(self) -> str:
        """What a policy says of it."""
        return f"{{webhook: {{url: '{self.url}', secret: {{file: hook}}}}}}"


@contextmanager
def a_hook(world: World, answers: Callable[[dict[str, Any]], Answer] = lambda _event: YES) -> Iterator[Hook]:
    """A program that listens on loopback, and that the provider allows."""
    secret = world.app.settings.secrets_dir / "hook"
    secret.touch(mode=0o600)
    secret.write_text(SECRET, encoding="utf-8")
    hook = Hook(world, answers=answers)
    with LoopbackServer(hook.hear) as server:
        hook.url = f"{server.url}/hooks"
        allow(world, server.url.partition("//")[2])
        yield hook


def allow(world: World, host: str) -> None:
    """Add a host to those that the provider's file allows."""
    file = world.folder / "provider.yaml"
    text = file.read_text(encoding="utf-8") if file.exists() else "allowed_hosts:\n"
    file.write_text(f"{text}- '{host}'\n", encoding="utf-8")


@dataclass
class Mailbox:
    """A mail server that keeps what it accepts."""

    refuses: str | None = None
    """What it answers to every letter, instead of accepting it."""
    letters: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        if self.refuses is not None:
            return self.refuses
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.letters.append(message)
        return "250 OK"

    @property
    def names(self) -> list[str]:
        """The Message-IDs of the letters."""
        return [letter["Message-ID"] for letter in self.letters]

    def text(self) -> str:
        """What the newest letter says."""
        return str(self.letters[-1].get_content())


@contextmanager
def a_mailbox(world: World) -> Iterator[Mailbox]:
    """A mail server on loopback, which the application is told of."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE)
    controller.start()
    settings = replace(world.app.settings, smtp_url=f"smtp://127.0.0.1:{port}?from=seatkeeper@northwind.example")
    world.app = replace(world.app, settings=settings)
    try:
        yield mailbox
    finally:
        controller.stop()


def at_the_same_time(*work: Callable[[], object]) -> None:
    """Run these together, each in a thread of its own."""
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
