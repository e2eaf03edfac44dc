"""Bodies that are stitched together from what was compressed before."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulators.bodies import Packed, Stitched, gzipped, plain


@given(st.binary(), st.binary(), st.binary())
def test_a_stitched_body_is_one_gzip_member_of_the_whole(before: bytes, middle: bytes, after: bytes) -> None:
    body = Stitched(before, Packed(middle), after)

    assert plain(body) == before + middle + after
    assert gzip.decompress(gzipped(body)) == before + middle + after


@given(st.binary())
def test_plain_bytes_are_compressed_as_they_are(body: bytes) -> None:
    assert gzip.decompress(gzipped(body)) == body == plain(body)


def test_a_client_that_reads_one_member_reads_all() -> None:
    body = Stitched(b"[", Packed(b"1,2,3" * 1000), b"]")
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)

    assert reader.decompress(gzipped(body)) == plain(body)
    assert reader.eof and reader.unused_data == b""
