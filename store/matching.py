"""Finding many accounts at once by what a list calls them, and noting those that it knows before the mirror does."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from store.holdings import Held

if TYPE_CHECKING:
    from store.transaction import Transaction

CHUNK = 10_000
_COLUMNS = "a.key, a.id, a.address, a.kind, a.state, h.license, h.through, h.lot, h.source, h.because, h.since"


class Match(NamedTuple):
    """An account, with what it holds."""

    key: int
    id: str
    address: str
    kind: str
    state: str
    held: Held | None


class Matching:
    """Accounts of one directory by id or address."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def find(self, directory: int, names: Sequence[str]) -> dict[str, list[Match]]:
        """The accounts that each name stands for: by id, else by address, whatever its case. An address of several
        accounts stands for those that still live, if any do; a name of nobody is absent."""
        found: dict[str, list[Match]] = {}
        for match in self._matches(directory, "a.id", list({*names, *(name.lower() for name in names)})):
            found.setdefault(match.id.lower(), []).append(match)
        rest = list({name.lower() for name in names} - found.keys())
        for match in self._matches(directory, "lower(a.address)", rest):
            found.setdefault(match.address.lower(), []).append(match)
        return {name: _living(found[name.lower()]) for name in names if name.lower() in found}

    def _matches(self, directory: int, column: str, values: Sequence[str]) -> Iterator[Match]:
        for start in range(0, len(values), CHUNK):
            rows = self._tx.execute(
                f"SELECT {_COLUMNS} FROM account AS a LEFT JOIN assignment AS h ON h.account = a.key"
                f" WHERE a.directory = :directory AND {self._tx.dialect.among(column, 'values')} ORDER BY a.key",
                {"directory": directory, "values": self._tx.dialect.listed(values[start : start + CHUNK])},
            )
            yield from (_match(row) for row in rows)

    def note(self, directory: int, ids: Sequence[str]) -> None:
        """Note accounts by id that the directory has not been asked for yet; nothing is known of them until then."""
        self._tx.execute_many(
            "INSERT INTO account (directory, id, address, kind, state)"
            " VALUES (:directory, :id, '', 'unknown', 'unknown') ON CONFLICT (directory, id) DO NOTHING",
            [{"directory": directory, "id": id} for id in ids],
        )

    def plan_soon(self, directory: int, keys: Sequence[int]) -> None:
        """Note accounts for the next run's planning."""
        self._tx.execute_many(
            "INSERT INTO unplanned (account, directory) VALUES (:key, :directory) ON CONFLICT (account) DO NOTHING",
            [{"key": key, "directory": directory} for key in keys],
        )
        self._tx.directories.plan_some(directory)


def _match(row: Sequence[Any]) -> Match:
    held = None if row[5] is None else Held._make(row[5:])
    return Match(row[0], row[1], row[2], row[3], row[4], held)


def _living(matches: list[Match]) -> list[Match]:
    living = [match for match in matches if match.state not in ("deleted", "purged")]
    return living or matches
