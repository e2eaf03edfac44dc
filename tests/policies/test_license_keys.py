"""License keys as text: any text is a key, or it is said what is wrong with it (M6)."""

import base64
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.license_keys import BadKey, read_key
from tests.proves import proves

CLAIMS: dict[str, Any] = {
    "id": "key-1", "license": "standard", "seats": 10, "term": "yearly", "starts": "2026-11-01",
    "expires": "2027-10-31", "company": "contoso",
}  # fmt: skip
SIGNATURE = "A" * 86


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def written(**claims: Any) -> str:
    return f"SK1.{base64url(json.dumps(CLAIMS | claims).encode())}.{SIGNATURE}"


@proves("M6")
def test_a_key_says_which_lot_it_brings_and_what_is_signed() -> None:
    signed = read_key(written())
    key = signed.key
    assert (key.id, key.license, key.seats, key.term) == ("key-1", "standard", 10, "yearly")
    assert (key.starts, key.expires, key.company) == (date(2026, 11, 1), date(2027, 10, 31), "contoso")
    head, _, _ = written().rpartition(".")
    assert signed.messages == (head.encode(), json.dumps(CLAIMS).encode())
    assert signed.signature == bytes(64)


@proves("M6")
def test_a_key_may_come_in_several_lines_and_with_padding() -> None:
    plain = written()
    head, body, signature = plain.split(".")
    padded = f"{head}.{body}{'=' * (-len(body) % 4)}.{signature}=="
    assert read_key(f"  {padded[:40]}\n{padded[40:]}\r\n").key == read_key(plain).key


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "this is no license key"),
        ("SK2.e30.AAAA", "this is no license key"),
        (f"SK1.e30.{SIGNATURE}.x", "this is no license key"),
        ("SK1." + "A" * 4_000, "4,004 characters, more than 4,000"),
        (f"SK1.e3 0+.{SIGNATURE}", "what it says is not base64url"),
        (f"SK1.A.{SIGNATURE}", "what it says is not base64url"),
        ("SK1.e30.AA", "its signature has 1 bytes, not 64"),
        (f"SK1.e30.{SIGNATURE}", "cannot be read: Object missing required field `id`"),
        (f"SK1.{base64url(b'nonsense')}.{SIGNATURE}", "cannot be read"),
        (f"SK1.{base64url(bytes([34, 255, 34]))}.{SIGNATURE}", "cannot be read"),
        (written(seats=0), "cannot be read: Expected `int` >= 1"),
        (written(seats="10"), "cannot be read: Expected `int`, got `str`"),
        (written(term="weekly"), "cannot be read: Invalid enum value 'weekly'"),
        (written(starts="tomorrow"), "cannot be read: Invalid RFC3339 encoded date"),
        (written(id="key 1"), "cannot be read"),
        (written(id="key\n"), "cannot be read"),
        (written(license="Standard"), "cannot be read"),
        (written(company=""), "cannot be read"),
        (written(term="perpetual"), "it is perpetual, and ends on 2027-10-31"),
        (written(starts="2028-01-01"), "it ends on 2027-10-31, before 2028-01-01"),
    ],
)
@proves("M6")
def test_what_is_wrong_with_a_key_is_said(text: str, complaint: str) -> None:
    with pytest.raises(BadKey) as refused:
        read_key(text)
    assert complaint in str(refused.value)


def outcome(text: str) -> str | None:
    """What is wrong with a text; None for a key."""
    try:
        read_key(text)
    except BadKey as problem:
        return str(problem)
    return None


@proves("M6")
@given(st.text(max_size=300))
@example("SK1..")
@example("SK1.\ud800.A")
def test_any_text_is_a_key_or_a_clear_error(text: str) -> None:
    assert outcome(text)


@proves("M6")
@given(st.binary(max_size=200), st.binary(max_size=70))
@example(b"[" * 2_000, bytes(64))
@example(b'{"x":' * 500, bytes(64))
def test_so_is_any_text_in_the_form_of_a_key(body: bytes, signature: bytes) -> None:
    assert outcome(f"SK1.{base64url(body)}.{base64url(signature)}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@proves("M6")
@given(st.dictionaries(st.sampled_from([*CLAIMS, "other"]), JSON, max_size=4))
def test_so_is_whatever_a_key_says(claims: dict[str, Any]) -> None:
    said = outcome(written(**claims))
    if said is None:
        key = read_key(written(**claims)).key
        assert key.seats > 0
        assert key.starts is None or key.expires is None or key.starts <= key.expires
