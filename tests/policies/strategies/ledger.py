"""A small license store in memory: what becomes of licenses when a plan is applied, recounted at each step."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from policies.document import Policy
from policies.model import NOTHING, AccountKey, Holding, Source
from policies.planner import Proposal
from policies.stock import Claim, FreeLot, Outcome, Stock, allocate, turn

LICENSES = ("standard", "archived")
SERVED = ("assign", "archive", "restore", "move")


class Lot(NamedTuple):
    """Seats bought together; `others` are held by other companies of the pool."""

    key: int
    license: str
    seats: int
    others: int = 0
    valid: bool = True
    purchased: bool = True


@dataclass
class Ledger:
    """Who holds and awaits what in one company."""

    policy: Policy
    lots: tuple[Lot, ...]
    holdings: dict[AccountKey, Holding]
    steps: list[dict[AccountKey, Holding]] = field(default_factory=list, compare=False)
    """The holdings after each change."""

    def held(self, lot: Lot) -> int:
        """Seats of the lot that are held, by anybody."""
        return lot.others + sum(held.lot == str(lot.key) for held in self.holdings.values())

    def entitlement(self, license: str) -> int | None:
        """How many shared mailboxes the company may have (S1), counted anew."""
        setting = self.policy.licenses.shared_mailboxes
        if setting == "unlimited":
            return None
        if isinstance(setting, int):
            return setting
        counted = [lot for lot in self.lots if lot.license == license and lot.valid and lot.purchased]
        if self.policy.licenses.pool == "own":
            return sum(lot.seats for lot in counted)
        return sum(self.held(lot) - lot.others for lot in counted)

    def count(self, license: str, through: str) -> int:
        return sum((held.license, held.through) == (license, through) for held in self.holdings.values())

    def by_rule(self, name: str) -> int:
        """Licenses that a rule gave."""
        rule = Source.rule(name)
        return sum(held.license is not None and held.source == rule for held in self.holdings.values())

    def limit(self, license: str) -> int | None:
        """What the company may hold from the global pool (M1)."""
        return self.policy.licenses.limit_of(license) if self.policy.licenses.pool == "global" else None

    def stock(self) -> Stock:
        """What the company can draw from now."""
        entitled, room = {}, {}
        for license in LICENSES:
            whole, limit = self.entitlement(license), self.limit(license)
            entitled[license] = None if whole is None else whole - self.count(license, "entitlement")
            room[license] = None if limit is None else limit - self.count(license, "seat")
        lots = {
            license: [
                FreeLot(lot.key, str(lot.key), lot.seats - self.held(lot), lot.purchased)
                for lot in self.lots
                if lot.valid and lot.license == license
            ]
            for license in LICENSES
        }
        rules = {
            rule.name: rule.limit - self.by_rule(rule.name) for rule in self.policy.rules if rule.limit is not None
        }
        follows = self.policy.licenses.shared_mailboxes == "one_per_license" and self.policy.licenses.pool == "global"
        return Stock(lots, entitled, room, rules, entitles=int(follows))

    def apply(self, plan: Iterable[Proposal], now: int) -> list[Outcome]:
        """Do what a run does with its proposals; returns what became of the claims, each try of each."""
        proposals = sorted(plan, key=turn)
        stock = self.stock()
        for each in proposals:
            self._leave_the_line(each, stock, now)
        for each in proposals:
            if each.kind == "release":
                self._release(each.account, stock)
        claims, renames = (
            [self._claim(each) for each in proposals if _is_claim(each)],
            list(filter(_is_rename, proposals)),
        )
        told: list[Outcome] = []
        size = None
        while size != (len(claims), len(renames)):  # until what was given back on the way helps nobody any more
            size = len(claims), len(renames)
            renames = self._rename(renames, stock)
            claims = self._serve(claims, stock, told)
        return told

    def _leave_the_line(self, wanted: Proposal, stock: Stock, now: int) -> None:
        """What touches no license."""
        held = self.holdings.get(wanted.account, NOTHING)
        if wanted.kind == "settle":
            self._put(wanted.account, _at_rest(held), stock)
        elif wanted.kind == "grace":
            self._put(wanted.account, _at_rest(held)._replace(grace=wanted.source, grace_started=now), stock)
        elif wanted.kind == "wait":
            self._wait(wanted, wanted.reason or "")

    def _release(self, account: AccountKey, stock: Stock) -> None:
        held = self.holdings[account]
        assert held.license is not None and held.through is not None, "nothing is held that could be released"
        stock.give_back(held.license, held.through, _lot(held), held.source)
        self._put(account, NOTHING, stock)

    def _rename(self, renames: list[Proposal], stock: Stock) -> list[Proposal]:
        """The same license because of another rule; those for whom that rule's limit has no room are left."""
        left = []
        for wanted in renames:
            held = self.holdings[wanted.account]
            if stock.rename(held.source, wanted.source):
                renamed = _at_rest(held)._replace(source=wanted.source, because=wanted.because)
                self._put(wanted.account, renamed, stock)
            else:
                left.append(wanted)
        return left if len(left) == len(renames) else self._rename(left, stock)

    def _serve(self, claims: list[Claim], stock: Stock, told: list[Outcome]) -> list[Claim]:
        """Serve the line once; those who wait are left."""
        left = []
        for outcome in allocate(claims, stock):
            told.append(outcome)
            if outcome.reason is None:
                self._give(outcome, stock)
            else:
                self._wait(outcome.claim.proposal, outcome.reason)
                left.append(outcome.claim)
        return left

    def _claim(self, wanted: Proposal) -> Claim:
        held = self.holdings.get(wanted.account, NOTHING)
        return Claim(wanted, _lot(held), held.source)

    def _give(self, outcome: Outcome, stock: Stock) -> None:
        wanted = outcome.claim.proposal
        before = self.holdings.get(wanted.account, NOTHING)
        by_hand = before.source if before.source in (Source.MANUAL, Source.PINNED) else None
        lot = None if outcome.lot is None else str(outcome.lot)
        after = Holding(wanted.license, wanted.through, lot, by_hand or wanted.source, wanted.because)
        self._put(wanted.account, after, stock)

    def _wait(self, wanted: Proposal, reason: str) -> None:
        held = self.holdings.get(wanted.account, NOTHING)
        if Source.rule_name(wanted.source) is not None:
            held = held._replace(grace=None, grace_started=None)
        waits = held._replace(waiting_for=wanted.license, waiting_since=wanted.since, waiting_reason=reason)
        self.holdings[wanted.account] = waits

    def _put(self, account: AccountKey, held: Holding, stock: Stock) -> None:
        self.holdings[account] = held
        self.steps.append(dict(self.holdings))
        self._recount(stock)

    def _recount(self, stock: Stock) -> None:
        """The stock's running arithmetic is that of a count from nothing (L3, S1, M1, G6)."""
        fresh = self.stock()
        assert all(0 <= self.held(lot) <= lot.seats for lot in self.lots), "a lot is over-used"
        for license in LICENSES:
            assert stock.free(license) == fresh.free(license)
            for through in ("seat", "entitlement"):
                assert stock.room(license, through) == fresh.room(license, through)
        assert stock.exhausted_rules() == fresh.exhausted_rules()


def _is_claim(wanted: Proposal) -> bool:
    """Whether it needs a seat or an entitlement."""
    return wanted.kind in SERVED and not _is_rename(wanted)


def _is_rename(wanted: Proposal) -> bool:
    """Whether only the reason changes (G4)."""
    return wanted.kind == "move" and wanted.through == wanted.held_through


def _lot(held: Holding) -> int | None:
    return None if held.lot is None else int(held.lot)


def _at_rest(held: Holding) -> Holding:
    """It waits for nothing, and no grace runs."""
    return held._replace(waiting_for=None, waiting_since=None, waiting_reason=None, grace=None, grace_started=None)
