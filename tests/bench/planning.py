"""Measures planning: `python -m tests.bench.planning [--accounts N] [--databases …]`.

One company is planned from scratch over a mirror that is filled already, and planned again after 100 changes. Beside
each stands a floor: the same rows read in the same transaction, and nothing decided about them. No wire is in it.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.simulators.clock import SimulatedClock
from store.engine import Store, open_store
from store.proposals import Chunk
from store.transaction import Transaction
from tests.bench.passes import _server as running_server
from tests.model.paper import Paper
from tests.model.tenant import Person, Tenant
from tests.model.world import PlayedApp
from tests.worker.world import PERSON, START
from worker.operations.lots import NewLot, add_lot
from worker.operations.policies import load
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync
from worker.settings import Settings

CHANGES = 100
ROUNDS = 5
DIRECTORY = "contoso-m365"


@dataclass
class Steps:
    """How long a pass was at what."""

    took: dict[str, float] = field(default_factory=dict)
    _name: str = "start"
    _since: float = field(default_factory=time.perf_counter)

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        self.took[self._name] = self.took.get(self._name, 0.0) + now - self._since
        self._name, self._since = step, now


@dataclass
class Bench:
    """A company whose directory was read, and whose policy gives nobody anything yet."""

    app: PlayedApp
    tenant: Tenant
    accounts: int

    @property
    def store(self) -> Store:
        return self.app.store

    def policy(self, paper: Paper) -> None:
        text = paper.text("contoso", own_pool=False).replace("secret: {env: CONTOSO_SECRET}}", "&}")
        text = text.replace("&}", "secret: {env: CONTOSO_SECRET}}, unknown_mailboxes: user")
        (self.app.settings.policy_dir / "contoso.yaml").write_text(text, encoding="utf-8")
        assert load(self.app) == ()

    def a_pass(self, *, whole: bool = False) -> tuple[RunResult, dict[str, float]]:
        steps = Steps()
        result = sync(replace(self.app, mark=steps), DIRECTORY, Asked(whole=whole))
        steps("end")
        return result, steps.took

    def change(self, n: int) -> list[Person]:
        """Half of the changes are people who are new and get a license, the others are disabled and keep theirs."""
        half = CHANGES // 2
        disabled = list(self.tenant.people.values())[n * half : (n + 1) * half]
        for person in disabled:
            self.tenant.enable(person, enabled=False)
        return [*(self.tenant.hire(f"New{n}x{each}") for each in range(half)), *disabled]

    def read_all(self) -> float:
        """The floor of a plan from scratch."""
        return self._reading(lambda tx, key: tx.proposals.whole(key, attributes=False), self.accounts)

    def read_some(self, people: list[Person]) -> float:
        """The floor of planning changes: the same accounts are noted, and read."""
        with self.store.begin() as tx:
            key = tx.directories.by_id(DIRECTORY).key
            for person in people:
                tx.execute(
                    "INSERT INTO unplanned (account, directory) SELECT key, directory FROM account"
                    " WHERE directory = :key AND id = :id",
                    {"key": key, "id": person.id},
                )
        took = self._reading(lambda tx, key: tx.proposals.changed(key, attributes=False), len(people))
        with self.store.begin() as tx:
            tx.execute("DELETE FROM unplanned")
        return took

    def _reading(self, chunks: Callable[[Transaction, int], Iterator[Chunk]], expected: int) -> float:
        started = time.perf_counter()
        with self.store.begin() as tx:
            found = sum(len(chunk.accounts) for chunk in chunks(tx, tx.directories.by_id(DIRECTORY).key))
        took = time.perf_counter() - started
        assert found == expected, f"{found} accounts read, {expected} expected"
        return took


def prepared(url: str, folder: Path, accounts: int) -> Bench:
    """Read the directory under a policy that selects nobody."""
    tenant = Tenant("contoso", page=1_000)
    staff = {tenant.hire(f"Person{n}").id for n in range(accounts)}
    tenant.create_group("Board", sorted(staff)[:20])
    tenant.create_group("Staff", staff)
    tenant.create_group("Leavers")
    settings = Settings(database_url=url, policy_dir=folder, secrets_dir=folder)
    app = PlayedApp(settings, open_store(url), SimulatedClock(START), tenants={DIRECTORY: tenant})
    bench = Bench(app, tenant, accounts)
    bench.policy(Paper(rules=("board", "nobody")))
    add_lot(app, NewLot("standard", accounts + ROUNDS * CHANGES, term="perpetual"), PERSON)
    bench.a_pass()
    return bench


def measure(url: str, folder: Path, accounts: int) -> dict[str, tuple[float, float]]:
    """Seconds of each kind of planning, and of its floor."""
    bench = prepared(url, folder, accounts)
    bench.policy(Paper(rules=("board", "staff", "everyone")))
    result, scratch = bench.a_pass(whole=True)
    assert result.actions_total > accounts * 0.9, result
    found = {"planned and licensed from scratch": (_planning(scratch), bench.read_all())}
    result, again = bench.a_pass(whole=True)
    assert result.actions_total == 0, result
    found["planned from scratch, nothing to change"] = (_planning(again), bench.read_all())
    took, floors = list[float](), list[float]()
    for n in range(ROUNDS):
        some = bench.change(n)
        result, again = bench.a_pass()
        assert result.actions_total == len(some) // 2, result
        took.append(_planning(again))
        floors.append(bench.read_some(some))
    found[f"planned after {CHANGES} changes"] = (statistics.median(took), statistics.median(floors))
    bench.app.close()
    return found


def _planning(steps: dict[str, float]) -> float:
    """From the merge to the end of the pass: planning, judging, applying, and the commit."""
    return steps.get("merged", 0.0) + steps.get("planned", 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--databases", default="postgresql,sqlite")
    wanted = parser.parse_args()
    print("| database | accounts | what | s | floor s | ratio |\n| --- | ---: | --- | ---: | ---: | ---: |")
    for database in wanted.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = f"sqlite:///{folder / 'planning.db'}"
            if database == "postgresql":
                server = stack.enter_context(running_server())
                url = server.database_url(server.create())
            for what, (took, floor) in measure(url, folder, wanted.accounts).items():
                print(
                    f"| {database} | {wanted.accounts:,} | {what} | {took:.3f} | {floor:.3f} | {took / floor:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
