"""One customer on the wire: a simulated tenant on loopback, and Seatkeeper in processes of its own.

A process is forked from one that has imported everything already, so that a command costs little more than its work.
"""

import multiprocessing
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from textwrap import indent
from typing import Any

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, SIMULATED_SECRET, Simulator, Tenant
from tests.console.conftest import Said

PATIENCE = 100.0
IMPORTED = (
    "pytest", "console.cli.main", "console.cli.sync", "console.cli.accounts", "console.cli.status", "worker.bootstrap",
    "worker.operations.on_demand", "connectors.microsoft365.directory", "connectors.portal", "azure.identity",
)  # fmt: skip
LICENSING = ("assignment", "waiting", "orders", "audit", "lot", "retention", "plan")
"""Tables that hold what people and money depend on."""


def processes() -> ForkServerContext:
    """Where processes come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def _play(arguments: Sequence[str], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    """One command, as the shell would start it: its own folder, environment and files for what it says."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    from console.cli.main import run

    code = run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@dataclass
class Command:
    """A command under way."""

    process: ForkServerProcess
    out: Path
    err: Path

    def said(self) -> Said:
        """What it printed, and how it ended."""
        self.process.join(PATIENCE)
        code = self.process.exitcode
        assert code is not None, f"still running: {self.err.read_text()}"
        return Said(code, self.out.read_text(), self.err.read_text())

    def kill(self) -> None:
        """SIGKILL: nothing is cleaned up."""
        self.process.kill()
        self.process.join(PATIENCE)


@dataclass
class Town:
    """Contoso, who is backed up, and the provider's installation on SQLite in a folder."""

    folder: Path
    simulator: Simulator
    url: str
    tenant: Tenant
    context: ForkServerContext
    people: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    _commands: int = 0

    # --- the customer ---

    def hire(self, number: int, **properties: Any) -> list[str]:
        """So many more people; their ids."""
        first = len(self.people)
        hired = [self.tenant.hire(f"Person {n:04}", **properties) for n in range(first, first + number)]
        self.people += hired
        return hired

    # --- the provider ---

    def policy(self, rules: str, *, directory: str = "", tenant: str | None = None, **sections: str) -> None:
        """Write Contoso's policy file: rules as a YAML list, other sections by their keys."""
        entry = (
            "company: contoso\nname: Contoso Ltd\ndirectories:\n  contoso-m365:\n"
            f"    kind: microsoft365\n    tenant: {tenant or self.tenant.id}\n"
            f"    credential: {{client_id: {SIMULATED_CLIENT_ID}, secret: {{env: SIMULATED_SECRET}}}}\n"
            f"    graph_url: {self.url}\n    login_url: {self.url}\n"
        )
        parts = [entry + (f"    {directory}\n" if directory else ""), f"rules:\n{indent(rules.strip(), '  ')}\n"]
        parts += [f"{key}: {value}\n" for key, value in sections.items()]
        self.write("".join(parts))

    def write(self, text: str, name: str = "contoso.yaml") -> None:
        """Write a file of the policy folder."""
        (self.folder / "policies.d" / name).write_text(text, encoding="utf-8")

    def start(self, *arguments: str) -> Command:
        """Start a command, and do not wait for its end."""
        self._commands += 1
        out, err = (self.folder / f"{self._commands}.{end}" for end in ("out", "err"))
        environment = {"SIMULATED_SECRET": SIMULATED_SECRET, "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        given = (list(arguments), str(self.folder), environment | self.environment, str(out), str(err))
        process = self.context.Process(target=_play, args=given)
        process.start()
        return Command(process, out, err)

    def __call__(self, *arguments: str) -> Said:
        """Run a command to its end."""
        return self.start(*arguments).said()

    def sync(self, *options: str) -> dict[str, Any]:
        """`seatkeeper sync`: what it reports of Contoso's directory, with its exit code as `code`."""
        said = self("sync", "--json", *options)
        [report] = said.json
        return {**report, "code": said.code}

    def add(self, license: str, seats: int) -> None:
        assert self("lots", "add", license, str(seats), "--term", "perpetual", "--json").code == 0

    # --- how things stand ---

    def accounts(self) -> dict[str, dict[str, Any]]:
        """`accounts list --json`, by the directory's ids."""
        return {account["id"]: account for account in self("accounts", "list", "--json").json}

    def licenses(self) -> Counter[str]:
        """How many hold which license, out of what the product tells."""
        return Counter(account["license"] for account in self.accounts().values() if account["license"])

    def holds(self) -> list[tuple[str, int]]:
        """Kind and size of every open hold."""
        return [(hold["kind"], hold["total"]) for hold in self("plan", "list", "--json").json]

    def told(self) -> Counter[str]:
        """What the feed told, by type, without its prefix."""
        return Counter(event["type"].removeprefix("seatkeeper.") for event in self("feed", "--json").json)

    def tables(self, names: Sequence[str] = LICENSING) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of these tables, straight from the database."""
        with closing(sqlite3.connect(self.folder / "seatkeeper.db")) as database:
            return {name: sorted(database.execute(f"SELECT * FROM {name}"), key=repr) for name in names}

    def cursors(self) -> list[tuple[Any, ...]]:
        """Up to where each directory was read."""
        with closing(sqlite3.connect(self.folder / "seatkeeper.db")) as database:
            return database.execute("SELECT id, cursor, groups_cursor FROM directory ORDER BY id").fetchall()

    def is_sound(self) -> bool:
        """Whether the record's chains hold, by the product's own proof."""
        return self("audit", "--verify").code == 0
