"""What is under deploy/ calls commands and sets variables that the program has, and ships every package."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from console.cli.main import COMMANDS
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "seatkeeper"
PACKAGES = ("policies", "store", "connectors", "worker", "console")
TEXTS = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_variable_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"SEATKEEPER_[A-Z_]+[A-Z]", path.read_text(encoding="utf-8")))
    assert named <= Settings.variables().keys()


def test_the_example_settings_are_all_there_are() -> None:
    text = (DEPLOY / "settings" / "seatkeeper.env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?(SEATKEEPER_\w+)=", text, re.M)) == Settings.variables().keys()


def test_the_image_holds_every_package() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M) for name in line.split()}
    assert copied >= {*PACKAGES, "pyproject.toml", "constraints.txt", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in copied)
    let_in = re.findall(r"^!([\w.]+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    assert set(let_in) == copied


def test_compose_starts_commands_that_there_are() -> None:
    services = read(DEPLOY / "container" / "compose.yaml")["services"]
    ours = {name: service["command"] for name, service in services.items() if service["image"] == "seatkeeper"}
    assert {command[0] for command in ours.values()} == {"scheduler", "worker", "db"}
    assert all(command[0] in COMMANDS for command in ours.values())
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_and_restarts_it(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    assert re.findall(r"^ExecStart=/opt/seatkeeper/bin/seatkeeper (\w+)$", text, re.M)[0] in COMMANDS
    assert "Restart=always" in text and "KillSignal=SIGTERM" in text


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        print("systemd-analyze is not on this machine: the units were not verified")  # noqa: T201
        return
    for unit in UNITS:
        name = unit.name.replace("@", "@1")
        text = unit.read_text(encoding="utf-8").replace("/opt/seatkeeper/bin/seatkeeper", "/bin/true")
        text = re.sub("^(User|Group)=.*$", "", text, flags=re.M)
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = subprocess.run([analyze, "verify", "--man=no", tmp_path / name], capture_output=True, text=True)
        # An older systemd passes over what it does not know yet, and says so.
        problems = [line for line in done.stderr.splitlines() if name in line and "Unknown key" not in line]
        assert (done.returncode, problems) == (0, []), done.stderr


def test_the_chart_sets_what_it_reads_and_reads_what_it_sets() -> None:
    values = read(CHART / "values.yaml")
    jsonschema.validate(values, read(CHART / "values.schema.json"))
    templates = "".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    named = {tuple(found.split(".")) for found in re.findall(r"\.Values\.([\w.]+)", templates)}
    for path in named:
        at = values
        for key in path:
            assert key in at, f"no value {'.'.join(path)}"
            at = at[key]
    assert {path[0] for path in named} == set(values)
    assert set(re.findall(r'"command" \(list "(\w+)"', templates)) == {"worker", "scheduler", "db"}


def test_the_chart_is_of_this_release() -> None:
    chart = read(CHART / "Chart.yaml")
    version = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert [chart["version"], chart["appVersion"]] == version * 2
