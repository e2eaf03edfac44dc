"""What an operation refuses.

    SeatkeeperError
    └── OperationError
        ├── Usage           the request itself makes no sense: no such directory, account …
        ├── Busy            a run is under way and did not end in time
        └── Stopped         this process was told to stop; nothing more is written (Z10)
"""

from policies.errors import SeatkeeperError


class OperationError(SeatkeeperError):
    """The operation was not done."""

    code = "failed"


class Usage(OperationError):
    """The request names something that does not exist, or contradicts itself."""

    code = "usage"


class Busy(OperationError):
    """A run over this directory is under way."""

    code = "busy"


class Stopped(OperationError):
    """The process was told to stop; what was not written is done by the next run."""

    code = "stopped"
