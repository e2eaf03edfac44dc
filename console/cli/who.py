"""Who is at the keyboard, as the record names them (A1)."""

import getpass
import os
import socket


def person() -> str:
    """`user@host`; where the account has no name, as in many containers, its number."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
