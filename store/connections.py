"""Connections that the database ended: it was restarted, or whoever had one was silent for too long in a transaction.
And databases that could not go on: gone, full, held by others.

What was not committed is undone then, as if it had never begun.
"""

from sqlite3 import SQLITE_ERROR

from psycopg import OperationalError
from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError

_ENDED = ("08", "57P")
"""The beginnings of PostgreSQL's codes for a connection that is gone, and for a server that ends all of them."""
_SILENT = "25P03"


def was_ended(problem: BaseException) -> str | None:
    """What the database said as it ended the connection, in one line; None where something else went wrong."""
    said = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    if not isinstance(said, OperationalError):
        return None
    code = said.sqlstate
    if code is not None and not code.startswith(_ENDED) and code != _SILENT:
        return None
    return next(iter(str(said).splitlines()), type(said).__name__)


def could_not_go_on(problem: BaseException) -> str | None:
    """What a database said that is gone, full or held by others, in the midst of something; None where something else
    went wrong. SQLite says in the same class that a statement is wrong."""
    if not isinstance(problem, exc.OperationalError):
        return None
    if getattr(problem.orig, "sqlite_errorcode", None) == SQLITE_ERROR:
        return None
    return str(problem.orig).strip()
