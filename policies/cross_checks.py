"""What is wrong with keys of a policy file only beside other keys, or beside what the provider says.

It looks at whatever could be read, so that these problems are told along with all others.
"""

from collections.abc import Iterator

from policies.credentials import NamedCredential
from policies.defaults import with_default
from policies.document import Buying, Kinds, Licenses, Purchasing
from policies.files import DEFAULTS_PATH, said_by_company
from policies.model import Mark
from policies.nodes import Entries, Items, Node, Scalar
from policies.provider import AUTOMATED, CatalogEntry, Provider
from policies.reading import Reading, did_you_mean, listed, nearest
from policies.text import Money, format_duration


def check_company(root: Node, reading: Reading, kinds: Kinds, provider: Provider | None) -> None:
    """Report what does not fit together in a company's file."""
    if isinstance(root, Entries):
        _check_directories(root, reading, kinds)
    if provider is not None:
        _refuse_unknown_credentials(provider, reading)
    purchasing = reading.values.get("purchasing")
    if isinstance(purchasing, Purchasing):
        if provider is not None:
            purchasing = with_default(purchasing, said_by_company(reading), provider, "purchasing")
        _check_purchasing(purchasing, "", reading)


def check_provider(reading: Reading) -> None:
    """Report what does not fit together in the provider's file."""
    purchasing = reading.values.get(f"{DEFAULTS_PATH}purchasing")
    if isinstance(purchasing, Purchasing):
        _check_purchasing(purchasing, DEFAULTS_PATH, reading)
    _refuse_shorter_retention(reading)
    _check_catalog(reading)


def _check_directories(root: Entries, reading: Reading, kinds: Kinds) -> None:
    """A rule can only be for directories of this file, and such as can evaluate it."""
    declared = root.get("directories")
    known = declared.entries if isinstance(declared, Entries) else {}
    for rule, item in _named_directories(root):
        if item.text in known:
            _refuse_unable(rule, item, known[item.text][1], reading, kinds)
        elif not item.is_null:
            near, expected = nearest(item.text, known), listed(known) or "none, for this file declares none"
            message = f"directories: unknown directory {item.text!r}, expected {expected}{did_you_mean(near)}"
            reading.report(item.mark, message, found=repr(item.text), expected=expected, nearest=near)


def _named_directories(root: Entries) -> Iterator[tuple[Entries, Scalar]]:
    rules = root.get("rules")
    for rule in rules.items if isinstance(rules, Items) else ():
        named = rule.get("directories") if isinstance(rule, Entries) else None
        for item in named.items if isinstance(named, Items) else ():
            if isinstance(rule, Entries) and isinstance(item, Scalar):
                yield rule, item


def _refuse_unable(rule: Entries, item: Scalar, entry: Node, reading: Reading, kinds: Kinds) -> None:
    kind = entry.get("kind") if isinstance(entry, Entries) else None
    if not isinstance(kind, Scalar) or kind.text not in kinds.directories:
        return
    for key in rule.entries:
        if key in kinds.directories[kind.text].cannot:
            expected = f"a directory that can evaluate {key}"
            message = f"directories: found {item.text!r}, which is {kind.text}, expected {expected}"
            reading.report(item.mark, message, found=repr(item.text), expected=expected)


def _refuse_unknown_credentials(provider: Provider, reading: Reading) -> None:
    for path, credential in _named_credentials(reading):
        if credential.name not in provider.credentials:
            near = nearest(credential.name, provider.credentials)
            expected = f"one of provider.yaml's: {listed(sorted(provider.credentials)) or 'none yet'}"
            message = f"unknown credential {credential.name!r}, expected {expected}{did_you_mean(near)}"
            reading.report(reading.said[path], message, found=repr(credential.name), expected=expected, nearest=near)


def _named_credentials(reading: Reading) -> Iterator[tuple[str, NamedCredential]]:
    for path, value in reading.values.items():
        if isinstance(value, NamedCredential):
            yield path, value


def _check_purchasing(purchasing: Purchasing, prefix: str, reading: Reading) -> None:
    for name, buying in (("standard", purchasing.standard), ("archived", purchasing.archived)):
        path = f"{prefix}purchasing.{name}"
        _refuse_large_pack(path, buying, reading)
        _refuse_other_currency(path, buying, reading)


def _refuse_large_pack(path: str, buying: Buying, reading: Reading) -> None:
    """P1: no order could ever be made."""
    mark = _place(reading, f"{path}.pack", f"{path}.most_per_order")
    if buying.pack > buying.most_per_order and mark is not None:
        found, expected = str(buying.pack), f"at most most_per_order, which is {buying.most_per_order}"
        reading.report(mark, f"pack: found {found}, expected {expected}", found=found, expected=expected)


def _refuse_other_currency(path: str, buying: Buying, reading: Reading) -> None:
    """P3: what costs another money cannot be compared."""
    mark = _place(reading, f"{path}.approve_above", f"{path}.price")
    limit, price = buying.approve_above, buying.price
    if mark is not None and isinstance(limit, Money) and price is not None and limit.currency != price.currency:
        message = f"approve_above: found {limit}, expected {price.currency}, the currency of price"
        reading.report(mark, message, found=str(limit), expected=price.currency)


def _place(reading: Reading, *paths: str) -> Mark | None:
    """Where the first of these keys stands that the file says; None where it says none of them."""
    return next((reading.said[path] for path in paths if path in reading.said), None)


def _refuse_shorter_retention(reading: Reading) -> None:
    """R3: no default ever shortens a retention; only a company's own file can."""
    licenses, built_in = reading.values.get(f"{DEFAULTS_PATH}licenses"), Licenses().retention
    if isinstance(licenses, Licenses) and licenses.retention < built_in:
        found, expected = format_duration(licenses.retention), f"at least {format_duration(built_in)}"
        message = f"retention: found {found}, expected {expected}: no default shortens it; a company's own file can"
        reading.report(reading.said[f"{DEFAULTS_PATH}licenses.retention"], message, found=found, expected=expected)


def _check_catalog(reading: Reading) -> None:
    """M7: the automated types are per user, every other kind is per something else."""
    for path, entry in reading.values.items():
        if not isinstance(entry, CatalogEntry):
            continue
        name = path.removeprefix("catalog.")
        if entry.per not in ((None, "user") if name in AUTOMATED else ("computer", "host", "socket", "administrator")):
            found = entry.per or "nothing"
            expected = "user" if name in AUTOMATED else "computer, host, socket or administrator"
            message = f"per: found {found} in {name!r}, expected {expected}"
            reading.report(reading.said[path], message, found=found, expected=expected)
