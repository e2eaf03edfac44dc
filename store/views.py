"""Read models for console and command line: accounts by page, one account by its name, and the state of everything.

A page of accounts is found by keys: it begins behind the last account of the page before, never at an offset. How many
accounts one page looks at is bounded, so that a filter that fits few of a million keeps nobody waiting: then the page
is shorter than asked for, and its cursor goes on. What is rare is found through an index or a counter instead.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from store.account_filters import AccountFilter, Narrowed, narrowed
from store.account_pages import AccountRow, Page, Place, Reader
from store.errors import Ambiguous, NotFound
from store.gauges import Gauges, gauges, stuck
from store.overview import Setting, Status, overview

if TYPE_CHECKING:
    from store.transaction import Transaction

LIMIT = 100
EXAMINED = 10_000
"""Accounts that one page looks at, at the most."""
WHOLE = 5_000
"""Rows in memory at once where everything is listed."""
NAMED = 20
"""Accounts that are looked at where a name is not unambiguous."""

_NAMED = (
    "SELECT a.key, a.id, a.address, a.state, d.key AS directory, d.id AS directory_id, c.key AS company,"
    " c.id AS company_id FROM directory AS d JOIN company AS c ON c.key = d.company"
    " CROSS JOIN account AS a WHERE a.directory = d.key"  # SQLite keeps to this order: a look-up per directory
)


class Named(NamedTuple):
    """The account that a name stands for."""

    key: int
    id: str
    address: str
    state: str
    directory: int
    directory_id: str
    company: int
    company_id: str


class Views:
    """What is shown, in plain rows."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def gauges(self, now: int) -> Gauges:
        """A few numbers about everything, for whoever watches."""
        return gauges(self._tx, now)

    def stuck(self, now: int) -> list[str]:
        """The directories that should have been run long ago."""
        return stuck(self._tx, now)

    def accounts(
        self,
        filter: AccountFilter,
        now: int,
        *,
        limit: int = LIMIT,
        after: str | None = None,
        examine: int | None = EXAMINED,
    ) -> Page:
        """A page of the accounts that fit, from the cursor of the page before. It has fewer than `limit` rows where
        more than `examine` accounts would have to be looked at (None: as many as it takes); its own cursor is None at
        the end. Raises NotFound for a company, directory or group that is not there, and for a cursor that is none."""
        place = None if after is None else Place.read(after)
        return Reader(self._tx, narrowed(self._tx, filter, now), now).page(place, limit, examine)

    def every_account(self, filter: AccountFilter, now: int) -> Iterator[AccountRow]:
        """All accounts that fit, a page at a time."""
        reader = Reader(self._tx, narrowed(self._tx, filter, now), now)
        for keys in _every(reader):
            yield from reader.of_keys(keys)

    def every_key(self, filter: AccountFilter, now: int) -> Iterator[tuple[int, ...]]:
        """The keys of all accounts that fit, a page at a time: what a person means by a filter (L7)."""
        yield from _every(Reader(self._tx, narrowed(self._tx, filter, now), now))

    def account(self, key: int, now: int) -> AccountRow:
        """One account as the list shows it. Raises NotFound."""
        rows = Reader(self._tx, Narrowed(), now).of_keys([key])
        if not rows:
            raise NotFound(f"there is no account with key {key}")
        return rows[0]

    def account_by_name(self, text: str) -> Named:
        """The account of this id, or of this address where only one has it, or of `directory:id` or
        `directory:address`. Of several accounts with one address the living come first (D5).

        Raises NotFound and Ambiguous, each with what to do.
        """
        found = self._by_name(*self._directory_of(text))
        if not found:
            raise NotFound(f"there is no account {text!r}; `seatkeeper accounts list --search …` finds it by a part")
        if len(found) > 1:
            ids = {named.directory for named in found}
            by = [f"{n.directory_id}:{n.address or n.id}" if len(ids) == len(found) else n.id for n in found]
            raise Ambiguous(f"{text!r} is the name of several accounts; say which: {', '.join(by)}")
        return found[0]

    def status(self, now: int, settings: Mapping[str, Setting] | None = None) -> Status:
        """Pools, entitlements, directories and what waits, from counters alone. `settings` says by company id how
        many shared mailboxes its licenses bring, which its policy decides (S1)."""
        return overview(self._tx, now, settings or {})

    def _by_name(self, directory: int | None, name: str) -> list[Named]:
        """By id, else by address, else by an address that the directory writes in another case."""
        if not name:
            return []
        return (
            self._named("a.id IN (:name, :lower)", name, directory)
            or self._living(self._named("a.address IN (:name, :lower)", name, directory))
            or self._living(self._named("lower(a.address) = :lower", name, directory))
        )

    def _directory_of(self, text: str) -> tuple[int | None, str]:
        id, colon, name = text.partition(":")
        key = self._tx.execute("SELECT key FROM directory WHERE id = :id", {"id": id}).scalar() if colon else None
        return (None, text) if key is None else (int(key), name)

    def _named(self, condition: str, name: str, directory: int | None) -> list[Named]:
        where = "" if directory is None else " AND d.key = :directory"
        values: dict[str, Any] = {"name": name, "lower": name.lower()} | (
            {} if directory is None else {"directory": directory}
        )
        rows = self._tx.execute(f"{_NAMED} AND {condition}{where} ORDER BY d.id, a.key LIMIT {NAMED}", values)
        return [Named._make(row) for row in rows]

    @staticmethod
    def _living(found: list[Named]) -> list[Named]:
        return [named for named in found if named.state not in ("deleted", "purged")] or found


def _every(reader: Reader) -> Iterator[tuple[int, ...]]:
    place: Place | None = None
    while True:
        keys, place = reader.keys(place, WHOLE, None)
        yield keys
        if place is None:
            return
