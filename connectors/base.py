"""What a directory and a seller are to the rest of the product, whatever vendor stands behind them.

A connector turns a vendor's words into these values and its failures into the three errors of
`connectors.errors`. It keeps no state of its own: cursors are handed in and out as opaque text.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol

from policies.model import EVERYBODY as EVERYBODY
from policies.model import AccountId, Sighting


class Seen(NamedTuple):
    """One account as a page tells it: a patch. None means that the page does not say; '' means that it is not set.

    The order is that of the store's staging columns. `gone` is None for an entry that lives, else `deleted`
    (restorable in the directory) or `purged` (gone for good); an entry that is gone tells nothing else.
    """

    id: str
    address: str | None = None
    name: str | None = None
    enabled: bool | None = None
    guest: bool | None = None
    mailbox: str | None = None
    """user, shared, room, equipment or none; None while the directory has not said (S6)."""
    org_unit: str | None = None
    department: str | None = None
    job_title: str | None = None
    company: str | None = None
    office: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    employee_type: str | None = None
    cost_center: str | None = None
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a walk. Only the last one carries the `cursor` from which the next walk goes on."""

    accounts: Sequence[Seen] = ()
    resume: str | None = None
    """Where this walk can be taken up again after this page, should it be interrupted."""
    cursor: str | None = None
    full: bool = False
    """The walk lists everybody, so that after its last page absence means something (D4, Z2)."""
    tenant: str | None = None
    """The tenant id or customer id that the directory itself reports, on the page where it was learned (Z11)."""
    unread: bool = False
    """The only page of a walk that is not needed, as far as hints tell: nothing was read, so the last complete read is
    as old as it was (R4)."""


class Edge(NamedTuple):
    """One direct membership. `member_is` is `account`, `group` or, for EVERYBODY, `everybody`; `gone` says that the
    edge was removed."""

    group: str
    member: str
    member_is: str
    gone: bool = False


class SeenGroup(NamedTuple):
    """A group as the directory has it; `gone` when it was deleted."""

    id: str
    name: str | None = None
    address: str | None = None
    gone: bool = False


class OrgUnit(NamedTuple):
    """An organizational unit: its id stays when it is renamed or moved."""

    id: str
    path: str


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A page of a walk over the groups that matter. `whole` names groups whose edges this walk lists completely."""

    groups: Sequence[SeenGroup] = ()
    edges: Sequence[Edge] = ()
    whole: Sequence[str] = ()
    cursor: str | None = None
    """On the last page only."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a group reference of a policy turned out to be: exactly one group, or the ones that share the name."""

    ref: str
    groups: tuple[SeenGroup, ...]


class MailboxAnswer(NamedTuple):
    """What is known of one account's mailbox: a kind as in `Seen.mailbox`, or `unknown` where access is refused."""

    id: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this kind of directory can do; the contract suite and the run go by it."""

    delta: bool = False
    quiet: bool = True
    """A walk from a cursor is silent of whoever did not change; without it every walk tells everybody."""
    groups: bool = False
    org_units: bool = False
    unit_ids: bool = False
    """Organizational units have ids, to which policies are bound (G3); accounts tell their paths."""
    look_up: bool = False
    count: bool = False
    deleted: bool = False
    mailbox_queue: bool = False
    """Mailbox kinds are asked one by one, after the listing (Microsoft)."""
    absence_is_evidence: bool = True
    """After a complete listing, those not seen may be looked up and found gone (not so for a file)."""
    attributes: frozenset[str] = field(default_factory=frozenset)


class Directory(Protocol):
    """One connected tenant, read only. Every method raises `Transient`, `NeedsPerson` or `Permanent`."""

    @property
    def capabilities(self) -> Capabilities: ...

    def tenant(self) -> str:
        """The tenant or customer id that the directory reports of itself (Z11)."""
        ...

    def pull(self, cursor: str | None, resume: str | None = None) -> Iterator[Page]:
        """Walk the accounts: what changed since `cursor`, or everybody where it is None; `resume` goes on inside a
        walk. Raises `CursorExpired` when the directory no longer knows the cursor, before any page."""
        ...

    def pull_groups(self, cursor: str | None, wanted: Collection[str]) -> Iterator[GroupPage]:
        """Walk the groups `wanted` by id and all nested in them: what changed since `cursor`, or all their edges.

        A group is `whole` in the walk in which it is first wanted, and may be again in any later one. Raises
        `CursorExpired` when the cursor is another stream's, or dies under way; then none of the pages count.
        """
        ...

    def read_group(self, id: str) -> Iterator[GroupPage]:
        """List the direct members of one group: the second reading that confirms an emptied or halved group (Z2). The
        last page names it as `whole`; where it is gone, the only page says so."""
        ...

    def find_groups(self, refs: Sequence[str]) -> Iterator[Found]:
        """Look references up by immutable id, address and display name (G3)."""
        ...

    def org_units(self) -> Iterator[OrgUnit]:
        """All organizational units but the root, as they are now; none where they have no ids (G3)."""
        ...

    def look_up(self, ids: Sequence[AccountId]) -> Iterator[Sighting]:
        """Ask for accounts by id: the evidence of D4."""
        ...

    def count(self) -> int | None:
        """How many live accounts the directory says it has, or None where it cannot say."""
        ...

    def mailboxes(self, ids: Sequence[AccountId]) -> Iterator[MailboxAnswer]:
        """Ask for mailbox kinds. An id without an answer keeps its old kind. Raises `NeedsPerson` when all of them are
        refused."""
        ...


class Order(NamedTuple):
    """A purchase as a seller is told of it; `key` is the idempotency key under which it happens once (P2)."""

    key: str
    company: str
    license: str
    seats: int
    term: str
    note: str


class Receipt(NamedTuple):
    """What a seller says of an order: `placed` or `fulfilled`, and what it delivers."""

    ref: str
    """The seller's own number for the order."""
    state: str
    seats: int
    """0 where the seller names none."""
    expires: date | None = None
    """The last day on which the seats are valid; None leaves it to the term."""
    license_key: str | None = None


class Refusal(NamedTuple):
    """The seller's final no (P7): the same order would be refused again."""

    why: str
    """In the seller's own word: `card_declined`, `credit_limit` …"""


class Seller(Protocol):
    """Where licenses are bought. Every method raises `Transient`, `NeedsPerson` or `Permanent`, each of which says by
    `unsent` where the seller cannot have heard of the request."""

    @property
    def address(self) -> str:
        """Where orders go. One that may have reached one address is never sent to another (P2)."""
        ...

    def place(self, order: Order) -> Receipt | Refusal:
        """Order; under the same key again, it is the same order."""
        ...

    def find(self, key: str) -> Receipt | None:
        """The order that was placed under this key, or None where the seller knows of none."""
        ...

    def look_up(self, ref: str, key: str) -> Receipt:
        """The order of this number, placed under this key, as it stands now."""
        ...
