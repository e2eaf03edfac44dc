"""A pass over directories because somebody asked for one: policies are read first, and the end is waited for."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from policies.errors import PolicyError, Problem
from store.times import micros
from worker.errors import Usage
from worker.operations.policies import load
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync

if TYPE_CHECKING:
    from worker.bootstrap import App

THREADS = 8
POLL = 0.5
"""Seconds between two looks at a directory on which somebody else works."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for: which directories (none: all), and how long to wait for somebody else's run."""

    directories: Sequence[str] = ()
    full: bool = False
    dry: bool = False
    timeout: timedelta = timedelta(minutes=10)
    progress: Callable[[str, str, int], None] = lambda _directory, _step, _n: None


@dataclass(frozen=True)
class Synced:
    """What became of each directory, and what is wrong with the policy files meanwhile."""

    results: tuple[RunResult, ...]
    problems: tuple[Problem, ...]


def sync_now(app: "App", wanted: Wanted) -> Synced:
    """Read the policies, then run a pass over each directory, up to eight at once; a run under way is joined.

    A broken policy file leaves its last good version in force (Z4). Raises PolicyError where there is no good version
    to run on, and Usage for a directory that nobody knows.
    """
    problems = load(app)
    directories = chosen(app, wanted.directories, problems)
    deadline = app.clock() + wanted.timeout
    with ThreadPoolExecutor(max_workers=min(THREADS, max(1, len(directories)))) as pool, _stopped_by_a_person(app):
        runs = [pool.submit(_joined, app, directory, _asked(wanted, directory), deadline) for directory in directories]
        wait(runs)
    return Synced(tuple(run.result() for run in runs), problems)


def queue(app: "App", wanted: Wanted) -> Synced:
    """Ask for passes and do not wait: whoever runs the directories does them at once (Z9)."""
    problems = load(app)
    directories = chosen(app, wanted.directories, problems)
    now = micros(app.clock())
    with app.store.begin() as tx:
        for directory in directories:
            tx.directories.ask(tx.directories.by_id(directory).key, now)
    return Synced(tuple(RunResult(directory, None, "queued") for directory in directories), problems)


def chosen(app: "App", asked: Sequence[str], problems: tuple[Problem, ...]) -> list[str]:
    """The directories that are meant: those named, or all that are neither frozen nor retired."""
    with app.store.read() as tx:
        rows = {row.id: row for row in tx.directories.all()}
    if not rows and problems:
        raise PolicyError(problems)
    for name in asked:
        if name not in rows:
            raise Usage(f"there is no directory {name}; there are {', '.join(sorted(rows)) or 'none yet'}")
    if asked:
        return list(dict.fromkeys(asked))
    live = [id for id, row in sorted(rows.items()) if not row.retired and row.state != "frozen"]
    if not live and not rows:
        folder = app.settings.policy_dir
        raise Usage(f"no policy in {folder} names a directory; `seatkeeper init` writes one to start from")
    return live


def _asked(wanted: Wanted, directory: str) -> Asked:
    def progress(step: str, number: int) -> None:
        wanted.progress(directory, step, number)

    return Asked(full=wanted.full, whole=wanted.full, dry=wanted.dry, progress=progress)


def _joined(app: "App", directory: str, asked: Asked, deadline: datetime) -> RunResult:
    """Run a pass; while somebody else runs one, wait for its end and then run ours, which sees what it left."""
    while True:
        result = sync(app, directory, asked)
        if result.outcome != "busy" or app.clock() >= deadline or app.stopping.is_set():
            return result
        asked.progress("waiting for a run that is under way", 0)
        app.sleep(POLL)


@contextmanager
def _stopped_by_a_person(app: "App") -> Iterator[None]:
    """Ctrl-C takes effect before the next write of each run (Z10); then the runs are waited for."""
    try:
        yield
    except KeyboardInterrupt:
        app.stopping.set()
        raise
