"""What every command has in common: exit codes, --json, wrong usage, quick starts, clean ends."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from console.cli.failures import told_of_the_unforeseen
from console.cli.main import COMMANDS
from tests.console.conftest import Terminal, command

HEAVY = {
    "alembic", "azure", "cryptography", "dramatiq", "kiota_abstractions", "msal", "msgraph", "psycopg", "redis", "rich",
    "urllib3",
}  # fmt: skip
"""What takes long to import, and only commands that talk to a vendor need."""
STORE = {"sqlalchemy", "ruamel"}


def imported(terminal: Terminal, *arguments: str) -> set[str]:
    """The packages that a command has imported when it ends."""
    program = (
        "import json, sys; from console.cli.main import run; run(sys.argv[1:]);"
        " print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=terminal.folder, capture_output=True, text=True, timeout=100
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("sync", "--help"), ("lots", "--help")])
def test_help_needs_neither_the_store_nor_any_vendor(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    assert not imported(terminal, *arguments) & (HEAVY | STORE)


@pytest.mark.parametrize(
    "arguments", [("status",), ("accounts", "list"), ("lots", "list"), ("plan", "list"), ("feed",)]
)
def test_a_command_that_only_looks_imports_neither_vendors_nor_the_reader_of_policies(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    assert not imported(terminal, *arguments) & (HEAVY | {"ruamel"})


@pytest.mark.parametrize("arguments", [("policy", "check"), ("policy", "schema")])
def test_looking_at_policy_files_needs_no_store(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    assert not imported(terminal, *arguments) & (HEAVY | {"sqlalchemy"})


def test_the_list_of_commands_imports_none_of_them(terminal: Terminal) -> None:
    said = terminal.process("--help")
    assert said.code == 0
    for name, lazy in COMMANDS.items():
        assert f"  {name} " in said.out and lazy.help.split(",")[0][:40] in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_takes_json_and_yes(terminal: Terminal, name: str) -> None:
    said = terminal(name, "--help")
    assert said.code == 0
    if "Commands:" in said.out:
        said = terminal(name, said.out.split("Commands:")[1].split()[0], "--help")
    assert "--json" in said.out and "--yes" in said.out


def test_without_a_command_the_list_of_commands_is_shown_as_wrong_usage(terminal: Terminal) -> None:
    said = terminal()
    assert said.code == 2
    assert said.out == "" and "Commands:" in said.err


def test_an_unknown_command_is_answered_with_the_nearest_one(terminal: Terminal) -> None:
    said = terminal("stauts")
    assert said.code == 2
    assert said.err.endswith("Error: there is no command 'stauts'; did you mean 'status'?\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sync", "--nope", "--json"], "No such option '--nope'."),
        (["lots", "add", "gold", "5", "--json"], None),
        (["lots", "add", "standard", "many", "--json"], None),
        (["why", "--json"], "Missing argument 'ACCOUNT'."),
        (["--json", "lots"], "Missing command."),
        (["--json", "sync", "--nope"], "No such option '--nope'."),
        (["lots", "add", "standard", "0", "--json"], None),
        (["sync", "--timeout", "soon", "--json"], None),
        (["sync", "--dry-run", "--no-wait", "--json"], None),
    ],
)
def test_wrong_usage_under_json_is_one_document_with_code_and_message(
    terminal: Terminal, arguments: list[str], message: str | None
) -> None:
    said = terminal(*arguments)
    assert said.code == 2
    assert said.error["code"] == "usage"
    assert message is None or said.error["message"] == message
    assert said.error["message"]


def test_a_misspelled_setting_is_wrong_usage(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATKEEPER_DATABSE_URL", "sqlite:///x.db")
    said = terminal("status", "--json")
    assert said.code == 2
    assert said.error["code"] == "settings"
    assert said.error["message"].startswith("SEATKEEPER_DATABSE_URL is not a setting; the settings are ")


def test_the_first_command_creates_the_database(terminal: Terminal) -> None:
    assert terminal("status").code == 0
    assert (terminal.folder / "seatkeeper.db").is_file()


def test_a_reader_that_has_seen_enough_is_no_failure_that_anybody_is_told_of(licensed: Terminal) -> None:
    shell = subprocess.run(
        ["/bin/sh", "-c", f"{' '.join(command(['audit', '--json']))} | head -c 1"],
        cwd=licensed.folder, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert shell.stdout == "["
    assert shell.stderr == ""


@pytest.mark.parametrize("arguments", [("init", "contoso"), ("demo", "--directory", "taken/here")])
def test_a_folder_that_cannot_be_made_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    (terminal.folder / "taken").write_text("by a file")
    monkeypatch.setenv("SEATKEEPER_POLICY_DIR", "taken/here")
    said = terminal(*arguments, "--json")
    assert (said.code, said.error) == (1, {"code": "failed", "message": "taken/here cannot be used: Not a directory"})


def test_a_terminal_that_lacks_a_letter_shows_another_and_programs_get_utf_8(licensed: Terminal) -> None:
    with closing(sqlite3.connect(licensed.folder / "seatkeeper.db")) as database, database:
        database.execute("UPDATE account SET name = 'Jun Łuczak' WHERE address = 'ada.winter@contoso.example'")
    said = licensed.process("why", "ada.winter@contoso.example", PYTHONIOENCODING="ascii")
    assert said.out.startswith("Jun ?uczak <ada.winter@contoso.example>") and said.code == 0
    for arguments in (("why", "ada.winter@contoso.example", "--json"), ("accounts", "list", "--csv")):
        said = licensed.process(*arguments, PYTHONIOENCODING="ascii")
        assert "Jun Łuczak" in said.out and said.code == 0


def test_ctrl_c_ends_with_130(terminal: Terminal) -> None:
    served = subprocess.Popen(
        command(["simulate", "microsoft365", "--users", "1"]),
        cwd=terminal.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert served.stdout is not None
    assert "simulates Microsoft 365" in served.stdout.readline()
    served.send_signal(signal.SIGINT)
    _, err = served.communicate(timeout=100)
    assert served.returncode == 130
    assert err.strip() == "Error: Interrupted."


def test_a_file_that_is_no_database_is_told_in_a_sentence(terminal: Terminal) -> None:
    (terminal.folder / "seatkeeper.db").write_text("this is no database")
    said = terminal("status", "--json")
    assert said.code == 1
    message = "the database sqlite:///seatkeeper.db cannot be used: file is not a database"
    assert said.error == {"code": "database", "message": message}


def test_a_database_that_cannot_be_reached_is_told_in_a_sentence(terminal: Terminal) -> None:
    url = "postgresql+psycopg://nobody:{}@127.0.0.1:1/nothing"
    said = terminal.process("status", SEATKEEPER_DATABASE_URL=url.format("geheim") + "?sslpassword=geheim")
    assert said.code == 1
    assert said.err.startswith(f"Error: the database {url.format('***')} cannot be used: connection")
    assert "geheim" not in said.err


def test_a_url_that_names_no_database_is_told_in_a_sentence(terminal: Terminal) -> None:
    said = terminal.process("status", SEATKEEPER_DATABASE_URL="mysql://127.0.0.1/nothing")
    assert said.code == 1
    assert said.err == (
        "Error: SEATKEEPER_DATABASE_URL names no database: mysql is not supported;"
        " use sqlite:///… or postgresql+psycopg://…\n"
    )


def test_a_disk_that_is_full_in_the_midst_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with create_engine("sqlite://").connect() as database:
        database.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(OperationalError) as full:
            database.exec_driver_sql("CREATE TABLE lot (seats)")
    assert told_of_the_unforeseen(full.value, as_json=True) == 1
    said = capsys.readouterr()
    message = "the database cannot be used: database or disk is full"
    assert (json.loads(said.out), said.err) == ({"error": {"code": "database", "message": message}}, "")


def test_a_database_that_a_newer_version_made_is_not_upgraded(terminal: Terminal) -> None:
    assert terminal("status").code == 0
    with closing(sqlite3.connect(terminal.folder / "seatkeeper.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    said = terminal("db", "upgrade", "--json")
    assert (said.code, said.error["code"]) == (1, "schema_behind")
    assert "is newer than this version of Seatkeeper knows" in said.error["message"]


def test_what_nobody_foresaw_ends_with_a_traceback_and_last_a_sentence(terminal: Terminal) -> None:
    assert terminal("status").code == 0
    with closing(sqlite3.connect(terminal.folder / "seatkeeper.db")) as database:
        database.execute("DROP TABLE lot")
    said = terminal.process("lots", "list", "--json")
    assert said.code == 1
    assert said.error["code"] == "unforeseen"
    assert said.error["message"].startswith("Something unforeseen went wrong: ")
    assert said.err.startswith("Traceback (most recent call last):")
