"""`seatkeeper db`: the database."""

import click

from console.cli.call import Call
from console.cli.groups import Group


@click.group(cls=Group, help="The database of the license store.")
def db() -> None: ...


@db.command()
def upgrade(call: Call) -> None:
    """Bring the database up to this version. Take a backup first: there is no way back."""
    from store.upgrade import upgrade as upgrade_store

    upgraded = upgrade_store(call.settings.database_url)
    call.answer(
        {"before": upgraded.before, "after": upgraded.after, "changed": upgraded.before != upgraded.after},
        lambda: [_words(upgraded.before, upgraded.after)],
    )


def _words(before: str | None, after: str | None) -> str:
    if before == after:
        return f"The database has schema {after}, which is what this version needs."
    return f"Upgraded the database from {f'schema {before}' if before else 'nothing'} to schema {after}."
