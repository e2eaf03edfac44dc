"""A folder to work in, a simulated tenant to read, and the command line to type into."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365 import SIMULATED_SECRET, GraphServer, Simulator, Tenant, contoso, serve
from console.cli.main import run

PEOPLE = 40
POLICY = """\
company: contoso
name: Contoso Ltd
directories:
  contoso-m365:
    kind: microsoft365
    tenant: 7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10
    credential: {{client_id: 5ea7c0de-0000-4000-8000-0000000000a1, secret: {{env: SIMULATED_SECRET}}}}
    graph_url: {url}
    login_url: {url}
rules:
  - name: executives
    groups: [exec@contoso.example]
    license: standard
  - name: staff
    groups: [Backup Staff]
    except: {{groups: [Contractors]}}
    license: standard
    on_leave: {{then: archive, after: 7d}}
  - name: shared mailboxes
    mailboxes: shared
    license: standard
purchasing:
  standard: {{auto: true, pack: 5, approve_above: 5, price: 48.00 USD}}
"""
"""As in the demo, with a purchase of more than five seats waiting for approval."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and the code that it ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """What a failure is under --json."""
        found: dict[str, str] = self.json["error"]
        return found


class Terminal:
    """The command line, in this process; `process` starts one of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *arguments: str) -> Said:
        self._capture.readouterr()
        code = run(arguments)
        captured = self._capture.readouterr()
        return Said(code, captured.out, captured.err)

    def process(self, *arguments: str, input: str = "", **environment: str) -> Said:
        done = subprocess.run(
            command(arguments),
            cwd=self.folder,
            env={**os.environ, **environment},
            input=input,
            capture_output=True,
            text=True,
            timeout=100,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def policy(self, text: str, name: str = "contoso.yaml") -> Path:
        """Write a policy file into the folder."""
        file = self.folder / "policies.d" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


def command(arguments: Sequence[str]) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-m", "console.cli.main", *arguments]


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A command line in an empty folder, wide as a file."""
    for name in os.environ:
        if name.startswith("SEATKEEPER_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("SIMULATED_SECRET", SIMULATED_SECRET)
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, capsys)


@pytest.fixture
def simulator() -> Simulator:
    """A simulated Microsoft 365 in which time stands still unless it is moved."""
    return Simulator(SimulatedClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC)))


@pytest.fixture
def tenant(simulator: Simulator) -> Tenant:
    """Contoso, made small."""
    return contoso(simulator, PEOPLE)


@pytest.fixture
def graph(simulator: Simulator, tenant: Tenant) -> Iterator[GraphServer]:
    """The simulated Graph, serving."""
    with serve(simulator) as server:
        yield server


@pytest.fixture
def connected(terminal: Terminal, graph: GraphServer, sqlite_template: Path) -> Terminal:
    """A command line whose policy folder connects to Contoso."""
    shutil.copy(sqlite_template, terminal.folder / "seatkeeper.db")
    terminal.policy(POLICY.format(url=graph.url))
    return terminal


@pytest.fixture
def licensed(connected: Terminal) -> Terminal:
    """One that has licensed Contoso's people from a lot that is large enough."""
    assert connected("lots", "add", "standard", "100").code == 0
    assert connected("lots", "add", "archived", "10").code == 0
    assert connected("sync").code == 0
    return connected
