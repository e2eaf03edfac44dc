"""Accounts of people who came back under another id, linked so that one license covers both (D5)."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from store.audit import Entry, json_text

if TYPE_CHECKING:
    from store.by_hand import Subject
    from store.transaction import Transaction

CHUNK = 10_000


class Covered(NamedTuple):
    """An account whose backups another one's license covers."""

    key: int
    id: str
    address: str
    directory: int
    new: int
    new_id: str


class Links:
    """Who came back as whom."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def link(self, old: "Subject", new: "Subject", who: str, now: int) -> None:
        """Let the license of `new` cover the backups of `old`, and of all that `old` covered: its own license is
        freed, its clock stops, and it waits for nothing. The engine is told."""
        self._tx.holdings.take_without_clock([old.key])
        before = json_text(license=old.license, source=old.source, linked_to=None)
        told = [(old.id, old.directory, before)]
        for covered in self.covered_by([old.key]):
            told.append((covered.id, covered.directory, json_text(license=None, linked_to=old.id)))
        self._tx.execute("UPDATE link SET new = :new WHERE new = :old", {"new": new.key, "old": old.key})
        self._tx.execute(
            "INSERT INTO link (old, new, company, at, who) VALUES (:old, :new, :company, :now, :who)",
            {"old": old.key, "new": new.key, "company": old.company, "now": now, "who": who},
        )
        after, because = json_text(license=None, linked_to=new.id), f"{new.name} is who {old.name} was"
        entries = (
            Entry(who, "account.linked", id, directory, before, after, because) for id, directory, before in told
        )
        self._tx.audit.append(old.company, entries, now)

    def unlink(self, old: "Subject", who: str, now: int) -> None:
        """`old` stands for itself again."""
        self._tx.execute("DELETE FROM link WHERE old = :old", {"old": old.key})
        before, after = json_text(linked_to=old.linked_to), json_text(linked_to=None)
        entry = Entry(who, "account.unlinked", old.id, old.directory, before, after, "not the same holder any more")
        self._tx.audit.append(old.company, [entry], now)

    def covered_by(self, keys: Collection[int]) -> list[Covered]:
        """The accounts that are linked to any of these, by key."""
        found: list[Covered] = []
        listed = sorted(keys)
        for start in range(0, len(listed), CHUNK):
            rows = self._tx.execute(
                "SELECT k.old, o.id, o.address, o.directory, k.new, n.id FROM link AS k JOIN account AS o"
                " ON o.key = k.old JOIN account AS n ON n.key = k.new"
                f" WHERE {self._tx.dialect.among('k.new', 'keys')} ORDER BY k.old",
                {"keys": self._tx.dialect.listed(listed[start : start + CHUNK])},
            )
            found.extend(Covered(*row) for row in rows)
        return found

    def covering(self, keys: Collection[int]) -> dict[int, str]:
        """For those among these accounts that are linked, the id of the one whose license covers them."""
        rows = self._tx.execute(
            "SELECT k.old, n.id FROM link AS k JOIN account AS n ON n.key = k.new"
            f" WHERE {self._tx.dialect.among('k.old', 'keys')}",
            self._listed(keys),
        )
        return {row[0]: row[1] for row in rows}

    def possible_returns(self, keys: Collection[int]) -> dict[int, str]:
        """For those among these accounts that live and have the address of one that was deleted, the id of that one:
        of several the one that was seen last. Accounts that are linked already are none."""
        if not keys:
            return {}
        rows = self._tx.execute(
            "SELECT a.key, o.id FROM account AS a JOIN account AS o ON o.directory = a.directory"
            " AND o.address = a.address AND o.key <> a.key AND o.state IN ('deleted', 'purged')"
            f" WHERE {self._tx.dialect.among('a.key', 'keys')} AND a.state IN ('active', 'disabled')"
            " AND a.address <> '' AND NOT EXISTS (SELECT 1 FROM link AS k WHERE k.old = o.key) ORDER BY o.key",
            self._listed(keys),
        )
        return {row[0]: row[1] for row in rows}

    def _listed(self, keys: Collection[int]) -> dict[str, Any]:
        return {"keys": self._tx.dialect.listed(sorted(keys))}
