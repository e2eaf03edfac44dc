"""What each command ends with: 0 done, 1 failed, 2 wrong usage, 3 held, 4 insufficient licenses."""

import json

import pytest

from tests.console.conftest import Terminal
from tests.proves import proves

NAMED_WRONGLY = (
    "sync nowhere", "sync nowhere --dry-run", "sync nowhere --no-wait", "why nobody@contoso.example",
    "accounts link nobody@contoso.example nobody@contoso.example", "accounts unlink nobody@contoso.example",
    "accounts list --company nobody", "accounts list --directory nowhere", "accounts list --group nothing",
    "accounts list --after nonsense", "accounts list --state sleeping", "accounts list --waiting someday",
    "licenses assign nobody@contoso.example", "licenses archive nobody@contoso.example --yes",
    "licenses deactivate nobody@contoso.example --yes", "licenses follow nobody@contoso.example",
    "licenses pin nobody@contoso.example", "licenses unpin nobody@contoso.example",
    "licenses assign --where company=nobody", "licenses assign --where color=red", "licenses assign",
    "licenses assign --endpoint lab --license computer", "licenses import nothing.csv",
    "lots activate nonsense", "lots activate SK1.e30.c2hvcnQ", "lots add gold 5",
    "lots add standard 5 --company nobody", "lots renew lot-1", "lots prune",
    "orders approve order-1", "orders reject order-1", "orders reopen order-1", "orders fulfill order-1",
    "orders cancel order-1 --yes", "orders add gold 5 --company contoso", "orders add standard 5 --company nobody",
    "plan show sha256:0", "plan approve sha256:0", "plan reject sha256:0", "plan reopen sha256:0",
    "notices ack notice-1", "notices ack", "notices list --company nobody",
    "endpoints add lab --company nobody", "endpoints remove lab --yes", "endpoints list --company nobody",
    "policy rebind nowhere Staff 1", "policy rebind contoso-m365 Nothing 1",
    "company retire nobody --yes", "directory retire nowhere --yes",
    "legal-hold set nobody@contoso.example", "legal-hold set --company nobody", "legal-hold lift",
    "legal-hold lift --company nobody",
    "report usage --month 2020-02 --company nobody", "report usage --month soon",
    "audit --company nobody", "feed --company nobody", "feed --after last",
)  # fmt: skip
"""Names of what is not there, and arguments that are none. A whole license key that nobody signed is no wrong usage,
but refused (1)."""
UNASKED = (
    "licenses archive {person}", "licenses deactivate {person}", "licenses deactivate --where state=active",
    "company retire contoso", "directory retire contoso-m365",
)  # fmt: skip
"""Destructive, and nobody is there who could be asked."""
DONE = (
    "status", "sync", "sync --dry-run", "accounts list", "accounts list --search nobody", "why {person}", "lots list",
    "orders list", "plan list", "plan list --all", "notices list", "notices ack --all", "endpoints list",
    "policy check", "policy schema", "policy diff", "report usage --month 2024-11", "audit", "audit --verify", "feed",
    "feed --after 1000000", "licenses pin {person}", "licenses pin {person}", "licenses unpin {person}",
    "licenses follow {person}", "legal-hold set {person}", "legal-hold lift {person}",
    "licenses archive {person} --yes",
    "licenses assign {person}", "licenses deactivate {person} --yes", "lots prune --expired --yes",
    "lots add standard 5",
    "directory retire contoso-m365 --yes", "company retire contoso --yes",
)  # fmt: skip


def codes(licensed: Terminal, commands: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    """What each command ended with, and the code of the error that it printed, one after the other."""
    person = licensed("accounts", "list", "--license", "standard", "--json").json[0]["id"]
    found = {}
    for command in commands:
        said = licensed(*command.format(person=person).split(), "--json")
        value = json.loads(said.out)
        error = value.get("error") if isinstance(value, dict) else None
        found[command] = (said.code, error["code"] if isinstance(error, dict) else "")
    return found


@pytest.mark.slow
def test_what_is_named_and_not_there_is_wrong_usage(licensed: Terminal) -> None:
    found = codes(licensed, NAMED_WRONGLY)
    assert {command: ended for command, ended in found.items() if ended[0] != 2 or not ended[1]} == {}


@proves("L5")
def test_nothing_is_destroyed_where_nobody_can_be_asked(licensed: Terminal) -> None:
    before = licensed("audit", "--json").out
    assert codes(licensed, UNASKED) == dict.fromkeys(UNASKED, (2, "usage"))
    assert licensed("audit", "--json").out == before


@pytest.mark.slow
def test_what_was_done_ends_with_zero(licensed: Terminal) -> None:
    found = codes(licensed, DONE)
    assert {command: ended for command, ended in found.items() if ended != (0, "")} == {}
