"""How everything stands, from counters alone: what `seatkeeper status` shows.

Nothing here grows with the number of accounts: seats, entitlements and waits are counted by triggers as they change.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from policies.model import License, WaitReason
from store.lots import Listed
from store.receivers import ReceiverState
from store.times import rfc3339

if TYPE_CHECKING:
    from store.transaction import Transaction

SOON = 30 * 24 * 3_600 * 1_000_000
"""Microseconds ahead in which a lot's end is told."""
UNLIMITED = "unlimited"

_VALID = "l.starts_at <= :now AND (l.expires_at IS NULL OR l.expires_at > :now)"


class Setting(NamedTuple):
    """How many shared mailboxes a company's licenses bring, as its policy says (S1)."""

    shared_mailboxes: str | int = "one_per_license"
    trial_entitles: bool = False


class PoolState(msgspec.Struct, frozen=True):
    """The seats of one license in one pool: those of lots that are valid, and who holds one of a lot that ended."""

    pool: str
    company: str | None
    license: str
    seats: int
    held: int
    free: int
    expired: int
    on_order: int


class EntitlementState(msgspec.Struct, frozen=True):
    """Shared mailboxes that come free with licenses; `entitled` is None where there is no limit."""

    company: str
    license: str
    entitled: int | None
    used: int
    over: bool


class DirectoryState(msgspec.Struct, frozen=True):
    """How the reading of a directory goes."""

    id: str
    company: str
    state: str
    last_success: str | None
    problem: str | None
    remedy: str | None


class Status(msgspec.Struct, frozen=True):
    """What `status --json` shows."""

    pools: list[PoolState]
    entitlements: list[EntitlementState]
    directories: list[DirectoryState]
    waiting: int
    holds: int
    orders_open: int
    waiting_for: dict[str, int]
    """How many wait for each reason."""
    lots_ending: list[Listed]
    """Lots that end within thirty days."""
    notices: int = 0
    """Notices that nobody has accepted: what they name is not purged before somebody does (R1)."""
    receivers: list[ReceiverState] = []
    """Who is told outside, those first that do not hear."""
    told_nobody: list[str] = []
    """Companies with such notices whose policy names nobody to be told."""

    @property
    def short(self) -> int:
        """How many wait for a license that there is no seat of."""
        return self.waiting_for.get(WaitReason.INSUFFICIENT_LICENSES.value, 0)


def overview(tx: "Transaction", now: int, settings: Mapping[str, Setting]) -> Status:
    """How everything stands now."""
    waiting = _waiting(tx)
    return Status(
        pools=_pools(tx, now),
        entitlements=_entitlements(tx, now, settings),
        directories=_directories(tx),
        waiting=sum(waiting.values()),
        holds=_count(tx, "SELECT count(*) FROM plan WHERE state = 'held'"),
        orders_open=_count(tx, f"SELECT count(*) FROM orders WHERE {_OPEN}"),
        waiting_for=waiting,
        lots_ending=tx.lots.listing(now, ending_before=now + SOON),
        notices=tx.notices.unanswered(),
        receivers=tx.receivers.listing(),
        told_nobody=list(tx.receivers.unheard()),
    )


_OPEN = "state IN ('wanted', 'awaiting_approval', 'placed')"


def _pools(tx: "Transaction", now: int) -> list[PoolState]:
    stock = tx.execute(
        f"SELECT l.pool, l.license, sum(CASE WHEN {_VALID} THEN l.seats ELSE 0 END),"
        f" sum(CASE WHEN {_VALID} THEN l.held ELSE 0 END), sum(CASE WHEN l.expires_at <= :now THEN l.held ELSE 0 END)"
        " FROM lot AS l GROUP BY l.pool, l.license",
        {"now": now},
    )
    ordered = tx.execute(
        f"SELECT pool, license, sum(seats) FROM orders WHERE {_OPEN} AND renews_lot IS NULL GROUP BY pool, license"
    )
    seats = {(row[0], row[1]): (int(row[2]), int(row[3]), int(row[4])) for row in stock}
    on_order = {(row[0], row[1]): int(row[2]) for row in ordered}
    kinds: dict[int, set[str]] = {}
    for pool, license in {*seats, *on_order}:
        if license not in tuple(License):
            kinds.setdefault(pool, set()).add(license)
    owners = tx.execute(
        "SELECT key, id FROM company WHERE key = 0 OR (pool = key AND state <> 'retired') ORDER BY key <> 0, id"
    )
    return [
        _pool(key, id, license, seats.get((key, license), (0, 0, 0)), on_order.get((key, license), 0))
        for key, id in owners
        for license in (*(license.value for license in License), *sorted(kinds.get(key, ())))
    ]


def _pool(key: int, id: str, license: str, counts: tuple[int, int, int], on_order: int) -> PoolState:
    seats, held, expired = counts
    pool, company = ("own", id) if key else ("global", None)
    return PoolState(pool, company, license, seats, held, seats - held, expired, on_order)


def _entitlements(tx: "Transaction", now: int, settings: Mapping[str, Setting]) -> list[EntitlementState]:
    """S1: in its own pool what a company bought, held or not; of the global pool what it holds of what was bought."""
    bought: dict[tuple[int, str], tuple[int, int]] = {}
    for sql in (
        f"SELECT l.pool, l.license, {_bought('l.seats')} FROM lot AS l WHERE l.pool <> 0 AND {_VALID}"
        " GROUP BY l.pool, l.license",
        f"SELECT n.company, l.license, {_bought('n.held')} FROM holding_count AS n JOIN lot AS l ON l.key = n.lot"
        f" WHERE l.pool = 0 AND {_VALID} GROUP BY n.company, l.license",
    ):
        for company, license, paid, with_trials in tx.execute(sql, {"now": now}):
            bought.setdefault((company, license), (int(paid), int(with_trials)))
    used = tx.execute(
        "SELECT company, license, sum(held) FROM holding_count WHERE through = 'entitlement' GROUP BY company, license"
    )
    uses = {(row[0], row[1]): int(row[2]) for row in used}
    companies = tx.execute("SELECT key, id FROM company WHERE key <> 0 AND state <> 'retired' ORDER BY id")
    return [
        _entitlement(id, license.value, bought.get((key, license), (0, 0)), uses.get((key, license), 0), settings)
        for key, id in companies
        for license in License
    ]


def _bought(seats: str) -> str:
    return f"sum(CASE WHEN l.term <> 'trial' THEN {seats} ELSE 0 END), sum({seats})"


def _entitlement(
    company: str, license: str, bought: tuple[int, int], used: int, settings: Mapping[str, Setting]
) -> EntitlementState:
    setting = settings.get(company, Setting())
    entitled: int | None = bought[1] if setting.trial_entitles else bought[0]
    if isinstance(setting.shared_mailboxes, int):
        entitled = setting.shared_mailboxes
    elif setting.shared_mailboxes == UNLIMITED:
        entitled = None
    return EntitlementState(company, license, entitled, used, entitled is not None and used > entitled)


def _directories(tx: "Transaction") -> list[DirectoryState]:
    """What is wrong first; healthy directories too, whose groups or mailboxes need a person (G3, S6)."""
    rows = tx.execute(
        "SELECT d.id, c.id, d.state, d.last_success, coalesce(d.problem, d.groups_problem, d.mailbox_problem),"
        " CASE WHEN d.problem IS NOT NULL THEN d.remedy WHEN d.groups_problem IS NOT NULL THEN d.groups_remedy"
        " ELSE d.mailbox_remedy END FROM directory AS d"
        " JOIN company AS c ON c.key = d.company WHERE NOT d.retired"
        " ORDER BY CASE d.state WHEN 'failing' THEN 0 WHEN 'frozen' THEN 1 ELSE 2 END, d.id"
    )
    return [DirectoryState(row[0], row[1], row[2], rfc3339(row[3]), row[4], row[5]) for row in rows]


def _waiting(tx: "Transaction") -> dict[str, int]:
    rows = tx.execute("SELECT reason, sum(n) FROM waiting_count WHERE n > 0 GROUP BY reason ORDER BY reason")
    return {row[0]: int(row[1]) for row in rows}


def _count(tx: "Transaction", sql: str) -> int:
    return int(tx.execute(sql).scalar_one())
