"""A pass over directories because somebody asked for one: policies are read first, and the end is waited for."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from policies.errors import PolicyError, Problem
from store.deliveries import DELIVERY
from store.errors import Conflict
from store.order_rows import PLACED, WANTED, OrderRow
from store.orders import MANUAL
from store.times import micros
from worker.errors import Usage
from worker.held import keeping
from worker.operations import through_daemon
from worker.operations.policies import load
from worker.operations.pool_pass import pass_pools
from worker.operations.runs import REPORTED, HeldKind, RunResult
from worker.operations.syncing import Asked, sync
from worker.operations.tidying import tidy_daily
from worker.operations.warning import warn_of_stocks
from worker.relay import relay_once
from worker.telling import deliver_all

if TYPE_CHECKING:
    from worker.bootstrap import App

THREADS = 8
ENDED = ("applied", "nothing_to_do", "partly_held", "held")
POLL = timedelta(seconds=0.5)
"""Between two looks at a directory on which somebody else works."""


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
    orders: tuple[OrderRow, ...] = ()
    """Those that were with a seller, or on their way there, as they stand now."""


def sync_now(app: "App", wanted: Wanted) -> Synced:
    """Read the policies, do what is due in the pools, then run a pass over each directory, up to eight at once; a run
    under way is joined. Then carry orders to their sellers, and once a day let go what time has passed over.

    A broken policy file leaves its last good version in force (Z4). Raises PolicyError where there is no good version
    to run on, and Usage for a directory that nobody knows.
    """
    problems = load(app)
    directories = chosen(app, wanted.directories, problems)
    if not wanted.dry:
        pass_pools(app)
    deadline = app.clock() + wanted.timeout
    with keeping(app):
        results = _all_joined(app, [_in_this_process(app, wanted, name, deadline) for name in directories])
    orders = () if wanted.dry else _carry_orders(app, lambda: relay_once(app, app.clock(), asked=True))
    if not wanted.dry:
        warn_of_stocks(app)
        deliver_all(app)
    if not wanted.dry:
        tidy_daily(app)
    return Synced(_with_deliveries(app, results) if orders else results, problems, orders)


def sync_by_daemon(app: "App", wanted: Wanted) -> Synced:
    """The same where a daemon runs: it reads the policies, passes over the directories, and carries orders; here its
    progress is shown, and its end waited for. What is shown and not done is worked out in this process."""
    if wanted.dry or not through_daemon.daemon_runs(app):
        return sync_now(app, wanted)
    deadline = app.clock() + wanted.timeout
    problems = through_daemon.read_policies(app, deadline)
    directories = chosen(app, wanted.directories, problems)
    waits = [through_daemon.Waiting(app, name, _asked(wanted, name), deadline) for name in directories]
    with through_daemon.waiting(app, waits):
        results = _all_joined(app, [_Joined(app, one.directory, one.asked, deadline, one) for one in waits])
    orders = _carry_orders(app, lambda: through_daemon.carry_orders(app, deadline))
    return Synced(_with_deliveries(app, results) if orders else results, problems, orders)


def _all_joined(app: "App", joined: "Sequence[_Joined]") -> tuple[RunResult, ...]:
    """Up to eight at once."""
    with ThreadPoolExecutor(max_workers=min(THREADS, max(1, len(joined)))) as pool, _stopped_by_a_person(app):
        runs = [pool.submit(one) for one in joined]
        wait(runs)
    return tuple(run.result() for run in runs)


def _carry_orders(app: "App", carry: Callable[[], object]) -> tuple[OrderRow, ...]:
    """Carry orders to their sellers, and tell what became of each."""
    with app.store.read() as tx:
        open_ = [row.id for row in tx.orders.listing(states=(WANTED, PLACED)) if row.seller != MANUAL]
    if not open_:
        return ()
    carry()
    with app.store.read() as tx:
        return tuple(reversed(tx.orders.listing(ids=open_)))


def _with_deliveries(app: "App", results: tuple[RunResult, ...]) -> tuple[RunResult, ...]:
    """The results with the answers of sellers that are held by now."""
    with app.store.read() as tx:
        held = [plan for plan in tx.plans.listing() if plan.kind == DELIVERY]
        owners = {row.id: row.company_id for row in tx.directories.all()}
    return tuple(
        _holding(result, [HeldKind(p.hash, p.kind, p.total) for p in held if p.company == owners[result.directory]])
        for result in results
    )


def _holding(result: RunResult, deliveries: list[HeldKind]) -> RunResult:
    held = [*(hold for hold in result.held if hold.kind != DELIVERY), *deliveries]
    if held == result.held or result.outcome not in ENDED:
        return result
    if held:
        outcome = "partly_held" if result.actions_total else "held"
    else:
        outcome = "applied" if result.actions_total else "nothing_to_do"
    return msgspec.structs.replace(result, held=held, outcome=outcome)


def queue(app: "App", wanted: Wanted) -> Synced:
    """Ask for passes and do not wait: whoever runs the directories does them at once (Z9)."""
    if through_daemon.daemon_runs(app):
        problems = through_daemon.read_policies(app, app.clock() + wanted.timeout)
    else:
        problems = load(app)
    directories = chosen(app, wanted.directories, problems)
    if frozen := set(wanted.directories) - set(through_daemon.ask(app, directories, full=wanted.full)):
        raise Conflict(f"{', '.join(sorted(frozen))}: frozen or retired; nothing is changed for it")
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


@dataclass(frozen=True)
class _Joined:
    """A pass over one directory to its end. While somebody else runs one, its end is waited for, and then ours is run,
    which sees what it left. Where the directory asks for a pause that ends before the deadline, another one is run
    after it; where a pass left something to be done at once, like mailboxes to ask for, it goes on with that."""

    app: "App"
    directory: str
    asked: Asked
    deadline: datetime
    run: Callable[[], RunResult]

    def __call__(self) -> RunResult:
        app, done = self.app, None
        while True:
            result = self.run()
            if done is not None:
                result = _together(done, result)
            if result.outcome in ENDED and not self.asked.dry and self._goes_on():
                done = result
                continue
            pause = timedelta(seconds=result.retry_after or 0)
            waits = result.outcome == "busy" or bool(pause)
            if not waits or app.clock() + pause >= self.deadline or app.stopping.is_set():
                return result
            why = "leaving the directory alone, as it asks" if pause else "waiting for a run that is under way"
            self.asked.progress(why, 0)
            _sleep(app, pause or POLL)

    def _goes_on(self) -> bool:
        return _goes_on(self.app, self.directory) and self.app.clock() < self.deadline


def _in_this_process(app: "App", wanted: Wanted, directory: str, deadline: datetime) -> _Joined:
    asked = _asked(wanted, directory)
    return _Joined(app, directory, asked, deadline, lambda: sync(app, directory, asked))


def _goes_on(app: "App", directory: str) -> bool:
    """Whether the pass that ended left something to be done at once."""
    with app.store.read() as tx:
        row = tx.directories.by_id(directory)
    return row.due_at <= micros(app.clock()) and not app.stopping.is_set()


def _together(first: RunResult, then: RunResult) -> RunResult:
    """Two passes over a directory as one result; who waited in the first and was served in the second waited not."""
    served = {action.account for action in then.actions}
    before = [action for action in first.actions if action.kind != "wait" or action.account not in served]
    return msgspec.structs.replace(
        then,
        outcome=first.outcome if then.outcome == "nothing_to_do" else then.outcome,
        mode=first.mode,
        seen=first.seen + then.seen,
        changed=first.changed + then.changed,
        actions=[*before, *then.actions][:REPORTED],
        actions_total=first.actions_total - (len(first.actions) - len(before)) + then.actions_total,
        plan_hash=then.plan_hash if then.actions_total else first.plan_hash,
    )


def _sleep(app: "App", long: timedelta) -> None:
    """Wait, in steps that notice a stop."""
    until = app.clock() + long
    while app.clock() < until and not app.stopping.is_set():
        app.sleep(min(POLL, until - app.clock()).total_seconds())


@contextmanager
def _stopped_by_a_person(app: "App") -> Iterator[None]:
    """Ctrl-C takes effect before the next write of each run (Z10); then the runs are waited for."""
    try:
        yield
    except KeyboardInterrupt:
        app.stopping.set()
        raise
