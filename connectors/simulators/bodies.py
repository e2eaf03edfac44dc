"""Bodies of answers, compressed on the way out; a part that was compressed once is stitched in as it is.

Rendering and compressing a page of users is nearly all of a simulator's work. A page that did not change since it
was last sent differs only in its links, so the large part in the middle is kept deflated, and a gzip stream is put
together around it: deflate blocks that end on a byte boundary may simply follow one another (RFC 1951, 1952).
"""

import struct
import zlib
from typing import NamedTuple

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_FASTEST = 1


class Packed:
    """Bytes that were deflated once, in whole blocks."""

    __slots__ = ("deflated",)

    def __init__(self, raw: bytes) -> None:
        self.deflated = _blocks(raw, zlib.Z_FULL_FLUSH)

    def raw(self) -> bytes:
        """The bytes as they were."""
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated)


class Stitched(NamedTuple):
    """A body with a packed part in its middle."""

    before: bytes
    packed: Packed
    after: bytes


Body = bytes | Stitched


def plain(body: Body) -> bytes:
    """The body as it is without compression."""
    if isinstance(body, bytes):
        return body
    return body.before + body.packed.raw() + body.after


def gzipped(body: Body) -> bytes:
    """The body as one gzip member."""
    if isinstance(body, bytes):
        return zlib.compress(body, _FASTEST, wbits=zlib.MAX_WBITS | 16)
    raw = plain(body)
    deflated = _blocks(body.before, zlib.Z_FULL_FLUSH) + body.packed.deflated + _blocks(body.after, zlib.Z_FINISH)
    return _GZIP_HEAD + deflated + struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)


def _blocks(raw: bytes, ending: int) -> bytes:
    deflate = zlib.compressobj(_FASTEST, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(raw) + deflate.flush(ending)
