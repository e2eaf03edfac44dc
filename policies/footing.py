"""What a removal rests on: a person's rejection stands while account, memberships and rule are the same (Z1)."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from policies.model import Account

if TYPE_CHECKING:
    from policies.document import Rule

_PLACES = frozenset({"mark", "position"})


def footing(account: Account, groups: Iterable[str], rule: "Rule | None") -> str:
    """A digest of the account as the directory has it, its memberships and its rule; the same in every process, and
    wherever in the file the rule stands."""
    told = (account[1:], sorted(groups), _told_once(_Itself(rule)))
    return sha256(repr(told).encode()).hexdigest()[:32]


class _Itself:
    """A rule by identity, so that it is told once for all of its accounts."""

    def __init__(self, rule: "Rule | None") -> None:
        self.rule = rule

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.rule is self.rule

    def __hash__(self) -> int:
        return id(self.rule)


@lru_cache(maxsize=64)
def _told_once(itself: _Itself) -> str:
    return repr(_told(itself.rule))


def _told(value: object) -> object:
    """The value without its places in the file, and in an order of its own where it has none."""
    if is_dataclass(value):
        written = (field.name for field in fields(value) if field.repr and field.name not in _PLACES)
        return [type(value).__name__, *((name, _told(getattr(value, name))) for name in written)]
    if isinstance(value, Mapping):
        return sorted((str(key), _told(each)) for key, each in value.items())
    if isinstance(value, frozenset):
        return sorted(str(each) for each in value)
    if isinstance(value, tuple):
        return [_told(each) for each in value]
    return repr(value)
