"""Laying a complete read over the mirror, with its cursors, in one transaction (Z2)."""

from typing import TYPE_CHECKING

from connectors.base import Directory
from connectors.errors import NeedsPerson, Transient
from store.errors import Conflict
from worker.operations.asking_mailboxes import AGAIN, Answers
from worker.operations.grouping import Grouped
from worker.operations.pulling import LOST, Pulled, is_staged
from worker.operations.runs import Run
from worker.operations.shared_mailboxes import decide_by_groups
from worker.operations.units import Units

if TYPE_CHECKING:
    from store.transaction import Transaction

LARGE = 500
"""New rows from which on the database is told how many there are, before it plans over them."""


def merge(
    tx: "Transaction",
    run: Run,
    directory: Directory,
    pulled: Pulled,
    grouped: Grouped | None,
    answers: Answers,
    units: Units | None = None,
) -> None:
    """Merge accounts, memberships and mailbox kinds, and keep the cursors that stand for them."""
    _is_staged(tx, run, pulled, grouped)
    key, now = run.directory.key, run.now
    first = run.directory.read_whole_at == 0 and pulled.full
    batch = _stage_rest(tx, run, pulled)
    changed = 0
    _bind(tx, run)
    if pulled.seen or pulled.full:
        if pulled.walk.staged > LARGE:
            tx.dialect.join_whole(tx.connection)
        if pulled.compared is None or not pulled.compared.alike:
            changed += _lay_over(tx, pulled, key, plan_whole=first)
        if directory.capabilities.mailbox_queue and _may_ask(pulled):
            tx.mirror.queue_mailboxes(key, batch, now, again=not pulled.full)
    _note_absent(tx, run, directory, pulled)
    if grouped is not None:
        changed += _merge_groups(tx, run, grouped)
    if units is not None:
        tx.units.bind(key, units.new, now)
    changed += _learn_mailboxes(tx, run, answers)
    changed += decide_by_groups(tx, run, directory, pulled, grouped, units)
    if batch != run.batch or pulled.seen or grouped is not None:
        tx.staging.drop(key, batch)
        tx.staging.drop_edges(run.batch)
    run.result.changed = changed
    tx.directories.save_read(
        key,
        now,
        cursor=pulled.cursor,
        groups_cursor=None if grouped is None else grouped.cursor,
        full=pulled.full,
        count_off=pulled.count_off,
        plan_whole=first,
        plan_some=changed > 0,
        mailbox_problem=answers.problem,
        mailbox_remedy=answers.remedy,
        mailboxes_asked=bool(answers.asked) or answers.problem is not None,
    )


def _lay_over(tx: "Transaction", pulled: Pulled, directory: int, *, plan_whole: bool) -> int:
    """Bring accounts up to what the walk told; returns how many that were."""
    batch = pulled.walk.batch
    tx.staging.collapse(batch, pulled.repeated, pulled.settled)
    merged = tx.mirror.merge(directory, batch, plan_whole=plan_whole)
    if merged.new > LARGE:
        tx.dialect.analyze(tx.connection, "account (directory, id)")
    return sum(merged)


def _may_ask(pulled: Pulled) -> bool:
    """Whether the walk told of mailboxes to be asked for: of any that changed, or whose kind is not known."""
    return pulled.compared is None or pulled.compared.open > 0 or not pulled.compared.alike


def _is_staged(tx: "Transaction", run: Run, pulled: Pulled, grouped: Grouped | None) -> None:
    is_staged(tx, pulled)
    if grouped is not None and tx.staging.lost_edges(run.batch, grouped.edges):
        raise Transient(LOST)


def _bind(tx: "Transaction", run: Run) -> None:
    """The first good read binds the directory to its tenant; no tenant has two directories (Z11)."""
    if run.tenant is None or run.directory.bound_to is not None:
        return
    try:
        tx.directories.bind(run.directory.key, run.tenant)
    except Conflict as taken:
        raise NeedsPerson(str(taken), remedy="keep one of the two directory ids, and retire the other") from None


def _stage_rest(tx: "Transaction", run: Run, pulled: Pulled) -> int:
    if pulled.rows:
        tx.staging.add(run.directory.key, pulled.walk, pulled.rows)
    return pulled.walk.batch


def _note_absent(tx: "Transaction", run: Run, directory: Directory, pulled: Pulled) -> None:
    """Those whom look-ups confirmed are gone; a directory without look-ups leaves them unknown (kind: file)."""
    key = run.directory.key
    for state, ids in pulled.states.items():
        tx.mirror.set_state(key, ids, state)
    if pulled.full and not directory.capabilities.absence_is_evidence:
        absent = [id for _, id in tx.mirror.absent(key, pulled.walk.batch, tx.mirror.live(key))]
        tx.mirror.set_state(key, absent, "unknown")


def _merge_groups(tx: "Transaction", run: Run, grouped: Grouped) -> int:
    key = run.directory.key
    tx.groups.bind(key, grouped.new, run.now)
    known = frozenset(tx.groups.gone(key))
    tx.groups.learn(key, [(g.id, g.name, g.address, g.gone) for g in grouped.found.values()])
    if any(group.gone and group.id not in known for group in grouped.found.values()):
        tx.directories.plan_whole(key)
    if not grouped.edges and not grouped.whole:
        return 0
    if grouped.edges > LARGE:
        tx.dialect.analyze(tx.connection, "stage_edge")
    return tx.groups.merge(key, run.batch, grouped.whole)


def _learn_mailboxes(tx: "Transaction", run: Run, answers: Answers) -> int:
    key, now = run.directory.key, run.now
    tx.mirror.pass_over_the_deleted(key, now, now + AGAIN)
    if not answers.asked:
        return 0
    keys = tx.mirror.keys_of(key, answers.asked)
    changed = {keys[id]: kind for id, kind in answers.changed().items() if id in keys}
    tx.mirror.learn_mailboxes(key, changed)
    tx.mirror.ask_mailboxes_at({keys[id]: answers.again_at(id, now) for id in answers.asked if id in keys})
    return len(changed)
