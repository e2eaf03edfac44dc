"""What holds where a company's file says nothing: the provider's defaults, then the built-in ones.

A company's own value wins, key by key; a list or a mapping of the file's own keys (`notify`, `limit`) is one value.
"""

from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from policies.document import Buying, Licenses, Policy, Purchasing
from policies.model import Limit, Safety
from policies.provider import Provider

INHERITED: Final = ("licenses", "purchasing", "safety", "notify")
"""The sections of a company's file for which the provider can have defaults."""
_KEYED: Final = (Licenses, Purchasing, Buying, Safety, Limit)

Value = TypeVar("Value")


def with_defaults(policy: Policy, provider: Provider) -> Policy:
    """The policy with what it does not say itself taken from the provider's defaults."""
    filled: dict[str, Any] = {
        section: with_default(getattr(policy, section), policy.said, provider, section) for section in INHERITED
    }
    return replace(policy, **filled)


def with_default(own: Value, said: frozenset[str], provider: Provider, section: str) -> Value:
    """One section of a company's file, of which it says these dotted keys."""
    default: Value = getattr(provider.defaults, section)
    return _merged(own, default, said, provider.defaults.said, section)


def _merged(own: Value, default: Value, said: frozenset[str], default_said: frozenset[str], path: str) -> Value:
    if isinstance(own, _KEYED):
        parts: dict[str, Any] = {
            field.name: _merged(
                getattr(own, field.name), getattr(default, field.name), said, default_said, f"{path}.{field.name}"
            )
            for field in fields(own)
        }
        return replace(own, **parts)
    return default if path in default_said and path not in said else own
