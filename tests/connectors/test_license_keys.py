"""A license key is the provider's own, or it is refused (M6)."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.errors import NeedsPerson
from connectors.license_keys import verified
from connectors.secrets import Secrets
from policies.credentials import FileRef
from policies.license_keys import BadKey
from tests.license_keys import Issuer, base64url
from tests.proves import proves

PUBLIC_KEY = FileRef("license-keys.pem")


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    issuer = Issuer()
    issuer.publish(tmp_path)
    return issuer


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path, {})


@proves("M6")
@pytest.mark.parametrize("over_json", [False, True])
def test_a_key_that_the_provider_signed_is_believed(issuer: Issuer, secrets: Secrets, over_json: bool) -> None:
    assert verified(issuer.key(over_json=over_json), PUBLIC_KEY, secrets).id == "key-1"


@proves("M6")
def test_a_key_that_somebody_else_signed_is_not(issuer: Issuer, secrets: Secrets) -> None:
    with pytest.raises(BadKey, match="key-1 is not signed by this provider"):
        verified(Issuer().key(), PUBLIC_KEY, secrets)


@proves("M6")
def test_a_key_that_was_changed_is_not(issuer: Issuer, secrets: Secrets) -> None:
    _, _, signature = issuer.key().split(".")
    _, more, _ = issuer.key(seats=1_000).split(".")
    with pytest.raises(BadKey, match="is not signed by this provider"):
        verified(f"SK1.{more}.{signature}", PUBLIC_KEY, secrets)
    with pytest.raises(BadKey, match="is not signed by this provider"):
        verified(f"SK1.{more}.{base64url(bytes(64))}", PUBLIC_KEY, secrets)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_public_key_that_is_none_is_pointed_at(
    issuer: Issuer, secrets: Secrets, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / PUBLIC_KEY.path).write_bytes(content)
    with pytest.raises(NeedsPerson, match=r"license-keys\.pem is no Ed25519 public key in PEM"):
        verified(issuer.key(), PUBLIC_KEY, secrets)


def test_so_is_a_public_key_of_another_kind_and_one_that_is_missing(
    issuer: Issuer, secrets: Secrets, tmp_path: Path
) -> None:
    other = generate_private_key(SECP256R1()).public_key()
    (tmp_path / PUBLIC_KEY.path).write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(NeedsPerson, match="no Ed25519"):
        verified(issuer.key(), PUBLIC_KEY, secrets)
    (tmp_path / PUBLIC_KEY.path).unlink()
    with pytest.raises(NeedsPerson, match="cannot be read"):
        verified(issuer.key(), PUBLIC_KEY, secrets)
