"""What people do about licenses by hand: one account, many, or all that match a filter, in one transaction (L6-L8).

A request is done whole or refused whole, unless as many as fit were asked for. Beyond a safety limit it is held whole,
whoever asks (Z1). Seats that come free serve those who wait, at once (M9).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from policies.judging import Verdict
from policies.model import License
from store.by_hand import Subject
from store.errors import Conflict
from store.times import micros
from worker.errors import Usage
from worker.operations.hand_limits import beyond, hold
from worker.operations.hand_writing import write
from worker.operations.handing import NEEDS_STOCK, RELEASE, Intent, Part, less, person_of, takes_archived
from worker.operations.policies import in_force
from worker.operations.pools import open_pools, serve_pool
from worker.operations.requests import Request, intents, unfit
from worker.operations.retaining import let_go_by_hand
from worker.operations.runs import HeldKind
from worker.operations.selecting import Selection, select
from worker.operations.serving import stock_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App


class Touched(msgspec.Struct, frozen=True):
    """An account, as an answer names it."""

    id: str
    address: str
    directory: str


class LeftOut(msgspec.Struct, frozen=True):
    """An account for which nothing was done, and why: a reason of waiting, `user_pool` (M2), or a sentence."""

    id: str
    address: str
    directory: str
    reason: str


@dataclass
class Done:
    """What became of a request."""

    wanted: int = 0
    free: int = 0
    assigned: list[Touched] = field(default_factory=list)
    """Those who hold another license now than before, by address; in each company, where there are several."""
    left_out: list[LeftOut] = field(default_factory=list)
    """Those who got none, in the order in which they would have been served."""
    deactivated: list[Touched] = field(default_factory=list)
    marked: int = 0
    """Accounts whose license stays and that only follow somebody else's word from now on."""
    unchanged: int = 0
    passed_over: list[LeftOut] = field(default_factory=list)
    """Those who match the filter and cannot be meant."""
    held: list[HeldKind] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)
    """What was done for those who waited, with the seats that came free, by kind."""
    refused: tuple[str, ...] = ()
    """Why the whole was refused: the reasons of those for whom there was nothing."""

    @property
    def short(self) -> int:
        return max(0, self.wanted - self.free)


@dataclass(frozen=True)
class Preview:
    """What a request is about, for the question that a person is asked first."""

    seen: Mapping[int, str | None]
    """What each account holds, by key."""
    retention: tuple[timedelta, ...]
    """How long standard backups are kept afterwards, in the companies concerned."""
    linked: int = 0
    """Accounts whose backups go with those of the archived ones (D5)."""

    def holding(self, license: str | None) -> int:
        return sum(held == license for held in self.seen.values())


class _Refused(Exception):
    """Rolls a request back that asks for more than there is."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


def by_hand(app: "App", request: Request, who: str) -> Done:
    """Do what a person wants, hold it, or refuse it; in the latter two cases no license changes.

    Raises Usage for accounts for which it makes no sense, NotFound and Ambiguous for names, Conflict where what the
    person has seen is so no more, and UnderLegalHold.
    """
    try:
        with app.store.begin() as tx:
            done, parts = _do(app, tx, request, who)
    except _Refused as refused:
        return refused.done
    let_go(app, parts, who)
    return done


def let_go(app: "App", parts: Sequence[Part], who: str) -> None:
    """Tell the engine at once that backups may go whose archived licenses a person took, after being told what it means
    (L5). Where the directory was not read lately, or does not confirm it now, the clocks have ended, and nobody is told
    before it does (R4)."""
    for part in parts:
        doomed = {settled.intent.subject.key for settled in part.settled if takes_archived(settled.intent)}
        if doomed:
            because = f"archived license deactivated by {person_of(who)}"
            let_go_by_hand(app, part.company.key, part.in_force, doomed, who, because)


def preview(app: "App", request: Request) -> Preview:
    """What a request is about. Raises what `by_hand` raises for its accounts."""
    with app.store.read() as tx:
        found = select(tx, request.meant, unfit(request), micros(app.clock()), lock=False)
        policies = [in_force(app, tx, tx.directories.company_id(company)) for company in found.companies]
        kept = {policy.policy.licenses.retention for policy in policies if policy is not None}
        archived = [subject.key for subject in found.subjects if subject.license == License.ARCHIVED]
        linked = len(tx.links.covered_by(archived))
    return Preview({subject.key: subject.license for subject in found.subjects}, tuple(sorted(kept)), linked)


def _do(app: "App", tx: "Transaction", request: Request, who: str) -> tuple[Done, list[Part]]:
    now = micros(app.clock())
    found = select(
        tx, request.meant, unfit(request), now,
        lock=True, locked_are=lambda directories: open_pools_of(app, tx, directories, now),
    )  # fmt: skip
    _as_seen(found, request.seen)
    wished = {company: list(intents(found.of(company), request, person_of(who))) for company in found.companies}
    parts = work_out(app, tx, wished, who)
    done = _told(parts, found)
    if done.left_out and not request.as_many_as_fit:
        reasons = tuple(sorted({left.reason for left in done.left_out}))
        raise _Refused(Done(wanted=done.wanted, free=done.free, passed_over=done.passed_over, refused=reasons))
    verdict = _beyond(parts)
    if verdict is not None:
        done.held = [held for part in parts for held in hold(part, verdict.why)]
        done.assigned, done.deactivated, done.marked = [], [], 0
        return done, []
    done.served = carry_out(app, tx, parts)
    return done, parts


def open_pools_of(app: "App", tx: "Transaction", directories: Collection[int], now: int) -> None:
    """Lock the pools that accounts of these directories draw from; nobody is passed over who comes before them (M9)."""
    open_pools(app, tx, {row.pool for row in tx.directories.by_keys(sorted(directories))}, now)


def work_out(app: "App", tx: "Transaction", intents: Mapping[int, Sequence[Intent]], who: str) -> list[Part]:
    """Lock the pools, then the record, and work out what each company's accounts come to. Companies that share a pool
    are served in the order of their keys."""
    companies = [tx.directories.company_by_key(company) for company in sorted(intents)]
    pools = sorted({company.pool for company in companies})
    for pool in pools:
        tx.lots.lock_pool(pool)
    tx.audit.open({*intents, *(waiting for pool in pools for waiting in tx.directories.waiting_for(pool))})
    now, parts = micros(app.clock()), list[Part]()
    for company in companies:
        policy = in_force(app, tx, company.id)
        if policy is None:
            raise Usage(f"{company.id} has no policy in force; `seatkeeper policy check` says why")
        stock = stock_of(tx, company.key, company.pool, policy, now)
        for part in parts:
            stock = less(stock, part.seats_moved)
        part = Part(tx, company, policy, who, now, stock)
        part.work_out(intents[company.key])
        parts.append(part)
    return parts


def carry_out(app: "App", tx: "Transaction", parts: Sequence[Part], *, approved: bool = False) -> dict[str, int]:
    """Write what was worked out, then serve whoever waits for what came free; returns what that was, by kind."""
    for part in parts:
        write(part, approved=approved)
    served: dict[str, int] = {}
    for pool in sorted({part.company.pool for part in parts if any(s.changes_license for s in part.settled)}):
        for kind, number in serve_pool(app, tx, pool, parts[0].now).counts.items():
            served[kind] = served.get(kind, 0) + number
    return served


def _as_seen(found: Selection, seen: Mapping[int, str | None] | None) -> None:
    if seen is not None and {subject.key: subject.license for subject in found.subjects} != seen:
        raise Conflict("some of these accounts have changed since you were asked; nothing was done, look again")


# --- what it comes to ---


def _beyond(parts: Sequence[Part]) -> Verdict | None:
    return next((verdict for verdict in map(beyond, parts) if verdict is not None), None)


def _told(parts: Sequence[Part], found: Selection) -> Done:
    done = Done(wanted=sum(part.wanted for part in parts))
    done.left_out = [_left_out(subject, reason) for part in parts for subject, reason in part.left_out]
    done.passed_over = [_left_out(subject, why) for subject, why in found.passed_over]
    done.free = done.wanted - len(done.left_out) if done.left_out else done.wanted + _left(parts)
    settled = [each for part in parts for each in part.settled]
    done.assigned = [touched(s.intent.subject) for s in settled if s.intent.kind in NEEDS_STOCK]
    done.deactivated = [touched(s.intent.subject) for s in settled if s.intent.kind == RELEASE]
    done.marked = len(settled) - len(done.assigned) - len(done.deactivated)
    if not done.wanted:
        done.wanted = done.free = len(done.deactivated)
    done.unchanged = len(found.subjects) - len(settled) - len(done.left_out)
    return done


def _left(parts: Sequence[Part]) -> int:
    """What is left in each pool once all have had theirs, as its last company sees it."""
    return sum({part.company.pool: part.left for part in parts}.values())


def touched(subject: Subject) -> Touched:
    """How an answer names an account."""
    return Touched(subject.id, subject.address, subject.directory_id)


def _left_out(subject: Subject, reason: str) -> LeftOut:
    return LeftOut(subject.id, subject.address, subject.directory_id, reason)
