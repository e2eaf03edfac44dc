"""What connectors are opened with: the process's connections and credentials, and the world around them."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from connectors.asking import Pauses, Surroundings
from connectors.errors import NeedsPerson
from connectors.http import HttpClient
from connectors.secrets import Secrets
from connectors.tokens import Credentials
from policies.credentials import InlineCredential, NamedCredential

Kept = TypeVar("Kept")


def _now() -> datetime:
    return datetime.now(UTC)


REAL = Surroundings(clock=_now, sleep=time.sleep, random=random.random, stop=lambda: False)


@dataclass(frozen=True)
class Context:
    """Made once per process: whoever makes a second one gives up its connections and tokens."""

    secrets: Secrets
    policy_dir: Path = Path()
    """What paths in policy files are relative to."""
    allowed_hosts: frozenset[str] = frozenset()
    named: Mapping[str, InlineCredential] = field(default_factory=dict)
    """The credentials that `provider.yaml` has by name; each may serve many tenants."""
    world: Surroundings = REAL
    http: HttpClient = field(default_factory=HttpClient)
    pauses: Pauses = field(default_factory=Pauses)
    credentials: Credentials = field(init=False)
    _kept: dict[type, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "credentials", Credentials(self.secrets))

    def one(self, of: type[Kept]) -> Kept:
        """The one of this that the process has; a connector keeps there what is for all of its directories."""
        found: Kept = self._kept.setdefault(of, of())
        return found

    def stopping_at(self, stop: Callable[[], bool]) -> "Context":
        """The same connections and tokens for work that ends when `stop` says so (Z10)."""
        return self._like(world=replace(self.world, stop=stop))

    def provided(self, named: Mapping[str, InlineCredential], allowed_hosts: frozenset[str]) -> "Context":
        """The same connections and tokens under what the provider's file says now."""
        return self._like(named=named, allowed_hosts=allowed_hosts)

    def credential(self, written: object) -> tuple[InlineCredential, bool]:
        """The credential that an entry means, and whether it is shared. Raises NeedsPerson for a name nobody has."""
        if not isinstance(written, NamedCredential):
            return written, False  # type: ignore[return-value]
        if written.name not in self.named:
            raise NeedsPerson(
                f"there is no credential named {written.name!r}",
                remedy=f"add {written.name} to `credentials` in provider.yaml, or correct the name",
            )
        return self.named[written.name], True

    def _like(self, **changes: object) -> "Context":
        other = replace(self, **changes)  # type: ignore[arg-type]
        object.__setattr__(other, "credentials", self.credentials)
        object.__setattr__(other, "_kept", self._kept)
        return other
