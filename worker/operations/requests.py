"""What a person can want by hand, and what it means for each account."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from policies.model import License
from store.by_hand import Subject
from worker.operations.handing import ARCHIVE, ASSIGN, FOLLOW, KEEP, PIN, RELEASE, RESTORE, UNPIN, Intent
from worker.operations.selecting import Meant

GONE = ("deleted", "purged")


class Verb(StrEnum):
    """What a person wants done."""

    ASSIGN = "assign"
    ARCHIVE = "archive"
    DEACTIVATE = "deactivate"
    FOLLOW = "follow"
    PIN = "pin"
    UNPIN = "unpin"


PARTICIPLES = {
    Verb.ASSIGN: "assigned", Verb.ARCHIVE: "archived", Verb.DEACTIVATE: "deactivated",
    Verb.FOLLOW: "handed back to the rules", Verb.PIN: "pinned", Verb.UNPIN: "unpinned",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What a person wants, and for whom."""

    verb: Verb
    meant: Meant
    license: str = License.STANDARD.value
    """Of `assign`."""
    as_many_as_fit: bool = False
    seen: Mapping[int, str | None] | None = None
    """What each account held when the person was asked, by key: if that has changed, nothing is done."""


def unfit(request: Request) -> Callable[[Subject], str | None]:
    """Why an account cannot be meant by a request."""

    def why(subject: Subject) -> str | None:
        if subject.linked_to is not None:
            return f"it is linked to {subject.linked_to}, whose license covers it; `accounts unlink` parts them"
        if subject.retired and request.verb in (Verb.ASSIGN, Verb.ARCHIVE, Verb.PIN):
            return f"its directory {subject.directory_id} is retired"
        if request.verb is Verb.ASSIGN and request.license == License.STANDARD and subject.state in GONE:
            return f"it is {subject.state} in the directory, so that no backup can run; `archived` keeps what there is"
        if request.verb is Verb.ARCHIVE and subject.held is None:
            return "it holds nothing that could be archived; `assign --license archived` gives it a license"
        return None

    return why


def intents(subjects: Iterable[Subject], request: Request, person: str) -> Iterable[Intent]:
    """What changes for these accounts; those that are as they should be already are left out."""
    because = f"{PARTICIPLES[request.verb]} by {person}"
    for subject in subjects:
        kind, license = _wanted(subject, request)
        if kind is not None:
            yield Intent(subject, kind, license, because)


def _wanted(subject: Subject, request: Request) -> tuple[str | None, str | None]:
    """The kind of change for one account, and the license that it then holds; None where all is as it should be."""
    held = subject.license
    match request.verb:
        case Verb.ASSIGN | Verb.ARCHIVE:
            license = License.ARCHIVED.value if request.verb is Verb.ARCHIVE else request.license
            if held == license:
                return (None if subject.by_hand else KEEP), license
            return _GIVING[held, license], license
        case Verb.DEACTIVATE:
            return (None if held is None and subject.by_hand else RELEASE), None
        case Verb.FOLLOW:
            return (FOLLOW if subject.by_hand else None), held
        case Verb.PIN:
            return (None if subject.pinned else PIN), held
        case Verb.UNPIN:
            return (UNPIN if subject.pinned else None), held


_GIVING = {
    (None, "standard"): ASSIGN, (None, "archived"): ASSIGN, ("archived", "standard"): RESTORE,
    ("standard", "archived"): ARCHIVE,
}  # fmt: skip
