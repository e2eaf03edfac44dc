"""App registrations: what signs in, and with what."""

from dataclasses import dataclass
from datetime import datetime

SIMULATED_CLIENT_ID = "5ea7c0de-0000-4000-8000-0000000000a1"
SIMULATED_SECRET = "simulated-secret"


@dataclass(frozen=True, slots=True)
class App:
    """An app, by default the one that every simulated tenant has consented to."""

    client_id: str = SIMULATED_CLIENT_ID
    secret: str | None = SIMULATED_SECRET
    """None for an app that signs in by assertion only."""
    secret_expires: datetime | None = None
    thumbprints: frozenset[str] = frozenset()
    """The `x5t` or `x5t#S256` of its certificates; empty where any will do."""
    issuers: frozenset[str] = frozenset()
    """The issuers of its federated credentials; empty where any will do."""
    home: str | None = None
    """The tenant that it is registered in: a managed identity of another one cannot stand in for it."""
