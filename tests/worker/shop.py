"""A company that buys from a simulated portal, in the small world of `tests.worker.world`."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connectors.simulators.seller import SIMULATED_SECRET, Simulator
from connectors.simulators.serving import Answer, LoopbackServer, Request
from store.order_rows import OrderRow
from tests.worker.world import PERSON, Customer, World
from worker.bootstrap import App
from worker.operations.on_demand import Synced, Wanted, sync_now
from worker.operations.ordering import approve_order, cancel_order, reopen_order
from worker.relay import relay_once

STAFF = "- {name: staff, groups: [Staff], license: standard}"
CLAIM_RUNS_OUT = timedelta(minutes=11)
AT_ONCE, NEVER = timedelta(0), None
TOLD = ("order.", "lot.", "license.", "plan.")


@dataclass
class Shop:
    """The portal, its buyer Contoso, and what passes between them."""

    world: World
    buyer: Customer
    portal: Simulator
    url: str = ""
    open_while_asked: list[int] = field(default_factory=list)
    """How many connections to the store were in use at each request."""

    @property
    def app(self) -> App:
        return self.world.app

    # --- what happens ---

    def buys(self, *, seller: str | None = None, standard: str = "auto: true", **sections: str) -> None:
        """Write the policy: what is short is bought at the portal, or at another seller."""
        seller = seller or f"{{kind: http, url: '{self.url}', secret: {{file: portal}}}}"
        self.buyer.policy(STAFF, purchasing=f"{{seller: {seller}, standard: {{{standard}}}}}", **sections)

    def allows(self, *hosts: str) -> None:
        """Write the provider's file."""
        listed = ", ".join(f"'{host}'" for host in hosts)
        (self.world.folder / "provider.yaml").write_text(f"allowed_hosts: [{listed}]\n", encoding="utf-8")

    def wants(self) -> str:
        """A pass that finds seats short and writes an order down, which nobody has carried yet; its id."""
        self.buyer.sync()
        return self.order.id

    def relay(self, limit: int = 100, *, asked: bool = False) -> int:
        """Carry what is due."""
        return relay_once(self.app, self.app.clock(), limit, asked=asked)

    def sync_one(self) -> None:
        """The same, in this thread, so that a test can stop it anywhere."""
        self.buyer.sync()
        self.relay()

    def sync(self, *, dry: bool = False) -> Synced:
        """What `seatkeeper sync` does."""
        return sync_now(self.app, Wanted(dry=dry))

    def next_attempt(self) -> int:
        """Let time pass until the order is due again, and carry it; the seconds that were waited."""
        due = int(self.world.one("SELECT min(due) FROM outbox WHERE done_at IS NULL"))
        seconds = due / 1_000_000 - self.world.clock().timestamp()
        assert self.relay() == 0, "it was due already"
        self.world.later(timedelta(seconds=seconds))
        assert self.relay() == 1
        return round(seconds)

    def approve(self) -> None:
        approve_order(self.app, self.order.id, PERSON)

    def cancel(self, id: str | None = None) -> None:
        cancel_order(self.app, id or self.order.id, PERSON)

    def reopen(self, id: str | None = None) -> None:
        reopen_order(self.app, id or self.order.id, PERSON)

    # --- how things stand ---

    @property
    def order(self) -> OrderRow:
        """The newest order."""
        with self.world.store.read() as tx:
            return tx.orders.listing()[0]

    @property
    def bought(self) -> list[tuple[str, int]]:
        """Key and seats of everything that the portal sold."""
        return [(bought.key, bought.wanted.seats) for bought in self.portal.bought()]

    @property
    def lots(self) -> list[tuple[int, str]]:
        """Seats, and the portal's number, of every lot."""
        return self.world.rows("SELECT seats, ref FROM lot ORDER BY key")

    def story(self) -> list[tuple[str, str]]:
        """What happened to orders, lots, licenses and holds, and who did it, in the order of each chain."""
        sql = "SELECT what, who FROM audit ORDER BY company, n"
        return [(what, who) for what, who in self.world.rows(sql) if what.startswith(TOLD)]

    def asked(self) -> dict[str, int]:
        """How often what was asked of the portal."""
        return self.portal.requests()

    def told(self) -> Counter[str]:
        """What the feed told, by type, without its prefix."""
        with self.world.store.read() as tx:
            return Counter(event.type.removeprefix("seatkeeper.") for event in tx.audit.feed(0))


@contextmanager
def a_shop(world: World, *, fulfills_after: timedelta | None = AT_ONCE, people: int = 3) -> Iterator[Shop]:
    """Open a shop for Contoso, with people who wait for licenses. No request may come while a transaction is open."""
    buyer = world.customer()
    buyer.crowd(people)
    shop = Shop(world, buyer, Simulator(world.clock, fulfills_after=fulfills_after))

    def answer(request: Request) -> Answer:
        shop.open_while_asked.append(in_use(shop.app))
        return shop.portal.answer(request)

    with LoopbackServer(answer) as server:
        shop.url = server.url
        secret = world.app.settings.secrets_dir / "portal"
        secret.touch(mode=0o600)
        secret.write_text(SIMULATED_SECRET, encoding="utf-8")
        shop.allows(server.url.partition("//")[2])
        shop.buys()
        yield shop


def in_use(app: App) -> int:
    """Connections to the store that somebody holds."""
    pool: Any = app.store.engine.pool
    return int(pool.checkedout())


def at_once(*work: Callable[[], object]) -> None:
    """Run these together, each in a thread of its own, and wait for all; what one raises is raised here."""
    together = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> None:
        together.wait()
        one()

    with ThreadPoolExecutor(len(work)) as pool:
        running = [pool.submit(run, one) for one in work]
    for done in running:
        done.result()
