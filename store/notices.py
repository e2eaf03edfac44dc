"""Notices that backups will go: whom they name, and who accepted them (R1)."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from policies.retaining import DAY, end_after
from store.audit import Entry, json_text
from store.errors import NotFound
from store.times import instant, rfc3339

if TYPE_CHECKING:
    from store.links import Covered
    from store.retentions import Running
    from store.transaction import Transaction

NOTICE = "notice.due"
_COUNTS = (
    "notice_account AS m JOIN retention AS r ON r.account = m.account AND r.started_at = m.started_at"
    " AND NOT r.purge_due"
)
"""The accounts that a notice is still about: their clock has not been stopped since."""
_NAMED = (
    ("NULL", "account AS a ON a.key = m.account"),
    ("h.id", "link AS k ON k.new = m.account JOIN account AS a ON a.key = k.old JOIN account AS h ON h.key = k.new"),
)
"""Whom it names: these accounts, and those that are linked to them, since their backups go with theirs (D5)."""


class Due(NamedTuple):
    """A clock for which a notice is to be sent."""

    clock: "Running"
    days: int


class NamedAccount(msgspec.Struct, frozen=True):
    id: str
    address: str
    directory: str
    linked_to: str | None = None
    """The account whose backups its own go with."""


class NoticeRow(msgspec.Struct, frozen=True):
    """A notice as `notices list --json` shows it."""

    id: str
    company: str
    days: int
    ends: str
    """The day on which the backups would go; it moves back until the notice was accepted in time."""
    sent: str
    accepted: str | None
    accepted_by: str | None
    accounts: list[NamedAccount]


class Notices:
    """Notices of every company."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def send(self, company: int, due: Sequence[Due], now: int) -> None:
        """Write notices down, one for all accounts of a distance whose backups would go on the same day, and tell of
        each account by an event of its own, also of those that are linked to them (D5)."""
        ordered = sorted(due, key=_kind)
        linked = self._linked([one.clock.account for one in due])
        for (days, day), some in groupby(ordered, key=_kind):
            id = f"notice-{secrets.token_hex(5)}"
            key = self._tx.execute(
                "INSERT INTO notice (id, company, days, ends, sent_at) VALUES (:id, :company, :days, :ends, :now)"
                " RETURNING key",
                {"id": id, "company": company, "days": days, "ends": day * DAY, "now": now},
            ).scalar_one()
            clocks = [one.clock for one in some]
            columns = ("notice", "account", "started_at")
            self._tx.copy("notice_account", columns, ((key, c.account, c.started_at) for c in clocks))
            self._tx.audit.append(company, (entry for c in clocks for entry in _told(id, days, c, linked)), now)

    def _linked(self, keys: Sequence[int]) -> "dict[int, list[Covered]]":
        found: dict[int, list[Covered]] = {}
        for covered in self._tx.links.covered_by(keys):
            found.setdefault(covered.new, []).append(covered)
        return found

    def accept(self, ids: Sequence[str], who: str, now: int) -> list[str]:
        """Somebody has taken note: from now on each notice's distance passes, and ends that would come sooner move
        back. Notices that were accepted already stay as they are; returns those that were not. Raises NotFound."""
        return [id for id in ids if self._accept(id, who, now)]

    def _accept(self, id: str, who: str, now: int) -> bool:
        row = self._tx.execute(
            f"SELECT key, company, days, accepted_at FROM notice WHERE id = :id{self._tx.dialect.for_update()}",
            {"id": id},
        ).one_or_none()
        if row is None:
            raise NotFound(f"there is no notice {id}; `seatkeeper notices list` shows those that wait for an answer")
        if row.accepted_at is not None:
            return False
        self._tx.execute(
            "UPDATE notice SET accepted_at = :now, accepted_by = :who WHERE key = :key",
            {"now": now, "who": who, "key": row.key},
        )
        self._tx.retentions.move_back(row.key, row.days, end_after(row.days, now))
        after = json_text(days=row.days, accepted=rfc3339(now))
        self._tx.audit.append(row.company, [Entry(who, "notice.accepted", id, None, None, after, None)], now)
        return True

    def company_of(self, id: str) -> int:
        """The key of the company that a notice is of. Raises NotFound."""
        found: int | None = self._tx.execute("SELECT company FROM notice WHERE id = :id", {"id": id}).scalar()
        if found is None:
            raise NotFound(f"there is no notice {id}; `seatkeeper notices list` shows those that wait for an answer")
        return found

    def listing(self, *, company: int | None = None, all_: bool = False) -> list[NoticeRow]:
        """Notices that wait for an answer, the oldest first, with the accounts that they are still about, linked ones
        too; with `all_`, those that were accepted too."""
        mine = "" if company is None else " AND n.company = :company"
        open_ = "" if all_ else " AND n.accepted_at IS NULL"
        some = (
            "SELECT n.key, n.id AS notice, c.id AS company, n.days, n.ends, n.sent_at, n.accepted_at, n.accepted_by,"
            f" a.id AS id, a.address AS address, d.id AS directory, {holder} AS linked_to FROM {_COUNTS}"
            f" JOIN notice AS n ON n.key = m.notice JOIN company AS c ON c.key = n.company JOIN {whom}"
            f" JOIN directory AS d ON d.key = a.directory WHERE true{mine}{open_}"
            for holder, whom in _NAMED
        )
        rows = self._tx.execute(
            f"{' UNION ALL '.join(some)} ORDER BY 1, address, id", {} if company is None else {"company": company}
        ).all()
        return [_notice(list(of)) for _, of in groupby(rows, key=lambda row: row[0])]

    def first_open(self, company: int) -> tuple[str, str, int] | None:
        """The oldest notice of the company that nobody has accepted, as the record has it: an account that it names,
        what was told, and when."""
        row = self._tx.execute(
            f"SELECT a.id, n.sent_at FROM {_COUNTS} JOIN notice AS n ON n.key = m.notice JOIN account AS a"
            " ON a.key = m.account WHERE n.company = :company AND n.accepted_at IS NULL"
            " ORDER BY n.key, a.key LIMIT 1",
            {"company": company},
        ).one_or_none()
        return None if row is None else (row[0], NOTICE, row[1])

    def unanswered(self) -> int:
        """How many notices wait for an answer."""
        return int(
            self._tx.execute(
                "SELECT count(*) FROM notice AS n WHERE n.accepted_at IS NULL AND EXISTS"
                f" (SELECT 1 FROM {_COUNTS} WHERE m.notice = n.key)"
            ).scalar_one()
        )


def _kind(due: Due) -> tuple[int, int]:
    return due.days, due.clock.ends // DAY


def _told(id: str, days: int, clock: "Running", linked: "Mapping[int, Sequence[Covered]]") -> Iterator[Entry]:
    because = f"its backups may go on {instant(clock.ends):%Y-%m-%d}, {days} days from the notice at the earliest"
    facts = {"notice": id, "days": days, "ends": rfc3339(clock.ends)}
    yield Entry("system", NOTICE, clock.id, clock.directory, None, json_text(**facts, address=clock.address), because)
    for old in linked.get(clock.account, ()):
        after = json_text(**facts, address=old.address, linked_to=clock.id)
        yield Entry("system", NOTICE, old.id, old.directory, None, after, f"{because}; linked to {clock.id}")


def _notice(rows: Sequence[Any]) -> NoticeRow:
    _, id, company, days, ends, sent, accepted, by, *_ = rows[0]
    accounts = [NamedAccount(*row[8:]) for row in rows]
    day = instant(ends).date().isoformat()
    return NoticeRow(id, company, days, day, rfc3339(sent) or "", rfc3339(accepted), by, accounts)
