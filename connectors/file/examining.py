"""Trying an exported file: whether it is there, and has the columns of a list of users."""

from collections.abc import Iterator

from connectors.context import Context
from connectors.examining import TENANT, USERS, Finding, Needed, tried
from connectors.file import Options
from connectors.file.directory import open_directory


def examine(options: Options, context: Context, _needed: Needed) -> Iterator[Finding]:
    """Find the file and read it to its end."""
    directory = open_directory(options, context)
    yield tried(TENANT, directory.tenant)
    yield tried(USERS, lambda: f"{sum(len(page.accounts) for page in directory.pull(None)):,} rows")
