"""The condition `mailboxes: shared`: shared mailboxes, whatever their sign-in state (G2, S2)."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from policies.conditions import Condition, condition
from policies.key import Key
from policies.model import Account, Because, Kind, Memberships

_SHARED = Kind.SHARED_MAILBOX.value


@condition("mailboxes")
@dataclass(frozen=True, slots=True)
class Mailboxes(Condition):
    """Shared mailboxes, whatever their sign-in state. Without this key a rule means users.

        rules:
          - name: shared mailboxes
            mailboxes: shared
            license: standard

    `mailboxes: user` says what a rule means anyway; it is no condition, and cannot stand alone.
    """

    mailboxes: Annotated[Literal["shared", "user"], Key("Which mailboxes the rule is about.")]
    _wants_shared: bool = field(init=False, repr=False, compare=False)
    _because: Because = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = "shared mailbox" if self.mailboxes == "shared" else "user's mailbox"
        object.__setattr__(self, "_wants_shared", self.mailboxes == "shared")
        object.__setattr__(self, "_because", self.because(text))

    def matches(self, account: Account, memberships: Memberships) -> Because | None:
        """Whether the account is of the kind; anything but a shared mailbox is taken for a user's."""
        return self._because if (account.kind == _SHARED) is self._wants_shared else None

    @property
    def narrows(self) -> bool:
        """Users are what a rule means anyway."""
        return self.mailboxes == "shared"
