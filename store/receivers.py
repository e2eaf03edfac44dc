"""Receivers: whom companies want told outside, and how far in the feed each of them is (A2).

    claim ──▶ news ──▶ (the requests) ──▶ told, company by company ──▶ rest, or fail
      │                                     └─ only while the claim is still ours
      └─ nobody else tells this receiver for a while; after a crash, somebody does, from where `told` stands

A receiver has a position for each company whose policy names it, and no row for an account or an event. `fence` only
grows, and tells a claim from every later one. Rows of receivers are locked after pools and chains, never before.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from store.times import rfc3339, span

if TYPE_CHECKING:
    from store.transaction import Transaction

WEBHOOK, EMAIL = "webhook", "email"
_END = "(SELECT f.last FROM feed AS f WHERE f.company = s.company ORDER BY f.first DESC LIMIT 1)"
_DUE = (
    "r.due <= :now AND r.lease_until <= :now AND"
    f" EXISTS (SELECT 1 FROM subscription AS s WHERE s.receiver = r.key AND s.told < {_END})"
)
_WELL = " AND r.failures = 0"
_OURS = "key = :key AND fence = :fence"


class Address(NamedTuple):
    """A receiver as a policy names it."""

    id: str
    """The same for the same kind, address and place of the secret."""
    kind: str
    place: str
    """What people are shown of its address."""


class Claim(NamedTuple):
    """A receiver that is ours to tell until an instant."""

    key: int
    id: str
    kind: str
    place: str
    fence: int
    failures: int
    until: int

    @property
    def who(self) -> str:
        """The name under which it accepts notices."""
        return f"{self.kind}:{self.place}"


class News(NamedTuple):
    """A company of which a receiver has not been told everything."""

    company: int
    company_id: str
    name: str
    told: int
    """The position in the feed up to which it was told."""
    end: int
    """The last position of the company."""
    sending: int | None
    """Up to where a mail goes that may have arrived."""


class ReceiverState(msgspec.Struct, frozen=True):
    """How the telling of a receiver goes, as `status --json` shows it."""

    receiver: str
    companies: list[str]
    state: str
    """`healthy`, or `failing`: then nothing further is told until it accepts what is next."""
    failing_since: str | None
    next_attempt: str | None
    last_success: str | None
    problem: str | None
    remedy: str | None


class Receivers:
    """Everybody who is told outside."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    # --- following the policies ---

    def follow(self, wanted: Mapping[int, Collection[Address]]) -> None:
        """Let these companies, and no others, have these receivers. One that takes another's place in a policy goes on
        where that one stopped; any other begins with what happens from now on, and with the first notice that nobody
        has accepted yet, so that no notice is left out (R1). Where nothing changed, nothing is written."""
        have = self._subscriptions()
        named = {(company, address.id): address for company, some in wanted.items() for address in some}
        gone = {pair: row for pair, row in have.items() if pair not in named}
        new = [(company, address) for (company, id), address in sorted(named.items()) if (company, id) not in have]
        for company, address in new:
            self._subscribe(company, address, self._beginning(company, address.kind, gone))
        for company, id in sorted(gone):
            self._tx.execute(
                "DELETE FROM subscription WHERE company = :company AND receiver ="
                " (SELECT key FROM receiver WHERE id = :id)",
                {"company": company, "id": id},
            )
        if gone:
            self._tx.execute(
                "DELETE FROM receiver WHERE NOT EXISTS (SELECT 1 FROM subscription WHERE receiver = receiver.key)"
            )

    def _subscriptions(self) -> dict[tuple[int, str], tuple[str, int]]:
        rows = self._tx.execute(
            "SELECT s.company, r.id, r.kind, s.told FROM subscription AS s JOIN receiver AS r ON r.key = s.receiver"
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    def _beginning(self, company: int, kind: str, gone: Mapping[tuple[int, str], tuple[str, int]]) -> int:
        replaced = [told for (of, _), (was, told) in gone.items() if (of, was) == (company, kind)]
        if replaced:
            return min(replaced)
        first = self._tx.notices.first_open(company)
        before = None if first is None else self._tx.audit.position_before(company, *first)
        return self._tx.audit.feed_end() if before is None else before

    def _subscribe(self, company: int, address: Address, told: int) -> None:
        key = self._tx.execute(
            "INSERT INTO receiver (id, kind, place) VALUES (:id, :kind, :place)"
            " ON CONFLICT (id) DO UPDATE SET place = excluded.place RETURNING key",
            address._asdict(),
        ).scalar_one()
        self._tx.execute(
            "INSERT INTO subscription (receiver, company, told) VALUES (:key, :company, :told)"
            " ON CONFLICT (receiver, company) DO NOTHING",
            {"key": key, "company": company, "told": told},
        )

    # --- telling ---

    def is_due(self, now: int, *, well: bool = False) -> bool:
        """Whether somebody is to be told of something now; with `well`, somebody who did not fail the last time."""
        found = self._tx.execute(
            f"SELECT 1 FROM receiver AS r WHERE {_DUE}{_WELL if well else ''} LIMIT 1", {"now": now}
        )
        return found.scalar_one_or_none() is not None

    def claim(self, now: int, for_: timedelta, *, well: bool = False) -> Claim | None:
        """Take the receiver that is due the longest, for so long; those that others are about to take are passed
        over, and with `well` those that failed the last time."""
        until = now + span(for_)
        row = self._tx.execute(
            f"WITH due AS MATERIALIZED (SELECT r.key FROM receiver AS r WHERE {_DUE}{_WELL if well else ''}"
            f" ORDER BY r.due, r.key LIMIT 1{self._tx.dialect.skip_locked()})"
            " UPDATE receiver SET lease_until = :until, fence = fence + 1"
            " WHERE key IN (SELECT key FROM due) RETURNING key, id, kind, place, fence, failures",
            {"now": now, "until": until},
        ).one_or_none()
        return None if row is None else Claim._make((*row, until))

    def news(self, claim: Claim, limit: int) -> list[News]:
        """The companies of which the receiver has not been told everything, those first that were told of least
        lately."""
        rows = self._tx.execute(
            f"SELECT s.company, c.id, c.name, s.told, {_END}, s.sending FROM subscription AS s JOIN company AS c"
            f" ON c.key = s.company WHERE s.receiver = :key AND s.told < {_END}"
            " ORDER BY s.served_at, s.company LIMIT :limit",
            {"key": claim.key, "limit": limit},
        )
        return [News(*row) for row in rows]

    def sends(self, claim: Claim, upto: Mapping[int, int | None]) -> bool:
        """Note, before a mail leaves, up to where it goes for each company, so that it is the same mail if it has to be
        sent again; None where nothing left. False where the claim was lost."""
        if not self._is_ours(claim):
            return False
        self._tx.execute_many(
            "UPDATE subscription SET sending = :upto WHERE receiver = :key AND company = :company",
            [{"upto": end, "key": claim.key, "company": company} for company, end in sorted(upto.items())],
        )
        return True

    def told(self, claim: Claim, upto: Mapping[int, int], now: int, *, accepted: bool, but: str | None = None) -> bool:
        """The receiver needs not be told anything up to these positions any more: it has `accepted` it, or there was
        nothing for it. `but` is what went wrong and did not matter enough to stop. False where the claim was lost: then
        somebody else tells it again, under the same ids."""
        if not self._is_ours(claim):
            return False
        if accepted:
            self._tx.execute(
                "UPDATE receiver SET failures = 0, failing_since = NULL, problem = :but, remedy = NULL,"
                " last_success = :now WHERE key = :key",
                {"key": claim.key, "but": but, "now": now},
            )
        self._tx.execute_many(
            "UPDATE subscription SET told = :upto, sending = NULL, served_at = :now"
            " WHERE receiver = :key AND company = :company AND told <= :upto",
            [{"upto": end, "key": claim.key, "company": company, "now": now} for company, end in sorted(upto.items())],
        )
        return True

    def rest(self, claim: Claim, due: int) -> None:
        """Hand the receiver back."""
        self._tx.execute(
            f"UPDATE receiver SET lease_until = 0, due = :due WHERE {_OURS}",
            {"key": claim.key, "fence": claim.fence, "due": due},
        )

    def fail(self, claim: Claim, problem: str, remedy: str | None, due: int, now: int) -> None:
        """Hand the receiver back: it did not accept what is next, and is told nothing further before it does."""
        self._tx.execute(
            "UPDATE receiver SET lease_until = 0, due = :due, failures = failures + 1,"
            f" failing_since = coalesce(failing_since, :now), problem = :problem, remedy = :remedy WHERE {_OURS}",
            {
                "key": claim.key, "fence": claim.fence, "due": due, "now": now, "problem": problem, "remedy": remedy,
            },
        )  # fmt: skip

    def hasten(self, now: int) -> None:
        """Let receivers that failed be tried at once: a person has seen to them."""
        self._tx.execute("UPDATE receiver SET due = :now WHERE failures > 0 AND due > :now", {"now": now})

    def _is_ours(self, claim: Claim) -> bool:
        """Whether nobody has claimed it since; its row stays locked, so it stays so until the transaction ends."""
        ours = self._tx.execute(
            f"UPDATE receiver SET fence = fence WHERE {_OURS}", {"key": claim.key, "fence": claim.fence}
        )
        return ours.rowcount == 1

    # --- showing ---

    def listing(self) -> list[ReceiverState]:
        """Every receiver, those that fail first."""
        companies: dict[int, list[str]] = {}
        for key, id in self._tx.execute(
            "SELECT s.receiver, c.id FROM subscription AS s JOIN company AS c ON c.key = s.company ORDER BY c.id"
        ):
            companies.setdefault(key, []).append(id)
        rows = self._tx.execute(
            "SELECT key, kind, place, failures, failing_since, due, last_success, problem, remedy FROM receiver"
            " ORDER BY failures = 0, kind, place, key"
        )
        return [
            ReceiverState(
                f"{row.kind}:{row.place}", companies.get(row.key, []), "failing" if row.failures else "healthy",
                rfc3339(row.failing_since), rfc3339(row.due) if row.failures else None, rfc3339(row.last_success),
                row.problem, row.remedy,
            )
            for row in rows
        ]  # fmt: skip

    def unheard(self) -> Iterator[str]:
        """Companies with notices that wait for an answer, and nobody who is told of them (R1)."""
        rows = self._tx.execute(
            "SELECT c.id FROM company AS c WHERE EXISTS (SELECT 1 FROM notice AS n WHERE n.company = c.key"
            " AND n.accepted_at IS NULL AND EXISTS (SELECT 1 FROM notice_account AS m JOIN retention AS r"
            " ON r.account = m.account AND r.started_at = m.started_at AND NOT r.purge_due WHERE m.notice = n.key))"
            " AND NOT EXISTS (SELECT 1 FROM subscription AS s WHERE s.company = c.key) ORDER BY c.id"
        )
        return (row[0] for row in rows)
