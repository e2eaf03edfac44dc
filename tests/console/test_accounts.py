"""`seatkeeper accounts list`, `why` and `status`: what people and scripts look at."""

import csv
import io

import pytest

from connectors.simulators.microsoft365 import Tenant
from tests.console.conftest import Terminal
from tests.proves import proves

KEYS = {
    "company", "directory", "id", "address", "name", "kind", "state", "license", "through", "lot", "since", "source",
    "protection", "waiting", "retention_ends", "because",
}  # fmt: skip
ADA = "ada.winter@contoso.example"


def test_an_account_is_a_row_as_scripts_read_it(licensed: Terminal, tenant: Tenant) -> None:
    rows = licensed("accounts", "list", "--json").json
    assert len(rows) == tenant.users.live_count
    assert all(row.keys() >= KEYS for row in rows)
    [ada] = [row for row in rows if row["address"] == ADA]
    assert (ada["license"], ada["through"], ada["source"]) == ("standard", "seat", "rule:executives")
    assert (ada["protection"], ada["waiting"], ada["because"]) == ("backed_up", None, "member of exec@contoso.example")
    assert ada["lot"].startswith("lot-") and ada["since"].endswith("Z")


@pytest.mark.parametrize(
    "flags",
    [
        ("--company", "contoso", "--directory", "contoso-m365", "--license", "standard"),
        ("--rule", "staff"),
        ("--group", "Backup Staff"),
        ("--kind", "shared_mailbox"),
        ("--license", "none"),
        ("--protection", "backed_up"),
        ("--domain", "contoso.example", "--state", "active"),
        ("--search", "winter"),
    ],
)
def test_each_filter_is_a_flag_and_a_part_of_where(licensed: Terminal, flags: tuple[str, ...]) -> None:
    where = ",".join(f'{flag[2:]}="{value}"' for flag, value in zip(flags[::2], flags[1::2], strict=True))
    by_flags = licensed("accounts", "list", *flags, "--json").json
    assert 0 < len(by_flags) < len(licensed("accounts", "list", "--json").json)
    assert licensed("accounts", "list", "--where", where, "--json").json == by_flags


def test_who_waits_is_found_by_the_reason(connected: Terminal) -> None:
    connected("sync")
    rows = connected("accounts", "list", "--waiting", "insufficient_licenses", "--json").json
    assert rows and all(row["license"] is None for row in rows)
    assert {(row["waiting"]["for"], row["waiting"]["reason"]) for row in rows} == {
        ("standard", "insufficient_licenses")
    }
    assert connected("status", "--check").code == 4


def test_pages_join_to_the_whole_list_by_cursor_and_by_the_last_account(licensed: Terminal) -> None:
    whole = licensed("accounts", "list", "--json").json
    pages: list[object] = []
    after: tuple[str, ...] = ()
    while True:
        said = licensed("accounts", "list", "--json", "--limit", "7", *after)
        pages += said.json
        if not said.err:
            break
        after = ("--after", said.err.strip().removeprefix("next: --after "))
    assert pages == whole
    last = f"{whole[6]['directory']}:{whole[6]['id']}"
    assert licensed("accounts", "list", "--json", "--limit", "7", "--after", last).json == whole[7:14]


def test_a_person_sees_a_page_that_fits_the_terminal(licensed: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = licensed("accounts", "list", "--limit", "5").out.splitlines()
        assert all(len(line) <= width for line in lines[:6])
        assert lines[0].startswith("ACCOUNT ") and lines[-1].startswith("5 shown; the next page: --after ")


def test_a_table_for_other_programs_has_a_line_an_account(licensed: Terminal) -> None:
    said = licensed("accounts", "list", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == len(licensed("accounts", "list", "--json").json)
    [ada] = [row for row in rows if row["address"] == ADA]
    assert (ada["license"], ada["waiting_reason"], ada["name"]) == ("standard", "", "Ada Winter")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--where", "state"], "expected key=value, several joined by commas, found 'state'"),
        (["--where", "state=active", "--state", "deleted"], "state is given both as a flag and in --where"),
        (["--company", "nobody"], "there is no company 'nobody'"),
        (["--after", "x"], "'x' is no cursor of a list of accounts; begin without one"),
        (["--csv"], "--csv and --json contradict each other"),
    ],
)
def test_a_filter_that_makes_no_sense_lists_nobody(terminal: Terminal, arguments: list[str], message: str) -> None:
    said = terminal("accounts", "list", *arguments, "--json")
    assert said.code == 2
    assert message in said.error["message"]


# --- why ---


@proves("G9")
def test_why_names_the_rule_the_groups_and_what_each_other_rule_said(licensed: Terminal, tenant: Tenant) -> None:
    sales = tenant.find_group("Sales")
    zoe = tenant.hire("Zoe Quist")
    tenant.add_member(sales, zoe)
    licensed("sync")
    said = licensed("why", "zoe.quist@contoso.example", "--json")
    assert said.code == 0
    decision = said.json["decision"]
    assert (decision["standing"], decision["rule"], decision["because"]) == (
        "matched",
        "staff",
        "member of Backup Staff",
    )
    assert decision["mark"] == "policies.d/contoso.yaml:14:5"
    assert [(rule["rule"], rule["decides"], rule["said"]) for rule in said.json["rules"]] == [
        ("executives", False, "does not match"),
        ("staff", True, "matches: member of Backup Staff"),
        ("shared mailboxes", False, "selects shared mailboxes, and this is a user"),
    ]
    assert [(group["name"], group["through"], group["named_as"]) for group in said.json["groups"]] == [
        ("Sales", None, None), ("Backup Staff", "Sales", "Backup Staff"),
    ]  # fmt: skip
    assert said.json["account"]["id"] == zoe and said.json["next"] is None


@proves("G9")
def test_why_explains_a_grace_that_runs(licensed: Terminal, tenant: Tenant) -> None:
    sales, zoe = tenant.find_group("Sales"), tenant.hire("Zoe Quist")
    tenant.add_member(sales, zoe)
    licensed("sync")
    tenant.remove_member(sales, zoe)
    licensed("sync")
    said = licensed("why", zoe, "--json").json
    assert said["decision"]["standing"] == "left" and said["decision"]["text"] == "no rule matches"
    assert said["account"]["license"] == "standard"
    assert (said["grace"]["kind"], said["grace"]["then"]) == ("on_leave", "archive")
    assert said["grace"]["ends"] > said["grace"]["since"]
    assert "Grace:    on leave since " in licensed("why", zoe).out


def test_why_tells_people_what_waits_and_what_comes_next(connected: Terminal) -> None:
    connected("sync")
    said = connected("why", ADA)
    assert said.code == 0
    assert "Decision: rule 'executives' decides: member of exec@contoso.example\n" in said.out
    assert "Holds:    nothing\n" in said.out
    assert "Waits:    for standard since " in said.out
    assert "Next run: will give it a standard license, as soon as there is one (insufficient licenses)\n" in said.out


@proves("D1")
def test_why_explains_a_deleted_user(licensed: Terminal, tenant: Tenant) -> None:
    ada = tenant.find_user(ADA)
    tenant.delete_user(ada)
    licensed("sync")
    said = licensed("why", ada, "--json").json
    assert (said["decision"]["standing"], said["account"]["license"]) == ("gone", "archived")
    assert said["account"]["source"] == "deleted_user" and said["account"]["protection"] == "archived"


@pytest.mark.parametrize("name", ["nobody@contoso.example", "contoso-m365:nobody"])
def test_an_unknown_account_is_wrong_usage(licensed: Terminal, name: str) -> None:
    said = licensed("why", name, "--json")
    assert said.code == 2
    assert said.error["message"] == (
        f"there is no account {name!r}; `seatkeeper accounts list --search …` finds it by a part"
    )


def test_an_account_is_named_by_its_directory_where_that_helps(licensed: Terminal) -> None:
    by_address = licensed("why", ADA, "--json").json
    assert licensed("why", f"contoso-m365:{ADA.upper()}", "--json").json == by_address
    assert licensed("why", by_address["account"]["id"], "--json").json == by_address


# --- status ---


def test_status_has_the_shape_that_scripts_rely_on(licensed: Terminal) -> None:
    status = licensed("status", "--json").json
    pools = {(pool["pool"], pool["license"]): pool for pool in status["pools"]}
    assert pools["global", "standard"].keys() >= {"pool", "license", "seats", "held", "free", "expired", "on_order"}
    assert pools["global", "standard"]["seats"] == 100 and pools["global", "archived"]["seats"] == 10
    [standard] = [e for e in status["entitlements"] if e["license"] == "standard"]
    assert (standard["company"], standard["used"], standard["over"]) == ("contoso", 6, False)
    assert standard["entitled"] == pools["global", "standard"]["held"]
    [directory] = status["directories"]
    assert (directory["id"], directory["state"], directory["problem"]) == ("contoso-m365", "healthy", None)
    assert (status["waiting"], status["holds"], status["orders_open"]) == (0, 0, 0)
    assert licensed("status", "--check").code == 0


def test_status_begins_with_what_needs_a_person(connected: Terminal) -> None:
    connected("sync")
    lines = connected("status").out.splitlines()
    assert lines[0] == "What needs a person:"
    assert any("standard seats await approval" in line for line in lines[:6])


def test_an_empty_installation_says_how_to_begin(terminal: Terminal) -> None:
    said = terminal("status")
    assert said.out.startswith("Nothing needs a person.\n")
    assert said.out.endswith("No directory is connected yet: seatkeeper init writes a policy to start from.\n")
