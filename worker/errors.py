"""What an operation refuses.

SeatkeeperError
└── OperationError
    ├── Usage           the request itself makes no sense: no such directory, account …
    ├── Insufficient    more seats are wanted than are free; nothing was assigned (L6)
    ├── UnderLegalHold  backups of these accounts may not go (R2)
    ├── Busy            a run is under way and did not end in time
    └── Stopped         this process was told to stop; nothing more is written (Z10)
"""

from collections.abc import Sequence

from policies.errors import SeatkeeperError


class OperationError(SeatkeeperError):
    """The operation was not done."""

    code = "failed"


class Usage(OperationError):
    """The request names something that does not exist, or contradicts itself."""

    code = "usage"


class Insufficient(OperationError):
    """More seats are wanted than are free; nothing was assigned (L6)."""

    code = "insufficient_licenses"

    def __init__(self, license: str, *, wanted: int, free: int, because: Sequence[str] = ()) -> None:
        limits = [reason.replace("_", " ") for reason in because if reason != "insufficient_licenses"]
        why = f" ({', '.join(limits)})" if limits else ""
        super().__init__(
            f"insufficient licenses: {wanted} {license} wanted, {free} free, {wanted - free} short{why};"
            " nothing was assigned"
        )
        self.license = license
        self.wanted = wanted
        self.free = free
        self.short = wanted - free


class UnderLegalHold(OperationError):
    """Backups of these accounts may not go; nothing was done (L5, R2)."""

    code = "legal_hold"

    def __init__(self, accounts: Sequence[str]) -> None:
        told = ", ".join(accounts[:5]) + (f" and {len(accounts) - 5} more" if len(accounts) > 5 else "")
        super().__init__(
            f"{told}: under a legal hold, so that backups may not go; nothing was done"
            " (`seatkeeper legal-hold lift` ends it)"
        )
        self.accounts = tuple(accounts)


class Busy(OperationError):
    """A run over this directory is under way."""

    code = "busy"


class Stopped(OperationError):
    """The process was told to stop; what was not written is done by the next run."""

    code = "stopped"
    TOLD = "told to stop; what is left is done by the next run"

    def __init__(self) -> None:
        super().__init__(self.TOLD)
