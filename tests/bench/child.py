"""What is measured, each in a process of its own: `python -m tests.bench.child TASK JSON`.

Prints one JSON line: wall and CPU seconds of the task, CPU seconds of the database server meanwhile, the peak memory
of the whole process in MB, and what the task has to say of itself; of the middle one where it is done several times.
"""

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.vendors import vendor_of

Measured = Callable[[], dict[str, Any]]


def main() -> None:
    task, options = sys.argv[1], json.loads(sys.argv[2])
    measured = TASKS[task](options)
    server = _ServerCpu(options.get("database", ""))
    figures = sorted((_figure(measured, server) for _ in range(options.get("times", 1))), key=lambda f: f["wall"])
    print(json.dumps(figures[len(figures) // 2]))


def _figure(measured: Measured, server: "_ServerCpu") -> dict[str, Any]:
    wall, cpu, base = time.perf_counter(), time.process_time(), server.seconds()
    said = measured()
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "server_cpu": server.seconds() - base,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **said,
    }


# --- the product ---


def first(options: dict[str, Any]) -> Measured:
    """A first pass: everybody is read, licensed and audited."""
    return lambda: _pass(options, seats=options["users"])


def again(options: dict[str, Any]) -> Measured:
    """A pass by delta."""
    return lambda: _pass(options)


def signed_in(options: dict[str, Any]) -> Measured:
    """The same in a process that made a pass before, as a daemon's has: it has imported what it needs, and a token."""
    app = _app(options)
    _timed(app, options)
    return lambda: _timed(app, options)


def full(options: dict[str, Any]) -> Measured:
    """A whole read of an unchanged directory."""
    return lambda: _pass(options, full=True)


def whole(options: dict[str, Any]) -> Measured:
    """A whole read of an unchanged directory, and everybody planned anew: what `sync --full` does."""
    return lambda: _pass(options, full=True, whole=True)


def pull(options: dict[str, Any]) -> Measured:
    """A whole read, staged and no more, in a process that made one before."""
    app = _app(options)
    _pull(app, options, kept=False)
    return lambda: _pull(app, options)


def _pull(app: Any, options: dict[str, Any], *, kept: bool = True) -> dict[str, Any]:
    from store.briefings import briefings
    from store.times import micros
    from worker.held import LEASE
    from worker.operations.policies import in_force
    from worker.operations.pulling import pull_accounts
    from worker.operations.runs import Run

    with app.store.begin() as tx:
        row = tx.directories.by_id(vendor_of(options).directory)
        lease = tx.leases.take(row.key, app.owner, micros(app.clock()), LEASE)
        policy = in_force(app, tx, "contoso")
        briefing = briefings(tx, [row.key])[row.key]
    assert lease is not None and policy is not None
    entry = policy.entry(vendor_of(options).directory)
    assert entry is not None
    run = Run(app, "bench", briefing, row, entry, policy, lease, full=True)
    pulled = pull_accounts(run, app.open_directory(entry, policy.provider))
    if not kept:
        with app.store.begin() as tx:
            tx.staging.drop(row.key, pulled.walk.batch)
            tx.leases.release(lease)
    return {"seen": pulled.seen}


def _pass(options: dict[str, Any], *, seats: int = 0, full: bool = False, whole: bool = False) -> dict[str, Any]:
    app = _app(options)
    if seats:
        _add_seats(app, seats)
    told = _timed(app, options, full=full, whole=whole)
    app.close()
    return told


def _timed(app: Any, options: dict[str, Any], *, full: bool = False, whole: bool = False) -> dict[str, Any]:
    from worker.operations.syncing import Asked, sync

    steps: dict[str, float] = {}
    since, name = time.perf_counter(), "start"

    def mark(step: str) -> None:
        nonlocal since, name
        now = time.perf_counter()
        steps[name] = steps.get(name, 0.0) + now - since
        since, name = now, step

    object.__setattr__(app, "mark", mark)
    started = time.perf_counter()
    result = sync(app, vendor_of(options).directory, Asked(full=full, whole=whole))
    mark("end")
    took = time.perf_counter() - started
    with app.store.read() as tx:
        held = tx.execute("SELECT count(*) FROM assignment").scalar_one()
        entries = tx.execute("SELECT count(*) FROM audit").scalar_one()
    return {
        "pass": took, "outcome": result.outcome, "seen": result.seen, "changed": result.changed,
        "actions": result.actions_total, "held": held, "audit": entries, "error": result.error,
        "steps": {name: round(seconds, 3) for name, seconds in steps.items()},
    }  # fmt: skip


def _app(options: dict[str, Any]) -> Any:
    from worker.bootstrap import build
    from worker.collecting import collect_seldom
    from worker.operations.policies import load
    from worker.settings import Settings

    collect_seldom()
    folder = Path(options["folder"])
    (folder / "contoso.yaml").write_text(vendor_of(options).policy(options))
    app = build(Settings(database_url=options["database"], policy_dir=folder, secrets_dir=folder))
    if not vendor_of(options).paced:
        app = replace(app, sleep=lambda _: None)
    problems = load(app)
    assert not problems, problems
    return app


def _add_seats(app: Any, seats: int) -> None:
    from store.times import micros

    now = micros(datetime.now(UTC))
    with app.store.begin() as tx:
        tx.lots.add(
            pool=0, license="standard", seats=seats, term="yearly", starts_at=now, expires_at=None, who="bench", now=now
        )


def views(options: dict[str, Any]) -> Measured:
    """What people look at: `status`, a page of `accounts list`, `why`."""
    return lambda: _views(options)


def _views(options: dict[str, Any]) -> dict[str, Any]:
    from store.account_filters import AccountFilter
    from store.times import micros
    from worker.operations.explaining import explain
    from worker.operations.status import overview

    app = _app(options)
    now = micros(app.clock())
    with app.store.read() as tx:
        address = tx.execute("SELECT address FROM account ORDER BY key LIMIT 1 OFFSET 4321").scalar_one()

    def page() -> None:
        with app.store.read() as tx:
            tx.views.accounts(AccountFilter(), now, limit=100)

    database = _DatabaseTime(app.store.engine)
    looked = {"status": lambda: overview(app), "page": page, "why": lambda: explain(app, address)}
    told = {name: database.median(look) for name, look in looked.items()}
    app.close()
    return {"views": {name: {"database_ms": d, "call_ms": c} for name, (d, c) in told.items()}}


class _DatabaseTime:
    """Milliseconds in the database and of the whole call, each the median of twenty calls after two that warm up."""

    def __init__(self, engine: Any) -> None:
        from sqlalchemy import event

        self._spent = self._since = 0.0
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, *_: object) -> None:
        self._since = time.perf_counter()

    def _after(self, *_: object) -> None:
        self._spent += time.perf_counter() - self._since

    def median(self, call: Callable[[], object]) -> tuple[float, float]:
        found = []
        for _ in range(22):
            self._spent, started = 0.0, time.perf_counter()
            call()
            found.append((self._spent * 1000, (time.perf_counter() - started) * 1000))
        databases, calls = zip(*found[2:], strict=True)
        return round(statistics.median(databases), 2), round(statistics.median(calls), 2)


# --- the floors ---


def floor_a(options: dict[str, Any]) -> Measured:
    """The same bytes fetched and unzipped, and the same rows copied to a bare table."""
    return _floor(options, ("bare",))


def floor_b(options: dict[str, Any]) -> Measured:
    """… and the same rows copied into the final, indexed tables: accounts, assignments, audit."""
    return _floor(options, ("account", "assignment", "audit"))


def _floor(options: dict[str, Any], tables: tuple[str, ...]) -> Measured:
    from tests.bench.floors import prepare

    write = prepare(options["database"], tables, options["users"])

    def measured() -> dict[str, Any]:
        return {"bytes": _fetched(options), "rows": write()}

    return measured


def wire(options: dict[str, Any]) -> Measured:
    """The same bytes fetched and unzipped, and no more."""
    return lambda: {"bytes": _fetched(options)}


def wire_again(options: dict[str, Any]) -> Measured:
    """The same in a process that fetched them before."""
    _fetched(options)
    return wire(options)


def _fetched(options: dict[str, Any]) -> int:
    return sum(len(body) for body in vendor_of(options).bodies(options))


# --- the idiom ---


def idiom(options: dict[str, Any]) -> Measured:
    """What the SDK's documentation shows: its client, its models, an ORM object per user."""
    return lambda: _idiom(options)


def _idiom(options: dict[str, Any]) -> dict[str, Any]:
    return {"seen": vendor_of(options).idiom(options)}


TASKS: dict[str, Callable[[dict[str, Any]], Measured]] = {
    "first": first,
    "again": again,
    "signed_in": signed_in,
    "full": full,
    "whole": whole,
    "pull": pull,
    "views": views,
    "floor_a": floor_a,
    "floor_b": floor_b,
    "wire": wire,
    "wire_again": wire_again,
    "idiom": idiom,
}


class _ServerCpu:
    """CPU seconds of a PostgreSQL server and its backends; 0 for SQLite, which works inside the process."""

    def __init__(self, url: str) -> None:
        self._postmaster = 0
        if url.startswith("postgresql"):
            import psycopg

            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                row = connection.execute("SELECT pg_backend_pid()").fetchone()
                assert row is not None
                self._postmaster = int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[1])

    def seconds(self) -> float:
        if not self._postmaster:
            return 0.0
        root = self._postmaster
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
        ticks = sum(_ticks(pid, ended=False) for pid in children) + _ticks(str(root), ended=True)
        return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: str, *, ended: bool) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(field) for field in fields[11 : 15 if ended else 13])


if __name__ == "__main__":
    main()
