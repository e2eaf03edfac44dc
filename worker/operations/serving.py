"""Serving seats and entitlements: who gets one and who waits, written down with its audit (L1, D1, G5, M9, S2)."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING

from policies.model import License, Source, Through, WaitReason
from policies.planner import Proposal
from policies.stock import Claim, FreeLot, Outcome, Stock
from store.exchanges import EXCHANGE
from store.holdings import Change, Held, Wait
from store.lots import TRIAL
from store.proposals import Wanted
from store.times import span
from worker.operations.policies import InForce
from worker.operations.runs import REPORTED, AccountName, Action

if TYPE_CHECKING:
    from store.transaction import Transaction

CHUNK = 10_000
NO_BATCH = 0
"""No run proposes under this number."""
STAGES = ((0, 19), (20, 21), (22, 29), (30, 89))
"""Ranks served together: what gives seats back comes before what needs them (M9)."""
STOCKS = tuple((license.value, through.value) for license in License for through in Through)
UNBOUNDED = 100_000
COUNTED = ("archive", "release")
"""The kinds of change that safety limits count here."""
_STANDARD, _SEAT = License.STANDARD.value, Through.SEAT.value


@dataclass
class Tally:
    """What was done, for the result: the first actions, how many there were, and the hash of all of them."""

    actions: list[Action] = field(default_factory=list)
    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    removed: dict[tuple[str, str], int] = field(default_factory=dict)
    """Changes that a safety limit counts, by kind and the license that was taken."""
    moved: dict[str, int] = field(default_factory=dict)
    """By how much the licenses held changed."""
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, done: Sequence[tuple[str, Proposal]]) -> None:
        """Count actions, each with its kind; called with many at a time, for a run may have a million."""
        self.total += len(done)
        for kind, number in Counter(kind for kind, _ in done).items():
            self.counts[kind] = self.counts.get(kind, 0) + number
        text = "\n".join([f"{kind}\0{p.id}\0{p.license}\0{p.because}" for kind, p in done])
        self._digest.update(text.encode())
        for kind, p in done[: max(0, REPORTED - len(self.actions))]:
            self.actions.append(Action(kind, AccountName(p.id, p.address), p.license, p.because))

    def add_order(self, license: str, because: str, estimate: str = "") -> None:
        """Count a purchase. Its estimate is shown, and changes with the days: the plan's hash does not."""
        self.total += 1
        self.counts["buy"] = self.counts.get("buy", 0) + 1
        self._digest.update(f"buy\0{license}\0{because}".encode())
        self.actions.append(Action("buy", None, license, f"{because}{estimate}"))

    @property
    def hash(self) -> str:
        """The name of the whole plan; neither times nor lots are in it."""
        return f"sha256:{self._digest.hexdigest()}"


@dataclass
class Service:
    """One company being served in one transaction."""

    tx: "Transaction"
    company: int
    in_force: InForce
    batch: int
    now: int
    stock: Stock
    tally: Tally = field(default_factory=Tally)
    skip: frozenset[str] = frozenset()
    """Kinds that a limit holds: they are not served from the line either."""
    unread: bool = False
    """Whether the run's own directory is as unwell as it was before."""
    _changes: list[Change] = field(default_factory=list)
    _waits: list[Wait] = field(default_factory=list)
    _done: list[tuple[str, Proposal]] = field(default_factory=list)
    _refused: list[Wanted] = field(default_factory=list)
    """Licenses whose reason would be another rule's, if that had room."""
    _nobody_waits: bool = False
    """Known since it was last asked for; forgotten with whatever is written."""

    # --- what needs no stock ---

    def release(self, wanted: Iterable[Wanted]) -> None:
        """Take licenses; what they rested on is free for those served after."""
        for want in wanted:
            before = _held(want)
            if before is None:
                continue
            self.stock.give_back(before.license, before.through, before.lot, before.source)
            self._change(want, before, None)
        self.flush()

    def keep_reasons(self, wanted: Iterable[Wanted]) -> None:
        """The same license because of another rule (G4), unless that one's limit is used up (G6)."""
        self._refused = [want for want in wanted if not self._keep_reason(want)]
        while self._keep_refused():
            pass
        self.flush()

    def _keep_reason(self, want: Wanted) -> bool:
        p, before = want.claim.proposal, _held(want)
        if before is None or not self.stock.rename(before.source, p.source):
            return before is None
        self._change(want, before, before._replace(source=p.source, because=p.because))
        return True

    def _keep_refused(self) -> bool:
        """Try those again for whom a rule had no room; another may have left it since."""
        refused = self._refused
        self._refused = [want for want in refused if not self._keep_reason(want)]
        return len(self._refused) < len(refused)

    # --- what needs stock ---

    @property
    def own(self) -> int:
        """The key of the directory whose run this is; 0 where none is."""
        return self.batch >> 32

    @property
    def well(self) -> int:
        """The key of the directory that is well whatever its state says, since this run has just read it; 0 is none."""
        return NO_BATCH if self.unread else self.own

    @property
    def has_free_seats(self) -> bool:
        """Whether anybody else could be served from the pool."""
        return any(self.stock.free(license.value) > 0 for license in License)

    def assign(self, proposals: Sequence[Proposal]) -> None:
        """Give seats to accounts that hold nothing, in the order given; there must be seats for all of them."""
        for proposal in proposals:
            want = Wanted(Claim(proposal), self.own, None, None, None, None)
            self._settle(want, self.stock.serve(want.claim))

    def serve_returning(self) -> None:
        """Serve those who were archive-waiting or return; it gives seats back, so it comes first (M9)."""
        for ranks in STAGES[:-1]:
            self._serve_stage(ranks, self.tx.proposals.to_serve(self.batch, ranks))
        self._serve_stage(STAGES[0], iter(()))

    def serve_new(self) -> None:
        """Serve the others, and then whoever can be served with what was given back on the way."""
        self._serve_stage(STAGES[-1], self.tx.proposals.to_serve(self.batch, STAGES[-1]))
        while self._again():
            pass
        self._wait_for_limits()

    def _wait_for_limits(self) -> None:
        """Whom no more seat can help, since their rule or the company has no room, are not short of seats any more:
        they make nobody buy (P1), and keep no place in line for their company (M8)."""
        exhausted = [Source.rule(rule) for rule in self.stock.exhausted_rules()]
        for license in License:
            if exhausted:
                reason = WaitReason.RULE_LIMIT.value
                self.tx.holdings.wait_for_limit(self.company, license.value, reason, self.now, exhausted)
            if self.stock.is_full(license.value):
                self.tx.holdings.wait_for_limit(self.company, license.value, WaitReason.COMPANY_LIMIT.value, self.now)

    def _again(self) -> bool:
        """What was given back late may serve those who waited for it earlier on, also since this very run."""
        before = self.tally.total
        for ranks in STAGES:
            for want in self._line(ranks, NO_BATCH):
                self._serve(want)
            self.flush()
        self._keep_refused()
        self.flush()
        return self.tally.total > before

    def _serve_stage(self, ranks: tuple[int, int], proposed: Iterator[Wanted]) -> None:
        for want in _merged(self._line(ranks, self.batch), proposed):
            self._serve(want)
        self.flush()

    def _serve(self, want: Wanted) -> None:
        if want.claim.proposal.kind not in self.skip:
            self._settle(want, self.stock.serve(want.claim))

    def _line(self, ranks: tuple[int, int], batch: int) -> list[Wanted]:
        """Those who wait and can be served now, without those of whom a batch decides anew."""
        self._nobody_waits = self._nobody_waits or not self.tx.holdings.anybody_waits(self.company)
        if self._nobody_waits:
            return []
        found: list[Wanted] = []
        for license, through in STOCKS:
            room = self.stock.room(license, through)
            if ranks == STAGES[0] and through == _SEAT:
                room = self.stock.free(license)  # who holds a seat already needs no room for it (M4)
            if room is None or room > 0:
                limit = UNBOUNDED if room is None else min(room, UNBOUNDED)
                exhausted = self.stock.exhausted_rules()
                stock = (license, through)
                found += self.tx.proposals.waiting(batch, self.well, self.company, stock, ranks, exhausted, limit)
        return found

    def _settle(self, want: Wanted, outcome: Outcome) -> None:
        p = want.claim.proposal
        if outcome.reason is not None:
            self._wait(want, outcome.reason)
            return
        before = _held(want)
        if p.kind == EXCHANGE and before is not None:
            self._change(want, before, before._replace(lot=outcome.lot))
            return
        license, through = p.license or _STANDARD, p.through or _SEAT
        since = before.since if before is not None and before.license == license else self.now
        self._change(want, before, Held(license, through, outcome.lot, p.source, p.because, since))

    def wait(self, proposal: Proposal, reason: str, directory: int) -> None:
        """Put an account in line for which no stock can help (G3, S6)."""
        self._waits.append(Wait(directory, proposal, reason, _who(proposal)))
        self._done.append(("wait", proposal))

    def _wait(self, want: Wanted, reason: str) -> None:
        p = want.claim.proposal
        if want.waits == reason and want.waits_as == (p.license, p.rule_position, p.source):
            return
        self.wait(p, reason, want.directory)
        if len(self._waits) >= CHUNK:
            self.flush()

    def _change(self, want: Wanted, before: Held | None, after: Held | None) -> None:
        p = want.claim.proposal
        self._changes.append(Change(p.account, want.directory, p.id, p.kind, _who(p), p.because, before, after))
        self._done.append((p.kind, p))
        if len(self._changes) >= CHUNK:
            self.flush()

    def _count(self, changes: Sequence[Change]) -> None:
        """What limits count: licenses taken, but for what a person approved, and by how much those held changed."""
        tally = self.tally
        for kind in COUNTED:
            taken = {c.account: c.before.license for c in changes if c.kind == kind and c.before is not None}
            approved = self.tx.plans.approved(self.company, kind, taken) if taken else frozenset()
            for license, number in Counter(taken[account] for account in taken.keys() - approved).items():
                tally.removed[kind, license] = tally.removed.get((kind, license), 0) + number
        moved = Counter(c.after.license for c in changes if c.after is not None)
        moved.subtract(Counter(c.before.license for c in changes if c.before is not None))
        for license, number in moved.items():
            tally.moved[license] = tally.moved.get(license, 0) + number

    def flush(self) -> None:
        """Write what was decided so far."""
        retention = span(self.in_force.policy.licenses.retention)
        changes, self._changes = self._changes, []
        waits, self._waits = self._waits, []
        done, self._done = self._done, []
        self._nobody_waits = self._nobody_waits and not changes and not waits
        self._count(changes)
        self.tally.add(done)
        exchanged = [change for change in changes if change.kind == EXCHANGE]
        if exchanged:
            self.tx.holdings.exchange(self.company, exchanged, self.now)
            changes = [change for change in changes if change.kind != EXCHANGE]
        self.tx.holdings.change(self.company, changes, self.now, retention)
        self.tx.holdings.wait(self.company, waits, self.now)


def _merged(line: list[Wanted], proposed: Iterator[Wanted]) -> Iterator[Wanted]:
    """Those in line and those new, in the one order in which all are served."""
    if not line:
        return proposed
    return merge(sorted(line, key=_order), proposed, key=_order)


def _order(want: Wanted) -> tuple[int, int, int, str, str]:
    p = want.claim.proposal
    return (p.rank, p.rule_position, p.since, p.address, p.id)


def _held(want: Wanted) -> Held | None:
    p = want.claim.proposal
    if p.held_license is None or p.held_through is None:
        return None
    return Held(
        p.held_license, p.held_through, want.claim.held_lot, want.claim.held_source or Source.IMPORTED,
        want.held_because or "", want.held_since or 0,
    )  # fmt: skip


def _who(p: Proposal) -> str:
    """Who did it: the rule, or the product itself."""
    return f"rule:{p.rule}" if p.rule else "system"


def stock_of(tx: "Transaction", company: int, pool: int, in_force: InForce, now: int) -> Stock:
    """What the company can draw from now (S1, M1, G6). The pool's row must be locked."""
    licenses = in_force.policy.licenses
    held, by_rule = tx.holdings.held(company), tx.holdings.by_rule(company)
    lots: dict[str, list[FreeLot]] = {}
    entitled: dict[str, int | None] = {}
    room: dict[str, int | None] = {}
    for license in License:
        name = license.value
        seats = held.get((name, Through.SEAT.value), 0)
        lots[name] = [
            FreeLot(lot.key, lot.id, lot.free, licenses.trial_entitles or lot.term != TRIAL)
            for lot in tx.lots.usable(pool, name, now)
        ]
        limit = licenses.limit_of(name) if pool == 0 else None
        room[name] = None if limit is None else limit - seats
        entitlement = entitlement_of(tx, company, pool, in_force, name, now)
        used = held.get((name, Through.ENTITLEMENT.value), 0)
        entitled[name] = None if entitlement is None else entitlement - used
    rules = {
        rule.name: rule.limit - by_rule.get(Source.rule(rule.name), 0)
        for rule in in_force.policy.rules
        if rule.limit is not None
    }
    follows = pool == 0 and licenses.shared_mailboxes == "one_per_license"
    return Stock(lots, entitled, room, rules, entitles=1 if follows else 0)


def entitlement_of(tx: "Transaction", company: int, pool: int, in_force: InForce, license: str, now: int) -> int | None:
    """How many shared mailboxes come free with purchased licenses; None is without limit (S1)."""
    setting = in_force.policy.licenses.shared_mailboxes
    if setting == "unlimited":
        return None
    if isinstance(setting, int):
        return setting
    trial = in_force.policy.licenses.trial_entitles
    if pool == 0:
        return tx.lots.purchased_held(company, license, now, trial=trial)
    return tx.lots.purchased(pool, license, now, trial=trial)
