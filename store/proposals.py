"""The working set of a run: accounts read for planning, what was decided of them, and who waits for what.

Everything is streamed, so that memory does not grow with the directory.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from policies.model import ATTRIBUTES, Account, AccountKey, Holding, Source
from policies.planner import Proposal
from policies.stock import Claim

if TYPE_CHECKING:
    from store.transaction import Transaction

CHUNK = 5_000
_COLUMNS = ("batch", *Proposal._fields)
_ACCOUNT = "a.key, a.id, a.address, a.name, a.kind, a.state, a.org_unit, "
_ATTRIBUTES = "".join(f", a.at_{name}" for name in ATTRIBUTES)
_PLAIN = 7
_HELD = 12
_HOLDING = (
    "h.license, h.through, h.lot, h.source, h.because, w.license, w.since, w.reason, g.kind, g.started_at, g.due,"
    " b.pinned"
)
_JOINS = (
    " LEFT JOIN assignment AS h ON h.account = a.key"
    " LEFT JOIN waiting AS w ON w.account = a.key AND w.kind <> 'exchange'"  # the pool's own business (M4)
    " LEFT JOIN grace AS g ON g.account = a.key LEFT JOIN by_hand AS b ON b.account = a.key"
)
_SERVES = ("assign", "archive", "restore", "move")
_SERVED = f"({', '.join(repr(kind) for kind in _SERVES)})"
_STOCKED = "(p.kind <> 'move' OR p.through <> p.held_through)"
_ORDER = "rank, rule_position, since, address, id"
_NOT_IN_LINE = "NOT EXISTS (SELECT 1 FROM waiting AS w WHERE w.account = p.account AND w.kind = p.kind)"


class Chunk(NamedTuple):
    """Some accounts of a directory with what they hold."""

    accounts: list[Account]
    holdings: dict[AccountKey, Holding]


class Wanted(NamedTuple):
    """A claim with what the store knows beside it."""

    claim: Claim
    directory: int
    """The key of the directory that the account is of."""
    held_since: int | None
    held_because: str | None
    waits: str | None
    """The reason for which it waits already."""
    waits_as: tuple[str, int, str] | None
    """License, rule position and source under which it waits already."""


class Proposals:
    """What a run decided, before stock and limits are looked at."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx
        self._added: dict[int, set[tuple[str, int]]] = {}
        """Kinds and ranks of what was added to batches that were empty before: what is not among them is not asked for,
        since most plans have few kinds, and others may wait for the pool meanwhile."""

    # --- reading accounts ---

    def whole(self, directory: int, *, attributes: bool = True) -> Iterator[Chunk]:
        """Every account of the directory; with its attributes only where a rule looks at them, for they are most of
        what there is to read."""
        where = f"FROM account AS a{_JOINS} WHERE a.directory = :directory"
        return self._chunks(where, {"directory": directory}, attributes)

    def changed(self, directory: int, *, attributes: bool = True) -> Iterator[Chunk]:
        """The accounts noted for planning."""
        where = (
            f"FROM unplanned AS u CROSS JOIN account AS a{_JOINS} WHERE u.directory = :directory AND a.key = u.account"
        )
        return self._chunks(where, {"directory": directory}, attributes)

    def one(self, account: int) -> Chunk | None:
        """A single account, for `why`."""
        return next(self._chunks(f"FROM account AS a{_JOINS} WHERE a.key = :account", {"account": account}, True), None)

    def in_full(self, accounts: Collection[AccountKey]) -> dict[AccountKey, Account]:
        """These accounts by key, with their attributes whether a rule looks at them or not."""
        where = f"FROM account AS a{_JOINS} WHERE {self._tx.dialect.among('a.key', 'accounts')}"
        chunks = self._chunks(where, {"accounts": self._tx.dialect.listed(sorted(accounts))}, True)
        return {account.key: account for chunk in chunks for account in chunk.accounts}

    def _chunks(self, source: str, values: Mapping[str, Any], attributes: bool) -> Iterator[Chunk]:
        sql = f"SELECT {_ACCOUNT}{_HOLDING}{_ATTRIBUTES if attributes else ''} {source}"
        for rows in self._tx.stream(sql, values, CHUNK):
            accounts = [Account._make((*row[:_PLAIN], row[_PLAIN + _HELD :])) for row in rows]
            holdings = {
                row[0]: _holding(row[_PLAIN : _PLAIN + _HELD])
                for row in rows
                if not (row[7] is None and row[12] is None and row[15] is None and row[18] is None)
            }
            yield Chunk(accounts, holdings)

    def note_due(self, directory: int, now: int) -> None:
        """Note the accounts whose grace has run out for planning."""
        self._tx.execute(
            "INSERT INTO unplanned (account, directory) SELECT account, directory FROM grace"
            " WHERE directory = :directory AND due <= :now ON CONFLICT (account) DO NOTHING",
            {"directory": directory, "now": now},
        )

    def planned(self, directory: int) -> None:
        """What was noted has been planned."""
        self._tx.execute("DELETE FROM unplanned WHERE directory = :directory", {"directory": directory})

    # --- proposals ---

    def add(self, batch: int, proposals: Iterable[Proposal]) -> None:
        """Write down what was decided."""
        proposals = list(proposals)
        if batch in self._added:
            self._added[batch].update((proposal.kind, proposal.rank) for proposal in proposals)
        self._tx.copy("proposal", _COLUMNS, ((batch, *proposal) for proposal in proposals))

    def drop(self, batch: int) -> None:
        self._tx.execute("DELETE FROM proposal WHERE batch = :batch", {"batch": batch})
        self._added[batch] = set()

    def _lacks(self, batch: int, *kinds: str, ranks: tuple[int, int] | None = None) -> bool:
        """Whether a batch is known to have nothing of these kinds and ranks."""
        return batch in self._added and not any(
            kind in kinds and (ranks is None or ranks[0] <= rank <= ranks[1]) for kind, rank in self._added[batch]
        )

    def judged(self, batch: int, kind: str, approved: Collection[int]) -> int:
        """How many proposals of a kind a limit has to judge: neither those of approved accounts, nor those that were
        judged when they were let into the line, where they wait for nothing but a seat."""
        if self._lacks(batch, kind):
            return 0
        among = f" AND NOT {self._tx.dialect.among('p.account', 'approved')}" if approved else ""
        values: dict[str, Any] = {"batch": batch, "kind": kind}
        if approved:
            values["approved"] = self._tx.dialect.listed(sorted(approved))
        sql = f"SELECT count(*) FROM proposal AS p WHERE batch = :batch AND kind = :kind AND {_NOT_IN_LINE}{among}"
        return int(self._tx.execute(sql, values).scalar_one())

    def of_kind(self, batch: int, kind: str, *, new: bool = False) -> Iterator[Proposal]:
        """The proposals of one kind, sorted; with `new`, without those that were let into the line before."""
        if self._lacks(batch, kind):
            return
        columns = ", ".join(Proposal._fields)
        only = f" AND {_NOT_IN_LINE}" if new else ""
        sql = f"SELECT {columns} FROM proposal AS p WHERE batch = :batch AND kind = :kind{only} ORDER BY {_ORDER}"
        for rows in self._tx.stream(sql, {"batch": batch, "kind": kind}, CHUNK):
            for row in rows:
                yield Proposal._make(row)

    def remove(self, batch: int, kind: str, accounts: Sequence[int] | None = None) -> None:
        """Take proposals of a kind out of the run, all or those of some accounts."""
        among = "" if accounts is None else f" AND {self._tx.dialect.among('account', 'accounts')}"
        values = {"batch": batch, "kind": kind, "accounts": self._tx.dialect.listed(list(accounts or ()))}
        if accounts is None:
            del values["accounts"]
        self._tx.execute(f"DELETE FROM proposal WHERE batch = :batch AND kind = :kind{among}", values)

    def keep_only(self, batch: int, kind: str, accounts: Sequence[int]) -> None:
        """Take all proposals out of the run but those of a kind for some accounts."""
        self._tx.execute(
            f"DELETE FROM proposal WHERE batch = :batch AND NOT (kind = :kind AND"
            f" {self._tx.dialect.among('account', 'accounts')})",
            {"batch": batch, "kind": kind, "accounts": self._tx.dialect.listed(list(accounts))},
        )

    def to_serve(self, batch: int, ranks: tuple[int, int]) -> Iterator[Wanted]:
        """The proposals that need a seat or an entitlement, in the order in which they are served (M9, G5)."""
        if self._lacks(batch, *_SERVES, ranks=ranks):
            return iter(())
        return self._wanted(batch, f"p.kind IN {_SERVED} AND p.rank BETWEEN {ranks[0]} AND {ranks[1]} AND {_STOCKED}")

    def to_release(self, batch: int) -> Iterator[Wanted]:
        """The licenses that are to be taken."""
        return iter(()) if self._lacks(batch, "release") else self._wanted(batch, "p.kind = 'release'")

    def to_rename(self, batch: int) -> Iterator[Wanted]:
        """The licenses that stay and only have another reason (G4)."""
        return iter(()) if self._lacks(batch, "move") else self._wanted(batch, f"p.kind = 'move' AND NOT {_STOCKED}")

    def _wanted(self, batch: int, condition: str) -> Iterator[Wanted]:
        sql = (
            f"SELECT {', '.join(f'p.{name}' for name in Proposal._fields)}, h.lot, h.source, h.since, h.because,"
            " w.reason, w.license, w.rule_position, w.source, p.batch >> 32 FROM proposal AS p"
            " LEFT JOIN assignment AS h ON h.account = p.account LEFT JOIN waiting AS w ON w.account = p.account"
            f" WHERE p.batch = :batch AND {condition}"
            f" ORDER BY {', '.join(f'p.{name}' for name in _ORDER.split(', '))}"
        )
        for rows in self._tx.stream(sql, {"batch": batch}, CHUNK):
            for row in rows:
                yield _wanted(row)

    def waiting(
        self,
        batch: int,
        own: int,
        company: int,
        stock: tuple[str, str],
        ranks: tuple[int, int],
        exhausted: Sequence[str],
        limit: int,
    ) -> list[Wanted]:
        """Those who wait for a stock (license, through), first come first; not more than can be served, and not those
        of whom the batch decides anew. Accounts of directories that are not healthy are left as they are (M9), but for
        `own`, the one that was just read: it is well again; and expired seats are exchanged wherever they are held."""
        skip = "".join(
            f" AND (w.source <> :rule{n} OR h.source IS NOT DISTINCT FROM :rule{n})" for n in range(len(exhausted))
        )
        sql = (
            "SELECT w.account, w.kind, w.license, w.through, h.license, h.through, w.rank, w.rule_position, w.rule,"
            " w.source, w.because, w.since, NULL, w.address, w.id, '', h.lot, h.source, h.since, h.because, w.reason,"
            " w.license, w.rule_position, w.source, w.directory FROM waiting AS w"
            " JOIN directory AS d ON d.key = w.directory"
            " LEFT JOIN assignment AS h ON h.account = w.account WHERE w.company = :company AND w.license = :license"
            " AND w.through = :through AND w.rank BETWEEN :low AND :high AND (d.state = 'healthy' OR d.key = :own"
            " OR w.kind = 'exchange')"
            " AND NOT EXISTS"
            f" (SELECT 1 FROM proposal AS p WHERE p.batch = :batch AND p.account = w.account){skip}"
            f" ORDER BY {', '.join(f'w.{name}' for name in _ORDER.split(', '))} LIMIT :limit"
        )
        values = {
            "company": company, "license": stock[0], "through": stock[1], "batch": batch, "own": own, "limit": limit,
            "low": ranks[0], "high": ranks[1], **{f"rule{n}": Source.rule(rule) for n, rule in enumerate(exhausted)},
        }  # fmt: skip
        return [_wanted(row) for row in self._tx.execute(sql, values)]


def _holding(held: Sequence[Any]) -> Holding:
    found = Holding(*held[:11])
    if held[11] is None:
        return found
    source = Source.PINNED if held[11] else Source.MANUAL
    return found._replace(source=source, archived_as_deleted=found.source == Source.DELETED_USER)


def _wanted(row: Sequence[Any]) -> Wanted:
    width = len(Proposal._fields)
    lot, source, since, because, reason, license, position, waits_source, directory = row[width:]
    claim = Claim(Proposal._make(row[:width]), lot, source)
    return Wanted(
        claim, directory, since, because, reason, None if reason is None else (license, position, waits_source)
    )
