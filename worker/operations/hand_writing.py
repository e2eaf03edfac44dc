"""Carrying out what a person wants: licenses, marks, clocks and the record, in one transaction (L4, L5, L8, A1)."""

from collections import Counter
from collections.abc import Collection

from policies.model import License, Source
from store.audit import Entry, json_text
from store.holdings import EVENTS, Change
from store.times import span
from worker.operations.hand_limits import removals
from worker.operations.handing import (
    FOLLOW,
    KEEP,
    NEEDS_STOCK,
    PIN,
    RELEASE,
    UNPIN,
    Intent,
    Part,
    Settled,
)
from worker.operations.serving import CHUNK

_MARKED = {FOLLOW: None, PIN: Source.PINNED}
"""The source of an account that holds nothing, after a change that is not `manual`."""


def write(part: Part, *, approved: bool = False) -> None:
    """Carry out what was worked out; what a person approved counts against no limit again. The next run looks at
    these accounts."""
    retention = span(part.in_force.policy.licenses.retention)
    changes = [_change(part, settled) for settled in part.settled if settled.changes_license]
    for start in range(0, len(changes), CHUNK):
        part.tx.holdings.change(part.company.key, changes[start : start + CHUNK], part.now, retention)
    _mark(part)
    marks = [settled.intent for settled in part.settled if not settled.changes_license]
    part.tx.audit.append(part.company.key, (_mark_entry(part, intent) for intent in marks), part.now)
    _count(part, approved=approved)
    subjects = [settled.intent.subject for settled in part.settled]
    part.tx.by_hand.look_again([s.key for s in subjects], {s.directory for s in subjects})


def _change(part: Part, settled: Settled) -> Change:
    intent, after = settled
    subject, kind = intent.subject, "move" if intent.kind == KEEP else intent.kind
    return Change(subject.key, subject.directory, subject.id, kind, part.who, intent.because, subject.held, after)


def _mark(part: Part) -> None:
    by_hand = part.tx.by_hand
    for license in License:
        by_hand.give(_keys(part, NEEDS_STOCK, license.value), part.person, license.value)
    by_hand.take(_keys(part, {RELEASE}))
    by_hand.mark(_keys(part, {KEEP}))
    by_hand.pin(_keys(part, {PIN}))
    by_hand.unpin(_keys(part, {UNPIN}))
    by_hand.forget(_keys(part, {FOLLOW}))
    part.tx.holdings.settle(_keys(part, {RELEASE, KEEP, PIN}))


def _keys(part: Part, kinds: Collection[str], license: str | None = None) -> list[int]:
    return [
        intent.subject.key
        for intent, _ in part.settled
        if intent.kind in kinds and (license is None or intent.license == license)
    ]


def _mark_entry(part: Part, intent: Intent) -> Entry:
    """An account that holds nothing, and from now on does so by hand, or no longer."""
    subject = intent.subject
    what = "account.by_hand" if intent.kind == RELEASE else EVENTS[intent.kind]
    before = json_text(license=None, source=subject.source)
    after = json_text(license=None, source=_MARKED.get(intent.kind, Source.MANUAL))
    return Entry(part.who, what, subject.id, subject.directory, before, after, intent.because)


def _count(part: Part, *, approved: bool) -> None:
    """Remember what limits will count (Z1)."""
    company = part.company.key
    if not approved:
        for (kind, license), number in sorted(removals(part.settled).items()):
            part.tx.plans.note_removals(company, kind.value, license, number, part.now)
    moved: Counter[str] = Counter(after.license for _, after in part.settled if after is not None)
    moved.subtract(
        settled.intent.subject.license for settled in part.settled if settled.intent.subject.license is not None
    )
    for license, change in sorted(moved.items()):
        if change:
            part.tx.plans.note_movement(company, license, change, part.now)
