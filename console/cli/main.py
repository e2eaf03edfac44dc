"""The command `seatkeeper`: finds the command that was asked for, runs it, and turns its end into an exit code."""

import os
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from types import TracebackType
from typing import Final, NoReturn

import click

from console.cli.groups import Lazy, LazyGroup, shared_options
from policies.errors import SeatkeeperError

COMMANDS: Final = {
    "demo": Lazy("console.cli.demo:demo", "Play a working day on simulated directories, narrated."),
    "init": Lazy("console.cli.init:init", "Write a policy to start from, and say what to consent to."),
    "up": Lazy("console.cli.daemon:up", "Run unattended, in one process."),
    "worker": Lazy("console.cli.daemon:worker", "Run unattended passes; any number, over PostgreSQL and Redis."),
    "scheduler": Lazy("console.cli.daemon:scheduler", "Say what is due to workers, read policies, carry orders."),
    "sync": Lazy("console.cli.sync:sync", "Read directories and bring licenses in step, now."),
    "status": Lazy("console.cli.status:status", "What needs a person first: pools, directories, holds, orders."),
    "accounts": Lazy("console.cli.accounts:accounts", "List accounts with their licenses; link people who came back."),
    "why": Lazy("console.cli.why:why", "Explain the decision about one account."),
    "plan": Lazy("console.cli.plan:plan", "Held plans: list, show, approve, reject."),
    "licenses": Lazy("console.cli.licenses:licenses", "By hand: assign, archive, deactivate, pin; import."),
    "endpoints": Lazy("console.cli.endpoints:endpoints", "What other kinds of licenses are for: list, add, remove."),
    "lots": Lazy("console.cli.lots:lots", "Stock: list, add and remove lots of licenses."),
    "orders": Lazy("console.cli.orders:orders", "Purchases: list, approve, reject, fulfill, cancel."),
    "notices": Lazy("console.cli.notices:notices", "Before backups go: who was told, and what waits for an answer."),
    "policy": Lazy("console.cli.policy:policy", "Check policy files, print their schema, show a change's effect."),
    "company": Lazy("console.cli.retire:company", "Retire a company that is gone for good."),
    "directory": Lazy("console.cli.retire:directory", "Retire a directory that is gone for good."),
    "legal-hold": Lazy("console.cli.legal_hold:legal_hold", "Keep backups for legal reasons: set, lift."),
    "audit": Lazy("console.cli.audit:audit", "The record of every change, and the proof that it is whole."),
    "feed": Lazy("console.cli.feed:feed", "The same as a feed that can be read from any point."),
    "report": Lazy("console.cli.report:report", "What was used in a month, for bills."),
    "doctor": Lazy("console.cli.doctor:doctor", "Try every dependency, credential and permission."),
    "simulate": Lazy("console.cli.simulate:simulate", "Serve a simulated vendor on loopback."),
    "db": Lazy("console.cli.db:db", "Upgrade the database."),
}

HELP: Final = """Keep backup licenses in step with the people and mailboxes that really exist in Microsoft 365 and
Google Workspace directories.

Exit codes: 0 done, 1 failed, 2 wrong usage or invalid policy, 3 held for approval, 4 insufficient licenses."""


def program() -> LazyGroup:
    """The program as click sees it."""
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": 120}
    group = LazyGroup(name="seatkeeper", lazy=COMMANDS, help=HELP, context_settings=settings)
    group.params += [*shared_options(hidden=True), _version()]
    return group


def run(arguments: Sequence[str]) -> int:
    """Run one command; what it prints is its answer, what is returned its exit code."""
    as_json = "--json" in _before_operands(arguments)
    try:
        code = program().main(list(arguments), prog_name="seatkeeper", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except (click.ClickException, click.Abort, KeyboardInterrupt, SeatkeeperError) as error:
        from console.cli.failures import told

        return told(error, as_json)
    except OSError as error:
        from console.cli.failures import told_of_a_file

        if error.filename is None:
            raise
        return told_of_a_file(error, as_json)
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """The entry point. What nobody foresaw ends the program with a traceback and, last, a sentence."""
    arguments = sys.argv[1:]
    asked = _before_operands(arguments)
    sys.excepthook = _unforeseen("--json" in asked)
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal shows a letter that it lacks as another; programs get UTF-8
        sys.stdout.reconfigure(encoding="utf-8" if {"--json", "--csv"} & {*asked} else None, errors="replace")
    sys.exit(run(arguments))


def _unforeseen(as_json: bool) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def tell(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        from console.cli.failures import told_of_the_unforeseen

        told_of_the_unforeseen(error, as_json)

    return tell


def _before_operands(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _reader_left() -> int:
    """Whoever read our output has seen enough; the rest goes nowhere, and nobody is told."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 1


def _version() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            from importlib.metadata import version

            print(f"seatkeeper {version('seatkeeper')}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=show, help="Show the version."
    )


if __name__ == "__main__":
    main()
