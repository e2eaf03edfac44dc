"""`seatkeeper policy`, and `init` which writes the first one."""

from pathlib import Path

import pytest

from tests.console.conftest import POLICY, Terminal
from tests.proves import proves

GOOD = POLICY.format(url="http://127.0.0.1:9")


def test_a_good_folder_is_nothing_to_complain_about(terminal: Terminal) -> None:
    terminal.policy(GOOD)
    said = terminal("policy", "check")
    assert (said.code, said.out) == (0, "1 file checked, nothing wrong.\n")
    assert terminal("policy", "check", "--json").json == []


@proves("Z4")
def test_every_problem_of_every_file_is_shown_at_its_place_with_a_caret(terminal: Terminal) -> None:
    terminal.policy(GOOD.replace("license: standard", "licence: standard", 1))
    terminal.policy(
        "company: fabrikam\nrules:\n  - name: all\n    everyone: true\n    license: gold\n", "fabrikam.yaml"
    )
    said = terminal("policy", "check")
    assert said.code == 2
    assert said.out == (
        "policies.d/contoso.yaml:13:5: unknown key 'licence', expected one of attributes, directories, domains,"
        " everyone, except, groups, include, license, limit, mailboxes, name, on_disable, on_leave, org_units;"
        " did you mean 'license'?\n"
        "        licence: standard\n"
        "        ^\n"
        "policies.d/fabrikam.yaml:5:14: license: found 'gold', expected standard, archived or none\n"
        "        license: gold\n"
        "                 ^\n"
        "\n"
        "2 problems in 2 files. The last good versions stay in force.\n"
    )


def test_problems_are_read_by_programs_with_place_and_nearest_key(terminal: Terminal) -> None:
    terminal.policy(GOOD.replace("mailboxes: shared", "mailbox: shared"))
    said = terminal("policy", "check", "--json")
    assert said.code == 2
    unknown = next(problem for problem in said.json if problem["found"] == "'mailbox'")
    assert {key: unknown[key] for key in ("file", "line", "column", "nearest")} == {
        "file": "policies.d/contoso.yaml", "line": 20, "column": 5, "nearest": "mailboxes",
    }  # fmt: skip


def test_checking_needs_no_database(terminal: Terminal) -> None:
    terminal.policy(GOOD)
    terminal("policy", "check")
    assert not (terminal.folder / "seatkeeper.db").exists()


def test_one_file_can_be_checked_alone(terminal: Terminal) -> None:
    terminal.policy(GOOD)
    terminal.policy("company: fabrikam\nrulez: []\n", "fabrikam.yaml")
    assert terminal("policy", "check", "policies.d/contoso.yaml").code == 0
    assert terminal("policy", "check", "policies.d/fabrikam.yaml").code == 2
    said = terminal("policy", "check", "policies.d/nobody.yaml", "--json")
    assert said.code == 2
    assert said.error["message"] == "policies.d/nobody.yaml is not a policy file of policies.d"


def test_a_folder_that_is_not_there_is_wrong_usage(terminal: Terminal) -> None:
    said = terminal("policy", "check")
    assert said.code == 2
    assert said.err == (
        "Error: there is no policy folder policies.d; `seatkeeper init` makes one, SEATKEEPER_POLICY_DIR names it\n"
    )


def test_the_schema_is_one_json_document(terminal: Terminal) -> None:
    schema = terminal("policy", "schema").json
    assert "microsoft365" in str(schema["$defs"])
    assert terminal("policy", "schema", "--provider", "--json").json["title"] == "Seatkeeper provider.yaml"


# --- diff ---


@proves("G8")
def test_a_diff_shows_who_would_lose_before_it_bites(licensed: Terminal) -> None:
    file = licensed.folder / "policies.d" / "contoso.yaml"
    before = licensed("accounts", "list", "--json").out
    file.write_text(file.read_text().replace("groups: [Backup Staff]", "groups: [Sales]"))
    said = licensed("policy", "diff", "--json")
    held = {row["id"]: row["license"] for row in licensed("accounts", "list", "--json").json}
    assert said.code == 0
    assert said.json["counts"].keys() <= {"move", "gain", "reason"}
    moving = [change for change in said.json["changes"] if change["effect"] == "move"]
    assert moving and said.json["changes_total"] == len(said.json["changes"])
    for change in moving:
        assert held[change["account"]] == change["held"] == "standard"
        assert change["license"] == "archived" and change["when"] is not None
        assert change["because"] == "no longer selected by rule staff"
    assert licensed("accounts", "list", "--json").out == before


@proves("G8")
def test_a_diff_says_when_a_safety_limit_would_hold_the_edit(licensed: Terminal) -> None:
    file = licensed.folder / "policies.d" / "contoso.yaml"
    file.write_text(file.read_text().replace("groups: [Backup Staff]", "groups: [Sales]").replace("7d", "0s"))
    said = licensed("policy", "diff", "--json")
    assert [(held["company"], held["kind"]) for held in said.json["held"]] == [("contoso", "archive")]
    assert "archive would be held for approval" in licensed("policy", "diff").out


def test_a_diff_of_files_that_are_in_force_is_empty(licensed: Terminal) -> None:
    said = licensed("policy", "diff", "--json")
    assert said.json == {
        "policy_errors": [], "counts": {}, "changes": [], "changes_total": 0, "held": [], "notes": [],
    }  # fmt: skip
    assert licensed("policy", "diff").out == "The files come to the same as what is in force.\n"


@proves("Z11")
def test_a_diff_says_that_a_missing_file_takes_nothing_away(licensed: Terminal) -> None:
    (licensed.folder / "policies.d" / "contoso.yaml").unlink()
    said = licensed("policy", "diff")
    assert said.out == "contoso: its file is gone; it is frozen, and its licenses stay as they are\n"


@proves("G3", "G8")
def test_a_diff_says_that_a_mistyped_group_suspends_its_rule(licensed: Terminal) -> None:
    file = licensed.folder / "policies.d" / "contoso.yaml"
    file.write_text(file.read_text().replace("groups: [Backup Staff]", "groups: [Backup Staff, Night Shift]"))
    said = licensed("policy", "diff", "--json")
    assert said.json["notes"] == [
        "contoso-m365: rule 'staff' names 'Night Shift', and no such group is known here. If the next run finds none"
        " either, the rule is suspended: whoever it might match keeps what they hold, and gets nothing new"
    ]
    assert not {change["effect"] for change in said.json["changes"]} & {"lose", "move"}
    [report] = licensed("sync", "--json").json
    assert report["error"] is not None and "'Night Shift'" in report["error"], "and so it is"


# --- init ---


def test_init_writes_a_policy_that_is_right_and_says_what_to_consent_to(terminal: Terminal) -> None:
    said = terminal("init", "contoso", "--tenant", "contoso.example", "--client-id", "0c6f3a52", "--json")
    assert said.code == 0
    assert terminal("policy", "check").code == 0
    text = Path(said.json["file"]).read_text()
    assert "company: contoso " in text and "tenant: contoso.example" in text and "client_id: 0c6f3a52" in text
    assert said.json["microsoft"]["admin_consent_url"] == (
        "https://login.microsoftonline.com/contoso.example/v2.0/adminconsent?client_id=0c6f3a52"
        "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&redirect_uri=https%3A%2F%2Flocalhost"
    )
    assert said.json["google"]["scopes"][0] == "https://www.googleapis.com/auth/admin.directory.user.readonly"


def test_init_overwrites_nothing(terminal: Terminal) -> None:
    file = terminal.policy("# mine\n")
    said = terminal("init", "contoso", "--yes", "--json")
    assert said.code == 2
    assert said.error["message"] == "policies.d/contoso.yaml is there already, and is not overwritten"
    assert file.read_text() == "# mine\n"


def test_init_shows_the_client_id_of_a_google_key(terminal: Terminal) -> None:
    (terminal.folder / "key.json").write_text('{"client_id": "112233445566778899000", "private_key": "secret"}')
    said = terminal("init", "--google-key", "key.json")
    assert "    112233445566778899000\n" in said.out and "secret" not in said.out
    assert "optional" in said.out and "    https://www.googleapis.com/auth/admin.reports.audit.readonly\n" in said.out


def test_init_begins_with_google_where_that_is_asked_for(terminal: Terminal) -> None:
    said = terminal("init", "contoso", "--kind", "google_workspace")
    assert (said.code, terminal("policy", "check").code) == (0, 0)
    text = (terminal.folder / "policies.d" / "contoso.yaml").read_text()
    assert "\n  contoso-gws:\n    kind: google_workspace\n" in text and "\n  # contoso-m365:" in text
    assert "{key: {file: contoso.json}}" in text
    assert "Domain-wide delegation" in said.out and "24 hours" in said.out and "microsoftonline" not in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Contoso Ltd"], "'Contoso Ltd' is no id for a company, expected a-z, 0-9 and -"),
        (["contoso", "--tenant", "a: b"], "'a: b' is no tenant"),
        (["contoso", "--google-key", "nothing.json"], "nothing.json is no JSON key of a Google service account"),
    ],
)
def test_what_init_cannot_write_down_is_refused(terminal: Terminal, arguments: list[str], message: str) -> None:
    said = terminal("init", *arguments, "--json")
    assert (said.code, said.error["message"]) == (2, message)
    assert not (terminal.folder / "policies.d").exists()
