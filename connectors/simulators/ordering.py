"""Faults as they are ordered from a simulator: what every one says, and which requests it is meant for."""

from collections.abc import Collection
from datetime import datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar

import msgspec

from connectors.simulators.fault_book import FaultBook


class Ordered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a fault says beside its kind: whom it meets, and how often. Each simulator adds what its kinds need."""

    kind: str
    path: str = "*"
    method: str = "*"
    tenant: str = "*"
    """A tenant id, or a pattern of one."""
    times: Annotated[int, msgspec.Meta(ge=1)] | None = 1
    """How often; None until it is withdrawn."""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many matching requests pass unharmed first."""
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Seconds."""
    form: Literal["seconds", "date", "missing"] = "seconds"
    """How `Retry-After` is written."""

    def concerns(self, request: "Target") -> bool:
        """Whether this request could meet this fault."""
        return (
            self.kind in request.possible
            and self.path.startswith("login/") == request.path.startswith("login/")
            and fnmatchcase(request.path.lower(), self.path.lower())
            and fnmatchcase(request.method, self.method.upper())
            and fnmatchcase(request.tenant.lower(), self.tenant.lower())
        )

    def come_again(self, now: datetime, usual: int | None = None) -> dict[str, str]:
        """The header that says when to come again: what was ordered, or what is usual, if anything."""
        seconds = usual if self.retry_after is None else self.retry_after
        if seconds is None or self.form == "missing":
            return {}
        if self.form == "date":
            return {"Retry-After": format_datetime(now + timedelta(seconds=seconds), usegmt=True)}
        return {"Retry-After": str(seconds)}


class Target(NamedTuple):
    """A request as faults look at it."""

    method: str
    path: str
    """The plain path; that of a request for a token begins with `login/`, and only such patterns meet it."""
    tenant: str
    possible: Collection[str]
    """The kinds of fault that mean anything for it."""


Fault = TypeVar("Fault", bound=Ordered)


class Orders(FaultBook[Fault], Generic[Fault]):
    """The faults that were ordered and have not all happened."""

    def take(self, request: Target) -> Fault | None:
        """The fault that this request meets, if any."""
        return self.first_due(lambda fault: fault.concerns(request))
