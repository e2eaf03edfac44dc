"""`seatkeeper demo`: a working day on simulated directories, told in plain words."""

import logging
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.cli.answers import encoded
from console.cli.call import Call
from console.cli.groups import Command
from console.cli.tables import Column, table, width_of_terminal
from console.cli.words import actions_of

if TYPE_CHECKING:
    from worker.demo.telling import Numbers, Scene, Stock
    from worker.operations.demonstrating import Left
    from worker.operations.runs import RunResult
    from worker.settings import Settings

INDENT = "       "
WIDEST = 100
OPENING = """Seatkeeper keeps the licenses of a backup product in step with the people who really exist in its
customers' directories. This is a working day at a provider, played on directories that are simulated on this
machine. Everything else is real: the HTTP, the decisions, the store. Behind a $ stands what a person would type,
behind a | what came of it. Nothing outside of {folder} is touched."""


@click.command(cls=Command)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default="seatkeeper-demo",
    show_default=True,
    help="Where the demo's store and policies are left to be tried on.",
)
def demo(call: Call, directory: Path) -> None:
    """Play a working day at a provider with two customers, on directories simulated on this machine.

    Needs nothing, touches nothing but its own folder, and ends by itself.
    """
    from worker.operations.demonstrating import demonstrate, is_from_before, left_in

    logging.basicConfig(level=logging.ERROR)  # what goes wrong is part of the story, and told there
    if is_from_before(directory):
        call.agree(f"{directory} holds an earlier demo. Replace it?")
    began = monotonic()
    if not call.as_json:
        _print([*_wrapped(OPENING.format(folder=directory), "")])
    scenes = []
    for scene in demonstrate(directory):
        scenes.append(scene)
        if not call.as_json:
            _print(_of_scene(scene))
    left = left_in(directory)
    if call.as_json:
        print(encoded(_json(scenes, left)))
    else:
        _print([*_summary(scenes), "", *_to_try(left, monotonic() - began)])


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
    print(flush=True)


def _wrapped(text: str, indent: str, more: str | None = None) -> list[str]:
    width = min(width_of_terminal(), WIDEST)
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent if more is None else more)


def _of_scene(scene: "Scene") -> Iterator[str]:
    yield f"{scene.at:%H:%M}  {scene.title}"
    for paragraph in scene.told:
        yield from _wrapped(paragraph, INDENT)
    for command in scene.commands:
        yield f"{INDENT}$ {command}"
    for line in (*(line for result in scene.results for line in _of_result(result)), *scene.shown):
        yield from _wrapped(line, f"{INDENT}| ", f"{INDENT}|   ")


def _of_result(result: "RunResult") -> Iterator[str]:
    what = actions_of(result) or result.outcome.replace("_", " ")
    dry = "dry run: " if result.outcome == "dry_run" else ""
    yield f"{result.directory}: {result.seen} read ({result.mode}), {dry}{what}"
    if result.error is not None:
        yield result.error
    for held in result.held:
        yield f"held: {held.total} × {held.kind}"


def _summary(scenes: "list[Scene]") -> Iterator[str]:
    yield "The day in numbers: seats held of those there are, and what waits, is held or on order."
    yield ""
    columns = (
        Column("TIME"), Column("WHAT HAPPENED", gives=1, least=20), Column("STANDARD", right=True),
        Column("ARCHIVED", right=True), Column("WAITING", right=True), Column("HELD", right=True),
        Column("ORDERS", right=True),
    )  # fmt: skip
    yield from table(columns, [(f"{s.at:%H:%M}", s.headline, *_figures(s.numbers)) for s in scenes])


def _figures(numbers: "Numbers") -> tuple[object, ...]:
    return (
        _of_stock(numbers.standard), _of_stock(numbers.archived), numbers.waiting or None, numbers.holds or None,
        numbers.orders or None,
    )  # fmt: skip


def _of_stock(stock: "Stock") -> str:
    return f"{stock.held} of {stock.seats}"


def _to_try(left: "Left", seconds: float) -> Iterator[str]:
    yield f"That was a day in {seconds:.0f} seconds. Its store is left in {left.settings.policy_dir.parent}. To try it:"
    yield ""
    for name, value in _environment(left.settings).items():
        yield f"export {name}={shlex.quote(value)}"
    commands = list(_commands(left))
    widest = max(len(command) for command, _ in commands)
    beside = width_of_terminal() >= widest + 56
    for command, what in commands:
        yield f"{command:{widest}}  # {what}" if beside else command


def _commands(left: "Left") -> Iterator[tuple[str, str]]:
    yield "seatkeeper status", "what needs a person first"
    for hash in left.held:
        yield f"seatkeeper plan show {hash[:19]}", "what a safety limit holds, and why"
        yield f"seatkeeper plan approve {hash[:19]}", "let it go ahead; or plan reject"
    yield f"seatkeeper why {left.someone}", "the decision about one account, explained"
    for id in left.awaiting:
        yield f"seatkeeper orders approve {id}", "buy what is short"
        yield f"seatkeeper orders fulfill {id}", "the seats are there: who waits is served"
    yield "seatkeeper accounts list --state deleted", "who was deleted, and what became of their backups"
    yield "seatkeeper policy diff", "after editing a policy: whom it would affect"
    yield "seatkeeper audit --verify", "the record, recomputed"


def _environment(settings: "Settings") -> dict[str, str]:
    return {
        "SEATKEEPER_DATABASE_URL": settings.database_url,
        "SEATKEEPER_POLICY_DIR": str(settings.policy_dir),
        "SEATKEEPER_SECRETS_DIR": str(settings.secrets_dir),
    }


def _json(scenes: "list[Scene]", left: "Left") -> dict[str, Any]:
    return {
        "scenes": [{**msgspec.to_builtins(scene), "at": f"{scene.at:%Y-%m-%dT%H:%M:%SZ}"} for scene in scenes],
        "environment": _environment(left.settings),
        "commands": [command for command, _ in _commands(left)],
    }
