"""Measures a fleet: `python -m tests.bench.fleet [--tenants 10000] [--seconds 60] [--deletions 1000]`.

A simulated Graph of many tenants in a process of its own (latency 100 ms), PostgreSQL and Redis from their wheels,
`seatkeeper scheduler` and two `seatkeeper worker`, as they run in life. The store is prepared: what first passes write
is copied (`prepared`), so that they take no part of the time; `--from-nothing` has the daemons do them. Reports the
polls a second and their CPU, by process, without the simulator's and our own; in which tables the number of rows
differs after that (Z12); then how long it takes from a deletion, and from the first answer that tells it, until the
account is archived (D6).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil
import psycopg

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, SIMULATED_SECRET
from store.schema import metadata
from tests.bench.passes import _server as server_as_in_life
from tests.bench.prepared import prepare
from tests.bench.tenants import PEOPLE
from tests.services.redis import running_redis
from worker.bootstrap import build
from worker.settings import Settings

POLICY = """\
company: c{n}
name: Company {n}
directories:
  d{n}:
    kind: microsoft365
    tenant: {tenant}
    every: {every}
    unknown_mailboxes: user
    credential: fleet
    graph_url: {url}
    login_url: {url}
rules:
- {{name: staff, groups: [Staff], license: standard}}
"""
PROVIDER = """\
credentials:
  fleet: {{client_id: {client}, secret: {{env: FLEET_SECRET}}}}
"""


@dataclass
class Fleet:
    """What runs, and what is measured."""

    conninfo: str
    graph: "subprocess.Popen[str]"
    processes: "dict[str, subprocess.Popen[bytes]]"
    postgres: psutil.Process
    redis: psutil.Process
    figures: dict[str, Any] = field(default_factory=dict)

    def one(self, sql: str) -> int:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(sql).fetchone()
        return 0 if row is None else int(row[0])

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: self.one(f"SELECT count(*) FROM {name}") for name in metadata.tables}

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far."""
        ours = {name: _seconds(psutil.Process(process.pid)) for name, process in self.processes.items()}
        return {**ours, "postgresql": _of_all(self.postgres), "redis": _of_all(self.redis)}


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _of_all(process: psutil.Process) -> float:
    """A server's own time, that of those who serve now, and of those who have ended."""
    times = process.cpu_times()
    spent = float(times.user + times.system + times.children_user + times.children_system)
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended since, and is the server's own time by now
            spent += _seconds(child)
    return spent


def _server_process(word: str) -> psutil.Process:
    """The server that was just started: the oldest below us whose command line has the word."""
    found = [p for p in psutil.Process().children(recursive=True) if word in " ".join(p.cmdline()[:1])]
    return min(found, key=lambda process: process.create_time())


@contextmanager
def _tenants(number: int, latency: float) -> "Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.tenants", str(number), str(latency)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _daemons(environment: dict[str, str], folder: Path, workers: int) -> "Iterator[dict[str, subprocess.Popen[bytes]]]":
    roles = {"scheduler": "scheduler", **{f"worker {n}": "worker" for n in range(1, workers + 1)}}
    running = {}
    try:
        for name, role in roles.items():
            log = (folder / f"{name}.log").open("wb")
            running[name] = subprocess.Popen(
                [sys.executable, "-m", "console.cli.main", role], env=environment, cwd=folder, stderr=log
            )
        yield running
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(server_as_in_life())
        redis_url = stack.enter_context(running_redis())
        graph, told = stack.enter_context(_tenants(wanted.tenants, wanted.latency))
        url = server.database_url(server.create())
        _policies(folder / "policies.d", told, wanted.every)
        os.environ["FLEET_SECRET"] = SIMULATED_SECRET
        environment = {
            **os.environ, "SEATKEEPER_DATABASE_URL": url, "SEATKEEPER_REDIS_URL": redis_url,
            "SEATKEEPER_CONSOLE": "127.0.0.1:0", "PYTHONPATH": str(Path.cwd()),
        }  # fmt: skip
        for lot in ("standard", "archived"):
            _command(environment, folder, "lots", "add", lot, str(wanted.tenants * PEOPLE), "--term", "perpetual")
        if not wanted.from_nothing:
            _prepared(url, folder, graph)
        processes = stack.enter_context(_daemons(environment, folder, wanted.workers))
        servers = _server_process("postgres"), _server_process("redis")
        fleet = Fleet(url.replace("+psycopg", ""), graph, processes, *servers)
        (_first_passes if wanted.from_nothing else _first_polls)(fleet, wanted)
        _idle(fleet, wanted)
        if wanted.deletions:
            _deletions(fleet, wanted)
        if wanted.logs:
            for name in processes:
                print(f"== {name}", (folder / f"{name}.log").read_text()[-4_000:])
        return fleet.figures


def _policies(folder: Path, told: dict[str, Any], every: str) -> None:
    folder.mkdir()
    (folder / "provider.yaml").write_text(PROVIDER.format(client=SIMULATED_CLIENT_ID))
    for n, tenant in enumerate(told["tenants"]):
        text = POLICY.format(n=n, tenant=tenant, every=every, url=told["url"])
        (folder / f"c{n}.yaml").write_text(text)


def _command(environment: dict[str, str], folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "console.cli.main", *arguments], env=environment, cwd=folder, check=True)


def _prepared(url: str, folder: Path, graph: "subprocess.Popen[str]") -> None:
    start, walked = time.monotonic(), folder / "walked"
    _obey(graph, f"walk {walked}")
    app = build(Settings(database_url=url, policy_dir=folder / "policies.d"))
    prepare(app, url.replace("+psycopg", ""), walked)
    app.close()
    print(f"prepared in {time.monotonic() - start:.0f} s", flush=True)


def _obey(graph: "subprocess.Popen[str]", line: str) -> dict[str, Any]:
    assert graph.stdin is not None and graph.stdout is not None
    graph.stdin.write(f"{line}\n")
    graph.stdin.flush()
    said: dict[str, Any] = json.loads(graph.stdout.readline())
    return said


def _first_polls(fleet: Fleet, wanted: argparse.Namespace) -> None:
    """Until every directory has been polled. Workers sign in to each tenant and read each policy when they first poll
    it, which goes on for some intervals: whoever measures, waits for that, too."""
    start, began = time.monotonic(), int(time.time() * 1_000_000)
    polled = f"SELECT count(*) FROM directory WHERE last_success > {began}"
    while fleet.one(polled) < wanted.tenants:
        if time.monotonic() - start > 300:
            raise SystemExit(f"only {fleet.one(polled)} of {wanted.tenants} directories were polled")
        threading.Event().wait(0.5)
    _say(fleet, "first polls", seconds=round(time.monotonic() - start, 1))
    threading.Event().wait(wanted.settle)


def _first_passes(fleet: Fleet, wanted: argparse.Namespace) -> None:
    """Until every directory has been read and is healthy."""
    start = time.monotonic()
    licensed = "SELECT count(*) FROM directory WHERE state = 'healthy' AND groups_hash IS NOT NULL"
    while fleet.one(licensed) < wanted.tenants:
        if time.monotonic() - start > 60 + wanted.tenants:
            raise SystemExit(f"only {fleet.one(licensed)} of {wanted.tenants} directories were read")
        threading.Event().wait(0.5)
    _say(fleet, "first passes", seconds=round(time.monotonic() - start, 1))
    threading.Event().wait(wanted.settle)


def _idle(fleet: Fleet, wanted: argparse.Namespace) -> None:
    """Polls in a window, and what they cost."""
    rows = fleet.rows()
    polls, before, start = fleet.one("SELECT sum(fence) FROM directory"), fleet.cpu(), time.monotonic()
    threading.Event().wait(wanted.seconds)
    polls, took = fleet.one("SELECT sum(fence) FROM directory") - polls, time.monotonic() - start
    cpu = {name: spent - before[name] for name, spent in fleet.cpu().items()}
    ours = sum(spent for name, spent in cpu.items() if name not in ("postgresql", "redis"))
    due = fleet.one("SELECT count(*) FROM directory WHERE due_at < extract(epoch FROM now()) * 1000000 - 5000000")
    _say(
        fleet, "idle", polls_a_second=round(polls / took, 1), cpu_ms_a_poll=round(1_000 * sum(cpu.values()) / polls, 2),
        of_it_ours_ms=round(1_000 * ours / polls, 2), cores=round(sum(cpu.values()) / took, 2),
        cpu={name: round(spent, 2) for name, spent in cpu.items()}, overdue=due,
        polls=polls, rows=sum(rows.values()),
        rows_differ={name: [rows[name], n] for name, n in fleet.rows().items() if n != rows[name]},
    )  # fmt: skip


def _deletions(fleet: Fleet, wanted: argparse.Namespace) -> None:
    """From a deletion, and from the first answer that tells it, to the record that says that it was archived."""
    said = _obey(fleet.graph, f"delete {wanted.deletions} {wanted.over}")
    deadline = time.monotonic() + wanted.patience
    archived: dict[str, float] = {}
    while len(archived) < len(said["deleted"]) and time.monotonic() < deadline:
        with psycopg.connect(fleet.conninfo) as connection:
            rows = connection.execute("SELECT subject, at FROM audit WHERE what = 'license.archived'").fetchall()
        archived = {subject: at / 1_000_000 for subject, at in rows if subject in said["deleted"]}
        threading.Event().wait(0.5)
    from_deletion = [at - said["deleted"][user] for user, at in archived.items()]
    from_answer = [at - said["told"][user] for user, at in archived.items() if user in said["told"]]
    _say(
        fleet, "deletions", deleted=len(said["deleted"]), told=len(said["told"]), archived=len(archived),
        from_deletion=_spread(from_deletion), from_answer=_spread(from_answer),
        within_150_s_of_the_deletion=sum(took <= 150 for took in from_deletion),
        within_60_s_of_the_answer=sum(took <= 60 for took in from_answer),
    )  # fmt: skip


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [*seconds] * 99
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2), "most": round(max(seconds), 2)} if cuts else {}


def _say(fleet: Fleet, what: str, **figures: Any) -> None:
    fleet.figures[what] = figures
    print(f"{what}: {json.dumps(figures)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--every", default="1m")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that every answer takes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--from-nothing", action="store_true", help="have the daemons do all first passes")
    parser.add_argument("--settle", type=float, default=180, help="seconds between the first polls and the window")
    parser.add_argument("--seconds", type=float, default=60, help="how long idle polls are watched")
    parser.add_argument("--deletions", type=int, default=1_000)
    parser.add_argument("--over", type=float, default=60, help="seconds over which deletions are spread")
    parser.add_argument("--patience", type=float, default=180, help="seconds that the last archive may take")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--logs", action="store_true", help="show the end of every process's log")
    wanted = parser.parse_args()
    figures = measure(wanted)
    if wanted.json:
        wanted.json.write_text(json.dumps({"tenants": wanted.tenants, "every": wanted.every, **figures}, indent=1))


if __name__ == "__main__":
    main()
