"""What a module of this package says of the kind of directory or seller that it is, at no cost.

A kind's module declares `DIRECTORY` or `SELLER`. What it takes to talk to the vendor is imported only when a
directory or seller is opened.
"""

from dataclasses import dataclass
from datetime import timedelta

from connectors.base import Capabilities


@dataclass(frozen=True, slots=True)
class DirectoryConnector:
    """A kind of directory."""

    options: type
    """The frozen dataclass of its part of the policy file."""
    every: timedelta
    """How often it is read where the policy does not say."""
    capabilities: Capabilities
    opens: str
    """`module:function`; called with an instance of `options` and a `Context`, it returns a `Directory`."""
    kind: str | None = None
    """What a policy calls it, where a module cannot have that name."""
    pushes: tuple[str, ...] = ()
    """The kinds of change that the vendor tells of, each over a channel of its own (`connectors.pushes`); `options` has
    the address for it as `push`."""
    examines: str | None = None
    """`module:function` for `connectors.examining`; called with `options`, a `Context` and what is `Needed`, it yields
    a `Finding` for each thing that it tried."""


@dataclass(frozen=True, slots=True)
class SellerConnector:
    """A kind of seller."""

    options: type
    opens: str
    """`module:function`; called with an instance of `options` and a `Context`, it returns a `Seller`."""
    kind: str | None = None
    """What a policy calls it, where a module cannot have that name."""
