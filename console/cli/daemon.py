"""`seatkeeper up`, `worker` and `scheduler`: the unattended daemon, in one process or in many."""

import click

from console.cli.call import Call
from console.cli.groups import Command


@click.command(cls=Command)
def up(call: Call) -> None:
    """Run unattended, in one process: scheduler and workers, until SIGTERM or Ctrl-C.

    Directories are asked as often as their policies say, orders are carried, clocks run. On SQLite nothing else is
    needed. A stop takes effect before the next write; a second one ends the process at once.
    """
    _run(call, "up")


@click.command(cls=Command)
def worker(call: Call) -> None:
    """Run passes that a scheduler says are due; any number of these, over PostgreSQL and Redis."""
    _run(call, "worker")


@click.command(cls=Command)
def scheduler(call: Call) -> None:
    """Say what is due, read policies, carry orders; one is enough, more are harmless."""
    _run(call, "scheduler")


def _run(call: Call, role: str) -> None:
    from worker.logs import to_standard_error
    from worker.process import run

    to_standard_error()
    run(role, call.settings)
