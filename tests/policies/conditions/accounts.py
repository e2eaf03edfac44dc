"""Accounts for the conditions to look at."""

from policies.model import ATTRIBUTES, Account, AccountId, AccountKey, GroupRef, Kind, Memberships, State


def account(
    address: str = "ada@contoso.example",
    *,
    kind: Kind = Kind.USER,
    org_unit: str = "",
    **attributes: str,
) -> Account:
    """An enabled account; attributes that are not given are not set."""
    values = tuple(attributes.get(name, "") for name in ATTRIBUTES)
    return Account(AccountKey(1), AccountId("Id-1"), address, "Ada", kind, State.ACTIVE, org_unit, values)


def in_groups(*groups: str) -> Memberships:
    """The memberships of the one account."""
    return {AccountKey(1): frozenset(map(GroupRef, groups))}


IN_NONE: Memberships = {}
