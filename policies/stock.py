"""Who gets a free seat and who waits (G5, G6, L3, M1, M4, S2), and how much to buy (P1).

Pure arithmetic over one company's view of its pool. The order of the claims is the caller's: rank (M9), rule, how
long they have waited, address (G5).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from policies.model import License, Source, Through, WaitReason
from policies.planner import Proposal

_SEAT, _ENTITLEMENT = Through.SEAT.value, Through.ENTITLEMENT.value
_STANDARD = License.STANDARD.value


class FreeLot(NamedTuple):
    """A lot with free seats; lots are listed in the order in which they are used: the one that ends first, first."""

    key: int
    id: str
    free: int


class Claim(NamedTuple):
    """A proposal that needs a seat or an entitlement, with what it gives back when it gets one."""

    proposal: Proposal
    held_lot: int | None = None
    held_source: str | None = None


class Outcome(NamedTuple):
    """What became of a claim: the lot its seat is from (None for an entitlement), or why it waits."""

    claim: Claim
    lot: int | None
    reason: str | None


@dataclass
class Stock:
    """What one company can draw from while its claims are served. Changes as seats are taken and given back."""

    lots: Mapping[str, list[FreeLot]]
    """By license; only lots that are valid now."""
    entitled: Mapping[str, int | None]
    """Entitlements still free, by license; None is unlimited. Below 0 where the company is over-entitled (S4)."""
    company_room: Mapping[str, int | None]
    """How many more seats the company may hold, by license; None where it has no limit (M1)."""
    rule_room: Mapping[str, int]
    """How many more licenses a rule with a `limit` may give, by rule (G6)."""
    entitles: int = 0
    """How many entitlements one held seat brings: 1 for a company on the global pool with one per license (S1)."""
    _order: dict[str, list[int]] = field(init=False)
    _free: dict[int, int] = field(init=False)
    _at: dict[str, int] = field(init=False)
    _rules: dict[str, int] = field(init=False)
    _room: dict[str, int | None] = field(init=False)
    _entitled: dict[str, int | None] = field(init=False)

    def __post_init__(self) -> None:
        self._order = {license: [lot.key for lot in lots] for license, lots in self.lots.items()}
        self._free = {lot.key: lot.free for lots in self.lots.values() for lot in lots}
        self._at = dict.fromkeys(self._order, 0)
        self._rules = dict(self.rule_room)
        self._room = dict(self.company_room)
        self._entitled = dict(self.entitled)

    def free(self, license: str) -> int:
        """Free seats now."""
        return sum(self._free[lot] for lot in self._order.get(license, ()))

    def room(self, license: str, through: str) -> int | None:
        """How many more claims could be served at the most; None is without limit."""
        if through == _ENTITLEMENT:
            return self._entitled.get(license)
        free, room = self.free(license), self._room.get(license)
        return free if room is None else max(0, min(free, room))

    def exhausted_rules(self) -> tuple[str, ...]:
        """The rules whose limit is used up."""
        return tuple(sorted(rule for rule, room in self._rules.items() if room <= 0))

    def serve(self, claim: Claim) -> Outcome:
        """Give the claim what it needs, or say why it waits; nothing is taken unless all of it can be had."""
        wanted = claim.proposal
        license = wanted.license or _STANDARD
        if self._takes_from_rule(claim) and self._rules.get(wanted.rule, 1) <= 0:
            return Outcome(claim, None, WaitReason.RULE_LIMIT.value)
        if wanted.through == _ENTITLEMENT:
            left = self._entitled.get(license)
            if left is not None and left <= 0:
                return Outcome(claim, None, WaitReason.ENTITLEMENT.value)
            self._take(claim, license)
            if left is not None:
                self._entitled[license] = left - 1
            return Outcome(claim, None, None)
        room = self._room.get(license)
        if room is not None and room <= 0:
            return Outcome(claim, None, WaitReason.COMPANY_LIMIT.value)
        lot = self._next_lot(license)
        if lot is None:
            return Outcome(claim, None, WaitReason.INSUFFICIENT_LICENSES.value)
        self._take(claim, license)
        self._free[lot] -= 1
        if room is not None:
            self._room[license] = room - 1
        self._bring(license, self.entitles)
        return Outcome(claim, lot, None)

    def give_back(self, license: str, through: str, lot: int | None, source: str | None) -> None:
        """Return what a license rested on."""
        if through == _ENTITLEMENT:
            left = self._entitled.get(license)
            if left is not None:
                self._entitled[license] = left + 1
        elif lot is not None:
            self._return_seat(license, lot)
        rule = Source.rule_name(source)
        if rule in self._rules:
            self._rules[rule] += 1

    def _take(self, claim: Claim, license: str) -> None:
        """Settle what does not depend on the kind of stock: the rule's cap, and what the account held before."""
        if self._takes_from_rule(claim) and claim.proposal.rule in self._rules:
            self._rules[claim.proposal.rule] -= 1
        held = claim.proposal.held_license
        if held is not None and claim.proposal.held_through is not None:
            self.give_back(held, claim.proposal.held_through, claim.held_lot, claim.held_source)

    @staticmethod
    def _takes_from_rule(claim: Claim) -> bool:
        source = claim.proposal.source
        return Source.rule_name(source) is not None and claim.held_source != source

    def _next_lot(self, license: str) -> int | None:
        order = self._order.get(license, [])
        at = self._at.get(license, 0)
        while at < len(order) and self._free[order[at]] <= 0:
            at += 1
        self._at[license] = at
        return order[at] if at < len(order) else None

    def _return_seat(self, license: str, lot: int) -> None:
        if lot not in self._free:
            return  # an expired lot's seat is free for nobody
        self._free[lot] += 1
        self._at[license] = min(self._at[license], self._order[license].index(lot))
        room = self._room.get(license)
        if room is not None:
            self._room[license] = room + 1
        self._bring(license, -self.entitles)

    def _bring(self, license: str, entitlements: int) -> None:
        left = self._entitled.get(license)
        if entitlements and left is not None:
            self._entitled[license] = left + entitlements


def allocate(claims: Iterable[Claim], stock: Stock) -> Iterator[Outcome]:
    """Serve claims in their order; each is served or told why it waits."""
    serve = stock.serve
    for claim in claims:
        yield serve(claim)


class Need(NamedTuple):
    """How many seats to order now, and how many more are missing that caps keep from being ordered."""

    seats: int
    short: int


def seats_to_buy(
    *,
    waiting: int,
    spare: int,
    free: int,
    on_order: int,
    pack: int,
    most_per_order: int,
    left_this_month: int,
    left_for_company: int | None,
) -> Need:
    """How many seats to order (P1): the need rounded up to packs, then down to what every cap allows, in packs."""
    need = waiting + spare - free - on_order
    if need <= 0:
        return Need(0, 0)
    wanted = -(-need // pack) * pack
    cap = min(most_per_order, left_this_month)
    if left_for_company is not None:
        cap = min(cap, left_for_company)
    seats = min(wanted, max(0, cap) // pack * pack)
    return Need(seats, max(0, need - seats))
