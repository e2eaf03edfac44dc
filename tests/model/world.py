"""The provider's installation and its customers, over one store that is emptied again for every story."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from connectors.base import Directory, Seller
from connectors.simulators.clock import SimulatedClock
from policies.document import DirectoryEntry, SellerEntry
from policies.provider import Provider
from store.engine import Store, open_store
from store.times import micros
from tests.model.books import Hold, Lot, Order
from tests.model.paper import Paper
from tests.model.seller import Portal
from tests.model.tenant import Tenant
from tests.services.emptied import Emptied
from tests.worker.world import LEASE_RUNS_OUT, PERSON, START
from worker.bootstrap import App
from worker.operations.lots import NewLot, add_lot
from worker.operations.policies import load
from worker.operations.pool_pass import pass_pools
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync
from worker.relay import relay_once
from worker.settings import Settings

GLOBAL = ("contoso", "fabrikam")
OWN = ("adatum",)
COMPANIES = (*GLOBAL, *OWN)
"""Two that share the provider's pool, and one with a pool of its own."""


FIRST_PAPERS = {
    "contoso": Paper(auto=True, spare=1, most_removed=1),
    "fabrikam": Paper(rules=("board", "staff", "shared"), on_leave="{then: release, after: 0s}", auto=True,
                      seller="http", retention=3, mailboxes="1"),
    "adatum": Paper(auto=True, spare=2, most_per_month=1, renew="as_needed", on_disable="archive", exchanges=False),
}  # fmt: skip
"""What each wants in the beginning; edits make it something else."""


class Killed(BaseException):
    """The process is gone: nothing catches this."""


@dataclass(frozen=True)
class PlayedApp(App):
    """The application, with directories and a portal that need no wire. Everything else is the real one."""

    tenants: Mapping[str, Tenant] = field(default_factory=dict)
    portal: Portal | None = None

    def open_directory(self, entry: DirectoryEntry, provider: Provider) -> Directory:
        return self.tenants[entry.id]

    def open_seller(self, entry: SellerEntry, provider: Provider) -> Seller:
        if entry.kind == "http" and self.portal is not None:
            return self.portal
        return super().open_seller(entry, provider)


@dataclass(frozen=True)
class Beginning:
    """How every story begins, beside what is in the store."""

    tenants: dict[str, Tenant] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)


@dataclass
class Ground:
    """A store that outlives stories: it is put back to the beginning for each, which is quicker than making one."""

    store: Store
    folder: Path
    """Of the policy files."""
    back_to_beginning: Callable[[], object] = lambda: None
    beginning: Beginning = field(default_factory=Beginning)


@dataclass
class World:
    """One installation as it stands."""

    ground: Ground
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(START))
    tenants: dict[str, Tenant] = field(init=False)
    papers: dict[str, Paper] = field(init=False)
    """The wishes in force."""
    app: PlayedApp = field(init=False)
    portal: Portal = field(init=False)

    def __post_init__(self) -> None:
        self.ground.back_to_beginning()
        self.tenants = deepcopy(self.ground.beginning.tenants)
        self.papers = dict(self.ground.beginning.papers)
        self.portal = Portal(self.clock)
        for company, paper in self.papers.items():
            self._file(company).write_text(paper.text(company, own_pool=company in OWN), encoding="utf-8")
        settings = Settings(database_url="", policy_dir=self.ground.folder, secrets_dir=self.ground.folder)
        self.app = PlayedApp(
            settings, self.store, self.clock, lambda _: None, lambda: 0.5, tenants=self.tenants, portal=self.portal
        )

    @property
    def store(self) -> Store:
        return self.ground.store

    # --- what may happen to a process ---

    def restart(self) -> None:
        """The process is gone, and another one takes its place once what it had claimed is free again."""
        self.later(LEASE_RUNS_OUT)
        self.app = replace(self.app, stopping=threading.Event(), owner=f"{self.app.owner}'")

    @contextmanager
    def dying(self, commit: int) -> Iterator[None]:
        """Kill the process just before it commits this number of writing transactions; 0 is never."""
        left = commit

        def on_commit(connection: Any) -> None:
            nonlocal left
            if not connection.get_execution_options().get("seatkeeper_reads"):
                left -= 1
                if left == 0:
                    raise Killed

        event.listen(self.store.engine, "commit", on_commit)
        try:
            yield
        finally:
            event.remove(self.store.engine, "commit", on_commit)

    def stopped_at(self, step: int) -> PlayedApp:
        """A process that is told to stop when it comes to this step of a pass (Z10)."""
        stopping, left = threading.Event(), iter(range(step, -1, -1))

        def mark(_: str) -> None:
            if next(left, -1) == 0:
                stopping.set()

        return replace(self.app, stopping=stopping, mark=mark)

    # --- what is done ---

    def later(self, by: timedelta) -> None:
        """Let time pass, in the directories as well."""
        self.clock.advance(by)
        for tenant in self.tenants.values():
            tenant.empty_bin(self.clock())

    def write(self, company: str, paper: Paper) -> None:
        """Write a policy file, and read the folder."""
        self.papers[company] = paper
        self._file(company).write_text(paper.text(company, own_pool=company in OWN), encoding="utf-8")
        self.load()

    def lose(self, company: str) -> None:
        """The policy file is gone when the folder is read."""
        self._file(company).unlink(missing_ok=True)
        self.load()

    def load(self) -> None:
        load(self.app)

    def sync(self, company: str, **asked: Any) -> RunResult:
        return sync(self.app, f"{company}-m365", Asked(**asked))

    def goes_on(self, company: str) -> bool:
        """Whether the last pass left something to be done at once, like mailboxes to ask for."""
        with self.store.read() as tx:
            return tx.directories.by_id(f"{company}-m365").due_at <= micros(self.clock())

    def pass_pools(self) -> None:
        pass_pools(self.app)

    def relay(self) -> int:
        return relay_once(self.app, self.clock(), asked=True)

    def id_of(self, row: Order | Lot | Hold) -> str:
        """How people name an order, a lot or a hold; chance has a part in it."""
        table, name = {Order: ("orders", "id"), Lot: ("lot", "id"), Hold: ("plan", "hash")}[type(row)]
        with self.store.read() as tx:
            return str(tx.execute(f"SELECT {name} FROM {table} WHERE key = :key", {"key": row.key}).scalar_one())

    def _file(self, company: str) -> Path:
        return self.ground.folder / f"{company}.yaml"


def begin(ground: Ground) -> Beginning:
    """Play how every story begins: three customers with a few people each, and less stock than they could use."""
    world = World(ground)
    for company in COMPANIES:
        tenant = world.tenants[f"{company}-m365"] = Tenant(company)
        ada, bert, cleo = (tenant.hire(name).id for name in ("Ada", "Bert", "Cleo"))
        tenant.create_group("Board", [cleo])
        tenant.create_group("Staff", [ada, bert, tenant.groups[next(iter(tenant.groups))].id])
        tenant.create_group("Leavers")
        tenant.hire("Careers", mailbox="shared")
        world.write(company, FIRST_PAPERS[company])
    add_lot(world.app, NewLot("standard", 4, term="perpetual"), PERSON)
    add_lot(world.app, NewLot("archived", 1, term="perpetual"), PERSON)
    add_lot(world.app, NewLot("standard", 2, company=OWN[0], term="yearly"), PERSON)
    for company in COMPANIES:
        world.sync(company)
    return Beginning(world.tenants, world.papers)


def sqlite_ground(folder: Path) -> Ground:
    """A file, and the one that it is overwritten with."""
    first = Ground(open_store(f"sqlite:///{folder / 'beginning.db'}"), folder)
    beginning = begin(first)
    first.store.close()
    source = sqlite3.connect(folder / "beginning.db", check_same_thread=False)
    store = open_store(f"sqlite:///{folder / 'played.db'}")
    store.engine.dispose()
    event.listen(store.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))

    def back_to_beginning() -> None:
        store.engine.dispose()
        with store.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            source.backup(raw)

    return Ground(store, folder, back_to_beginning, beginning)


def postgres_ground(url: str, folder: Path) -> Ground:
    """A database, and the rows that are put back into its tables."""
    store = open_store(url)
    beginning, emptied = begin(Ground(store, folder)), Emptied(url)
    with store.begin() as tx:
        ends = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
        counted = [f"ALTER SEQUENCE {name} RESTART WITH {last + 1}" for name, last in tx.execute(ends)]

    def back_to_beginning() -> None:
        emptied.again()
        with store.begin() as tx:
            tx.connection.exec_driver_sql("; ".join(counted))

    return Ground(store, folder, back_to_beginning, beginning)
