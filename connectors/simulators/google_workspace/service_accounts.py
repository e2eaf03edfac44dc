"""Service accounts: what signs in, with which keys, and what stands in for keys outside Google's cloud."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from connectors.simulators.google_workspace import jwts

SIMULATED_ACCOUNT = "seatkeeper@simulated-project.iam.gserviceaccount.com"
SIMULATED_CLIENT_ID = "108437219654321098765"
SIMULATED_PROJECT = "simulated-project"
SIMULATED_POOL = (
    "//iam.googleapis.com/projects/400000000001/locations/global/workloadIdentityPools/simulated/providers/own"
)
SIMULATED_SUBJECT_TOKEN = "what-the-own-identity-provider-says"


@dataclass(frozen=True)
class Key:
    """A private key by its id."""

    id: str
    private: RSAPrivateKey

    def pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def sign(self, claims: Mapping[str, object]) -> str:
        """A JWT of these claims."""
        return jwts.signed(claims, self.id, self.private)


@dataclass
class ServiceAccount:
    """A service account, by default the one that every simulated customer has delegated."""

    email: str = SIMULATED_ACCOUNT
    client_id: str = SIMULATED_CLIENT_ID
    project: str = SIMULATED_PROJECT
    api_enabled: bool = True
    """Whether the Admin SDK API is on in the project."""
    token_creators: set[str] = field(default_factory=lambda: {SIMULATED_POOL})
    """Who may sign in its name and get its tokens: federated identities, by the pool that they come through."""

    @cached_property
    def keys(self) -> dict[str, Key]:
        """The keys that are good, by their ids."""
        key = _key(f"{self.email}/file")
        return {key.id: key}

    @cached_property
    def googles_key(self) -> Key:
        """The key that never leaves Google: `signJwt` signs with it."""
        return _key(f"{self.email}/google")

    def key_file(self, url: str) -> dict[str, str]:
        """What a key file holds that signs in at this address."""
        key = next(iter(self.keys.values()))
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": key.id,
            "private_key": key.pem(),
            "client_email": self.email,
            "client_id": self.client_id,
            "auth_uri": f"{url}/o/oauth2/auth",
            "token_uri": f"{url}/token",
            "universe_domain": "googleapis.com",
        }

    def federation_file(self, url: str, subject_token_file: str) -> dict[str, object]:
        """What a file holds for signing in without a key, by a token that stands in another file."""
        return {
            "type": "external_account",
            "audience": SIMULATED_POOL,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{url}/v1/token",
            "credential_source": {"file": subject_token_file},
            "universe_domain": "googleapis.com",
        }

    def rotate(self) -> None:
        """Delete the keys there are, and make another one."""
        key = Key(sha256("/".join(sorted(self.keys)).encode()).hexdigest()[:40], generate_private_key(65537, 2048))
        self.keys.clear()
        self.keys[key.id] = key

    def signed(self, token: str, key_id: str | None) -> bool:
        """Whether the key that a token names signed it, or any of the account's where it names none."""
        known = {**self.keys, self.googles_key.id: self.googles_key}
        keys = [key.private for key in known.values() if key_id in (None, key.id)]
        return jwts.is_signed_by(token, keys)


@cache
def _key(name: str) -> Key:
    """One key for each name in this process: making one takes a tenth of a second."""
    return Key(sha256(name.encode()).hexdigest()[:40], generate_private_key(public_exponent=65537, key_size=2048))
