"""`seatkeeper doctor`: what is tried, told to people and to programs."""

from pathlib import Path

from connectors.simulators.microsoft365 import Tenant
from tests.console.conftest import Terminal


def test_an_installation_that_is_well(licensed: Terminal) -> None:
    (licensed.folder / "secrets").mkdir()
    said = licensed("doctor")
    assert said.code == 0, said.out
    assert "SEATKEEPER_DATABASE_URL" in said.out
    assert "ok    contoso-m365: sign-in" in said.out
    assert said.out.endswith("Everything works.\n")


def test_what_is_wrong_comes_with_what_to_do_and_the_exit_code(licensed: Terminal, tenant: Tenant) -> None:
    tenant.revoke("GroupMember.Read.All")
    said = licensed("doctor", "--json")
    assert said.code == 1
    assert said.json["well"] is False
    assert said.json["settings"]["SEATKEEPER_DATABASE_URL"] == "sqlite:///seatkeeper.db"
    [check] = [check for check in said.json["checks"] if not check["ok"]]
    assert (check["of"], check["what"]) == ("contoso-m365", "groups")
    assert "GroupMember.Read.All" in check["remedy"]
    told = licensed("doctor")
    assert told.code == 1
    assert "WRONG contoso-m365: groups" in told.out
    assert "1 of" in told.out.splitlines()[-1]


def test_an_empty_folder_can_be_examined_too(terminal: Terminal) -> None:
    said = terminal("doctor", "--json")
    assert said.code == 1
    assert [check["what"] for check in said.json["checks"]] == ["database", "counters", "policies"]
    assert Path("seatkeeper.db").exists()
