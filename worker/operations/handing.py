"""One company's part of what a person wants: who gets what, and who is left out (L6, M2).

Seats are given in the order of addresses, from the same stock and under the same lock as those that rules give.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from policies.model import AccountKey, Kind, License, Source, Through
from policies.planner import LAST_POSITION, RANK_NEW, Proposal
from policies.stock import Claim, FreeLot, Stock
from store.by_hand import Subject
from store.directories import CompanyRow
from store.holdings import Held
from worker.errors import UnderLegalHold
from worker.operations.policies import InForce

if TYPE_CHECKING:
    from store.transaction import Transaction

ASSIGN, RESTORE, ARCHIVE, RELEASE = "assign", "restore", "archive", "release"
KEEP, FOLLOW, PIN, UNPIN = "keep", "follow", "pin", "unpin"
NEEDS_STOCK = frozenset({ASSIGN, RESTORE, ARCHIVE})
USER_POOL = "user_pool"
"""Why somebody is left out whom the person may not license any more (M2); other reasons are those of waiting."""

_SEAT, _ENTITLEMENT = Through.SEAT.value, Through.ENTITLEMENT.value
_SOURCES = {KEEP: Source.MANUAL, FOLLOW: Source.IMPORTED, PIN: Source.PINNED, UNPIN: Source.MANUAL}


class Intent(NamedTuple):
    """What a person wants for one account: one of the kinds above, the license that it then holds, and why."""

    subject: Subject
    kind: str
    license: str | None
    because: str


class Settled(NamedTuple):
    """An intent that can be carried out, and what the account holds afterwards."""

    intent: Intent
    after: Held | None

    @property
    def changes_license(self) -> bool:
        """Whether there is a license to change, and not only a mark."""
        return self.after is not None or self.intent.subject.held is not None


@dataclass
class Part:
    """What one company's accounts come to, in one transaction; its directories and its pool are locked."""

    tx: "Transaction"
    company: CompanyRow
    in_force: InForce
    who: str
    now: int
    stock: Stock
    wanted: int = 0
    """Accounts that need a seat or an entitlement."""
    settled: list[Settled] = field(default_factory=list)
    left_out: list[tuple[Subject, str]] = field(default_factory=list)
    _rooms: dict[str, int | None] = field(default_factory=dict)
    _used: set[tuple[str, str]] = field(default_factory=set)

    @property
    def person(self) -> str:
        return person_of(self.who)

    def work_out(self, intents: Sequence[Intent]) -> None:
        """Give from the stock in the order given, and note who is left out. Raises UnderLegalHold (L5)."""
        self._refuse_under_legal_hold(intents)
        for intent in intents:
            if intent.kind in NEEDS_STOCK:
                self._claim(intent)
            else:
                self.settled.append(Settled(intent, _unclaimed(intent)))

    def _refuse_under_legal_hold(self, intents: Sequence[Intent]) -> None:
        doomed = {i.subject.key: i.subject for i in intents if takes_archived(i)}
        held = self.tx.legal_holds.among(doomed)
        if held:
            raise UnderLegalHold([subject.name for key, subject in doomed.items() if key in held])

    def _claim(self, intent: Intent) -> None:
        self.wanted += 1
        proposal = proposal_of(intent, self.now)
        license, through = proposal.license or "", proposal.through or _SEAT
        self._used.add((license, through))
        room = self._room(license)
        if room is not None and room <= 0:
            self.left_out.append((intent.subject, USER_POOL))
            return
        held = intent.subject.held
        outcome = self.stock.serve(Claim(proposal) if held is None else Claim(proposal, held.lot, held.source))
        if outcome.reason is not None:
            self.left_out.append((intent.subject, outcome.reason))
            return
        if room is not None:
            self._rooms[license] = room - 1
        after = Held(license, through, outcome.lot, Source.MANUAL, intent.because, self.now)
        self.settled.append(Settled(intent, after))

    def _room(self, license: str) -> int | None:
        """How many more the person may give by hand; the company's own limit overrides it (M2)."""
        if license not in self._rooms:
            licenses = self.in_force.policy.licenses
            limit = licenses.user_pools.get(self.person, {}).get(license)
            if limit is not None and licenses.limit_of(license) is None:
                self._rooms[license] = limit - self.tx.by_hand.given_by(self.person, self.company.key, license)
            else:
                self._rooms[license] = None
        return self._rooms[license]

    @property
    def left(self) -> int:
        """How many more of what was wanted could have been given; what is without limit is not counted."""
        rooms = [self._left_of(license, through) for license, through in sorted(self._used)]
        return sum(max(0, room) for room in rooms if room is not None)

    def _left_of(self, license: str, through: str) -> int | None:
        rooms = (self.stock.room(license, through), self._room(license))
        return min((room for room in rooms if room is not None), default=None)

    @property
    def seats_moved(self) -> Mapping[int, int]:
        """By how much the free seats of each lot change."""
        moved: Counter[int] = Counter()
        for intent, after in self.settled:
            held = intent.subject.held
            if held is not None and held.lot is not None:
                moved[held.lot] += 1
            if after is not None and after.lot is not None:
                moved[after.lot] -= 1
        return moved


def takes_archived(intent: Intent) -> bool:
    """Whether the account's backups are not kept any longer (L5)."""
    return intent.kind == RELEASE and intent.subject.license == License.ARCHIVED


def proposal_of(intent: Intent, now: int) -> Proposal:
    """The change in the form in which stock and holds know it."""
    subject, held = intent.subject, intent.subject.held
    return Proposal(
        AccountKey(subject.key), intent.kind, intent.license, None if intent.license is None else _through(subject),
        None if held is None else held.license, None if held is None else held.through, RANK_NEW, LAST_POSITION, "",
        Source.MANUAL, intent.because, now, None, subject.address, subject.id,
    )  # fmt: skip


def _unclaimed(intent: Intent) -> Held | None:
    """What an account holds after a change that needs no stock: nothing, or the same from another source."""
    held = intent.subject.held
    if held is None or intent.kind == RELEASE:
        return None
    return held._replace(source=_SOURCES[intent.kind], because=intent.because)


def _through(subject: Subject) -> str:
    """Shared mailboxes use no seat (S1); what is not known yet stays as it is (S6)."""
    if subject.kind == Kind.SHARED_MAILBOX:
        return _ENTITLEMENT
    held = subject.held
    return held.through if held is not None and subject.kind == Kind.UNKNOWN else _SEAT


def person_of(who: str) -> str:
    """The name by which policies know a person or token: `kim` of `cli:kim@host`."""
    return who.partition(":")[2].partition("@")[0] or who


def less(stock: Stock, moved: Mapping[int, int]) -> Stock:
    """A company's stock after others of its pool have had theirs, before any of it is written."""
    lots = {
        license: [FreeLot(lot.key, lot.id, lot.free + moved.get(lot.key, 0), lot.purchased) for lot in lots]
        for license, lots in stock.lots.items()
    }
    return replace(stock, lots=lots)
