"""One pass over one directory: lease, pull, plan, judge, apply (Z5, Z9).

The run reads state, never events: what a crash interrupted, the next run finishes. An idle pass is two updates of
the directory's own row, and no other write (Z12).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.base import Directory
from connectors.errors import ConnectorError, NeedsPerson, Transient
from policies.document import group_refs, unit_refs
from store.briefings import Briefing, briefings
from store.directories import FAILING, NEVER_RUN, DirectoryRow
from store.errors import Conflict, LeaseLost
from store.groups import Binding
from store.leases import Idle, Lease
from store.plans import HeldPlan
from store.times import micros, rfc3339
from worker.errors import Stopped, Usage
from worker.operations.applying import apply, enough_for_all, open_service
from worker.operations.asking_mailboxes import Answers, ask_mailboxes, next_mailbox
from worker.operations.grouping import Grouped, Resolved, pull_groups, resolved_at_once
from worker.operations.merging import merge
from worker.operations.planning import basis_of, due_whole, plan
from worker.operations.policies import InForce, of_version
from worker.operations.pulling import (
    Pulled,
    confirm_absence,
    confirm_departures,
    due_to_be_read_whole,
    pull_accounts,
    settle_disputed,
)
from worker.operations.runs import HeldKind, Run, RunResult
from worker.operations.shared_mailboxes import names_of, reading
from worker.operations.units import Units, list_units

if TYPE_CHECKING:
    from policies.document import DirectoryEntry
    from store.transaction import Transaction
    from worker.bootstrap import App

NONE: Mapping[str, frozenset[int]] = {}


@dataclass(frozen=True)
class Asked:
    """What a pass is asked to do."""

    full: bool = False
    """Read everybody."""
    whole: bool = False
    """Plan everybody."""
    dry: bool = False
    approving: HeldPlan | None = None
    """A hold that a person approves: then nothing is pulled, and its actions go ahead whatever the limit says (Z1)."""
    who: str = "system"
    progress: Callable[[str, int], None] = lambda _step, _n: None


class _RolledBack(Exception):
    """Ends the transaction of a dry run (Z3)."""


def sync(app: "App", directory: str, asked: Asked = Asked()) -> RunResult:
    """Take the directory's lease and run one pass over it; `busy` when somebody else has it."""
    lease = _take(app, directory)
    if lease is None:
        return RunResult(directory, None, "busy", error="a run over this directory is under way")
    return sync_leased(app, directory, lease, asked)


def sync_leased(
    app: "App", directory: str, lease: Lease, asked: Asked = Asked(), briefing: Briefing | None = None
) -> RunResult:
    """Run one pass under a lease that this process holds, and hand the lease back. `briefing`: as it was read after
    the lease was taken."""
    try:
        run = _begin(app, directory, lease, asked, briefing)
    except Usage as refused:
        with app.store.begin() as tx:
            tx.leases.release(lease)
        return RunResult(directory, None, "failed", error=str(refused))
    try:
        _pass(run, asked)
    except (ConnectorError, Stopped, LeaseLost, Conflict) as problem:
        _failed(run, problem)
    return run.result


def _take(app: "App", directory: str) -> Lease | None:
    with app.store.begin() as tx:
        row = tx.directories.by_id(directory)
        return tx.leases.take(row.key, app.owner, micros(app.clock()), app.lease)


def _begin(app: "App", directory: str, lease: Lease, asked: Asked, briefing: Briefing | None) -> Run:
    policy = None if briefing is None else app.policies.get(briefing.row.policy or 0)
    if briefing is None or policy is None:
        with app.store.read() as tx:
            briefing = briefing or briefings(tx, [lease.directory])[lease.directory]
            policy = of_version(app, tx, briefing.row.policy)
    row = briefing.row
    if row.retired or row.state == "frozen":
        raise Usage(f"{directory} is {'retired' if row.retired else 'frozen'}; nothing is changed for it")
    entry = None if policy is None else policy.entry(directory)
    if policy is None or entry is None:
        raise Usage(f"no policy in force has a directory {directory}")
    run_id = f"{directory}-{lease.fence}"
    full = asked.full or _reads_otherwise(app, row, policy, entry) or due_to_be_read_whole(row, micros(app.clock()))
    unread = asked.approving is not None and row.state in (FAILING, NEVER_RUN)
    return Run(app, run_id, briefing, row, entry, policy, lease, full, asked.whole, asked.dry, asked.progress, unread)


def _reads_otherwise(app: "App", row: DirectoryRow, policy: InForce, entry: "DirectoryEntry") -> bool:
    """Whether accounts may be read otherwise than by the policy that was planned by last (S6)."""
    if row.planned_policy == policy.version or not app.has_org_units(entry.kind):
        return False
    if entry.shared_mailboxes_are is not None or unit_refs(policy.policy, entry):
        return True
    with app.store.read() as tx:
        before = of_version(app, tx, row.planned_policy)
    earlier = None if before is None else before.entry(row.id)
    return earlier is not None and earlier.shared_mailboxes_are is not None


def _pass(run: Run, asked: Asked) -> None:
    run.step("leased")
    if asked.approving is not None:
        return _approved(run, asked.approving, asked.who)
    connector = run.app.open_directory(run.entry, run.in_force.provider)
    units = list_units(run, connector)
    run.full = run.full or (units is not None and bool(units.new))  # accounts are placed as they are read
    pulled = pull_accounts(run, connector, reading(run, connector, units))
    run.result.seen, run.result.mode = pulled.seen, "full" if pulled.full else "delta"
    settle_disputed(run, connector, pulled)
    confirm_absence(run, connector, pulled)
    if pulled.held is not None and not _believed(run, pulled):
        return _hold_read(run, pulled)
    grouped = pull_groups(run, connector)
    if grouped is not None and grouped.left:
        confirm_departures(run, connector, pulled, grouped.left)
    answers = ask_mailboxes(run, connector, pulled)
    run.step("pulled")
    names, holds = _standing(run, pulled, grouped, units)
    if _idle(run, pulled, grouped, answers, names, holds):
        return _release_idle(run, pulled, grouped, names, holds)
    if asked.dry:
        return _rehearse(run, connector, pulled, grouped, answers, units)
    with run.app.store.begin() as tx:
        run.guard(tx)
        merge(tx, run, connector, pulled, grouped, answers, units)
    run.step("merged")
    _plan_and_apply(run, grouped, answers, units)


def _standing(
    run: Run, pulled: Pulled, grouped: Grouped | None, units: Units | None
) -> tuple[Resolved, list[HeldKind]]:
    """What names come to, and what waits for a person. Where nothing was read, that is known from the beginning."""
    names = resolved_at_once(run, grouped) if pulled.empty and not _has_units(run) else None
    if names is not None:
        return names, [HeldKind(plan.hash, plan.kind, plan.total) for plan in run.briefing.holds]
    with run.app.store.read() as tx:
        return names_of(tx, run, grouped, units), _holds(tx, run)


def _has_units(run: Run) -> bool:
    return run.app.has_unit_ids(run.entry.kind) and bool(unit_refs(run.in_force.policy, run.entry))


def _approved(run: Run, held: HeldPlan, who: str) -> None:
    """Plan again over the mirror as it is, and apply what was approved if all of it is still proposed (Z1).

    Nothing is read, so a directory that fails is as it was: it fails, its last read is as old (R4), and nobody else in
    it gains or loses anything (Z2, M9).
    """
    with run.app.store.begin() as tx:
        run.guard(tx)
        tx.directories.plan_whole(run.directory.key)
        grouped = _known_groups(tx, run)
        accounts = tx.plans.accounts(held)
        tx.plans.approve(held, who, run.now)
        _decide(tx, run, grouped, {held.kind: accounts}, held)
        _finish_unread(tx, run)
    run.app.mark("applied")


def _known_groups(tx: "Transaction", run: Run) -> Grouped | None:
    """The groups as they were last read. One that a name was bound to since is not known yet."""
    refs = group_refs(run.in_force.policy, run.entry)
    if not refs:
        return None
    read = tx.groups.keys(run.directory.key)
    known = {
        ref: binding if binding.group_id is None or binding.group_id in read else Binding(ref, None, "missing")
        for ref, binding in tx.groups.bindings(run.directory.key).items()
    }
    return Grouped({ref: known.get(ref, Binding(ref, None, "missing")) for ref in refs}, [])


def _idle(
    run: Run, pulled: Pulled, grouped: Grouped | None, answers: Answers, names: Resolved, holds: list[HeldKind]
) -> bool:
    """Whether the read brought nothing, and nothing else has to be looked at. A held purchase has: it is withdrawn
    when nothing is short any more."""
    row = run.directory
    awake = row.plan_some or (row.wake_at is not None and row.wake_at <= run.now)
    quiet = pulled.empty and (grouped is None or grouped.empty) and not answers.asked and answers.problem is None
    buys = any(hold.kind == "purchase" for hold in holds)
    settled = row.state == "healthy" and row.groups_hash == names.hash
    return quiet and not awake and not buys and settled and not due_whole(run)


def _release_idle(run: Run, pulled: Pulled, grouped: Grouped | None, names: Resolved, holds: list[HeldKind]) -> None:
    groups_cursor = run.directory.groups_cursor if grouped is None else grouped.cursor or run.directory.groups_cursor
    now, result = run.now, run.result
    result.held = holds
    _told(result, names)
    result.outcome = "dry_run" if run.dry else _outcome(result)
    if not run.dry and run.app.hand_back is not None:
        run.app.hand_back(Idle(run.lease, now, pulled.cursor, groups_cursor, _next_due(run, now), not run.hinted))
        return
    with run.app.store.begin() as tx:
        if run.dry:
            _hand_back(tx, run)
        else:
            due = _next_due(run, now)
            tx.leases.release_idle(run.lease, now, pulled.cursor, groups_cursor, due, read=not run.hinted)


def _hand_back(tx: "Transaction", run: Run) -> None:
    """Hand the lease back. Who asked for a pass still waits for it after a dry run, which is none (Z3)."""
    if run.dry:
        tx.leases.give_back([run.lease])
    else:
        tx.leases.release(run.lease)


def _holds(tx: "Transaction", run: Run) -> list[HeldKind]:
    """What stands in this directory's way until a person decides."""
    mine = (None, run.directory.id)
    return [
        HeldKind(plan.hash, plan.kind, plan.total)
        for plan in tx.plans.listing(company=run.directory.company)
        if plan.directory in mine
    ]


def _rehearse(
    run: Run,
    connector: Directory,
    pulled: Pulled,
    grouped: Grouped | None,
    answers: Answers,
    units: Units | None,
) -> None:
    """A dry run: the very transaction of a real one, rolled back (Z3)."""
    try:
        with run.app.store.begin() as tx:
            run.guard(tx)
            merge(tx, run, connector, pulled, grouped, answers, units)
            _decide(tx, run, grouped, units=units)
            raise _RolledBack
    except _RolledBack:
        run.result.outcome = "dry_run"
    with run.app.store.begin() as tx:
        tx.staging.drop(run.directory.key, pulled.walk.batch)
        tx.staging.drop_edges(run.batch)
        _hand_back(tx, run)


def _plan_and_apply(run: Run, grouped: Grouped | None, answers: Answers, units: Units | None) -> None:
    with run.app.store.begin() as tx:
        run.guard(tx)
        news = _decide(tx, run, grouped, units=units)
        _finish(tx, run, answers, news=news)
    run.app.mark("applied")


def _decide(
    tx: "Transaction",
    run: Run,
    grouped: Grouped | None,
    approved: Mapping[str, frozenset[int]] = NONE,
    approving: HeldPlan | None = None,
    units: Units | None = None,
) -> bool:
    """Plan, judge and apply; returns whether there is anything to tell that was not so before."""
    row = tx.directories.by_id(run.directory.id)
    run.directory = row
    names, before = names_of(tx, run, grouped, units), _holds(tx, run)
    changed = names.hash != row.groups_hash
    whole = due_whole(run) or changed
    service = None
    if whole and approving is None:
        service = open_service(tx, run)
        if not enough_for_all(tx, run, service.stock):
            service = None
    assign = None if service is None else service.assign
    plan(tx, run, basis_of(tx, run, names.suspended), whole=whole, assign=assign)
    run.step("planned")
    if approving is not None and (gone := tx.plans.no_longer_proposed(approving, run.batch)):
        raise Conflict(
            f"{gone} of the {approving.total} actions are no longer proposed; look at the plan that is held now"
        )
    if run.unread and approving is not None:
        tx.proposals.keep_only(run.batch, approving.kind, sorted(approved[approving.kind]))
    tally = apply(tx, run, approved, service)
    result = run.result
    result.actions, result.actions_total = tally.actions, tally.total
    result.plan_hash = tally.hash
    result.held = _holds(tx, run)
    result.outcome = _outcome(result)
    _told(result, names)
    tx.directories.planned(row.key, run.now, run.in_force.version, whole=whole)
    if changed:
        tx.groups.planned_with(row.key, names.hash, names.problem or names.warning, names.remedy)
    return changed or result.actions_total > 0 or result.changed > 0 or result.held != before


def _told(result: RunResult, names: Resolved) -> None:
    result.error, result.warning, result.remedy = names.problem, names.warning, names.remedy


def _outcome(result: RunResult) -> str:
    if result.held:
        return "partly_held" if result.actions_total else "held"
    return "applied" if result.actions_total else "nothing_to_do"


def _finish(tx: "Transaction", run: Run, answers: Answers, *, news: bool) -> None:
    """Record the run, if it has any news (Z12), and hand the lease back in the same transaction."""
    key, now = run.directory.key, run.now
    wake_at = _wakes(tx, run)
    if news:
        tx.directories.record_run(run.id, key, run.result, run.in_force.version, now)
    due = now if answers.more else min(at for at in (_next_due(run, now), wake_at) if at is not None)
    tx.directories.succeeded(key, now, due_at=max(due, now), wake_at=wake_at, read=not run.hinted)
    tx.leases.release(run.lease)


def _finish_unread(tx: "Transaction", run: Run) -> None:
    """The same where nothing was read: how well the directory is, and since when, stays as it is. What was not decided
    now is decided by the next run."""
    key = run.directory.key
    tx.directories.record_run(run.id, key, run.result, run.in_force.version, run.now)
    tx.directories.wakes(key, _wakes(tx, run))
    if run.unread:
        tx.directories.plan_whole(key)
    tx.leases.release(run.lease)


def _wakes(tx: "Transaction", run: Run) -> int | None:
    """When something ends by itself."""
    wake = (tx.holdings.next_grace(run.directory.key, run.now), next_mailbox(tx, run))
    return min((at for at in wake if at is not None), default=None)


def _next_due(run: Run, now: int) -> int:
    """When to poll again; with jitter, so that a fleet does not poll in step."""
    every = run.directory.every
    return now + every - int(every * 0.1 * run.app.random())


# --- what went wrong ---


def _believed(run: Run, pulled: Pulled) -> bool:
    """Whether a person approved this very reading (Z2)."""
    assert pulled.held is not None
    with run.app.store.read() as tx:
        return tx.plans.read_approved(run.directory.key, pulled.held.accounts)


def _hold_read(run: Run, pulled: Pulled) -> None:
    """A complete listing that cannot be right is not merged; a person decides (Z2)."""
    assert pulled.held is not None
    now = run.now
    with run.app.store.begin() as tx:
        run.guard(tx)
        tx.staging.drop(run.directory.key, pulled.walk.batch)
        digest = None
        if not run.dry:
            digest = tx.plans.hold_read(
                run.directory.company, run.directory.key, pulled.held.accounts, pulled.held.why, run.id, now
            )
            tx.directories.failed(
                run.directory.key, now, f"the listing is not believed: {pulled.held.why}",
                f"look at the directory; if it is right, seatkeeper plan approve {digest}",
                retry_at=_retry_at(run, now, None),
            )  # fmt: skip
        _hand_back(tx, run)
    run.result.outcome = "held"
    run.result.error = pulled.held.why
    if digest is not None:
        run.result.held = [HeldKind(digest, "read", len(pulled.held.accounts))]


def _failed(run: Run, problem: Exception) -> None:
    if isinstance(problem, Transient) and run.app.stopping.is_set():
        problem = Stopped()  # it is we who stopped, and nothing is wrong with the directory (Z10)
    run.result.outcome = "failed"
    run.result.error = str(problem)
    run.result.remedy = problem.remedy if isinstance(problem, NeedsPerson) else None
    if isinstance(problem, LeaseLost):
        return
    now = run.now
    after = problem.retry_after if isinstance(problem, Transient) else None
    if after:
        run.result.retry_after = after
        run.result.error += f"; it asks to be left alone until {rfc3339(now + int(after * 1_000_000))}"
    with run.app.store.begin() as tx:
        if not tx.leases.held(run.lease):
            return
        if isinstance(problem, ConnectorError) and not run.dry:
            tx.directories.failed(
                run.directory.key, now, run.result.error, run.result.remedy, retry_at=_retry_at(run, now, after)
            )
        _hand_back(tx, run)


def _retry_at(run: Run, now: int, after: float | None) -> int:
    return retry_at(run.directory, now, run.app.random(), after)


def retry_at(row: DirectoryRow, now: int, chance: float, after: float | None = None) -> int:
    """Growing delay, up to an hour; what the vendor asks for comes first (Z9)."""
    delay = min(row.every << min(row.failures, 12), max(row.every, 3_600_000_000))
    delay += int(delay * 0.1 * chance)
    return now + max(delay, int((after or 0) * 1_000_000))
