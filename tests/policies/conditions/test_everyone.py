"""`everyone`: no account is left out by it."""

from policies.conditions.everyone import Everyone
from policies.model import Kind
from tests.policies.conditions.accounts import IN_NONE, account
from tests.proves import proves


@proves("G2")
def test_everyone_is_everyone() -> None:
    assert str(Everyone(True).matches(account(), IN_NONE)) == "everyone"
    assert str(Everyone(True).matches(account("", kind=Kind.ROOM), IN_NONE)) == "everyone"
