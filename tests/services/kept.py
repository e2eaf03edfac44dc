"""A real server for the tests: started on loopback, waited for, and gone when the tests are."""

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")
ATTEMPTS = 3  # somebody else may take the free port between our look and the server's
PATIENCE = 100.0  # seconds until a server that does not answer has failed
PORTS = range(20_000, 32_000)  # below those that systems give to whoever connects, which would take them from us


class DidNotStart(Exception):
    """The server ended, and what it said is on standard error; or it did not answer in time."""


@contextmanager
def kept(directory: Path, user: str, command: list[str], answers: Callable[[], bool]) -> Iterator[None]:
    """Run a server as `user` (empty: ours) until the block is left; `directory` is removed with it.

    Raises DidNotStart unless `answers` is true within PATIENCE.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(KEEPER), str(directory), user, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # so that Ctrl-C reaches the tests alone, which then end the server
    )
    try:
        _await_answer(keeper, command[0], answers)
        yield
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait()


def _await_answer(keeper: subprocess.Popen[bytes], program: str, answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers():
        if keeper.poll() is not None:
            raise DidNotStart(f"{program} ended; its own words are on standard error")
        if time.monotonic() > deadline:
            raise DidNotStart(f"{program} did not answer for {PATIENCE:g} seconds")
        time.sleep(0.01)


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A TCP port on loopback that is held, so that whoever connects to it is refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at the moment, and that no connection will be given."""
    while True:
        port = secrets.choice(PORTS)  # not random's choice, which Hypothesis makes the same in every process
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
