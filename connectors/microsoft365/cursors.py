"""Cursors of Graph's delta streams: its links, kept with what they are good for.

Graph takes a link of another stream without complaint and answers that nothing changed. So a cursor names its stream,
its properties, its root and its tenant, and one that does not fit is as good as expired.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import msgspec

from connectors.errors import CursorExpired, Transient
from connectors.links import Root, pinned

_VERSION = 1


class Chunk(msgspec.Struct, omit_defaults=True):
    """One delta stream over up to 50 groups; without a link it starts anew."""

    ids: list[str]
    link: str = ""
    gone: list[str] = []
    """Groups of it that were deleted; should one come back, its members are read in full."""


class Cursor(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What is kept of a walk."""

    v: int
    stream: str
    select: str
    root: str
    tenant: str
    link: str = ""
    full: bool = False
    """The link goes on inside a walk over everybody."""
    chunks: list[Chunk] = []


@dataclass(frozen=True, slots=True)
class Stream:
    """One delta stream of one tenant, with the properties that it tracks."""

    name: str
    """`users` or `groups`: the collection in its links."""
    select: tuple[str, ...]
    root: Root
    tenant: str

    def cursor(self, *, link: str = "", full: bool = False, chunks: list[Chunk] | None = None) -> str:
        """A cursor as the store keeps it."""
        return msgspec.json.encode(self._kept(link, full, chunks or [])).decode()

    def read(self, text: str) -> Cursor:
        """A cursor of this stream. Raises CursorExpired for any other, so that everybody is read again."""
        try:
            found = msgspec.json.decode(text, type=Cursor)
        except msgspec.DecodeError:
            raise CursorExpired("the cursor cannot be read", feature=self.name) from None
        links = [found.link, *(chunk.link for chunk in found.chunks)]
        fits = found == self._kept(found.link, found.full, found.chunks)
        if not fits or not all(self.root.leads_to(link) and self._owns(link) for link in links if link):
            raise CursorExpired("the cursor is not one of this stream", feature=self.name)
        return found

    def follow(self, link: str) -> str:
        """The link of an answer, unchanged. Raises Permanent where it leads to another host, Transient where it leads
        out of the stream."""
        if not self._owns(pinned(link, self.root)):
            raise Transient(f"a link of {self.name} leads out of the stream", feature=self.name)
        return link

    def _kept(self, link: str, full: bool, chunks: list[Chunk]) -> Cursor:
        return Cursor(
            _VERSION, self.name, _tracked(self.select), self.root.url, self.tenant.lower(), link, full, chunks
        )

    def _owns(self, link: str) -> bool:
        path = link.partition("?")[0].lower()
        return "delta" in path and self.name in path.split("/")


@cache
def _tracked(select: tuple[str, ...]) -> str:
    return blake2b(",".join(sorted(select)).encode(), digest_size=8).hexdigest()
