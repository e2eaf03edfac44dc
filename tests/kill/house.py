"""An installation whose processes are killed and started again, and the world around it, in the test's own process."""

import json
import logging
import multiprocessing
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from aiosmtpd.controller import Controller

from connectors.simulators import seller
from connectors.simulators.microsoft365 import SIMULATED_SECRET, Habits, Simulator, serve
from connectors.simulators.serving import Answer, LoopbackServer, Request
from store.leases import Lease
from store.times import micros
from tests.kill.clock import SharedClock
from tests.kill.process import Fate, Part, play
from tests.services.kept import free_port
from tests.worker import outside
from tests.worker.outside import Hook, Mailbox
from tests.worker.world import SECRET, START, Customer, World
from worker.bootstrap import build
from worker.settings import Settings

PATIENCE = 120.0
"""Real seconds until something that should come about has not."""
LATER = timedelta(minutes=11)
"""Longer than any lease and any claim."""
STUCK = 3.0
"""Real seconds without an end after which that much time passes."""
LOOKS_ONCE_IN = 5
"""Looking after processes is cheap, and looking at the whole outcome is not."""
MANY, ONE = ("scheduler", "worker", "worker"), ("up",)
IMPORTED = (
    "pytest", "tests.kill.process", "worker.process", "worker.operations.syncing", "worker.telling", "azure.identity",
    "connectors.entra", "connectors.microsoft365.directory", "connectors.portal", "connectors.webhooks",
    "policies.document", "worker.operations.on_demand",
)  # fmt: skip
Outcome = dict[str, Counter[tuple[Any, ...]]]
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def processes() -> ForkServerContext:
    """Where processes come from: forked from one that has imported everything, so that a start takes no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


@dataclass
class Ports:
    """Where the outside listens: the same places in every play, since they stand in policies."""

    graph: int = field(default_factory=free_port)
    portal: int = field(default_factory=free_port)
    hook: int = field(default_factory=free_port)
    mail: int = field(default_factory=free_port)
    nobody: int = field(default_factory=free_port)


@dataclass
class House:
    """The installation, and who is killed in it."""

    world: World
    contoso: Customer
    settings: Settings
    folder: Path
    portal: seller.Simulator
    portal_url: str
    hook: Hook
    mailbox: Mailbox
    clock: SharedClock
    roles: Sequence[str]
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    may_kill: int = 0
    """How many more processes are killed at moments that chance picks."""
    kills: Counter[str] = field(default_factory=Counter)
    ends: list[int | None] = field(default_factory=list)
    """The codes of processes that ended."""
    level: int = logging.INFO
    """What processes log."""
    machine: str = "1"
    """The name of the machine on which processes are started."""
    asked: list[Request] = field(default_factory=list)
    """Everything that was asked of anybody outside, as it came over the wire."""
    _running: dict[int, ForkServerProcess] = field(default_factory=dict)
    _started: int = 0
    _context: ForkServerContext = field(default_factory=processes)

    @property
    def fate(self) -> Fate:
        return Fate(self.folder / "fate")

    # --- processes ---

    def start(self, *, largest_file: int | None = None) -> None:
        """Start every process that does not run."""
        for place, role in enumerate(self.roles):
            if place not in self._running:
                self._started += 1
                said = self.folder / f"{self._started:03}-{role}.log"
                part = Part(role, self.folder, self._environment(), said, self.level, largest_file, self.machine)
                process = self._context.Process(target=play, args=(part,))
                process.start()
                self._running[place] = process

    def tend(self) -> int:
        """Start again whoever has ended; how many those were."""
        gone = [place for place, process in self._running.items() if not process.is_alive()]
        for place in gone:
            process = self._running.pop(place)
            self.ends.append(process.exitcode)
            process.close()
        self.start()
        return len(gone)

    def kill(self) -> None:
        """SIGKILL for one of them."""
        place = self.chance.choice(sorted(self._running))
        self._running[place].kill()
        self._running[place].join()
        self.kills[f"{self.roles[place]} at random"] += 1

    def machines(self) -> set[str]:
        """Of which machines somebody is heard, or was before it died."""
        return {str(owner).partition(":")[0] for (owner,) in self.world.rows("SELECT name FROM process")}

    def lease(self) -> tuple[str, int] | None:
        """Who reads the directory just now, and under which number."""
        found = self.world.rows("SELECT lease_owner, fence FROM directory WHERE lease_until > 0")
        return (str(found[0][0]), int(found[0][1])) if found else None

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._running.values() if process.pid is not None]

    def pids_of(self, role: str) -> list[int]:
        return [process.pid for place, process in self._running.items() if self.roles[place] == role and process.pid]

    def signal(self, number: signal.Signals) -> None:
        """Send all of them a signal."""
        for pid in self.pids:
            os.kill(pid, number)

    def end(self) -> None:
        """Kill all that is left."""
        for process in self._running.values():
            process.kill()
            process.join()
            process.close()
        self._running.clear()

    def until(
        self,
        holds: Callable[[], object],
        otherwise: Callable[[], object] = lambda: None,
        *,
        in_real_time: bool = False,
    ) -> None:
        """Keep the processes going until something has come about. Time passes when nothing comes about, and after each
        death: so much that nothing of the dead is waited for."""
        deadline, look, since = time.monotonic() + PATIENCE, threading.Event(), time.monotonic()
        for again in count():
            gone = self.tend()
            if again % LOOKS_ONCE_IN == 0 and not gone and holds():
                return
            assert time.monotonic() < deadline, (otherwise(), self.said()[-5:])
            if not in_real_time and (gone or time.monotonic() - since > STUCK):
                self.world.later(LATER)
                since = time.monotonic()
            if self.may_kill and self.chance.random() < 0.05:
                self.may_kill -= 1
                self.kill()
            look.wait(0.02)

    def passes(self, number: int = 2) -> None:
        """Wait for so many more passes, each of which is due at once."""
        for _ in range(number):
            before = self.fence()
            self.world.later(minutes=1)
            self.until(lambda: self.fence() > before, self.contoso.row)  # noqa: B023

    @contextmanager
    def between_passes(self) -> Iterator[None]:
        """Nobody reads the directory meanwhile."""
        leases: list[Lease] = []

        def taken() -> bool:
            with self.world.store.begin() as tx:
                lease = tx.leases.take(self.contoso.key, "the town", micros(self.clock()), LATER)
            leases.extend([lease] if lease is not None else [])
            return lease is not None

        self.until(taken)
        yield
        with self.world.store.begin() as tx:
            tx.leases.release(leases.pop())

    def fence(self) -> int:
        return int(self.world.one("SELECT fence FROM directory"))

    # --- how things stand ---

    def outcome(self) -> Outcome:
        """Everything that must be as if nothing had happened, and what the feed told."""
        with self.world.store.read() as tx:
            told = Counter((event.type, event.account) for event in tx.audit.feed(0, 100_000))
        found = {**self.world.outcome(), "feed": told}
        return {what: Counter({self._anywhere(row): n for row, n in rows.items()}) for what, rows in found.items()}

    def _anywhere(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A row without instants, and without where the installation lies."""
        plain = (part.replace(str(self.folder), "") if isinstance(part, str) else part for part in row)
        return tuple(_INSTANT.sub("then", part) if isinstance(part, str) else part for part in plain)

    def settled(self) -> Outcome:
        """The outcome when passes bring nothing new any more."""
        while True:
            before = self.outcome()
            self.passes(2)
            self.until(lambda: self.world.one("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0)
            if self.outcome() == before:
                return before

    def ids_told(self) -> set[str]:
        """The ids of all that Contoso's receiver is to be told."""
        with self.world.store.read() as tx:
            return {event.id for event in tx.audit.feed(0, 100_000, company=self.contoso.row().company)}

    def each_effect_once(self) -> None:
        """Outside, everything has happened, and once by its key."""
        orders = Counter(self.world.rows("SELECT idempotency_key, seats FROM orders WHERE state = 'fulfilled'"))
        sold = Counter((bought.key, bought.wanted.seats) for bought in self.portal.bought())
        assert orders == sold
        refs = [ref for (ref,) in self.world.rows("SELECT ref FROM lot WHERE ref IS NOT NULL")]
        assert sorted(refs) == sorted({bought.id for bought in self.portal.bought()})
        self.until(lambda: set(self.hook.ids) == self.ids_told(), lambda: self.ids_told() - set(self.hook.ids))
        same = {(event["id"], json.dumps(event, sort_keys=True)) for event in self.hook.accepted}
        assert len(same) == len(set(self.hook.ids)), "what is told again is told in the same words"
        letters = {(letter["Message-ID"], str(letter.get_content())) for letter in self.mailbox.letters}
        assert len(letters) == len(set(self.mailbox.names)), "and so are people"

    def ready(self) -> str:
        """What the newest process says of itself."""
        return self.readiness()[-1]

    def readiness(self) -> list[str]:
        """What each process says of itself, as long as none has ended: whoever starts first is the first."""
        urls = [event["url"] for event in self.said() if "url" in event]
        return [self._ready(url) for url in urls]

    @staticmethod
    def _ready(url: str) -> str:
        try:
            with urlopen(f"{url}/readyz", timeout=PATIENCE) as answer:
                return str(answer.read().decode())
        except HTTPError as refused:
            with refused:
                return refused.read().decode()

    def said(self) -> list[dict[str, Any]]:
        """Everything that any process has logged."""
        whole = [log.read_text().rpartition("\n")[0] for log in sorted(self.folder.glob("*.log"))]
        lines = [line for text in whole for line in text.splitlines()]
        return [json.loads(line) if line.startswith("{") else {"event": line, "level": "?"} for line in lines]

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return {
            **os.environ, SECRET: SIMULATED_SECRET,
            "SEATKEEPER_DATABASE_URL": settings.database_url, "SEATKEEPER_CONSOLE": "127.0.0.1:0",
            "SEATKEEPER_POLICY_DIR": str(settings.policy_dir), "SEATKEEPER_REDIS_URL": settings.redis_url or "",
            "SEATKEEPER_SECRETS_DIR": str(settings.secrets_dir), "SEATKEEPER_SMTP_URL": settings.smtp_url or "",
        }  # fmt: skip


@contextmanager
def a_house(folder: Path, database_url: str, redis_url: str | None, ports: Ports) -> Iterator[House]:
    """An installation that knows nothing yet, a tenant with small pages, a portal that sells, a receiver."""
    policies, secrets, fate = (folder / name for name in ("policies.d", "secrets", "fate"))
    for made in (policies, secrets, fate):
        made.mkdir(parents=True)
    for name, secret in (("portal", seller.SIMULATED_SECRET), ("hook", outside.SECRET)):
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(secret)
    clock = SharedClock.begin(folder / "clock", START)
    vendors = SharedClock(folder / "clock", of_vendors=True)
    settings = Settings(database_url=database_url, redis_url=redis_url, policy_dir=policies, secrets_dir=secrets)
    simulator, portal = Simulator(vendors), seller.Simulator(vendors)
    with ExitStack() as stack:
        graph = stack.enter_context(serve(simulator, ports.graph))
        shop = stack.enter_context(seller.serve(portal, ports.portal))
        world = World(replace(build(settings), clock=clock), clock, simulator, graph.url, policies)
        stack.callback(world.app.close)
        hook = Hook(world)

        def hear(request: Request) -> Answer:
            with suppress(AssertionError):
                return hook.hear(request)
            return Answer(503)  # time was moved on while it was on the way, so that its signature is too old

        ears = stack.enter_context(LoopbackServer(hear, ports.hook))
        hook.url = f"{ears.url}/hooks"
        outside.allow(world, shop.url.partition("//")[2])
        outside.allow(world, f"127.0.0.1:{ports.hook}")
        mailbox = Mailbox()
        post = Controller(mailbox, hostname="127.0.0.1", port=ports.mail, ready_timeout=PATIENCE)
        post.start()
        stack.callback(post.stop)
        contoso = world.customer()
        contoso.tenant.habits = Habits(page_size=3)
        settings = replace(settings, smtp_url=f"smtp://127.0.0.1:{ports.mail}?from=seatkeeper@northwind.example")
        roles = MANY if redis_url else ONE
        house = House(world, contoso, settings, folder, portal, shop.url, hook, mailbox, clock, roles)
        for server in (graph, shop, ears):
            server.respond = _heard(house, server.respond)
        stack.callback(house.end)
        yield house


def _heard(house: House, answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    def heard(request: Request) -> Answer:
        house.asked.append(request)
        return answer(request)

    return heard
