"""Vendors that tell when something has changed: what a channel to hear them by is, whatever vendor stands behind it.

What comes over a channel is a hint and no more: it lets a directory be read earlier, and is evidence of nothing (Z2).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from connectors.registry import directories
from policies.document import DirectoryEntry

NOTHING_HERE = b"nothing is here\n"
"""What is answered with status 404 to whoever comes to a place where nothing is, or does not know a channel's token."""


class Registered(NamedTuple):
    """A channel as the vendor has it."""

    resource: str
    """What the vendor wants to hear when it is to be stopped, beside the channel's id."""
    expires_at: datetime


@runtime_checkable
class Pushes(Protocol):
    """A directory whose vendor can be asked to tell of changes. Every method raises what a directory's do."""

    def watch(self, event: str, address: str, id: str, token: str) -> Registered:
        """Have an event told at an address, under an id and with a token, until the channel expires."""
        ...

    def stop(self, id: str, resource: str) -> None:
        """Have nothing told any more; a channel that is gone is as good as stopped."""
        ...


def events_of(kind: str) -> Sequence[str]:
    """The kinds of change that directories of a kind can tell of; none for most."""
    return directories()[kind].pushes


def address_for(entry: DirectoryEntry) -> str | None:
    """Where a directory's entry has its vendor tell of changes, if anywhere."""
    found: str | None = getattr(entry.options, "push", None)
    return found
