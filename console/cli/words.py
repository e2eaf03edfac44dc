"""Actions and outcomes as people read them."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.operations.runs import RunResult

ACTIONS = {
    "assign": "{} assigned",
    "archive": "{} archived",
    "release": "{} released",
    "restore": "{} moved back to",
    "move": "{} moved",
    "exchange": "{} exchanged",
    "wait": "{} waiting for",
    "buy": "{} order for",
}
OUTCOMES = {
    "applied": "licenses changed",
    "nothing_to_do": "nothing to do",
    "held": "held: a person must approve",
    "partly_held": "licenses changed, and a part is held: a person must approve",
    "failed": "failed; no license was changed",
    "busy": "busy: a run is still under way",
    "queued": "queued",
    "dry_run": "dry run: this is what a real run would do now",
}


def actions_of(result: "RunResult") -> str:
    """`120 assigned standard, 6 waiting for standard`; what is beyond the first thousand is counted together."""
    counts = Counter((action.kind, action.license or "") for action in result.actions)
    told = [_named(kind, number, license) for (kind, license), number in counts.items()]
    beyond = result.actions_total - len(result.actions)
    return ", ".join([*told, *([f"{beyond:,} more"] if beyond > 0 else [])])


def kinds_of(counts: Mapping[str, int]) -> str:
    """The same of mere numbers by kind; nothing of those who go on waiting."""
    return ", ".join(
        _named(kind, number, "").removesuffix(" for").removesuffix(" to")
        for kind, number in sorted(counts.items())
        if kind != "wait"
    )


def _named(kind: str, number: int, license: str) -> str:
    said = ACTIONS.get(kind, f"{{}} {kind}").format(f"{number:,}")
    return said if kind == "archive" else f"{said} {license}".rstrip()
