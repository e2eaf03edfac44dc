"""Measures passes against their floors: `python -m tests.bench.passes [--sizes …] [--databases …]`.

The simulated Graph, the database server and each measurement are processes of their own. Prints a table of whole
processes and their ratios, and writes every figure as JSON where `--json FILE` says.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.services import postgres

PAGE = 500
IDIOM_USERS = 500
SETTINGS = {
    "shared_buffers": "512MB", "max_wal_size": "4GB", "fsync": "on", "synchronous_commit": "on",
    "full_page_writes": "on",
}  # fmt: skip


@dataclass
class Simulated:
    """A simulated vendor in a process of its own."""

    process: "subprocess.Popen[str]"
    said: dict[str, str]
    """Its address, and what else there is to know of it."""

    def change(self, users: int) -> None:
        self.tell(f"change {users}")

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@dataclass
class Bench:
    """One size on one database."""

    users: int
    database: str
    vendor: Simulated
    folder: Path
    server: postgres.Postgres | None
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def fresh(self) -> str:
        if self.server is not None:
            return self.server.database_url(self.server.create())
        return f"sqlite:///{self.folder}/{len(list(self.folder.iterdir()))}.db"

    def run(self, name: str, task: str, url: str, users: int | None = None, times: int = 1) -> dict[str, Any]:
        options = {
            "database": url, "folder": str(self.folder), "users": users or self.users, "times": times,
            **self.vendor.said,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.child", task, json.dumps(options)], capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{name} failed:\n{done.stderr}")
        figure: dict[str, Any] = json.loads(done.stdout)
        self.figures[name] = figure
        print(
            f"{self.database:>10} {self.users:>9,} {name:<30} wall {figure['wall']:7.2f} s  CPU {figure['cpu']:7.2f} +"
            f" {figure['server_cpu']:6.2f} s  peak {figure['peak_mb']:5.0f} MB  {_said(figure)}",
            flush=True,
        )
        return figure


def _said(figure: dict[str, Any]) -> str:
    if "views" in figure:
        return str(figure["views"])
    if "pass" not in figure:
        return ""
    return f"pass {figure['pass']:.2f} s, {figure['outcome']}, {figure['actions']:,} actions; {figure['steps']}"


def measure(users: int, database: str) -> dict[str, Any]:
    """All figures of one size on one database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(_server()) if database == "postgresql" else None
        graph = stack.enter_context(simulated("graph", users, PAGE))
        bench = Bench(users, database, graph, folder, server)
        bench.run("warm-up", "floor_a", bench.fresh())  # the simulator keeps its pages from here on
        bench.run("floor A", "floor_a", bench.fresh())
        bench.run("floor B", "floor_b", bench.fresh())
        url = bench.fresh()
        bench.run("first pass", "first", url)
        bench.run("idle", "again", url)
        for n in range(1, 4):
            graph.change(100)
            bench.run(f"delta {n}", "again", url)
        bench.run("unchanged read", "full", url)
        bench.run("… and planned", "whole", url)
        bench.run("views", "views", url)
        bench.run("pull", "pull", url)
        return {"users": users, "database": database, "figures": bench.figures}


def measure_idiom() -> dict[str, Any]:
    """The SDK's idiom at a size that it can finish."""
    with tempfile.TemporaryDirectory() as folder, simulated("graph", IDIOM_USERS, PAGE) as graph:
        bench = Bench(IDIOM_USERS, "sqlite", graph, Path(folder), None)
        return bench.run("idiom", "idiom", bench.fresh())


@contextmanager
def _server() -> Iterator[postgres.Postgres]:
    """PostgreSQL as it runs in life: it does write to the disk."""
    tests_own = dict(postgres.SETTINGS)
    postgres.SETTINGS.update(SETTINGS)
    try:
        with postgres.running_postgres() as server:
            yield server
    finally:
        postgres.SETTINGS.clear()
        postgres.SETTINGS.update(tests_own)


@contextmanager
def simulated(module: str, *arguments: object) -> Iterator[Simulated]:
    """A vendor of `tests.bench`, which tells as its first line what there is to know of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Simulated(process, json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


def ratios(result: dict[str, Any], idiom: dict[str, Any] | None) -> dict[str, float]:
    """What the aims are about. The import of the program itself is in every figure, as it is in life."""
    found = {
        "pull, CPU ÷ floor A": cpu(result, "pull") / cpu(result, "floor A"),
        "first pass, CPU ÷ floor B": cpu(result, "first pass") / cpu(result, "floor B"),
    }
    return found | against_idiom(result, idiom, "first pass")


def cpu(result: dict[str, Any], name: str) -> float:
    """CPU seconds of a process and of the database server meanwhile."""
    figure = result["figures"][name]
    return float(figure["cpu"] + figure["server_cpu"])


def against_idiom(result: dict[str, Any], idiom: dict[str, Any] | None, *names: str) -> dict[str, float]:
    """What the idiom takes for a user, as a multiple of what each of these takes."""
    if idiom is None:
        return {}
    its = idiom["cpu"] / idiom["seen"]
    return {f"idiom, CPU a user ÷ {name}": its / (cpu(result, name) / result["users"]) for name in names}


def tables(results: list[dict[str, Any]], idiom: dict[str, Any] | None) -> Iterator[str]:
    """The figures as docs/performance.md has them."""
    yield from processes(results)
    yield ""
    yield "| database | accounts | ratio | |"
    yield "| --- | ---: | --- | ---: |"
    for result in results:
        for name, ratio in ratios(result, idiom).items():
            yield f"| {result['database']} | {result['users']:,} | {name} | {ratio:.2f} |"
    yield ""
    yield "| database | accounts | view | database ms | whole call ms |"
    yield "| --- | ---: | --- | ---: | ---: |"
    for result in results:
        for name, told in result["figures"]["views"]["views"].items():
            yield (
                f"| {result['database']} | {result['users']:,} | {name} | {told['database_ms']} | {told['call_ms']} |"
            )


def processes(results: list[dict[str, Any]]) -> Iterator[str]:
    """What each process took."""
    yield "| database | accounts | what | wall s | of it the pass | CPU s, process + server | peak MB |"
    yield "| --- | ---: | --- | ---: | ---: | ---: | ---: |"
    for result in results:
        for name, figure in result["figures"].items():
            if name not in ("warm-up", "views"):
                took = f"{figure['pass']:.2f}" if "pass" in figure else ""
                cpu = f"{figure['cpu']:.2f} + {figure['server_cpu']:.2f}"
                yield (
                    f"| {result['database']} | {result['users']:,} | {name} | {figure['wall']:.2f} | {took} | {cpu} |"
                    f" {figure['peak_mb']:.0f} |"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--databases", default="postgresql,sqlite")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-idiom", dest="idiom", action="store_false")
    wanted = parser.parse_args()
    idiom = measure_idiom() if wanted.idiom else None
    results = [
        measure(int(users), database) for database in wanted.databases.split(",") for users in wanted.sizes.split(",")
    ]
    print("\n".join(tables(results, idiom)))
    if wanted.json:
        wanted.json.write_text(json.dumps({"idiom": idiom, "results": results}, indent=1))


if __name__ == "__main__":
    main()
