"""What people and scripts type by hand: `licenses assign` and its like, `accounts link`, retiring, legal holds."""

import getpass
import socket
from typing import Any

import pytest

from connectors.simulators.microsoft365 import Tenant
from tests.console.conftest import POLICY, Terminal
from tests.proves import proves

KEYS = {"wanted", "free", "short", "assigned", "left_out"}


def unlicensed(terminal: Terminal, number: int) -> list[str]:
    """Addresses of people who hold nothing."""
    rows = terminal("accounts", "list", "--where", "license=none,state=active", "--json").json
    return [row["address"] for row in rows][:number]


def row(terminal: Terminal, address: str) -> Any:
    rows = terminal("accounts", "list", "--search", address, "--json").json
    return next(row for row in rows if row["address"] == address)


def licensed_people(terminal: Terminal, number: int) -> list[str]:
    rows = terminal("accounts", "list", "--where", "license=standard,kind=user", "--json").json
    return [row["address"] for row in rows][:number]


@proves("L6")
def test_more_than_is_free_is_refused_with_numbers(connected: Terminal) -> None:
    assert connected("lots", "add", "standard", "1").code == 0
    connected("sync")
    free = connected("status", "--json").json["pools"][0]["free"]
    assert free == 0
    people = unlicensed(connected, 2)
    said = connected("licenses", "assign", *people, "--json")
    assert said.code == 4
    assert said.json.keys() >= KEYS
    assert {key: said.json[key] for key in sorted(KEYS)} == {
        "wanted": 2, "free": 0, "short": 2, "assigned": [], "left_out": [],
    }  # fmt: skip
    assert said.error["code"] == "insufficient_licenses"
    said = connected("licenses", "assign", *people)
    assert (said.code, said.out) == (4, "")
    assert "insufficient licenses: 2 standard wanted, 0 free, 2 short; nothing was assigned" in said.err


@proves("L6", "L7", "L8", "A1")
def test_as_many_as_fit_are_assigned_and_the_rest_is_left_out(licensed: Terminal) -> None:
    people = unlicensed(licensed, 3)
    free = licensed("status", "--json").json["pools"][0]["free"]
    said = licensed("licenses", "assign", *people, "--as-many-as-fit", "--json")
    assert said.code == 0
    assert [account["address"] for account in said.json["assigned"]] == sorted(people)
    assert (said.json["wanted"], said.json["free"], said.json["left_out"]) == (3, free, [])
    assert row(licensed, people[0])["source"] == "manual"
    entry = licensed("audit", "--json").json[-1]
    assert entry["who"] == f"cli:{getpass.getuser()}@{socket.gethostname()}"
    said = licensed("licenses", "follow", *people)
    assert said.out == "3 accounts handed back to the rules.\n"


@proves("L7")
def test_a_filter_means_more_than_a_page(licensed: Terminal) -> None:
    said = licensed("licenses", "pin", "--where", "license=standard", "--json")
    rows = licensed("accounts", "list", "--license", "standard", "--json").json
    assert (said.code, said.json["marked"]) == (0, len(rows))
    assert {row["source"] for row in rows} == {"pinned"}
    assert licensed("licenses", "unpin", "--where", "license=standard", "--json").json["marked"] == len(rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["assign"], "name accounts, or say --where FILTER"),
        (
            ["assign", "ada@contoso.example", "--where", "state=active"],
            "name accounts, or say --where FILTER: not both",
        ),
        (["deactivate", "--where", "stat=active"], None),
        (["deactivate", "--where", ""], None),
        (["assign", "--license", "gold", "x"], None),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(terminal: Terminal, arguments: list[str], message: str | None) -> None:
    said = terminal("licenses", *arguments, "--json")
    assert (said.code, said.error["code"]) == (2, "usage")
    assert message is None or said.error["message"] == message


def test_an_unknown_account_is_wrong_usage(licensed: Terminal) -> None:
    said = licensed("licenses", "assign", "nobody@contoso.example", "--json")
    assert (said.code, said.error["code"]) == (2, "not_found")


@proves("L5", "L7")
def test_what_destroys_needs_a_terminal_or_yes(licensed: Terminal) -> None:
    people = licensed_people(licensed, 2)
    said = licensed("licenses", "deactivate", *people, "--json")
    assert (said.code, said.error["code"]) == (2, "usage")
    assert "Deactivate 2 accounts. 2 standard: backups end, and what exists is kept for 60d." in said.error["message"]
    assert row(licensed, people[0])["license"] == "standard"
    said = licensed("licenses", "archive", people[0])
    assert said.code == 2 and "Archive 1 account: no backups are made any more" in said.err
    assert licensed("licenses", "archive", people[0], "--yes").code == 0
    said = licensed("licenses", "deactivate", people[0])
    assert said.code == 2 and "their backups are NOT kept, and may be deleted at once" in said.err
    said = licensed("licenses", "deactivate", *people, "--yes", "--json")
    assert said.code == 0
    assert sorted(account["address"] for account in said.json["deactivated"]) == sorted(people)
    assert row(licensed, people[0])["protection"] == "purge_due"
    assert row(licensed, people[1])["protection"] == "retained"
    assert row(licensed, people[1])["retention_ends"] is not None


@proves("Z1")
def test_yes_never_passes_a_limit(licensed: Terminal) -> None:
    held = len(licensed("accounts", "list", "--license", "standard", "--json").json)
    said = licensed("licenses", "deactivate", "--where", "license=standard", "--yes", "--json")
    assert said.code == 3
    [hold] = said.json["held"]
    assert (hold["kind"], hold["total"]) == ("unassign", held)
    assert len(licensed("accounts", "list", "--license", "standard", "--json").json) == held
    shown = licensed("plan", "show", hold["hash"], "--json").json
    assert {(a["kind"], a["held_license"], a["license"]) for a in shown["actions"]} == {("release", "standard", None)}
    said = licensed("licenses", "deactivate", "--where", "license=standard", "--yes")
    assert said.code == 3 and f"seatkeeper plan show {hold['hash'][:19]}" in said.out
    said = licensed("plan", "approve", hold["hash"], "--json")
    assert (said.code, said.json["result"]["actions_total"]) == (0, held)
    assert licensed("accounts", "list", "--license", "standard", "--json").json == []
    assert licensed("audit", "--verify").code == 0


@proves("D5")
def test_who_came_back_is_flagged_and_linked(licensed: Terminal, tenant: Tenant) -> None:
    address = licensed_people(licensed, 1)[0]
    old = row(licensed, address)["id"]
    name = row(licensed, address)["name"]
    tenant.delete_user(old)
    licensed("sync")
    new = tenant.hire(name)
    licensed("sync")
    rows = {found["id"]: found for found in licensed("accounts", "list", "--json").json}
    assert rows[new]["address"] == address
    assert (rows[new]["possible_return_of"], rows[old]["license"]) == (old, "archived")
    said = licensed("accounts", "link", new, old, "--json")
    assert (said.code, said.error["code"]) == (1, "conflict"), "the new account holds nothing yet"
    assert licensed("licenses", "assign", new).code == 0
    said = licensed("why", new)
    assert f"seatkeeper accounts link {new} {old}" in said.out
    said = licensed("accounts", "link", new, old, "--json")
    assert (said.code, said.json["freed"]) == (0, "archived")
    rows = {found["id"]: found for found in licensed("accounts", "list", "--json").json}
    assert (rows[old]["license"], rows[old]["linked_to"], rows[old]["protection"]) == (None, new, "backed_up")
    events = [event for event in licensed("feed", "--json").json if event["type"] == "seatkeeper.account.linked"]
    assert [event["account"] for event in events] == [old]
    assert licensed("licenses", "archive", new, "--yes").code == 0
    said = licensed("licenses", "deactivate", new)
    assert said.code == 2 and "Nor are those of 1 account that is linked to them" in said.err, "nothing goes unnamed"
    assert "is on its own again, with a license: archived" in licensed("accounts", "unlink", old).out
    assert licensed("accounts", "unlink", old).code == 1


@proves("R2", "L5")
def test_a_legal_hold_refuses_what_would_let_data_go(licensed: Terminal) -> None:
    [person] = licensed_people(licensed, 1)
    licensed("licenses", "archive", person, "--yes")
    assert licensed("legal-hold", "set", person, "--json").json["set"] == 1
    said = licensed("licenses", "deactivate", person, "--yes", "--json")
    assert (said.code, said.error["code"]) == (1, "legal_hold")
    assert row(licensed, person)["legal_hold"] is True
    assert licensed("legal-hold", "lift", person).out == "Legal hold lifted: 1 account.\n"
    assert licensed("legal-hold", "set", "--company", "contoso").code == 0
    assert licensed("licenses", "deactivate", person, "--yes").code == 1
    assert licensed("legal-hold", "set").code == 2
    assert licensed("legal-hold", "set", person, "--company", "contoso").code == 2
    assert licensed("legal-hold", "set", "--company", "nobody").code == 2


@proves("Z11")
def test_retiring_asks_and_leaves_the_licenses(licensed: Terminal) -> None:
    said = licensed("company", "retire", "contoso", "--json")
    assert (said.code, said.error["code"]) == (2, "usage")
    said = licensed("directory", "retire", "contoso-m365", "--yes", "--json")
    assert said.code == 0
    assert said.json["directories"] == ["contoso-m365"] and said.json["licenses_held"]["standard"] > 0
    said = licensed("company", "retire", "contoso", "--yes")
    assert said.code == 0 and "licenses deactivate --where company=contoso" in said.out
    assert licensed("company", "retire", "contoso", "--yes").code == 1
    assert licensed("company", "retire", "nobody", "--yes").code == 2
    assert licensed("status", "--json").json["directories"] == []


@proves("G3")
def test_a_group_is_bound_anew_by_its_id(licensed: Terminal, tenant: Tenant) -> None:
    other = tenant.create_group("Backup Staff", members=[])
    said = licensed("policy", "rebind", "contoso-m365", "Backup Staff", other, "--json")
    assert (said.code, said.json["group"], said.json["name"]) == (0, other, "Backup Staff")
    assert said.json["before"] not in (None, other)
    said = licensed("policy", "rebind", "contoso-m365", "Nobody", other, "--json")
    assert (said.code, said.error["code"]) == (2, "usage")
    said = licensed("policy", "rebind", "nowhere", "Backup Staff", other, "--json")
    assert (said.code, said.error["code"]) == (2, "not_found")


@proves("M2")
def test_a_user_pool_limits_what_somebody_gives(connected: Terminal, graph: Any) -> None:
    pool = f"licenses: {{user_pools: {{{getpass.getuser()}: {{standard: 1}}}}}}\n"
    connected.policy(POLICY.format(url=graph.url) + pool)
    connected("lots", "add", "standard", "100")
    connected("sync")
    people = unlicensed(connected, 2)
    said = connected("licenses", "assign", *people, "--json")
    assert (said.code, said.json["wanted"], said.json["free"], said.json["short"]) == (4, 2, 1, 1)
    said = connected("licenses", "assign", *people, "--as-many-as-fit", "--json")
    assert said.code == 0
    assert [left["reason"] for left in said.json["left_out"]] == ["user_pool"]
