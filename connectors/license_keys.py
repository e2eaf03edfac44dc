"""Tells whether a license key is the provider's own: its Ed25519 signature against the public key of `provider.yaml`
(M6)."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from connectors.errors import NeedsPerson
from connectors.secrets import Secrets, named
from policies.credentials import FileRef
from policies.license_keys import BadKey, LicenseKey, read_key


def verified(text: str, public_key: FileRef, secrets: Secrets) -> LicenseKey:
    """What a key says, if whoever has the private key of this public one signed it.

    Raises BadKey, and NeedsPerson where the public key cannot be read.
    """
    signed = read_key(text)
    key = _public_key(public_key, secrets)
    if not any(_signs(key, signed.signature, message) for message in signed.messages):
        raise BadKey(f"the license key {signed.key.id} is not signed by this provider; nothing in it can be believed")
    return signed.key


def _signs(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _public_key(ref: FileRef, secrets: Secrets) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(secrets.data(ref, public=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise NeedsPerson(f"{named(ref)} is no Ed25519 public key in PEM", remedy="put the provider's public key there")
    return key
