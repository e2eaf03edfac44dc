"""A town whose list of people is exported whenever it changes."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from connectors import registry
from connectors.base import Directory
from connectors.context import Context
from connectors.file import Options
from connectors.file.directory import PAGE
from connectors.secrets import Secrets
from policies.document import DirectoryEntry
from policies.model import DirectoryId
from tests.connectors.contract import town as contract
from tests.connectors.world import World

COLUMNS = ("Block credential", "Display name", "Object Id", "Soft deletion time stamp", "User principal name")


class FileTown:
    kind: ClassVar[str] = "file"
    troubles: ClassVar[frozenset[str]] = frozenset({contract.BREAKS_HALFWAY, contract.TWICE})
    page: ClassVar[int] = PAGE

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self._folder = folder
        self._rows: dict[str, dict[str, str]] = {}
        self._stale = True

    @classmethod
    @contextmanager
    def founded(cls, folder: Path) -> "Iterator[FileTown]":
        yield cls(folder)

    @property
    def tenant(self) -> str:
        return str(self._folder / "users.csv")

    def open(self) -> Directory:
        """The export is written when somebody opens it."""
        if self._stale:
            self._export()
        entry = DirectoryEntry(DirectoryId("contoso-export"), self.kind, timedelta(hours=1), Options("users.csv"))
        return registry.open_directory(entry, Context(Secrets(self._folder), policy_dir=self._folder))

    def hire(self, name: str) -> str:
        id = str(UUID(int=len(self._rows) + 1))
        address = f"{name.lower().replace(' ', '.')}@contoso.example"
        self._write(id, {"Display name": name, "User principal name": address, "Block credential": "False"})
        return id

    def rename(self, id: str, name: str) -> None:
        self._write(id, {**self._rows[id], "Display name": name})

    def disable(self, id: str) -> None:
        self._write(id, {**self._rows[id], "Block credential": "True"})

    def leave(self, id: str) -> None:
        self._write(id, {**self._rows[id], "Soft deletion time stamp": "2026-03-02 08:00:00Z"})

    def come_back(self, id: str) -> None:
        self._write(id, {**self._rows[id], "Soft deletion time stamp": ""})

    def vanish(self, id: str) -> None:
        del self._rows[id]
        self._stale = True

    def create_group(self, name: str, members: Iterable[str] = (), address: str | None = None) -> str:
        raise NotImplementedError("no export tells groups")

    def join(self, group: str, member: str) -> None:
        raise NotImplementedError("no export tells groups")

    quit = join
    rename_group = join

    def delete_group(self, group: str) -> None:
        raise NotImplementedError("no export tells groups")

    restore_group = delete_group

    def give_mailbox(self, id: str, kind: str) -> None:
        raise NotImplementedError("no export tells mailbox kinds")

    def trouble(self, trouble: str, feature: str = "users") -> None:
        self._export()
        path = Path(self.tenant)
        lines = path.read_text().splitlines(keepends=True)
        if trouble == contract.TWICE:
            path.write_text("".join(lines + lines[1:3]))
        else:
            path.write_text("".join(lines[:-1]) + 'False,"Somebody whose name ')

    def requests(self) -> int:
        return 0

    def _write(self, id: str, row: dict[str, str]) -> None:
        self._rows[id] = {**row, "Object Id": id}
        self._stale = True

    def _export(self) -> None:
        with Path(self.tenant).open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self._rows.values())
        self._stale = False


TOWN = FileTown
