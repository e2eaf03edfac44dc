"""Retention clocks: which of them need something now, which have run out, and what is told when backups may go (L4)."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from policies.planner import Proposal
from policies.retaining import DISTANCES, Clock
from store.audit import Entry, json_text
from store.legal_holds import on_hold

if TYPE_CHECKING:
    from store.transaction import Transaction

PURGE = "purge"
STANDARD = "standard"
FRESH = 24 * 3_600 * 1_000_000
"""How long ago a directory may have been read, in microseconds, for a clock to end on its word (R4)."""

_COLUMNS = "r.account, r.directory, a.id, a.address, a.state, r.license, r.started_at, r.ends, r.noticed"
_FROM = "retention AS r JOIN account AS a ON a.key = r.account"
_WELL = f"d.state = 'healthy' AND coalesce(d.last_success, 0) > :now - {FRESH}"
_RUN_OUT = (
    "r.company = :company AND r.ends <= :now AND NOT r.purge_due AND (r.license <> 'standard' OR"
    f" (r.noticed = {DISTANCES[-1]} AND NOT EXISTS (SELECT 1 FROM notice_account AS m JOIN notice AS n"
    " ON n.key = m.notice WHERE m.account = r.account AND m.started_at = r.started_at AND n.accepted_at IS NULL)))"
    f" AND EXISTS (SELECT 1 FROM directory AS d WHERE d.key = r.directory AND {_WELL} AND NOT d.retired)"
    " AND NOT EXISTS (SELECT 1 FROM link AS k JOIN account AS o ON o.key = k.old JOIN directory AS d"
    f" ON d.key = o.directory WHERE k.new = r.account AND NOT d.retired AND NOT ({_WELL}))"
    f" AND NOT {on_hold('r.account', 'r.company')}"
)
"""R1: every notice was accepted. R2: nobody holds it. R4: its directory is well and was completely read lately, and so
are those of the accounts whose backups go with it, unless a person retired them (D5)."""
_REJECTED = (
    "EXISTS (SELECT 1 FROM plan AS p JOIN plan_action AS x ON x.plan = p.key WHERE p.company = r.company"
    f" AND p.kind = '{PURGE}' AND p.state = 'rejected' AND x.account = r.account"
    " AND x.footing = CAST(r.started_at AS TEXT))"
)


class Running(NamedTuple):
    """A clock, and the account that it is of."""

    account: int
    directory: int
    id: str
    address: str
    state: str
    license: str
    started_at: int
    ends: int
    noticed: int

    @property
    def clock(self) -> Clock:
        return Clock(self.started_at, self.ends, self.noticed)


class Retentions:
    """The clocks of every company. The pool's row must be locked for whatever writes here."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def companies(self, now: int) -> list[int]:
        """The companies of which a clock needs something, or whose policy is newer than its clocks."""
        rows = self._tx.execute(
            "SELECT DISTINCT company FROM retention WHERE next_at <= :now UNION SELECT c.key FROM company AS c"
            " WHERE c.policy IS DISTINCT FROM c.clocks_policy AND EXISTS (SELECT 1 FROM retention AS r"
            " WHERE r.company = c.key AND NOT r.purge_due) ORDER BY 1",
            {"now": now},
        )
        return [row[0] for row in rows]

    def lengthen(self, company: int, version: int, retention: int) -> None:
        """Let running clocks last as long as the policy says now, if that is longer; they are told of anew (R3)."""
        done = self._tx.execute(
            "UPDATE company SET clocks_policy = :version WHERE key = :company"
            " AND clocks_policy IS DISTINCT FROM :version",
            {"version": version, "company": company},
        )
        if done.rowcount:
            self._tx.execute(
                "UPDATE retention SET ends = started_at + :retention, noticed = 0, next_at = 0 WHERE company = :company"
                f" AND license = '{STANDARD}' AND NOT purge_due AND ends < started_at + :retention",
                {"company": company, "retention": retention},
            )
            self._forget_notices("r.company = :company AND r.noticed = 0", {"company": company})

    def due(self, company: int, now: int, limit: int) -> list[Running]:
        """The next clocks that need something, by their end."""
        rows = self._tx.execute(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE r.company = :company AND r.next_at <= :now AND NOT r.purge_due"
            f" AND r.license = '{STANDARD}' AND NOT (r.noticed = {DISTANCES[-1]} AND r.ends <= :now)"
            " ORDER BY r.ends, r.account LIMIT :limit",
            {"company": company, "now": now, "limit": limit},
        )
        return [Running._make(row) for row in rows]

    def look_at_again(self, steps: Sequence[tuple[int, int | None, int | None]]) -> None:
        """Note when to look at clocks again: account, the days of the notice just sent (None: none), and when."""
        self._tx.execute_many(
            "UPDATE retention SET noticed = coalesce(:days, noticed), next_at = :next_at WHERE account = :account",
            [{"account": account, "days": days, "next_at": at} for account, days, at in steps],
        )

    def move_back(self, notice: int, days: int, end: int) -> None:
        """The accounts of a notice that was accepted last until `end` at least. Those whose end moves are told of the
        shorter distances anew."""
        mine = (
            "EXISTS (SELECT 1 FROM notice_account AS m WHERE m.notice = :notice AND m.account = retention.account"
            " AND m.started_at = retention.started_at) AND NOT purge_due"
        )
        self._tx.execute(
            "DELETE FROM notice_account WHERE notice IN (SELECT key FROM notice WHERE days < :days"
            " AND company = (SELECT company FROM notice WHERE key = :notice))"
            f" AND account IN (SELECT account FROM retention WHERE {mine} AND ends < :end)",
            {"notice": notice, "days": days, "end": end},
        )
        self._tx.execute(
            f"UPDATE retention SET ends = :end, noticed = :days WHERE {mine} AND ends < :end",
            {"notice": notice, "days": days, "end": end},
        )
        self._tx.execute(f"UPDATE retention SET next_at = 0 WHERE {mine}", {"notice": notice})

    def run_out(self, company: int, now: int) -> list[Running]:
        """The clocks at whose end the backups may go now, those aside that a person refused to let go."""
        rows = self._tx.execute(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_RUN_OUT} AND NOT {_REJECTED} ORDER BY a.address, a.id, a.key",
            {"company": company, "now": now},
        )
        return [Running._make(row) for row in rows]

    def purge(self, company: int, clocks: Sequence[Running], who: str, because: str, now: int) -> None:
        """Tell the engine that the backups of these accounts may go, by one event each, and of those that are linked
        to them (D5)."""
        keys = [clock.account for clock in clocks]
        self._tx.execute(
            f"UPDATE retention SET purge_due = true, next_at = NULL WHERE {self._tx.dialect.among('account', 'keys')}",
            {"keys": self._tx.dialect.listed(keys)},
        )
        told = [(clock.id, clock.directory, because) for clock in clocks]
        told += [
            (old.id, old.directory, f"{because}; linked to {old.new_id}") for old in self._tx.links.covered_by(keys)
        ]
        after = json_text(purge_due=True)
        entries = (Entry(who, "account.purge_due", id, directory, None, after, why) for id, directory, why in told)
        self._tx.audit.append(company, entries, now)

    def _forget_notices(self, condition: str, values: dict[str, Any]) -> None:
        self._tx.execute(
            f"DELETE FROM notice_account WHERE account IN (SELECT r.account FROM retention AS r WHERE {condition})",
            values,
        )


def as_proposals(clocks: Collection[Running], now: int) -> list[Proposal]:
    """What a hold of clocks that have run out has for each: a rejection stands while it is the same clock."""
    return [
        Proposal(
            c.account, PURGE, None, None, c.license, None, 0, 0, "", PURGE, "its retention has ended", now, None,  # type: ignore[arg-type]
            c.address, c.id, str(c.started_at),
        )
        for c in clocks
    ]  # fmt: skip
