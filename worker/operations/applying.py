"""Judging and applying what a run proposed, in one transaction (Z1, D1, L1)."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from policies.judging import Judgement, Recent, judge
from policies.model import License, Limited
from policies.stock import Stock
from worker.operations.buying import buy
from worker.operations.exchanging import exchange_expired
from worker.operations.holding import hold, withdraw_rejected
from worker.operations.pools import in_line, serve_companies, serve_returning
from worker.operations.runs import Run
from worker.operations.serving import CHUNK, Service, Tally, stock_of

if TYPE_CHECKING:
    from store.transaction import Transaction

DAY = 24 * 3_600 * 1_000_000
LARGE = 1_000
"""Changes from which on the database is told anew how many licenses there are."""
JUDGED = (Limited.ARCHIVE, Limited.RELEASE)
"""The kinds of a directory's plan that limits count; purchases are judged when the shortage is known."""


def open_service(tx: "Transaction", run: Run) -> Service:
    """The company's stock, held for this run: nobody else gives out the pool's seats until the transaction ends. Who
    holds a seat of a lot that has just ended comes before everybody whom the run could serve (M9)."""
    company, pool = run.directory.company, run.directory.pool
    tx.lots.lock_pool(pool)
    if tx.exchanges.is_due(pool, run.now):
        exchange_expired(run.app, tx, pool, run.now)
    stock = stock_of(tx, company, pool, run.in_force, run.now)
    return Service(tx, company, run.in_force, run.batch, run.now, stock, unread=run.unread)


def enough_for_all(tx: "Transaction", run: Run, stock: Stock) -> bool:
    """Whether there are seats for everybody who could want one, so that who comes first decides nothing: then seats
    are given while the plan is made, and a first read of a million accounts need not be sorted first."""
    if stock.rule_room or any(room is not None for room in stock.company_room.values()):
        return False
    others = tx.holdings.waiting_in_pool(run.directory.pool)
    wanted = tx.mirror.live(run.directory.key) + others
    given = {rule.license for rule in run.in_force.policy.rules if rule.license is not None}
    return all(stock.free(license) >= wanted for license in given)


def apply(tx: "Transaction", run: Run, approved: Mapping[str, frozenset[int]], service: Service | None = None) -> Tally:
    """Apply the run's proposals: hold what is beyond a limit, serve the rest, buy what is short.

    `approved` names, by kind, accounts whose change a person approved by its hash. `service` is the one that was
    opened to give seats while the plan was made.
    """
    if service is None:
        service = open_service(tx, run)
    withdraw_rejected(tx, run)
    judgement = _judge(tx, run, approved)
    for verdict in judgement.held:
        hold(tx, run, verdict, approved.get(verdict.kind.value, frozenset()))
    if not run.unread:
        tx.plans.supersede_others(run.directory.key, [verdict.kind.value for verdict in judgement.held], run.now)
    service.skip = frozenset(verdict.kind.value for verdict in judgement.held)
    _serve(tx, run, service, approved)
    buy(tx, service, run.directory.pool)
    _note(tx, run, service.tally)
    if service.tally.total > LARGE:
        tx.dialect.analyze(tx.connection, "assignment")
    tx.proposals.drop(run.batch)
    return service.tally


def _serve(tx: "Transaction", run: Run, service: Service, approved: Mapping[str, frozenset[int]]) -> None:
    _leave_the_line(tx, run, service)
    service.release(tx.proposals.to_release(run.batch))
    service.keep_reasons(tx.proposals.to_rename(run.batch))
    if approved:
        service.skip = frozenset()
    service.serve_returning()
    _serve_in_turn(tx, run, service)


def _leave_the_line(tx: "Transaction", run: Run, service: Service) -> None:
    """Who waits for nothing any more, or for what no stock can give, is not served by what others give back."""
    settled = tx.proposals.of_kind(run.batch, "settle")
    while some := [proposal.account for proposal in islice(settled, CHUNK)]:
        tx.holdings.settle(some)
    graces = tx.proposals.of_kind(run.batch, "grace")
    while begun := list(islice(graces, CHUNK)):
        tx.holdings.start_graces(run.directory.key, begun, run.now)
    for proposal in tx.proposals.of_kind(run.batch, "wait"):
        service.wait(proposal, proposal.reason or "", run.directory.key)
    service.flush()


def _serve_in_turn(tx: "Transaction", run: Run, service: Service) -> None:
    """Serve the companies that share the pool: those of all who return first (M9), then by who has waited longest, and
    those who are new with their company (M8)."""
    pool = run.directory.pool
    if pool == 0 and service.has_free_seats:
        others = [c for c in tx.directories.waiting_for(pool, returning=True) if c != service.company]
        if serve_returning(run.app, tx, pool, others, run.now).total:
            service.stock = stock_of(tx, service.company, pool, run.in_force, run.now)
    before, after = in_line(tx, pool, service) if service.has_free_seats else ([], [])
    if serve_companies(run.app, tx, pool, before, run.now).total:
        service.stock = stock_of(tx, service.company, pool, run.in_force, run.now)
    service.serve_new()
    if service.has_free_seats:
        serve_companies(run.app, tx, pool, after, run.now)


def _judge(tx: "Transaction", run: Run, approved: Mapping[str, frozenset[int]]) -> Judgement:
    """What the limits say of this run's removals (Z1). Who waits only for an archived seat was let through already,
    and counts as done. What is newer than a hold that a person approves is judged together with it, and stays held."""
    company, now = run.directory.company, run.now
    wanted: dict[Limited, int] = {}
    recent: dict[Limited, Recent] = {}
    for kind in JUDGED:
        shown = approved.get(kind.value, frozenset())
        wanted[kind] = tx.proposals.judged(run.batch, kind.value, shown)
        if wanted[kind] > 0:
            wanted[kind] += len(shown)
            done, held = tx.plans.recent(company, kind.value, License.STANDARD.value, now)
            recent[kind] = Recent(done + tx.holdings.in_line(company, kind.value, now - DAY), held)
    return judge(wanted, run.in_force.policy.safety, recent)


def _note(tx: "Transaction", run: Run, tally: Tally) -> None:
    """Remember what limits will count."""
    company = run.directory.company
    for (kind, license), number in sorted(tally.removed.items()):
        tx.plans.note_removals(company, kind, license, number, run.now)
    for license, change in sorted(tally.moved.items()):
        if change:
            tx.plans.note_movement(company, license, change, run.now)
