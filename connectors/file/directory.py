"""An exported file as a `Directory`: always read whole, and not at all while it is the one that was read before."""

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from connectors.base import Capabilities, Directory, Found, GroupPage, MailboxAnswer, OrgUnit, Page
from connectors.context import Context
from connectors.errors import CursorExpired, NeedsPerson, Transient
from connectors.file import CAPABILITIES, Options
from connectors.file.mapping import accounts, has_stable_ids
from connectors.file.rows import REMEDY, Table, print_of, table
from policies.model import UNKNOWN, AccountId, Sighting

PAGE = 1_000


class _Cursor(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """The file as it was read: when it was changed, its size, its digest; inside a walk also the last row's line."""

    v: int
    path: str
    changed: int
    size: int
    digest: str
    stable: bool
    rows: int = 0


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """The list of users in one file."""

    path: Path
    """Absolute."""

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def tenant(self) -> str:
        return str(self.path)

    def pull(self, cursor: str | None, resume: str | None = None) -> Iterator[Page]:
        """As `Directory.pull` promises. Raises NeedsPerson where the file is missing or not whole, Transient where it
        changes while it is read."""
        before = self._kept(cursor) if cursor else None
        begun = self._kept(resume) if resume else None
        with self._opened() as file:
            status = os.fstat(file.fileno())
            if before and begun is None and (before.changed, before.size) == (status.st_mtime_ns, status.st_size):
                yield Page(cursor=cursor, tenant=self.tenant())
                return
            yield from self._read(file, status, before, begun)

    def pull_groups(self, cursor: str | None, wanted: Collection[str]) -> Iterator[GroupPage]:
        """No export tells groups."""
        yield GroupPage(cursor="")

    def read_group(self, id: str) -> Iterator[GroupPage]:
        return iter(())

    def find_groups(self, refs: Sequence[str]) -> Iterator[Found]:
        return (Found(ref, ()) for ref in refs)

    def org_units(self) -> Iterator[OrgUnit]:
        """An export tells paths, and no ids."""
        return iter(())

    def look_up(self, ids: Sequence[AccountId]) -> Iterator[Sighting]:
        """A file cannot be asked."""
        return (Sighting(id, UNKNOWN) for id in ids)

    def count(self) -> int | None:
        return None

    def mailboxes(self, ids: Sequence[AccountId]) -> Iterator[MailboxAnswer]:
        return iter(())

    def _read(
        self, file: BinaryIO, status: os.stat_result, before: _Cursor | None, begun: _Cursor | None
    ) -> Iterator[Page]:
        known = print_of(file)
        now = _Cursor(1, self.tenant(), status.st_mtime_ns, status.st_size, known.digest, stable=True)
        if begun is not None and begun.digest != known.digest:
            raise CursorExpired(f"{self.path} is another file than when its reading began")
        if before is not None and begun is None and before.digest == known.digest:
            yield Page(cursor=_text(msgspec.structs.replace(now, stable=before.stable)), tenant=self.tenant())
            return
        with table(file, known.encoding, str(self.path)) as rows:
            now.stable = has_stable_ids(rows)
            if before is not None and before.stable and not now.stable:
                raise NeedsPerson(
                    f"{self.path} has no object ids any more, so that everybody in it would be somebody new",
                    remedy="export the list with the column Object Id; if it is meant, read it with `sync --full`",
                )
            yield from self._pages(rows, now, begun.rows if begun else 0)
        if self._changed(status):
            raise Transient(f"{self.path} changed while it was read")
        yield Page(cursor=_text(now), full=True)

    def _pages(self, rows: Table, now: _Cursor, done: int) -> Iterator[Page]:
        told = islice(accounts(rows), done, None)
        tenant: str | None = self.tenant()
        while some := list(islice(told, PAGE)):
            done += len(some)
            yield Page(some, resume=_text(msgspec.structs.replace(now, rows=done)), full=True, tenant=tenant)
            tenant = None

    def _opened(self) -> BinaryIO:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise NeedsPerson(f"{self.path} is no file", remedy="check `path` of the directory")
            return self.path.open("rb")
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            raise NeedsPerson(f"{self.path} cannot be read: {why}", remedy=f"check `path`, or {REMEDY}") from None

    def _changed(self, status: os.stat_result) -> bool:
        try:
            now = self.path.stat()
        except OSError:
            return True
        return (now.st_ino, now.st_mtime_ns, now.st_size) != (status.st_ino, status.st_mtime_ns, status.st_size)

    def _kept(self, text: str) -> _Cursor:
        try:
            kept = msgspec.json.decode(text, type=_Cursor)
        except msgspec.DecodeError:
            raise CursorExpired("the cursor cannot be read") from None
        if (kept.v, kept.path) != (1, self.tenant()):
            raise CursorExpired("the cursor is that of another file")
        return kept


def open_directory(options: Options, context: Context) -> Directory:
    """The file of a directory's entry; it is looked for when it is read."""
    return ExportedFile(Path(os.path.abspath(context.policy_dir / options.path)))


def _text(cursor: _Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
