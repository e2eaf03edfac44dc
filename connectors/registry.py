"""Finds the kinds of directories and sellers: every module or package here that declares one.

Finding them imports their declarations only. What talks to a vendor is imported when a directory is opened.
"""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import connectors
from connectors.base import Capabilities, Directory, Seller
from connectors.kinds import DirectoryConnector, SellerConnector
from policies.document import DirectoryEntry, DirectoryKind, Kinds, SellerEntry

if TYPE_CHECKING:
    from connectors.context import Context

MACHINERY = frozenset({
    "ahead",
    "asking",
    "base",
    "connections",
    "context",
    "deadlines",
    "entra",
    "errors",
    "examining",
    "http",
    "idle",
    "kinds",
    "license_keys",
    "links",
    "mail",
    "opening",
    "public",
    "pushes",
    "registry",
    "secrets",
    "signing",
    "simulators",
    "slices",
    "tokens",
    "verdicts",
    "webhooks",
})  # fmt: skip
"""What is no kind, and is not imported to find that out."""


def kinds() -> Kinds:
    """The kinds that are installed, as the policy reader wants to know them."""
    return Kinds(
        directories={
            kind: DirectoryKind(found.options, found.every, _cannot(found.capabilities))
            for kind, found in directories().items()
        },
        sellers={kind: found.options for kind, found in sellers().items()},
    )


def _cannot(can: Capabilities) -> frozenset[str]:
    """The keys of a policy that would mean nothing in such a directory."""
    meaningful = {"groups": can.groups, "org_units": can.org_units, "shared_mailboxes_are": can.org_units}
    return frozenset(key for key, means in meaningful.items() if not means)


@cache
def directories() -> Mapping[str, DirectoryConnector]:
    """The kinds of directories, by the name that a policy gives them."""
    return {kind: found for kind, found in _declared() if isinstance(found, DirectoryConnector)}


@cache
def sellers() -> Mapping[str, SellerConnector]:
    """The kinds of sellers, by the name that a policy gives them."""
    return {kind: found for kind, found in _declared() if isinstance(found, SellerConnector)}


def open_directory(entry: DirectoryEntry, context: "Context") -> Directory:
    """The directory of a policy's entry. Raises NeedsPerson where the entry cannot be used as it is."""
    found: Directory = _opener(directories()[entry.kind].opens)(entry.options, context)
    return found


def open_seller(entry: SellerEntry, context: "Context") -> Seller:
    """The seller of a policy. Raises NeedsPerson where its entry cannot be used as it is."""
    found: Seller = _opener(sellers()[entry.kind].opens)(entry.options, context)
    return found


@cache
def _declared() -> tuple[tuple[str, DirectoryConnector | SellerConnector], ...]:
    return tuple(sorted(_declarations(), key=lambda declared: declared[0]))


def _declarations() -> Iterator[tuple[str, DirectoryConnector | SellerConnector]]:
    for module in pkgutil.iter_modules(connectors.__path__):
        if module.name in MACHINERY:
            continue
        declared = vars(import_module(f"connectors.{module.name}"))
        found = declared.get("DIRECTORY") or declared.get("SELLER")
        if isinstance(found, DirectoryConnector | SellerConnector):
            yield found.kind or module.name, found


@cache
def _opener(place: str) -> Any:
    module, _, function = place.partition(":")
    return getattr(import_module(module), function)
