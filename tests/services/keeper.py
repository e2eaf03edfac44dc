"""Keeps a server running until standard input closes, then stops it and removes its directory.

Run as a program: `keeper.py DIRECTORY USER COMMAND…`, where an empty USER means ours. A test run that is
killed closes the pipe as surely as one that ends well, so no server and no data outlives it. A server that
ends unasked has its last words repeated on standard error.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TypedDict

PATIENCE = 10.0  # seconds between asking a server to stop and making it


class Identity(TypedDict, total=False):
    """The arguments by which subprocess runs a command as somebody else, and with nothing else of ours."""

    user: str
    group: int
    extra_groups: list[str | int]


def keep(directory: Path, user: str, command: list[str]) -> int:
    """Run the command until it ends or our standard input does; the server's own exit code."""
    log = directory / "server.log"
    asked = threading.Event()
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=directory, **identity(user)
        )
    threading.Thread(target=stop_at_end_of_input, args=[server, asked], daemon=True).start()
    code = server.wait()
    if not asked.is_set():
        sys.stderr.write(f"{command[0]} ended with {code}:\n{log.read_text(errors='replace')}")
    shutil.rmtree(directory, ignore_errors=True)
    return code


def stop_at_end_of_input(server: subprocess.Popen[bytes], asked: threading.Event) -> None:
    os.read(0, 1)  # nobody writes, so this returns when the other end is closed
    asked.set()
    server.send_signal(signal.SIGINT)  # "stop now, but orderly" to PostgreSQL and to Redis
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


def identity(user: str) -> Identity:
    """Who a command runs as; an empty name means ourselves."""
    return Identity(user=user, group=pwd.getpwnam(user).pw_gid, extra_groups=[]) if user else Identity()


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
