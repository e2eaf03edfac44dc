"""Measures passes over a Google Workspace customer: `python -m tests.bench.google [--sizes …] [--databases …]`.

Each read is of everybody, since Google tells no changes. Beside it stand the same bytes fetched alone, one request
after the other (the wire), and fetched and copied into a bare table (floor A). What an unchanged pass takes beyond the
wire is measured in processes that did the same before, on a database that has come to rest after the first pass, at no
latency and with `--latency SECONDS` a page, the middle one of three. Our own pace of 10 requests a second is left out:
it is slower than loopback, and faster than Google.
Prints a table, and writes every figure as JSON where `--json FILE` says.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.passes import Bench, against_idiom, cpu, processes, simulated
from tests.bench.passes import _server as server_as_in_life

IDIOM_USERS = 10_000
TIMES = 3


def measure(users: int, database: str, latency: float) -> dict[str, Any]:
    """All figures of one size on one database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(server_as_in_life()) if database == "postgresql" else None
        google = stack.enter_context(simulated("workspace", users, folder))
        bench = Bench(users, database, google, folder, server)
        bench.run("warm-up", "wire", bench.fresh())  # the simulator keeps its pages from here on
        bench.run("wire", "wire", bench.fresh())
        bench.run("floor A", "floor_a", bench.fresh())
        url = bench.fresh()
        bench.run("first pass", "first", url)
        _settle(url)
        bench.run("unchanged", "again", url)
        bench.run("unchanged again", "again", url)
        for seconds in (0.0, latency):
            google.tell(f"latency {seconds}")
            bench.run(_with("wire again", seconds), "wire_again", bench.fresh(), times=TIMES)
            bench.run(_with("unchanged, signed in", seconds), "signed_in", url, times=TIMES)
        google.tell("latency 0")
        google.change(100)
        bench.run("100 changes", "again", url)
        bench.run("pull", "pull", url)
        return {"users": users, "database": database, "latency": latency, "figures": bench.figures}


def _settle(url: str) -> None:
    """Have done what PostgreSQL does by itself some moments after a first pass, beside whatever is measured then."""
    if url.startswith("postgresql"):
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")


def _with(name: str, latency: float) -> str:
    return f"{name}, {latency * 1000:.0f} ms a page" if latency else name


def measure_idiom() -> dict[str, Any]:
    """The client library's idiom at a size that it can finish."""
    with tempfile.TemporaryDirectory() as folder, simulated("workspace", IDIOM_USERS, folder) as google:
        bench = Bench(IDIOM_USERS, "sqlite", google, Path(folder), None)
        return bench.run("idiom", "idiom", bench.fresh())


def ratios(result: dict[str, Any], idiom: dict[str, Any] | None) -> dict[str, float]:
    """What the aims are about: the CPU of whole processes, and seconds of a pass beyond those of the wire."""
    figures = result["figures"]
    found = {"pull, CPU ÷ floor A": cpu(result, "pull") / cpu(result, "floor A")}
    for seconds in (0.0, result["latency"]):
        took, wire = figures[_with("unchanged, signed in", seconds)], figures[_with("wire again", seconds)]
        found[_with("unchanged, seconds beyond the wire", seconds)] = took["pass"] - wire["wall"]
    beyond = cpu(result, "unchanged, signed in") - cpu(result, "wire again")
    found["unchanged, CPU seconds beyond the wire"] = beyond
    return found | against_idiom(result, idiom, "first pass", "pull")


def tables(results: list[dict[str, Any]], idiom: dict[str, Any] | None) -> Iterator[str]:
    """The figures as docs/performance.md has them."""
    yield from processes(results)
    yield ""
    yield "| database | accounts | what | |"
    yield "| --- | ---: | --- | ---: |"
    for result in results:
        for name, ratio in ratios(result, idiom).items():
            yield f"| {result['database']} | {result['users']:,} | {name} | {ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--databases", default="postgresql,sqlite")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that a page takes, as it does in life")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-idiom", dest="idiom", action="store_false")
    wanted = parser.parse_args()
    idiom = measure_idiom() if wanted.idiom else None
    results = [
        measure(int(users), database, wanted.latency)
        for database in wanted.databases.split(",")
        for users in wanted.sizes.split(",")
    ]
    print("\n".join(tables(results, idiom)))
    if wanted.json:
        wanted.json.write_text(json.dumps({"idiom": idiom, "results": results}, indent=1))


if __name__ == "__main__":
    main()
