"""The clocks of a company: notices that are due, and backups that may go once every one was accepted (L4, R1-R4)."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from connectors.errors import ConnectorError
from policies.judging import Recent, Verdict
from policies.model import DELETED, FOUND, GONE, AccountId, License, Limit, Limited
from policies.retaining import step
from store.errors import Conflict
from store.notices import Due
from store.plans import HeldPlan
from store.retentions import PURGE, Running, as_proposals
from store.times import micros, span
from worker.operations.policies import InForce, in_force

if TYPE_CHECKING:
    from connectors.base import Directory
    from store.transaction import Transaction
    from worker.bootstrap import App

CHUNK = 10_000
LOOK_UP = 1_000
BY = "clocks"
"""What stands for a run on holds of clocks."""
BECAUSE = "its retention has ended"
_AGREES = {"deleted": (DELETED, GONE), "purged": (DELETED, GONE), "active": (FOUND,), "disabled": (FOUND,)}
"""What a look-up may say of an account for its clock to end, by how the mirror has it (R4)."""


def pass_clocks(app: "App", company: int, now: int) -> None:
    """Send the notices that are due, and let go what may go: what is beyond the limit waits for a person."""
    with app.store.begin() as tx:
        row = tx.directories.company_by_key(company)
        policy = in_force(app, tx, row.id)
        tx.lots.lock_pool(row.pool)
        if policy is None:
            return
        tx.retentions.lengthen(company, policy.version, span(policy.policy.licenses.retention))
        _send_notices(tx, company, now)
        ended = tx.retentions.run_out(company, now)
        sure = _unless_held(tx, company, policy, ended, now)
    if sure:
        _let_go(app, company, policy, sure, now)


def acknowledge(app: "App", ids: Sequence[str], who: str) -> list[str]:
    """A person has taken note of these notices; returns those that nobody had accepted before. Raises NotFound."""
    now = micros(app.clock())
    with app.store.begin() as tx:
        companies = {tx.notices.company_of(id) for id in ids}
        for pool in sorted({tx.directories.company_by_key(company).pool for company in companies}):
            tx.lots.lock_pool(pool)
        tx.audit.open(companies)
        return tx.notices.accept(list(dict.fromkeys(ids)), who, now)


def approve_purge(app: "App", plan: HeldPlan, who: str) -> None:
    """Let go what a person approved. Raises Conflict if one of these very clocks may not end any more."""
    now = micros(app.clock())
    with app.store.read() as tx:
        wanted = tx.plans.accounts(plan)
        policy = in_force(app, tx, tx.directories.company_id(plan.company))
        ready = [clock for clock in tx.retentions.run_out(plan.company, now) if clock.account in wanted]
    if policy is None or len(_agreed(app, policy, ready)) < len(wanted):
        raise Conflict("some of these clocks may not end any more, or the directory cannot confirm it; look again")
    with app.store.begin() as tx:
        tx.lots.lock_pool(tx.directories.company_by_key(plan.company).pool)
        ready = [clock for clock in tx.retentions.run_out(plan.company, now) if clock.account in wanted]
        if len(ready) < len(wanted):
            raise Conflict("some of these clocks may not end any more; look again")
        tx.plans.approve(plan, who, now)
        tx.retentions.purge(plan.company, ready, who, BECAUSE, now)


def _send_notices(tx: "Transaction", company: int, now: int) -> None:
    while clocks := tx.retentions.due(company, now, CHUNK):
        steps = [(clock, step(clock.clock, now)) for clock in clocks]
        tx.notices.send(company, [Due(clock, next.notice) for clock, next in steps if next.notice is not None], now)
        tx.retentions.look_at_again([(clock.account, next.notice, next.next_at) for clock, next in steps])


def _unless_held(tx: "Transaction", company: int, policy: InForce, ended: Sequence[Running], now: int) -> list[Running]:
    """Those that a limit lets pass; the others are held, a directory each. What a person took by hand was counted
    then (L5)."""
    counted = [clock for clock in ended if clock.license == License.STANDARD]
    verdict = _judged(tx, company, policy, counted, now)
    for directory, clocks in _by_directory(counted) if verdict is not None else ():
        tx.plans.hold(
            company=company, directory=directory, kind=PURGE, actions=as_proposals(clocks, now),
            why="" if verdict is None else verdict.why, run=BY, policy=policy.version, now=now,
        )  # fmt: skip
    still = {clock.directory for clock in counted} if verdict is not None else set()
    for row in tx.directories.all(company):
        if row.key not in still:
            tx.plans.withdraw(row.key, PURGE, now)
    return list(ended) if verdict is None else [clock for clock in ended if clock.license != License.STANDARD]


def _judged(tx: "Transaction", company: int, policy: InForce, clocks: Sequence[Running], now: int) -> Verdict | None:
    """What the limit says against it: its share is of the standard licenses, its number is for all (Z1)."""
    limit = policy.policy.safety.of(Limited.PURGE)
    recent = {license: tx.plans.recent(company, PURGE, license.value, now) for license in License}
    done, held = (sum(numbers) for numbers in zip(*recent.values(), strict=True))
    verdicts = (
        Verdict(Limited.PURGE, len(clocks), recent[License.STANDARD], limit),
        Verdict(Limited.PURGE, len(clocks), Recent(done, held), Limit(limit.most)),
    )
    return next((verdict for verdict in verdicts if not verdict.passes), None)


def let_go_by_hand(
    app: "App", company: int, policy: InForce, accounts: Collection[int], who: str, because: str
) -> None:
    """Let go what a person has just taken the archived licenses of, and was counted then (L5)."""
    now = micros(app.clock())
    with app.store.read() as tx:
        ended = [clock for clock in tx.retentions.run_out(company, now) if clock.account in accounts]
    if ended:
        _let_go(app, company, policy, ended, now, who, because)


def _let_go(
    app: "App",
    company: int,
    policy: InForce,
    sure: Sequence[Running],
    now: int,
    who: str = "system",
    because: str = BECAUSE,
) -> None:
    """Ask the directory once more, and tell the engine (R4)."""
    agreed = _agreed(app, policy, sure)
    if not agreed:
        return
    with app.store.begin() as tx:
        tx.lots.lock_pool(tx.directories.company_by_key(company).pool)
        clocks = [clock for clock in tx.retentions.run_out(company, now) if clock.account in agreed]
        if not clocks:
            return
        tx.retentions.purge(company, clocks, who, because, now)
        if standard := sum(clock.license == License.STANDARD for clock in clocks):
            tx.plans.note_removals(company, PURGE, License.STANDARD.value, standard, now)


def _agreed(app: "App", policy: InForce, clocks: Sequence[Running]) -> Collection[int]:
    """The accounts of which their directory says right now what it said when it was read. One that cannot look
    accounts up has nothing to say; one that cannot be asked agrees to nothing."""
    agreed: set[int] = set()
    for key, some in _by_directory(clocks):
        with app.store.read() as tx:
            entry = policy.entry(tx.directories.by_key(key).id)
        if entry is None:
            continue
        try:
            agreed |= _confirmed(app.open_directory(entry, policy.provider), some)
        except ConnectorError:
            continue  # the directory's next pass says what is wrong with it; nothing of it goes meanwhile
    return agreed


def _confirmed(connector: "Directory", clocks: Sequence[Running]) -> set[int]:
    if not connector.capabilities.look_up:
        return {clock.account for clock in clocks}
    by_id = {clock.id: clock for clock in clocks}
    return {
        by_id[sighting.id].account
        for ids in _chunks([AccountId(id) for id in by_id])
        for sighting in connector.look_up(ids)
        if sighting.seen in _AGREES.get(by_id[sighting.id].state, ())
    }


def _chunks(ids: Sequence[AccountId]) -> "list[Sequence[AccountId]]":
    return [ids[start : start + LOOK_UP] for start in range(0, len(ids), LOOK_UP)]


def _by_directory(clocks: Sequence[Running]) -> list[tuple[int, list[Running]]]:
    ordered = sorted(clocks, key=_directory)
    return [(directory, list(some)) for directory, some in groupby(ordered, key=_directory)]


def _directory(clock: Running) -> int:
    return clock.directory
