"""A line a directory on the terminal while runs are under way; nothing where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STEPS = {"reading": "reading accounts", "mailboxes": "asking for mailboxes", "planning": "planning"}


@contextmanager
def shown() -> Iterator[Callable[[str, str, int], None]]:
    """What a run calls with its directory, step and number of accounts."""
    if not sys.stderr.isatty():
        yield lambda _directory, _step, _number: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} {task.fields[step]}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {}

        def tell(directory: str, step: str, number: int) -> None:
            if directory not in tasks:
                tasks[directory] = progress.add_task(directory, total=None, step="")
            progress.update(tasks[directory], completed=number, step=STEPS.get(step, step))

        yield tell
