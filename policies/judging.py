"""Safety limits (Z1): which kinds of change go ahead, which are held whole, and the numbers that say why."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from policies.model import Limit, Limited, Safety
from policies.text import format_share

SMALL = 5
"""The share is not looked at until more than this many are affected: a company of twenty can lose two people."""


class Recent(NamedTuple):
    """What counts against a limit already."""

    done: int
    """Changes of this kind in the last 24 hours that no person approved."""
    held: int
    """Licenses of the type taken that the company held 24 hours ago, or holds now if more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limit says of one kind of change."""

    kind: Limited
    wanted: int
    recent: Recent
    limit: Limit

    @property
    def affected(self) -> int:
        return self.wanted + self.recent.done

    @property
    def passes(self) -> bool:
        """Exactly `most`, or exactly the share, passes."""
        if self.wanted == 0:
            return True
        if self.affected > self.limit.most:
            return False
        if self.limit.share is None or self.affected <= SMALL:
            return True
        return self.affected <= Decimal(repr(self.limit.share)) * self.recent.held  # exactly: 0.29 * 100 is 28.999…

    @property
    def why(self) -> str:
        """The numbers, for a person: what, how many, of how many, over which limit, since when."""
        share = (
            "" if self.limit.share is None else f" or {format_share(self.limit.share)} of {self.recent.held} licenses"
        )
        earlier = f", {self.recent.done} of them already done" if self.recent.done else ""
        return f"{self.affected} in 24 hours{earlier}, over the limit for {self.kind.value} of {self.limit.most}{share}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts of one plan."""

    verdicts: tuple[Verdict, ...]

    def holds(self, kind: Limited) -> bool:
        """Whether this kind waits for a person."""
        return any(verdict.kind is kind and not verdict.passes for verdict in self.verdicts)

    @property
    def held(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.passes)


def judge(wanted: Mapping[Limited, int], safety: Safety, recent: Mapping[Limited, Recent]) -> Judgement:
    """Hold each kind that goes beyond its limit, whole; the rest proceeds."""
    return Judgement(
        tuple(
            Verdict(kind, wanted[kind], recent.get(kind, Recent(0, 0)), safety.of(kind))
            for kind in Limited
            if wanted.get(kind, 0) > 0
        )
    )
