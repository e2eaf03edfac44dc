"""Signatures, as the Standard Webhooks specification has them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from connectors.signing import ID, SIGNATURE, TIMESTAMP, Forged, NotAKey, key_of, sign, verify

NOW = datetime(2026, 11, 2, 9, 0, 0, 123_456, tzinfo=UTC)
KEY = key_of("whsec_" + base64.b64encode(b"k" * 24).decode())
BODY = b'{"seats": 10}'


def test_the_published_example_is_signed_as_published() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_was_signed_is_believed_and_named() -> None:
    assert verify([KEY], sign(KEY, "msg-1", BODY, NOW), BODY, NOW) == "msg-1"
    assert verify([KEY], sign(KEY, "msg-2", b"", NOW), b"", NOW) == "msg-2"


def test_a_secret_of_another_form_is_the_key_itself() -> None:
    assert key_of("correct horse") == b"correct horse"
    assert key_of("whsec_a2V5") == b"key"


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_a2V"])
def test_a_secret_that_was_copied_badly_is_no_key(secret: str) -> None:
    with pytest.raises(NotAKey):
        key_of(secret)


def test_one_of_several_signatures_and_one_of_several_keys_are_enough() -> None:
    """As while a secret is rotated: on either side there are two for a time."""
    headers = dict(sign(KEY, "msg-1", BODY, NOW))
    headers[SIGNATURE] = f"v1a,something v1,c29tZXRoaW5n {headers[SIGNATURE]}"

    assert verify([key_of("older"), KEY], headers, BODY, NOW) == "msg-1"


@pytest.mark.parametrize("changed", [ID, TIMESTAMP, SIGNATURE])
def test_a_message_without_one_of_its_headers_is_not_believed(changed: str) -> None:
    headers = dict(sign(KEY, "msg-1", BODY, NOW))
    del headers[changed]
    with pytest.raises(Forged, match=f"there is no {changed}"):
        verify([KEY], headers, BODY, NOW)


def test_a_message_that_was_changed_on_the_way_is_not_believed() -> None:
    headers = sign(KEY, "msg-1", BODY, NOW)
    for other in ({**headers, ID: "msg-2"}, {**headers, TIMESTAMP: str(int(NOW.timestamp()) + 1)}):
        with pytest.raises(Forged, match="another"):
            verify([KEY], other, BODY, NOW)
    with pytest.raises(Forged, match="another"):
        verify([KEY], headers, b'{"seats": 100}', NOW)
    with pytest.raises(Forged, match="another"):
        verify([key_of("another")], headers, BODY, NOW)
    with pytest.raises(Forged, match="another"):
        verify([], headers, BODY, NOW)


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_recording_is_not_believed(off: timedelta) -> None:
    headers = sign(KEY, "msg-1", BODY, NOW)
    with pytest.raises(Forged, match="5 minutes"):
        verify([KEY], headers, BODY, NOW + off)
    assert verify([KEY], headers, BODY, NOW + off * 0.8) == "msg-1"


@pytest.mark.parametrize("said", ["", "yesterday", "1e9", "-5", "²", "9" * 40])
def test_a_time_that_is_no_number_is_not_believed(said: str) -> None:
    with pytest.raises(Forged, match="not a number"):
        verify([KEY], {**sign(KEY, "msg-1", BODY, NOW), TIMESTAMP: said}, BODY, NOW)


@pytest.mark.parametrize("said", ["", "v1,", "v1", "v1,ÄÖÜ", " "])
def test_a_signature_that_is_none_is_not_believed(said: str) -> None:
    with pytest.raises(Forged):
        verify([KEY], {**sign(KEY, "msg-1", BODY, NOW), SIGNATURE: said}, BODY, NOW)
