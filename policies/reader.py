"""Policy files as text → typed values, or every problem at once, each at its place.

Types come from the fields of `policies.document` and `policies.provider`, never from YAML's guesses. Any text gives
a value or a PolicyError. Reading the file is left to the callers; `decoded` turns its bytes into text.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

from policies.credentials import NamedCredential
from policies.defaults import with_defaults
from policies.document import Buying, DirectoryEntry, Kinds, Licenses, Policy, Purchasing
from policies.errors import PolicyError
from policies.files import DEFAULTS_PATH, company_file, provider_file
from policies.nodes import Entries, Items, Node, Scalar, compose
from policies.provider import Provider
from policies.reading import Reading, did_you_mean, listed, nearest
from policies.text import Money, format_duration

NO_KINDS: Final = Kinds()


def read_policy(text: str, file: str, kinds: Kinds = NO_KINDS, provider: Provider | None = None) -> Policy:
    """One company's policy; what it does not say is the provider's default, then the built-in one.

    Raises PolicyError with every problem of the file. Without a provider, credentials by name are taken on trust.
    """
    reading = Reading(file, text)
    root = compose(reading)
    policy = company_file(kinds).read(root, reading, "") if root is not None else None
    if isinstance(root, Entries):
        _refuse_unknown_directories(root, reading)
    if isinstance(policy, Policy):
        if provider is not None:
            _refuse_unknown_credentials(policy, provider, reading)
            policy = with_defaults(policy, provider)
        _check_purchasing(policy.purchasing, "", reading)
    if reading.problems or not isinstance(policy, Policy):
        raise PolicyError(reading.problems)
    return policy


def read_provider(text: str, file: str, kinds: Kinds = NO_KINDS) -> Provider:
    """The provider's file. Raises PolicyError with every problem in it."""
    reading = Reading(file, text)
    root = compose(reading)
    provider = provider_file(kinds).read(root, reading, "") if root is not None else None
    if isinstance(provider, Provider):
        _check_purchasing(provider.defaults.purchasing, DEFAULTS_PATH, reading)
        _refuse_shorter_retention(provider, reading)
    if reading.problems or not isinstance(provider, Provider):
        raise PolicyError(reading.problems)
    return provider


def decoded(raw: bytes, file: str) -> str:
    """The text of a policy file. Raises PolicyError where it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        reading = Reading(file, raw.decode("utf-8", "surrogateescape"))
        compose(reading)
        raise PolicyError(reading.problems) from None


def _refuse_unknown_directories(root: Entries, reading: Reading) -> None:
    """A rule can only be for directories of this file."""
    declared = root.get("directories")
    known = list(declared.entries) if isinstance(declared, Entries) else []
    for item in _named_directories(root):
        if item.text not in known and not item.is_null:
            near, expected = nearest(item.text, known), listed(known) or "none, for this file declares none"
            message = f"directories: unknown directory {item.text!r}, expected {expected}{did_you_mean(near)}"
            reading.report(item.mark, message, found=repr(item.text), expected=expected, nearest=near)


def _named_directories(root: Entries) -> Iterator[Scalar]:
    rules = root.get("rules")
    for rule in rules.items if isinstance(rules, Items) else ():
        named: Node | None = rule.get("directories") if isinstance(rule, Entries) else None
        for item in named.items if isinstance(named, Items) else ():
            if isinstance(item, Scalar):
                yield item


def _refuse_unknown_credentials(policy: Policy, provider: Provider, reading: Reading) -> None:
    for entry, key, name in named_credentials(policy):
        if name not in provider.credentials:
            near = nearest(name, provider.credentials)
            expected = f"one of provider.yaml's: {listed(sorted(provider.credentials)) or 'none yet'}"
            message = f"{key}: unknown credential {name!r}, expected {expected}{did_you_mean(near)}"
            mark = reading.said.get(f"directories.{entry.id}.{key}", entry.mark)
            reading.report(mark, message, found=repr(name), expected=expected, nearest=near)


def named_credentials(policy: Policy) -> Iterator[tuple[DirectoryEntry, str, str]]:
    """The credentials that the policy's directories take from `provider.yaml`: entry, key and name."""
    for entry in policy.directories:
        options: Any = entry.options
        for field in fields(options):
            value = getattr(options, field.name)
            if isinstance(value, NamedCredential):
                yield entry, field.name, value.name


def _check_purchasing(purchasing: Purchasing, prefix: str, reading: Reading) -> None:
    for name, buying in (("standard", purchasing.standard), ("archived", purchasing.archived)):
        path = f"{prefix}purchasing.{name}"
        _refuse_large_pack(path, buying, reading)
        _refuse_other_currency(path, buying, reading)


def _refuse_large_pack(path: str, buying: Buying, reading: Reading) -> None:
    """P1: no order could ever be made."""
    mark = _place(reading, f"{path}.pack", f"{path}.most_per_order")
    if buying.pack > buying.most_per_order and mark is not None:
        expected = f"at most most_per_order, which is {buying.most_per_order}"
        reading.report(
            mark, f"pack: found {buying.pack}, expected {expected}", found=str(buying.pack), expected=expected
        )


def _refuse_other_currency(path: str, buying: Buying, reading: Reading) -> None:
    mark = _place(reading, f"{path}.approve_above", f"{path}.price")
    limit, price = buying.approve_above, buying.price
    if mark is not None and isinstance(limit, Money) and price is not None and limit.currency != price.currency:
        message = f"approve_above: found {limit}, expected {price.currency}, the currency of price"
        reading.report(mark, message, found=str(limit), expected=price.currency)


def _place(reading: Reading, *paths: str) -> Any:
    """Where the first of these keys stands that the file says; None where it says none of them."""
    return next((reading.said[path] for path in paths if path in reading.said), None)


def _refuse_shorter_retention(provider: Provider, reading: Reading) -> None:
    """R3: no default ever shortens a retention; only a company's own file can."""
    path, built_in = f"{DEFAULTS_PATH}licenses.retention", Licenses().retention
    retention = provider.defaults.licenses.retention
    if path in reading.said and retention < built_in:
        found, expected = format_duration(retention), f"at least {format_duration(built_in)}"
        message = (
            f"retention: found {found}, expected {expected}: no default shortens a retention; a company's file can"
        )
        reading.report(reading.said[path], message, found=found, expected=expected)
