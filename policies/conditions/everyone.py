"""The condition `everyone`: every account that the rule's other keys admit."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from policies.conditions import Condition, condition
from policies.key import Key
from policies.model import Account, Because, Memberships


@condition("everyone")
@dataclass(frozen=True, slots=True)
class Everyone(Condition):
    """Every account: enabled users, unless `include` or `mailboxes` says otherwise.

    rules:
      - name: all staff
        everyone: true
        except: {groups: [Contractors]}
        license: standard
    """

    everyone: Annotated[Literal[True], Key("Every account that `include` and `mailboxes` admit.")]
    _because: Because = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_because", self.because("everyone"))

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """Always the same reason."""
        return self._because
