"""What every command of the command line has in common: how it is found, and `--json` and `--yes`."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from console.cli.call import Call


def shared_options(*, hidden: bool = False) -> list[click.Option]:
    """What every command takes; the program takes them before the command's name, too."""
    json, yes = "Print one JSON document and nothing else.", "Do not ask; never passes a safety limit."
    return [
        click.Option(["--json", "as_json"], is_flag=True, hidden=hidden, help=json),
        click.Option(["--yes"], is_flag=True, hidden=hidden, help=yes),
    ]


class Command(click.Command):
    """A command that takes `--json` and `--yes` and is handed the `Call` it is part of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += shared_options()

    def invoke(self, ctx: click.Context) -> Any:
        before = ctx.find_root().params
        given = {name: ctx.params.pop(name) or bool(before.get(name)) for name in ("as_json", "yes")}
        call = Call(**given)
        ctx.call_on_close(call.close)
        assert self.callback is not None
        return ctx.invoke(self.callback, call, **ctx.params)


class Group(click.Group):
    """Commands that belong together."""

    command_class = Command


class Lazy(NamedTuple):
    """A command that is not imported yet: `module:attribute`, and its line in the list of commands."""

    where: str
    help: str


class LazyGroup(click.Group):
    """Commands of which each is imported when it is asked for, so that no command pays for another's imports."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name].where.partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._lazy and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self._lazy, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}{guess}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self._lazy.items()])
