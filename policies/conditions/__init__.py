"""The ways in which a rule selects accounts, one file each; the package finds them itself.

A condition is a frozen dataclass whose one written field, named as its key, is the value under that key. The reader
also tells it the rule's name and its own place in the file, so that what it answers can say where the file says so.
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Annotated, ClassVar, TypeVar

from policies.key import NOT_WRITTEN
from policies.model import Account, Because, GroupRef, Mark, Memberships


@dataclass(frozen=True, slots=True)
class Condition(ABC):
    """One condition of a rule; all of a rule's conditions must hold."""

    key: ClassVar[str] = ""
    """The key under which it stands in a rule."""
    rule: Annotated[str, NOT_WRITTEN] = field(default="", kw_only=True)
    mark: Annotated[Mark | None, NOT_WRITTEN] = field(default=None, kw_only=True)

    @abstractmethod
    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """Why the account is selected, or None. Called once an account and rule: it precomputes what it can."""

    @property
    def refs(self) -> tuple[GroupRef, ...]:
        """The groups that must be resolved before it can be evaluated (G3)."""
        return ()

    @property
    def units(self) -> tuple[str, ...]:
        """The organizational units that must be resolved as well, where units have ids (G3)."""
        return ()

    def placed(self, ids: Mapping[str, str]) -> "Condition":
        """The same condition where accounts carry the ids of their units, and these are what the units stand for."""
        return self

    @property
    def narrows(self) -> bool:
        """Whether it says more than every rule means anyway; one that does not cannot stand alone."""
        return True

    def because(self, text: str) -> Because:
        """The reason, with the rule and the place."""
        return Because(self.rule, text, self.mark)


Selector = TypeVar("Selector", bound=type[Condition])

_FOUND: dict[str, type[Condition]] = {}


def condition(key: str) -> Callable[[Selector], Selector]:
    """Declare the condition that stands under this key in a rule."""

    def declare(selector: Selector) -> Selector:
        if key in _FOUND:
            raise ValueError(f"two conditions are declared for the key {key!r}")
        selector.key = key
        _FOUND[key] = selector
        return selector

    return declare


@cache
def conditions() -> Mapping[str, type[Condition]]:
    """Every condition by its key, sorted by key."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return MappingProxyType(dict(sorted(_FOUND.items())))
