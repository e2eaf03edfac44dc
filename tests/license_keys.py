"""A provider who signs license keys, for tests."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLAIMS = {
    "id": "key-1", "license": "standard", "seats": 10, "term": "yearly", "starts": "2026-11-01",
    "expires": "2027-10-31", "company": None,
}  # fmt: skip


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class Issuer:
    """Makes license keys that a public key verifies."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def publish(self, folder: Path, name: str = "license-keys.pem") -> str:
        """Put the public key into a secrets directory, readable for everybody as public keys are; what provider.yaml
        says of it."""
        file = folder / name
        file.write_bytes(self.pem)
        file.chmod(0o644)
        return f"license_keys: {{public_key: {{file: {name}}}}}\n"

    def key(self, *, over_json: bool = False, **claims: Any) -> str:
        """A key that says this, and otherwise what CLAIMS has."""
        body = json.dumps(CLAIMS | claims).encode()
        head = f"SK1.{base64url(body)}"
        return f"{head}.{base64url(self.private.sign(body if over_json else head.encode()))}"
