"""A small world for the tests of the pass: simulated tenants on loopback, a policy folder, a store and a clock.

Everything is the real thing but for time, which passes only where a test says so, and for durability against a loss of
power, which no test here is about.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import Any

from sqlalchemy import event

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, Simulator, Tenant, serve
from policies.errors import Problem
from store.engine import Store
from store.schema import metadata
from store.transaction import Transaction
from worker.bootstrap import App, build
from worker.operations.approving import approve, reject, reopen
from worker.operations.lots import NewLot, add_lot
from worker.operations.ordering import fulfill_order
from worker.operations.policies import load
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync
from worker.settings import Settings

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
LEASE_RUNS_OUT = timedelta(minutes=11)
PERSON = "cli:kim@ops"
SECRET = "CONTOSO_SECRET"
"""The environment variable that the policies here name."""
WORKING_SET = frozenset({"stage", "stage_edge", "pull", "proposal"})
"""Tables that only a run under way needs."""
_RANDOM = re.compile(r"\b(order|lot)-[0-9a-f]+")


def open_app(settings: Settings, clock: SimulatedClock, mark: Callable[[str], None] = lambda _step: None) -> App:
    """An application as a process has it. Nobody sleeps: the clock moves on instead, and chance is always a half."""

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    app = build(settings, clock=clock)
    if app.store.dialect.name == "sqlite":
        app.store.engine.dispose()
        event.listen(app.store.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    return replace(app, sleep=sleep, random=lambda: 0.5, mark=mark)


@dataclass
class World:
    """The provider's installation, with its customers."""

    app: App
    clock: SimulatedClock
    simulator: Simulator
    url: str
    folder: Path

    @property
    def store(self) -> Store:
        return self.app.store

    def customer(self, company: str = "contoso", *, domain: str | None = None) -> "Customer":
        """A company with an empty Microsoft 365 tenant, and no policy yet."""
        return Customer(self, company, self.simulator.add_tenant(domain=domain or f"{company}.example"))

    def restart(self, mark: Callable[[str], None] = lambda _step: None) -> App:
        """The process is gone, and another one takes its place."""
        self.app.close()
        self.app = open_app(self.app.settings, self.clock, mark)
        return self.app

    def later(self, by: timedelta | None = None, **of: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**of) if by is None else by)

    # --- the provider's hands ---

    def load(self) -> tuple[Problem, ...]:
        """Read the policy folder."""
        return load(self.app)

    def add_lot(self, license: str, seats: int, **more: Any) -> str:
        """Add a lot that never ends, unless something else is said; its id."""
        if "expires" not in more:
            more.setdefault("term", "perpetual")
        return add_lot(self.app, NewLot(license, seats, **more), PERSON).lot.id

    def fulfill(self, seats: int | None = None, expires: date | None = None) -> None:
        """The oldest order that is placed has come."""
        with self.store.read() as tx:
            order = tx.orders.listing(states=["placed"])[-1]
        fulfill_order(self.app, order.id, PERSON, seats=seats, expires=expires)

    def approve(self, hash: str) -> RunResult | None:
        return approve(self.app, hash, PERSON)

    def reject(self, hash: str) -> None:
        reject(self.app, hash, PERSON)

    def reopen(self, hash: str) -> None:
        reopen(self.app, hash, PERSON)

    # --- how things stand ---

    def orders(self) -> list[tuple[str, str, int, str]]:
        """Company, license, seats and state of every order, oldest first."""
        with self.store.read() as tx:
            return [(o.company, o.license, o.seats, o.state) for o in reversed(tx.orders.listing())]

    def holds(self) -> list[tuple[str, int]]:
        """Kind and size of every open hold."""
        with self.store.read() as tx:
            return [(plan.kind, plan.total) for plan in tx.plans.listing()]

    def hold(self, kind: str) -> str:
        """The hash of the one open hold of a kind."""
        with self.store.read() as tx:
            [found] = [plan.hash for plan in tx.plans.listing() if plan.kind == kind]
        return found

    def free(self, license: str) -> int:
        """Free seats of the global pool."""
        return int(
            self.one("SELECT coalesce(sum(seats - held), 0) FROM lot WHERE pool = 0 AND license = :l", l=license)
        )

    def record(self, company: str | None = None) -> list[str]:
        """What happened, in the order of each chain."""
        where = "" if company is None else f" WHERE c.id = '{company}'"
        sql = f"SELECT a.what FROM audit AS a JOIN company AS c ON c.key = a.company{where} ORDER BY a.company, a.n"
        return [what for (what,) in self.rows(sql)]

    def happened(self) -> Counter[str]:
        """How often what happened."""
        return Counter(self.record())

    def is_sound(self) -> bool:
        """Whether the audit's chains hold, and the counters are what they count."""
        with self.store.read() as tx:
            return not list(tx.audit.verify()) and _counters_are_true(tx)

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        with self.store.read() as tx:
            return [tuple(row) for row in tx.execute(sql, values)]

    def one(self, sql: str, **values: object) -> Any:
        with self.store.read() as tx:
            return tx.execute(sql, values).scalar_one()

    def dump(self, without: frozenset[str] = WORKING_SET) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, but for the working set of runs."""
        tables = sorted(set(metadata.tables) - without)
        return {table: sorted(self.rows(f"SELECT * FROM {table}"), key=repr) for table in tables}

    def sizes(self) -> dict[str, int]:
        """How many rows there are in every table."""
        return {table: self.one(f"SELECT count(*) FROM {table}") for table in sorted(metadata.tables)}

    def outcome(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """What runs are there for, without times and made-up ids: licenses, waits, orders, holds, clocks, the record.

        Two histories with the same outcome are the same for every customer.
        """
        found = {}
        for name, sql in _OUTCOME.items():
            found[name] = Counter(tuple(_without_chance(value) for value in row) for row in self.rows(sql))
        return found


@dataclass
class Customer:
    """A company with one directory."""

    world: World
    id: str
    tenant: Tenant
    body: str = ""
    people: dict[str, str] = field(default_factory=dict)
    """Ids in the directory, by the names that a test uses."""

    @property
    def directory(self) -> str:
        return f"{self.id}-m365"

    @property
    def file(self) -> Path:
        return self.world.folder / f"{self.id}.yaml"

    # --- the customer's directory ---

    def hire(self, *names: str, **properties: Any) -> list[str]:
        """People of these names; their ids."""
        ids = [self.tenant.hire(name, **properties) for name in names]
        self.people |= dict(zip(names, ids, strict=True))
        return ids

    def mailbox(self, *names: str) -> list[str]:
        """Shared mailboxes of these names; their ids."""
        ids = [self.tenant.create_mailbox(name) for name in names]
        self.people |= dict(zip(names, ids, strict=True))
        return ids

    def group(self, name: str, *members: str, **more: Any) -> str:
        """A group with members by their names (or ids); its id."""
        return self.tenant.create_group(name, members=[self.people.get(member, member) for member in members], **more)

    def crowd(self, number: int, group: str = "Staff") -> list[str]:
        """So many people in a group; their ids."""
        ids = self.hire(*(f"Person {n:03}" for n in range(number)))
        self.tenant.create_group(group, members=ids)
        return ids

    def delete(self, *names: str) -> None:
        """Delete people in the directory, into its recycle bin."""
        for name in names:
            self.tenant.delete_user(self.people[name])

    # --- its policy ---

    def policy(self, rules: str, *, directory: str = "", tenant: str | None = None, **sections: str) -> None:
        """Write the policy file and read the folder: rules as a YAML list, other sections by their keys."""
        entry = (
            f"company: {self.id}\nname: {self.id.title()} Ltd\ndirectories:\n  {self.directory}:\n"
            f"    kind: microsoft365\n    tenant: {tenant or self.tenant.id}\n"
            f"    credential: {{client_id: {SIMULATED_CLIENT_ID}, secret: {{env: {SECRET}}}}}\n"
            f"    graph_url: {self.world.url}\n    login_url: {self.world.url}\n"
        )
        parts = [entry + (f"    {directory}\n" if directory else ""), f"rules:\n{indent(rules.strip(), '  ')}\n"]
        parts += [f"{key}: {value}\n" for key, value in sections.items()]
        self.file.write_text("".join(parts), encoding="utf-8")
        problems = self.world.load()
        assert problems == (), problems

    # --- passes ---

    def sync(self, *, app: App | None = None, **asked: Any) -> RunResult:
        """One pass; the clock stands still meanwhile."""
        return sync(app or self.world.app, self.directory, Asked(**asked))

    def settle(self, most: int = 6) -> RunResult:
        """Passes, a minute apart, until there is nothing to do; the last of them."""
        for _ in range(most):
            result = self.sync()
            if result.outcome in ("nothing_to_do", "held") and result.changed == 0:
                return result
            self.world.later(minutes=1)
        raise AssertionError(f"{self.directory} did not settle in {most} passes: {result}")

    # --- how things stand ---

    def licenses(self) -> dict[str, str]:
        """Who holds which license, by name."""
        return {name: license for name, license, *_ in self._held()}

    def through(self) -> dict[str, str]:
        """What each license rests on: a seat or an entitlement."""
        return {name: through for name, _, through, *_ in self._held()}

    def sources(self) -> dict[str, str]:
        """Where each license came from."""
        return {name: source for name, _, _, source, _ in self._held()}

    def lots(self) -> dict[str, str]:
        """From which lot each seat is."""
        return {name: lot for name, *_, lot in self._held()}

    def waiting(self) -> dict[str, str]:
        """Who waits, and why."""
        sql = "SELECT a.name, w.reason FROM waiting AS w JOIN account AS a ON a.key = w.account WHERE w.directory = :d"
        return dict(sorted(self.world.rows(sql, d=self.key)))

    def states(self) -> dict[str, str]:
        """How the directory has everybody."""
        return dict(sorted(self.world.rows("SELECT name, state FROM account WHERE directory = :d", d=self.key)))

    def kinds(self) -> dict[str, str]:
        return dict(sorted(self.world.rows("SELECT name, kind FROM account WHERE directory = :d", d=self.key)))

    def clocks(self) -> dict[str, timedelta]:
        """Whose retention runs, and for how long from now."""
        sql = "SELECT a.name, r.ends FROM retention AS r JOIN account AS a ON a.key = r.account WHERE r.directory = :d"
        return {name: _instant(ends) - self.world.clock() for name, ends in self.world.rows(sql, d=self.key)}

    def row(self) -> Any:
        """The directory as the store has it."""
        with self.world.store.read() as tx:
            return tx.directories.by_id(self.directory)

    @property
    def key(self) -> int:
        return int(self.row().key)

    def _held(self) -> Sequence[tuple[str, str, str, str, str]]:
        sql = (
            "SELECT a.name, h.license, h.through, h.source, l.id FROM assignment AS h JOIN account AS a"
            " ON a.key = h.account LEFT JOIN lot AS l ON l.key = h.lot WHERE h.directory = :d ORDER BY a.name"
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in self.world.rows(sql, d=self.key)]


def actions(result: RunResult) -> list[tuple[str, str | None, str | None]]:
    """Kind, account and license of everything that a run did, sorted: `archive ada@contoso.example archived`."""
    found = [(a.kind, None if a.account is None else a.account.address, a.license) for a in result.actions]
    return sorted(found, key=repr)


def counted(result: RunResult) -> Counter[str]:
    """How many actions of each kind a run did."""
    return Counter(action.kind for action in result.actions)


def in_world(folder: Path, database_url: str) -> Iterator[World]:
    """Set up a world in an empty folder, and take it down."""
    policies, secrets = folder / "policies.d", folder / "secrets"
    policies.mkdir()
    secrets.mkdir()
    clock = SimulatedClock(START)
    simulator = Simulator(clock)
    settings = Settings(database_url=database_url, policy_dir=policies, secrets_dir=secrets)
    with serve(simulator) as server:
        world = World(open_app(settings, clock), clock, simulator, server.url, policies)
        yield world
        world.app.close()


_OUTCOME = {
    "licenses": "SELECT a.id, h.license, h.through, l.seats, h.source, h.because FROM assignment AS h"
    " JOIN account AS a ON a.key = h.account LEFT JOIN lot AS l ON l.key = h.lot",
    "waiting": "SELECT a.id, w.license, w.through, w.reason, w.kind, w.rule, w.source FROM waiting AS w"
    " JOIN account AS a ON a.key = w.account",
    "graces": "SELECT a.id, g.kind, g.rule FROM grace AS g JOIN account AS a ON a.key = g.account",
    "clocks": "SELECT a.id, r.license, r.purge_due FROM retention AS r JOIN account AS a ON a.key = r.account",
    "lots": "SELECT pool, license, seats, held, term FROM lot",
    "orders": "SELECT company, license, seats, state, because FROM orders",
    "holds": "SELECT hash, kind, state, total FROM plan",
    "mirror": "SELECT directory, id, address, kind, state, mailbox, enabled FROM account",
    "memberships": "SELECT e.directory, e.member, g.id FROM edge AS e JOIN grp AS g ON g.key = e.grp",
    "record": "SELECT company, who, what, subject, before, after, because FROM audit",
    "removals": "SELECT company, kind, license, sum(n) FROM removal GROUP BY company, kind, license",
    "movements": "SELECT company, license, sum(change) FROM movement GROUP BY company, license",
    "unplanned": "SELECT account FROM unplanned",
}


def _without_chance(value: object) -> object:
    return _RANDOM.sub(r"\1", value) if isinstance(value, str) else value


def _instant(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def _counters_are_true(tx: Transaction) -> bool:
    counters = {
        "SELECT key, held FROM lot WHERE held <> 0":
            "SELECT lot, count(*) FROM (SELECT lot FROM assignment UNION ALL SELECT lot FROM endpoint_assignment) AS h"
            " WHERE lot IS NOT NULL GROUP BY lot",
        "SELECT company, license, through, reason, n FROM waiting_count WHERE n <> 0":
            "SELECT company, license, through, reason, count(*) FROM waiting GROUP BY 1, 2, 3, 4",
    }  # fmt: skip
    return all(
        sorted(map(tuple, tx.execute(counter))) == sorted(map(tuple, tx.execute(count)))
        for counter, count in counters.items()
    )
