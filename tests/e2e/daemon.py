"""A daemon's process as the command line starts it, but quick: `python -m tests.e2e.daemon ROLE LEASE_SECONDS`."""

import os
import sys
from dataclasses import replace
from datetime import timedelta

from worker.bootstrap import build
from worker.logs import to_standard_error
from worker.pace import Pace
from worker.process import Daemon
from worker.settings import read_settings


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


QUICK = Pace(
    threads=6, long=3, connections=4, look=_seconds(0.05), again=_seconds(1), beat=_seconds(0.5), silent=_seconds(2),
    tell=_seconds(0.05), policies=_seconds(0.5), pools=_seconds(0.5), carry=_seconds(0.2), grace=_seconds(5),
)  # fmt: skip


def main() -> None:
    role, lease = sys.argv[1], float(sys.argv[2])
    to_standard_error()
    app = replace(build(read_settings(os.environ), pool_size=QUICK.connections), lease=_seconds(lease))
    Daemon(app, role, QUICK).run()
    app.close()


if __name__ == "__main__":
    main()
