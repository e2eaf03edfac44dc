"""What README.md says of settings and commands is what the program says of itself."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields

import click

from console.cli.main import program
from tests.architecture.documents import ROOT, Row, blocks, section, tables
from worker.settings import Settings

README = (ROOT / "README.md").read_text()
WIDTH = "100"


def table_of(heading: str) -> list[Row]:
    return next(tables(section(README, heading)))


def test_the_settings_are_those_of_the_program_with_their_defaults() -> None:
    told = {row.code: row.cells[1:] for row in table_of("Settings")}
    declared = {
        variable: (as_written(field.default), f"{help[0].upper()}{help[1:]}.")
        for (variable, help), field in zip(Settings.variables().items(), fields(Settings), strict=True)
    }
    assert told == declared


def as_written(default: object) -> str:
    return "none" if default is None else f"`{default}`"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that call it."""
    group = program()
    yield from _below(group, click.Context(group), "seatkeeper")


def _below(group: click.Group, context: click.Context, path: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{path} {name} is listed and cannot be found"
        if isinstance(command, click.Group):
            yield from _below(command, click.Context(command), f"{path} {name}")
        else:
            yield f"{path} {name}", command


def documented() -> dict[str, str]:
    """The command lines of the table, by the command that each calls; one that calls none stands for itself."""
    known = [path for path, _ in commands()]
    return {_called(row.code, known): row.code for row in table_of("Commands")}


def _called(line: str, known: Sequence[str]) -> str:
    return max((path for path in known if f"{line} ".startswith(f"{path} ")), key=len, default=line)


def test_every_command_is_in_the_table_and_nothing_else_is() -> None:
    assert sorted(documented()) == sorted(path for path, _ in commands())


def test_every_flag_in_the_table_exists() -> None:
    lines = documented()
    wrong = {path: _flags(lines[path]) - _options(command) for path, command in commands()}
    assert {path: unknown for path, unknown in wrong.items() if unknown} == {}


def _flags(line: str) -> set[str]:
    return {word.strip("[]") for word in line.split() if word.strip("[]").startswith("--")}


def _options(command: click.Command) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts}


def test_the_help_text_is_the_programs_own() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "console.cli.main", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": WIDTH},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout in [block.text for block in blocks(section(README, "Commands"))]
