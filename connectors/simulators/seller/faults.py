"""Faults on order: what shall go wrong with a seller, where, and how often."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from connectors.simulators import fault_files

Kind = Literal[
    "throttle", "error", "reset", "hang", "refuse",
    "lost_reply", "late_error", "cut", "cut_connection", "blank", "slow",
    "more_seats", "no_seats", "twice", "unknown",
]  # fmt: skip

EARLY: frozenset[str] = frozenset({"throttle", "error", "reset", "hang", "refuse"})
"""The request has no effect."""
CONTENT: frozenset[str] = frozenset({"more_seats", "no_seats", "twice", "unknown"})
"""The answer is well formed, and is not what it should be."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that shall go wrong.

    ================ ==================================================================================
    throttle         429, with `Retry-After` where `retry_after` is given; nothing is ordered
    error            `status`, 500 where nothing is said, with a page of HTML; nothing is ordered
    reset            the connection is reset; nothing is ordered
    hang             no answer, until the client gives up; nothing is ordered
    refuse           an order gets `status`, 402 where nothing is said, and `refused` as the reason
    lost_reply       the order is taken, and the connection is reset in place of an answer
    late_error       the order is taken, and the answer is `status`
    cut              the order is taken, and the JSON of the answer breaks off in its middle
    cut_connection   the order is taken, and the connection closes before the promised length has come
    blank            the order is taken, and the answer is 200 without a body
    slow             the answer comes `seconds` late
    more_seats       the answer has `seats` seats more than were ordered
    no_seats         the answer has no seats
    twice            a list has each of its orders twice
    unknown          a look-up finds nothing
    ================ ==================================================================================
    """

    kind: Kind
    path: str = "*"
    """Which requests: a pattern over the path, `/orders`, `/orders/*`."""
    method: str = "*"
    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    """How often; None until it is withdrawn."""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many matching requests pass unharmed first."""
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    refused: str = "card_declined"
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    seats: Annotated[int, msgspec.Meta(ge=1)] = 1

    def concerns(self, method: str, path: str) -> bool:
        """Whether this request could meet this fault: only an order can be refused, only a look-up find nothing."""
        possible = {"refuse": method == "POST", "unknown": method == "GET"}.get(self.kind, True)
        return possible and fnmatchcase(path, self.path) and fnmatchcase(method, self.method.upper())


def read_faults(text: str, file: str) -> tuple[Fault, ...]:
    """The faults of a file's text, for `simulate seller --faults FILE`. Raises FaultFileError with every problem."""
    return fault_files.read_faults(text, file, Fault)
