"""Where everything is put together: settings in, the application out."""

import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from store.engine import Store, open_store
from worker.held import LEASE, Held
from worker.settings import Settings

if TYPE_CHECKING:
    from connectors.base import Directory, Seller
    from connectors.context import Context
    from connectors.http import HttpClient
    from connectors.mail import PostOffice
    from connectors.webhooks import Webhook
    from policies.document import DirectoryEntry, Kinds, SellerEntry, WebhookReceiver
    from policies.provider import Provider
    from store.leases import Idle
    from worker.operations.policies import InForce


_CONTEXTS = 100


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """What operations need: the store, the clock, and the way to directories and sellers."""

    settings: Settings
    store: Store
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random
    stopping: threading.Event = field(default_factory=threading.Event)
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{random.getrandbits(48):012x}")
    """The name under which this process holds leases."""
    lease: timedelta = LEASE
    held: Held = field(default_factory=Held)
    policies: "dict[int, InForce]" = field(default_factory=dict)
    """Versions of policies as values, by key; one never changes."""
    hand_back: "Callable[[Idle], None] | None" = None
    """Where idle passes go that have ended; without it each hands its own lease back."""
    heard: Callable[[str, str], None] = lambda _host, _verdict: None
    """Called with each answer of a vendor, for those who count them."""
    mark: Callable[[str], None] = lambda _step: None
    """Called between the steps of a run; tests stop a run there."""

    @cached_property
    def kinds(self) -> "Kinds":
        """The kinds of directories and sellers that are installed."""
        from connectors.registry import kinds

        return kinds()

    def has_org_units(self, kind: str) -> bool:
        """Whether directories of this kind have organizational units."""
        from connectors.registry import directories

        return directories()[kind].capabilities.org_units

    def has_unit_ids(self, kind: str) -> bool:
        """Whether organizational units of such directories have ids, to which policies are bound (G3)."""
        from connectors.registry import directories

        return directories()[kind].capabilities.unit_ids

    def has_groups(self, kind: str) -> bool:
        """Whether directories of this kind tell who is in which group."""
        from connectors.registry import directories

        return directories()[kind].capabilities.groups

    def open_directory(self, entry: "DirectoryEntry", provider: "Provider") -> "Directory":
        """The connector for a directory's entry in a policy; connections and tokens are the process's own."""
        from connectors.registry import open_directory

        return open_directory(entry, self._under(provider))

    def open_seller(self, entry: "SellerEntry", provider: "Provider") -> "Seller":
        """The connector for the seller of a policy; connections are the process's own."""
        from connectors.registry import open_seller

        return open_seller(entry, self._under(provider))

    def open_webhook(self, receiver: "WebhookReceiver", provider: "Provider") -> "Webhook":
        """Where the events for a receiver of a policy go; connections are the process's own."""
        from connectors.webhooks import open_webhook

        return open_webhook(receiver, self._under(provider), self._webhooks)

    def open_post_office(self) -> "PostOffice":
        """Where mail to people is handed over."""
        from connectors.mail import post_office

        return post_office(self.settings.smtp_url)

    def _under(self, provider: "Provider") -> "Context":
        """The context under what a provider's file says: one for all companies whose policies were read under it."""
        known = self._contexts.get(id(provider))
        if known is None:
            if len(self._contexts) >= _CONTEXTS:  # of files that were edited since
                self._contexts.clear()
            context = self._context.provided(provider.credentials, frozenset(provider.allowed_hosts))
            known = self._contexts[id(provider)] = provider, context
        return known[1]

    @cached_property
    def _contexts(self) -> "dict[int, tuple[Provider, Context]]":
        """By the identity of what a provider's file says, which is kept for as long as its context."""
        return {}

    @cached_property
    def _webhooks(self) -> "HttpClient":
        """A client of its own, which has less patience than what asks vendors."""
        from connectors.http import HttpClient
        from connectors.webhooks import BOUNDS

        return HttpClient(BOUNDS)

    @cached_property
    def _context(self) -> "Context":
        from connectors.asking import Surroundings
        from connectors.context import Context
        from connectors.secrets import Secrets

        world = Surroundings(self.clock, self.sleep, self.random, self.stopping.is_set, self.heard)
        return Context(Secrets(self.settings.secrets_dir), self.settings.policy_dir, world=world)

    def close(self) -> None:
        """Give connections back."""
        self.store.close()
        if "_context" in self.__dict__:
            self._context.http.close()
        if "_webhooks" in self.__dict__:
            self._webhooks.close()


def build(settings: Settings, *, clock: Callable[[], datetime] = _now, pool_size: int = 8) -> App:
    """The application for these settings; an empty database is created.

    Raises SchemaBehind when the database was made by another version.
    """
    return App(settings, open_store(settings.database_url, pool_size=pool_size), clock=clock)
