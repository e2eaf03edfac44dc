"""One call of one command: what was asked for beside its arguments, and where its answer goes."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from console.cli.answers import encoded

if TYPE_CHECKING:
    from worker.bootstrap import App
    from worker.settings import Settings


@dataclass
class Call:
    """What a command is handed first."""

    as_json: bool = False
    yes: bool = False
    _app: "App | None" = field(default=None, init=False)

    @property
    def settings(self) -> "Settings":
        """The settings in force."""
        import os

        from worker.settings import read_settings

        return read_settings(os.environ)

    @property
    def app(self) -> "App":
        """The application, opened when it is first asked for; an empty database is created then."""
        if self._app is None:
            from console.cli.logs import to_standard_error
            from worker.bootstrap import build

            to_standard_error()
            self._app = build(self.settings)
        return self._app

    @property
    def who(self) -> str:
        """How the record names whoever typed this (A1)."""
        from console.cli.who import person

        return f"cli:{person()}"

    def close(self) -> None:
        """Give back what was opened."""
        if self._app is not None:
            self._app.close()

    def answer(self, value: Any, text: Callable[[], Iterable[str]]) -> None:
        """Print the value under --json, else the lines for people."""
        if self.as_json:
            print(encoded(value))
            return
        for line in text():
            print(line)

    def agree(self, question: str) -> None:
        """Ask before something is destroyed; without a terminal only --yes goes ahead. Raises UsageError or Abort."""
        if self.yes:
            return
        if self.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise click.UsageError(f"{question} Nobody can be asked here: repeat with --yes to go ahead.")
        if not click.confirm(question, err=True):
            raise Declined


class Declined(click.ClickException):
    """Nothing was done."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("Nothing was done.")
