"""Accounts in a person's hands: what each holds, who decided about it, and what follows (L7, L8, M2)."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from store.holdings import Held

if TYPE_CHECKING:
    from store.transaction import Transaction

CHUNK = 10_000

_SUBJECT = (
    "SELECT a.key, a.id, a.address, a.kind, a.state, d.key, d.id, d.retired, d.company, b.account IS NOT NULL,"
    " coalesce(b.pinned, false), n.id, h.license, h.through, h.lot, h.source, h.because, h.since FROM account AS a"
    " JOIN directory AS d ON d.key = a.directory LEFT JOIN assignment AS h ON h.account = a.key"
    " LEFT JOIN by_hand AS b ON b.account = a.key LEFT JOIN link AS k ON k.old = a.key"
    " LEFT JOIN account AS n ON n.key = k.new"
)


class Subject(NamedTuple):
    """An account as a person finds it before deciding about it."""

    key: int
    id: str
    address: str
    kind: str
    state: str
    directory: int
    directory_id: str
    retired: bool
    """Whether its directory is."""
    company: int
    by_hand: bool
    pinned: bool
    linked_to: str | None
    """The id of the account whose license covers its backups (D5)."""
    held: Held | None

    @property
    def license(self) -> str | None:
        return None if self.held is None else self.held.license

    @property
    def source(self) -> str | None:
        """Where its license came from, as the list of accounts shows it."""
        if self.by_hand:
            return "pinned" if self.pinned else "manual"
        return None if self.held is None else self.held.source

    @property
    def name(self) -> str:
        """How people are told of it."""
        return self.address or self.id


class ByHand:
    """What people decided about accounts."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    # --- looking ---

    def subjects(self, keys: Collection[int]) -> list[Subject]:
        """These accounts, by address."""
        found: list[Subject] = []
        for part in _parts(sorted(set(keys))):
            rows = self._tx.execute(f"{_SUBJECT} WHERE {self._tx.dialect.among('a.key', 'keys')}", self._listed(part))
            found.extend(_subject(row) for row in rows)
        return sorted(found, key=lambda subject: (subject.address, subject.id, subject.key))

    def directories_of(self, keys: Collection[int]) -> set[int]:
        """The directories that these accounts are of, by key."""
        found: set[int] = set()
        for part in _parts(sorted(set(keys))):
            rows = self._tx.execute(
                f"SELECT DISTINCT directory FROM account WHERE {self._tx.dialect.among('key', 'keys')}",
                self._listed(part),
            )
            found.update(row[0] for row in rows)
        return found

    def given_by(self, person: str, company: int, license: str) -> int:
        """How many licenses of a type a person gave by hand that are still held (M2)."""
        return int(
            self._tx.execute(
                "SELECT count(*) FROM by_hand AS b JOIN assignment AS h ON h.account = b.account WHERE"
                " b.person = :person AND b.person <> '' AND b.license = :license AND h.license = :license"
                " AND h.company = :company",
                {"person": person, "license": license, "company": company},
            ).scalar_one()
        )

    def is_purge_due(self, key: int) -> bool:
        """Whether the engine was told that the account's backups may go."""
        return bool(
            self._tx.execute(
                "SELECT count(*) FROM retention WHERE account = :key AND purge_due", {"key": key}
            ).scalar_one()
        )

    # --- deciding ---

    def give(self, keys: Collection[int], person: str, license: str) -> None:
        """A person gave these accounts a license: rules neither take nor give (L8)."""
        self._upsert(keys, "person = excluded.person, license = excluded.license", person, license)

    def take(self, keys: Collection[int]) -> None:
        """A person took these accounts' licenses, and rules give them no other."""
        self._upsert(keys, "person = '', license = NULL", "", None)

    def mark(self, keys: Collection[int]) -> None:
        """A person wants what these accounts hold, or do not hold, to stay."""
        self._upsert(keys, "pinned = by_hand.pinned", "", None)

    def pin(self, keys: Collection[int]) -> None:
        """Not even a deletion in the directory changes what these accounts hold."""
        self._upsert(keys, "pinned = true", "", None, pinned=True)

    def unpin(self, keys: Collection[int]) -> None:
        """They are as if merely decided by hand."""
        for part in _parts(sorted(keys)):
            among = self._tx.dialect.among("account", "keys")
            self._tx.execute(f"UPDATE by_hand SET pinned = false WHERE {among}", self._listed(part))

    def forget(self, keys: Collection[int]) -> None:
        """Rules decide about these accounts again."""
        for part in _parts(sorted(keys)):
            self._tx.execute(
                f"DELETE FROM by_hand WHERE {self._tx.dialect.among('account', 'keys')}", self._listed(part)
            )

    def look_again(self, keys: Collection[int], directories: Collection[int]) -> None:
        """Let the next run of these directories plan the accounts."""
        for part in _parts(sorted(keys)):
            self._tx.execute(
                "INSERT INTO unplanned (account, directory) SELECT a.key, a.directory FROM account AS a"
                f" WHERE {self._tx.dialect.among('a.key', 'keys')} ON CONFLICT (account) DO NOTHING",
                self._listed(part),
            )
        for directory in sorted(directories):
            self._tx.directories.plan_some(directory)

    # --- within ---

    def _upsert(
        self, keys: Collection[int], change: str, person: str, license: str | None, *, pinned: bool = False
    ) -> None:
        for part in _parts(sorted(keys)):
            self._tx.execute(
                "INSERT INTO by_hand (account, pinned, person, license) SELECT key, :pinned, :person, :license"
                f" FROM account WHERE {self._tx.dialect.among('key', 'keys')}"
                f" ON CONFLICT (account) DO UPDATE SET {change}",
                self._listed(part) | {"pinned": pinned, "person": person, "license": license},
            )

    def _listed(self, keys: Sequence[int]) -> dict[str, Any]:
        return {"keys": self._tx.dialect.listed(list(keys))}


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _subject(row: Sequence[Any]) -> Subject:
    held = None if row[12] is None else Held._make(row[12:18])
    return Subject._make((*row[:7], bool(row[7]), row[8], bool(row[9]), bool(row[10]), row[11], held))
