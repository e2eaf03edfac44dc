"""Values with short forms of their own: what happens on leaving, safety limits, `none`."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from policies.containers import OneOf
from policies.model import KEEP, Leave, Limit, Safety
from policies.nodes import Entries
from policies.reading import Reading
from policies.records import Field, Given, Record
from policies.scalars import Choice, Whole
from policies.shape import DURATION, SHARE
from policies.text import format_share

GRACE: Final = timedelta(days=7)
"""The grace of the short forms `release` and `archive` (G4)."""

_AT_ONCE: Final = timedelta(0)
_AFTER: Final = Field("after", "after", DURATION, help="The grace; coming back within it cancels it.", default=GRACE)
_THEN: Final = Field(
    "then",
    "then",
    Choice({"release": "release", "archive": "archive"}),
    needed=True,
    help="What happens to the license after the grace.",
)


def _leave(given: Given, node: Entries, reading: Reading) -> object:
    return Leave(**{"after": GRACE, **given})  # type: ignore[arg-type]


def _leave_of_deleted(given: Given, node: Entries, reading: Reading) -> object:
    grace = _AT_ONCE if given["then"] == "archive" else GRACE
    return Leave(**{"after": grace, **given})  # type: ignore[arg-type]


def _no_grace(given: Given, meant: frozenset[str], node: Entries, reading: Reading) -> None:
    if given.get("then") == "archive" and given.get("after", _AT_ONCE) != _AT_ONCE:
        message = "after: archiving has no grace, since nothing is lost by it; expected deleted_users: archive"
        reading.report(node.mark_of("after"), message, expected="deleted_users: archive")


LEAVE: Final = OneOf(
    (
        Choice({"keep": KEEP, "release": Leave("release", GRACE), "archive": Leave("archive", GRACE)}),
        Record("Leave", (_THEN, _AFTER), _leave, help="What happens to a license when its reason is gone (G4)."),
    ),
    what="keep, release, archive or {then: release or archive, after: 7d}",
)

DELETED_USERS: Final = OneOf(
    (
        Choice({"archive": Leave("archive", _AT_ONCE), "keep": KEEP, "release": Leave("release", GRACE)}),
        Record("DeletedUsers", (_THEN, _AFTER), _leave_of_deleted, _no_grace, help="With a grace of its own."),
    ),
    what="archive, keep, release or {then: release, after: 7d}",
)

RULE_LICENSE: Final = Choice({"standard": "standard", "archived": "archived", "none": None})

_MOST: Final = Field("most", "most", Whole(), help="More actions than this in 24 hours are held; 0 holds each.")
_SHARE: Final = Field("share", "share", SHARE, help="A greater share of the licenses held is held, beyond 5 actions.")


def _limit(default: Limit) -> Record:
    title, fields = ("CountLimit", (_MOST,)) if default.share is None else ("Limit", (_MOST, _SHARE))

    def make(given: Given, node: Entries, reading: Reading) -> object:
        return replace(default, **given)  # type: ignore[arg-type]

    return Record(title, fields, make, help="More than either holds the kind whole (Z1).", filled=True)


def _safety(given: Given, node: Entries, reading: Reading) -> object:
    return Safety(**given)  # type: ignore[arg-type]


_COUNTED: Final = {
    "archive": "Standard licenses turned into archived ones, by anyone.",
    "release": "Licenses taken by automation.",
    "unassign": "Licenses deactivated by a person.",
    "purge": "Accounts whose backups may be purged.",
    "purchase": "Seats ordered.",
}


def _in_force(limit: Limit) -> str:
    share = "" if limit.share is None else f", share {format_share(limit.share)}"
    return f"In force: most {limit.most}{share}, unless said otherwise."


SAFETY: Final = Record(
    "Safety",
    tuple(
        Field(name, name, _limit(getattr(Safety(), name)), help=f"{counts} {_in_force(getattr(Safety(), name))}")
        for name, counts in _COUNTED.items()
    ),
    _safety,
    help="The limits beyond which a kind of change is held for a person (Z1).",
)
