"""A simulated Google, from the command line."""

import json
import signal
import stat
import subprocess

from tests.console.conftest import Terminal, command


def test_google_can_be_simulated(terminal: Terminal) -> None:
    (terminal.folder / "faults.yaml").write_text("- {kind: short_list, path: /users}\n")
    served = subprocess.Popen(
        command(["simulate", "google_workspace", "--users", "3", "--faults", "faults.yaml"]),
        cwd=terminal.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert served.stdout is not None
    out = "".join(served.stdout.readline() for _ in range(9))
    served.send_signal(signal.SIGINT)
    served.communicate(timeout=100)

    key = terminal.folder / "simulated-google-key.json"
    url = out.split()[0]
    assert served.returncode == 130
    assert "simulates Google Workspace with the customer northwind.example" in out
    assert "admin: directory-reader@northwind.example" in out and f"directory_url: {url}" in out
    assert json.loads(key.read_text())["token_uri"] == f"{url}/token"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_faults_that_google_does_not_have_are_told_by_their_places(terminal: Terminal) -> None:
    (terminal.folder / "faults.yaml").write_text("- kind: resync\n")

    said = terminal("simulate", "google_workspace", "--faults", "faults.yaml", "--json")

    assert said.error["code"] == "faults_invalid" and "faults.yaml:1:9" in said.error["message"]
