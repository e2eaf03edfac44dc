"""`seatkeeper lots`, `orders`, `licenses import`, `audit`, `feed` and `db`: stock, purchases and the record."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import Tenant
from tests.console.conftest import POLICY, Terminal
from tests.proves import proves

ADA = "ada.winter@contoso.example"


def license_of(terminal: Terminal, account: str) -> tuple[str | None, str | None]:
    row = terminal("why", account, "--json").json["account"]
    return row["license"], row["source"]


# --- lots ---


def test_a_lot_is_listed_as_scripts_read_it(terminal: Terminal) -> None:
    arguments = ("--term", "monthly", "--starts", "2026-01-31", "--no-renew", "--ref", "INV-1")
    added = terminal("lots", "add", "standard", "100", *arguments, "--json").json
    [lot] = terminal("lots", "list", "--json").json
    assert lot == {
        "id": lot["id"], "pool": "global", "company": None, "license": "standard", "seats": 100, "held": 0, "free": 0,
        "term": "monthly", "starts": "2026-01-31", "expires": "2026-02-27", "renews": False, "ref": "INV-1",
    }  # fmt: skip
    assert added == {**lot, "served": {}}


@pytest.mark.parametrize(
    ("term", "expires", "renews"),
    [("yearly", "2027-03-31", True), ("monthly", "2026-04-30", True), ("trial", "2026-04-30", False),
     ("perpetual", None, False)],
)  # fmt: skip
def test_the_end_of_a_lot_follows_from_its_term(
    terminal: Terminal, term: str, expires: str | None, renews: bool
) -> None:
    lot = terminal("lots", "add", "standard", "1", "--term", term, "--starts", "2026-04-01", "--json").json
    assert (lot["expires"], lot["renews"]) == (expires, renews)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--term", "perpetual", "--expires", "2030-01-01"],
         "a perpetual lot has no end: leave --expires out, or choose another --term"),
        (["--starts", "2026-05-01", "--expires", "2026-04-30"],
         "the lot would end on 2026-04-30, before it starts on 2026-05-01"),
        (["--company", "nobody"], "there is no company 'nobody'"),
        (["--company", "contoso", "--global"], "--company and --global contradict each other: a lot is in one pool"),
        (["--starts", "soon"], "Invalid value for '--starts': 'soon' is not a date, as in 2027-04-01"),
    ],
)  # fmt: skip
def test_a_lot_that_contradicts_itself_is_not_added(terminal: Terminal, arguments: list[str], message: str) -> None:
    said = terminal("lots", "add", "standard", "5", *arguments, "--json")
    assert (said.code, said.error["message"]) == (2, message)
    assert terminal("lots", "list", "--json").json == []


def test_a_lot_of_a_company_goes_into_its_own_pool_only_if_it_has_one(connected: Terminal) -> None:
    file = connected.folder / "policies.d" / "contoso.yaml"
    connected("sync")
    said = connected("lots", "add", "standard", "5", "--company", "contoso", "--json")
    assert said.error["message"] == (
        "contoso draws from the global pool: leave --company out, or let its policy say `pool: own`"
    )
    file.write_text(f"{file.read_text()}licenses: {{pool: own}}\n")
    connected("sync")
    lot = connected("lots", "add", "standard", "200", "--company", "contoso", "--json").json
    assert (lot["pool"], lot["company"]) == ("own", "contoso")
    assert lot["held"] == lot["served"]["assign"] - 6


@proves("M9")
def test_those_who_wait_are_served_in_the_transaction_that_adds_the_lot(connected: Terminal) -> None:
    connected("sync")
    waiting = connected("accounts", "list", "--waiting", "insufficient_licenses", "--json").json
    said = connected("lots", "add", "standard", "5", "--json").json
    assert (said["held"], said["free"]) == (5, 0)
    left = connected("accounts", "list", "--waiting", "insufficient_licenses", "--json").json
    assert len(left) == len(waiting) - 5
    assert license_of(connected, ADA) == ("standard", "rule:executives")


# --- orders ---


def ordered(terminal: Terminal) -> dict[str, str]:
    [order] = terminal("orders", "list", "--json").json
    found: dict[str, str] = order
    return found


@proves("P3", "P4")
def test_an_order_is_approved_fulfilled_and_serves_who_waited(connected: Terminal) -> None:
    connected("sync")
    order = ordered(connected)
    assert order.keys() >= {
        "id", "company", "license", "seats", "state", "estimate", "idempotency_key", "seller_ref", "because",
    }  # fmt: skip
    assert order["state"] == "awaiting_approval"
    assert connected("orders", "approve", order["id"], "--json").json["state"] == "placed"
    assert connected("accounts", "list", "--license", "standard", "--json").json == []
    done = connected("orders", "fulfill", order["id"], "--ref", "INV-7", "--expires", "2031-03-31", "--json").json
    assert (done["state"], done["lot"]["ref"], done["lot"]["expires"]) == ("fulfilled", "INV-7", "2031-03-31")
    assert done["lot"]["held"] == done["served"]["assign"] - len(
        connected("accounts", "list", "--kind", "shared_mailbox", "--license", "standard", "--json").json
    )
    assert connected("accounts", "list", "--waiting", "insufficient_licenses", "--json").json == []


def test_fewer_seats_than_ordered_leave_the_rest_short_and_ordered_anew(connected: Terminal) -> None:
    connected("sync")
    order = ordered(connected)
    connected("orders", "approve", order["id"])
    assert connected("orders", "fulfill", order["id"], "--seats", "5", "--json").json["lot"]["held"] == 5
    connected("sync")
    assert [found["state"] for found in connected("orders", "list", "--json").json] == [
        "awaiting_approval",
        "fulfilled",
    ]


@proves("P3")
def test_a_rejected_order_is_not_made_again_until_it_is_reopened(connected: Terminal) -> None:
    connected("sync")
    order = ordered(connected)
    assert connected("orders", "reject", order["id"], "--json").json["state"] == "rejected"
    connected("sync", "--full")
    assert ordered(connected)["state"] == "rejected"
    assert connected("orders", "reopen", order["id"]).code == 0
    connected("sync")
    assert [o["state"] for o in connected("orders", "list", "--json").json] == ["awaiting_approval", "rejected"]


def test_an_order_is_cancelled_only_by_somebody_who_means_it(connected: Terminal) -> None:
    connected("sync")
    order = ordered(connected)
    asked = connected("orders", "cancel", order["id"], "--json")
    assert asked.code == 2
    assert asked.error["message"] == (f"Cancel {order['id']}? Nobody can be asked here: repeat with --yes to go ahead.")
    assert ordered(connected)["state"] == "awaiting_approval"
    assert connected("orders", "cancel", order["id"], "--yes", "--json").json["state"] == "cancelled"


def test_an_order_that_is_decided_cannot_be_decided_again(connected: Terminal) -> None:
    connected("sync")
    order = ordered(connected)
    connected("orders", "reject", order["id"])
    said = connected("orders", "approve", order["id"], "--json")
    assert said.code == 1
    assert said.error["code"] == "conflict" and " is rejected by cli:" in said.error["message"]
    assert connected("orders", "approve", "order-0", "--json").code == 2


# --- import ---


def listed(terminal: Terminal, *lines: str) -> str:
    file = terminal.folder / "licenses.csv"
    file.write_text("\n".join(["directory,account,license,since", *lines, ""]))
    return str(file.name)


def unlicensed(tenant: Tenant) -> list[str]:
    """People whom no rule selects."""
    return [id for id in tenant.user_ids() if tenant.user(id).get("department") == "Marketing"]


def test_an_import_gives_licenses_by_id_or_address_and_is_recorded(licensed: Terminal, tenant: Tenant) -> None:
    first, second = unlicensed(tenant)[:2]
    address = tenant.user(second)["mail"]
    file = listed(licensed, f"contoso-m365,{first},standard,2024-05-01", f"contoso-m365,{address},archived,")
    said = licensed("licenses", "import", file, "--json")
    assert said.code == 0
    assert (said.json["imported"], said.json["by_license"]) == (2, {"standard": 1, "archived": 1})
    row = licensed("why", first, "--json").json["account"]
    assert (row["license"], row["source"], row["since"]) == ("standard", "imported", "2024-05-01T00:00:00Z")
    assert license_of(licensed, second) == ("archived", "imported")
    [entry] = licensed("audit", "--subject", first, "--json").json
    assert entry["what"] == "license.assigned" and entry["who"].startswith("cli:")
    assert licensed("licenses", "import", file, "--json").json["unchanged"] == 2


@proves("D7")
def test_somebody_imported_who_is_deleted_already_is_archived_by_the_next_run(
    licensed: Terminal, tenant: Tenant
) -> None:
    gone = unlicensed(tenant)[0]
    tenant.delete_user(gone)
    licensed("sync")
    licensed("licenses", "import", listed(licensed, f"contoso-m365,{gone},standard,"))
    licensed("sync")
    assert license_of(licensed, gone) == ("archived", "deleted_user")


def test_an_import_may_precede_the_first_read(connected: Terminal, tenant: Tenant) -> None:
    person = unlicensed(tenant)[0]
    connected("lots", "add", "standard", "200")
    connected("sync", "--no-wait")
    said = connected("licenses", "import", listed(connected, f"contoso-m365,{person},standard,2024-05-01"), "--json")
    assert (said.code, said.json["ahead_of_first_read"]) == (0, 1)
    connected("sync")
    row = connected("why", person, "--json").json["account"]
    assert (row["address"], row["state"]) == (tenant.user(person)["mail"], "active")
    assert (row["license"], row["source"], row["since"]) == ("standard", "imported", "2024-05-01T00:00:00Z")


def test_lines_that_match_nobody_are_listed_and_nothing_is_written(licensed: Terminal, tenant: Tenant) -> None:
    person, before = unlicensed(tenant)[0], licensed("audit", "--json").out
    file = listed(licensed, f"contoso-m365,{person},standard,", "contoso-m365,nobody@contoso.example,standard,",
                  "contoso-gws,ada,standard,", f"contoso-m365,{ADA},archived,")  # fmt: skip
    said = licensed("licenses", "import", file, "--json")
    assert said.code == 1
    assert [(line["line"], line["why"]) for line in said.json["unmatched"]] == [
        (4, "there is no directory 'contoso-gws'"), (3, "matches no account"),
    ]  # fmt: skip
    assert licensed("audit", "--json").out == before
    held = licensed("licenses", "import", listed(licensed, f"contoso-m365,{ADA},archived,"), "--json")
    assert (held.code, held.json["unmatched"][0]["why"]) == (1, "holds standard already")


@proves("L6")
def test_an_import_of_more_than_there_are_seats_is_refused_whole(licensed: Terminal) -> None:
    free = licensed("accounts", "list", "--license", "none", "--json").json
    lines = [f"contoso-m365,{row['id']},archived," for row in free[:12]]
    before = licensed("audit", "--json").out
    said = licensed("licenses", "import", listed(licensed, *lines), "--json")
    assert said.code == 4
    assert said.error == {
        "code": "insufficient_licenses",
        "message": "insufficient licenses: 12 archived wanted, 10 free, 2 short; nothing was assigned",
    }
    assert licensed("audit", "--json").out == before


def test_a_rehearsed_import_writes_nothing(licensed: Terminal, tenant: Tenant) -> None:
    person = unlicensed(tenant)[0]
    said = licensed("licenses", "import", listed(licensed, f"contoso-m365,{person},standard,"), "--dry-run")
    assert (said.code, said.out) == (0, "Would import: 1 standard.\n")
    assert license_of(licensed, person) == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("account,license\n",
         "licenses.csv has no column 'directory'; expected directory,account,license and perhaps since"),
        ("directory,account,license,color\n",
         "licenses.csv has a column 'color' that means nothing here; expected directory, account, license, since"),
        ("directory,account,license\na,b\n", "licenses.csv:2: expected 3 fields, as the header has"),
        ("directory,account,license\na,b,gold\n", "licenses.csv:2: license 'gold' is none of standard, archived"),
        ("directory,account,license,since\na,b,standard,May\n",
         "licenses.csv:2: since 'May' is no date, as in 2025-03-31"),
        ("directory,account,license\na,b,standard\na,B,standard\n", "licenses.csv:3: B stands in line 2 already"),
        ('directory,account,license\n"a,b,standard\n', "licenses.csv cannot be read as CSV: unexpected end of data"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_licenses_is_refused(terminal: Terminal, text: str, message: str) -> None:
    (terminal.folder / "licenses.csv").write_text(text)
    said = terminal("licenses", "import", "licenses.csv", "--json")
    assert (said.code, said.error["message"]) == (2, message)


# --- the record ---


@proves("A1")
def test_the_record_names_who_did_it_and_verifies(licensed: Terminal) -> None:
    entries = licensed("audit", "--json").json
    lots = [entry for entry in entries if entry["what"] == "lot.added"]
    assert [entry["company"] for entry in lots] == ["provider", "provider"]
    assert all(entry["who"].startswith("cli:") and "@" in entry["who"] for entry in lots)
    assert entries[0].keys() >= {
        "n", "company", "at", "who", "what", "subject", "before", "after", "because", "hash",
    }  # fmt: skip
    said = licensed("audit", "--verify")
    assert (said.code, said.out) == (0, "2 chains verified; every entry is as it was written.\n")


@proves("A1")
def test_a_record_that_was_tampered_with_does_not_verify(licensed: Terminal) -> None:
    with closing(sqlite3.connect(licensed.folder / "seatkeeper.db")) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET who = 'cli:mallory@elsewhere' WHERE company = 0 AND n = 2")
        database.commit()
    said = licensed("audit", "--verify", "--json")
    assert said.code == 1
    assert said.json["breaks"] == [{"company": "provider", "n": 2, "why": "not what was written"}]
    assert said.json["chains"] == 2
    last = licensed("audit", "--company", "contoso", "--json").json[-1]
    assert {"company": "contoso", "n": last["n"], "hash": last["hash"]} in said.json["heads"]


def test_the_feed_is_read_from_any_point_on(licensed: Terminal) -> None:
    events = licensed("feed", "--json").json
    assert {event["type"] for event in events} == {"seatkeeper.license.assigned"}
    assert events[0].keys() == {"n", "id", "at", "type", "company", "directory", "account", "data"}
    assert licensed("feed", "--after", str(events[4]["n"]), "--limit", "3", "--json").json == events[5:8]
    assert licensed("feed", "--after", str(events[-1]["n"])).out == "Nothing has happened since.\n"


# --- the database ---


def test_a_database_that_is_behind_is_refused_until_somebody_upgrades_it(terminal: Terminal) -> None:
    assert terminal("status").code == 0
    with closing(sqlite3.connect(terminal.folder / "seatkeeper.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.commit()
    said = terminal("status", "--json")
    assert said.code == 1
    assert said.error["code"] == "schema_behind" and "run `seatkeeper db upgrade`" in said.error["message"]


def test_an_upgrade_of_a_database_that_lacks_nothing_changes_nothing(terminal: Terminal) -> None:
    terminal("status")
    said = terminal("db", "upgrade", "--json")
    assert said.code == 0
    assert said.json == {"before": "0001", "after": "0001", "changed": False}


def test_an_empty_database_can_be_made_by_an_upgrade(terminal: Terminal) -> None:
    assert terminal("db", "upgrade").out == "Upgraded the database from nothing to schema 0001.\n"
    assert terminal("status").code == 0
    assert Path(terminal.folder / "seatkeeper.db").is_file()


def test_policies_of_the_tests_are_right(terminal: Terminal) -> None:
    terminal.policy(POLICY.format(url="http://127.0.0.1:9"))
    assert terminal("policy", "check").code == 0
