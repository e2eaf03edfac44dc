"""Transactions that the database ended, or could not go on with: it was restarted, is full or held by others, or
whoever began one was silent for too long.

What was not committed is undone then, as if it had never begun.
"""

import sqlite3
from sqlite3 import SQLITE_BUSY, SQLITE_ERROR, SQLITE_FULL, SQLITE_IOERR, SQLITE_LOCKED

import psycopg
from sqlalchemy import exc
from sqlalchemy.exc import DBAPIError

_ENDED = ("08", "25P03", "40", "53", "55P03", "57P", "58")
"""The beginnings of PostgreSQL's codes for a connection that is gone, and for a transaction that the server ended or
could not go on with: somebody was silent for too long, two waited for each other, there was no room, it stops."""
_BUSY_OR_FULL = (SQLITE_BUSY, SQLITE_FULL, SQLITE_IOERR, SQLITE_LOCKED)


def was_ended(problem: BaseException) -> str | None:
    """What the database said that ended a transaction, or could not go on with it, in one line; None where something
    else went wrong, as with a statement."""
    said = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    ended = isinstance(said, exc.TimeoutError)  # all connections of this process were in use for too long
    if isinstance(said, psycopg.Error):
        ended = (
            isinstance(said, psycopg.OperationalError) if said.sqlstate is None else said.sqlstate.startswith(_ENDED)
        )
    elif isinstance(said, sqlite3.OperationalError):
        ended = (said.sqlite_errorcode & 0xFF) in _BUSY_OR_FULL
    return next(iter(str(said).splitlines()), type(said).__name__) if ended else None


def could_not_go_on(problem: BaseException) -> str | None:
    """What a database said that is gone, full or held by others, in the midst of something; None where something else
    went wrong. SQLite says in the same class that a statement is wrong."""
    if not isinstance(problem, exc.OperationalError):
        return None
    if getattr(problem.orig, "sqlite_errorcode", None) == SQLITE_ERROR:
        return None
    return str(problem.orig).strip()
