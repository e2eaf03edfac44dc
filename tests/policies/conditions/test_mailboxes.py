"""`mailboxes`: shared ones are a condition; users are what a rule means anyway."""

import pytest

from policies.conditions.mailboxes import Mailboxes
from policies.model import Kind
from tests.policies.conditions.accounts import IN_NONE, account
from tests.proves import proves


@proves("G2")
def test_shared_selects_shared_mailboxes() -> None:
    assert str(Mailboxes("shared").matches(account(kind=Kind.SHARED_MAILBOX), IN_NONE)) == "shared mailbox"


@pytest.mark.parametrize("kind", [Kind.USER, Kind.ROOM, Kind.GUEST, Kind.RESOURCE, Kind.UNKNOWN])
def test_shared_selects_nothing_else(kind: Kind) -> None:
    assert Mailboxes("shared").matches(account(kind=kind), IN_NONE) is None


def test_user_leaves_shared_mailboxes_out_and_narrows_nothing_else() -> None:
    users = Mailboxes("user")
    assert users.matches(account(kind=Kind.SHARED_MAILBOX), IN_NONE) is None
    assert users.matches(account(), IN_NONE) is not None
    assert not users.narrows and Mailboxes("shared").narrows
