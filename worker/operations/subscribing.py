"""Who is told outside: the receivers that the policies in force name, for each company and for the provider (A2).

A company without `notify` has the provider's default receivers. These also hear what is the provider's own: the lots
of the global pool.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from connectors.links import redacted
from policies.credentials import EnvRef, FileRef
from policies.document import EmailReceiver, Receiver, WebhookReceiver
from store.receivers import EMAIL, WEBHOOK, Address

if TYPE_CHECKING:
    from store.transaction import Transaction
    from store.versions import PolicyVersion
    from worker.operations.policies import InForce

PROVIDER = 0
"""The key of the provider among the companies."""
_WORD = "notify"
"""What a policy must say for somebody to be told; the others need not be read for it."""


def subscribe(tx: "Transaction", read: Callable[["PolicyVersion"], "InForce"]) -> None:
    """Bring the receivers in line with the policies in force; where nothing changed, nothing is written."""
    versions = tx.versions.all_in_force()
    keys = {row.id: row.key for row in tx.directories.companies()}
    wanted = {keys[version.company]: _addresses(read(version).policy.notify) for version in versions if _says(version)}
    newest = max(versions, key=lambda version: version.key, default=None)
    if newest is not None and _says(newest):
        wanted[PROVIDER] = _addresses(read(newest).provider.defaults.notify)
    tx.receivers.follow(wanted)


def address_of(receiver: Receiver) -> Address:
    """What the store knows a receiver by; never its secret, nor what may be one."""
    if isinstance(receiver, EmailReceiver):
        people = sorted({address.lower() for address in receiver.to})
        return Address(_digest(EMAIL, *people), EMAIL, ",".join(people))
    return Address(_digest(WEBHOOK, receiver.url, _place_of(receiver)), WEBHOOK, redacted(receiver.url))


def _addresses(receivers: Sequence[Receiver]) -> list[Address]:
    return list(dict.fromkeys(map(address_of, receivers)))


def _place_of(receiver: WebhookReceiver) -> str:
    match receiver.secret:
        case EnvRef(name):
            return f"env:{name}"
        case FileRef(path):
            return f"file:{path}"


def _digest(*parts: str) -> str:
    return sha256(msgspec.json.encode(parts)).hexdigest()


def _says(version: "PolicyVersion") -> bool:
    return _WORD in version.text or _WORD in (version.provider_text or "")
