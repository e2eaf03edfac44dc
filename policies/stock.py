"""Who gets a free seat and who waits (G5, G6, L3, M1, M4, S2), and how much to buy (P1).

Pure arithmetic over one company's view of its pool. The order of the claims is the caller's: rank (M9), rule, how
long they have waited, address (G5).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from policies.model import ActionKind, License, Source, Through, WaitReason
from policies.planner import Proposal

_SEAT, _ENTITLEMENT = Through.SEAT.value, Through.ENTITLEMENT.value
_STANDARD = License.STANDARD.value
_RULE_LIMIT, _COMPANY_LIMIT = WaitReason.RULE_LIMIT.value, WaitReason.COMPANY_LIMIT.value
_EXCHANGE = ActionKind.EXCHANGE.value
_NO_SEAT, _NO_ENTITLEMENT = WaitReason.INSUFFICIENT_LICENSES.value, WaitReason.ENTITLEMENT.value


class FreeLot(NamedTuple):
    """A lot that is valid now; lots are listed in the order in which they are used: the one that ends first, first.

    Full ones belong here too: a seat that comes back to a lot which is not listed is free for nobody.
    """

    key: int
    id: str
    free: int
    purchased: bool = True
    """Whether its seats bring entitlements: those of a trial lot may not (S1)."""


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


Turn = tuple[int, int, int, str, str]


def turn(proposal: Proposal) -> Turn:
    """The place of a claim in the line: rank (M9), rule, how long it has waited, address (G5)."""
    return proposal.rank, proposal.rule_position, proposal.since, proposal.address, proposal.id


@dataclass
class Stock:
    """What one company can draw from while its claims are served. Changes as seats are taken and given back.

    What comes back is for the claim that has waited for it longest, so nobody is served past an earlier claim that
    waits for the same: it must be tried again first.
    """

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
    _at: dict[str, int] = field(init=False)
    _free: dict[int, int] = field(init=False)
    _brings: dict[int, int] = field(init=False)
    _rules: dict[str, int] = field(init=False)
    """By source."""
    _room: dict[str, int | None] = field(init=False)
    _entitled: dict[str, int | None] = field(init=False)
    _passed: dict[tuple[str, str | None], tuple[Turn, str]] = field(init=False)
    """The earliest claim that waits, and why, by what it waits for."""

    def __post_init__(self) -> None:
        self._order = {license: [lot.key for lot in lots] for license, lots in self.lots.items()}
        self._at = dict.fromkeys(self._order, 0)
        self._free = {lot.key: lot.free for lots in self.lots.values() for lot in lots}
        self._brings = {lot.key: self.entitles * lot.purchased for lots in self.lots.values() for lot in lots}
        self._rules = {Source.rule(rule): room for rule, room in self.rule_room.items()}
        self._room = dict(self.company_room)
        self._entitled = dict(self.entitled)
        self._passed = {}

    def free(self, license: str) -> int:
        """Free seats now."""
        return sum(self._free[lot] for lot in self._order.get(license, ()))

    def room(self, license: str, through: str) -> int | None:
        """How many more claims could be served at the most; None is without limit."""
        if through == _ENTITLEMENT:
            return self._entitled.get(license)
        free, room = self.free(license), self._room.get(license)
        return free if room is None else max(0, min(free, room))

    def is_full(self, license: str) -> bool:
        """Whether the company may hold no more of it (M1)."""
        room = self._room.get(license)
        return room is not None and room <= 0

    def exhausted_rules(self) -> tuple[str, ...]:
        """The rules whose limit is used up."""
        return tuple(sorted(source.removeprefix("rule:") for source, room in self._rules.items() if room <= 0))

    @property
    def rules_left(self) -> Mapping[str, int]:
        """How many more licenses each rule with a `limit` may give, by source."""
        return self._rules

    def serve(self, claim: Claim) -> Outcome:
        """Give the claim what it needs, or say why it waits; nothing is taken unless all of it can be had."""
        wanted, _, held_source = claim
        license = wanted.license or _STANDARD
        if wanted.kind == _EXCHANGE:
            return self._exchange(claim, license)
        source, capped = wanted.source, False
        if source in self._rules and source != held_source:
            capped = True
            if self._rules[source] <= 0 or self._passed:
                reason = self._refused((source, None), wanted, self._rules[source] <= 0, _RULE_LIMIT)
                if reason is not None:
                    return Outcome(claim, None, reason)
        if wanted.through == _ENTITLEMENT:
            lot, reason = None, self._take_entitlement(claim, license)
        else:
            lot, reason = self._take_seat(claim, license)
        if reason is not None:
            return Outcome(claim, None, reason)
        if capped:
            self._rules[source] -= 1
        if wanted.held_license is not None and wanted.held_through is not None:
            changes_hands = held_source if source != held_source else None
            self.give_back(wanted.held_license, wanted.held_through, claim.held_lot, changes_hands)
        return Outcome(claim, lot, None)

    def rename(self, held_source: str | None, source: str) -> bool:
        """Count a license for another rule than before (G4); returns False, and changes nothing, where that rule's
        limit is used up (G6)."""
        if source == held_source:
            return True
        room = self._rules.get(source)
        if room is not None:
            if room <= 0:
                return False
            self._rules[source] = room - 1
        if held_source in self._rules:
            self._rules[held_source] += 1
        return True

    def give_back(self, license: str, through: str, lot: int | None, source: str | None) -> None:
        """Return what a license rested on, and what it took of its rule's limit."""
        if through == _ENTITLEMENT:
            left = self._entitled.get(license)
            if left is not None:
                self._entitled[license] = left + 1
        else:
            self._return_seat(license, lot)
        if source in self._rules:
            self._rules[source] += 1

    def _take_entitlement(self, claim: Claim, license: str) -> str | None:
        """Why there is none; else it is taken. A seat that is given up for it may take the entitlement along that it
        brought (S1, S5)."""
        left = self._entitled.get(license)
        if left is None:
            return None
        wanted, lot, _ = claim
        lost = 0
        if lot is not None and wanted.held_license == license and wanted.held_through == _SEAT:
            lost = self._brings.get(lot, 0)
        if left <= 0 or self._passed:
            reason = self._refused((license, _ENTITLEMENT), wanted, left <= 0, _NO_ENTITLEMENT)
            if reason is not None:
                return reason
        if left <= lost:
            return _NO_ENTITLEMENT
        self._entitled[license] = left - 1
        return None

    def _take_seat(self, claim: Claim, license: str) -> tuple[int | None, str | None]:
        """The lot that it is taken from, or why there is none."""
        room = self._room.get(license)
        lot = None if room is not None and room <= 0 else self._next_lot(license)
        if lot is None or self._passed:
            why = _COMPANY_LIMIT if room is not None and room <= 0 else _NO_SEAT
            reason = self._refused((license, _SEAT), claim.proposal, lot is None, why)
            if reason is not None:
                return None, reason
        assert lot is not None  # else there was a reason
        self._free[lot] -= 1
        if room is not None:
            self._room[license] = room - 1
        self._bring(license, self._brings[lot])
        return lot, None

    def _exchange(self, claim: Claim, license: str) -> Outcome:
        """A seat for one of a lot that ended: neither the company nor the rule holds more by it (M4)."""
        lot = self._next_lot(license)
        if lot is None or self._passed:
            reason = self._refused((license, _SEAT), claim.proposal, lot is None, _NO_SEAT)
            if reason is not None:
                return Outcome(claim, None, reason)
        assert lot is not None  # else there was a reason
        self._free[lot] -= 1
        self._bring(license, self._brings[lot])
        return Outcome(claim, lot, None)

    def _refused(self, what: tuple[str, str | None], wanted: Proposal, none_left: bool, why: str) -> str | None:
        """Why the claim waits, if nothing is left or if one that comes before it waits for the same."""
        place, passed = turn(wanted), self._passed.get(what)
        if passed is not None and passed[0] < place:
            return passed[1]
        if none_left:
            self._passed[what] = place, why
            return why
        if passed is not None and passed[0] == place:
            del self._passed[what]
        return None

    def _next_lot(self, license: str) -> int | None:
        order = self._order.get(license, [])
        at = self._at.get(license, 0)
        while at < len(order) and self._free[order[at]] <= 0:
            at += 1
        self._at[license] = at
        return order[at] if at < len(order) else None

    def _return_seat(self, license: str, lot: int | None) -> None:
        room = self._room.get(license)
        if room is not None:
            self._room[license] = room + 1
        if lot is None or lot not in self._free:
            return  # an expired lot's seat is free for nobody, and brought no entitlement any more
        self._free[lot] += 1
        self._at[license] = min(self._at[license], self._order[license].index(lot))
        self._bring(license, -self._brings[lot])

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
