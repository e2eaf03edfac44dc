"""What the safety limits say of what a person wants, and holding it for another look (Z1)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from policies.judging import Recent, Verdict
from policies.model import License, Limit, Limited
from store.limits import DAY
from worker.operations.handing import ARCHIVE, NEEDS_STOCK, RELEASE, Part, Settled, proposal_of, takes_archived
from worker.operations.runs import HeldKind

Removals = Mapping[tuple[Limited, str], int]
JUDGED = (Limited.ARCHIVE, Limited.UNASSIGN, Limited.PURGE)


def removals(settled: Sequence[Settled]) -> Removals:
    """What limits count, by kind and the license that is taken. An archived license that is taken counts as told to
    the engine, too."""
    found: Counter[tuple[Limited, str]] = Counter()
    for intent, _ in settled:
        license = intent.subject.license
        if license is None or intent.kind not in (ARCHIVE, RELEASE):
            continue
        found[Limited.ARCHIVE if intent.kind == ARCHIVE else Limited.UNASSIGN, license] += 1
        if takes_archived(intent):
            found[Limited.PURGE, license] += 1
    return found


def beyond(part: Part) -> Verdict | None:
    """The first limit that a part goes beyond, if any: by number over all licenses, by share of each."""
    counted = removals(part.settled)
    for kind in JUDGED:
        taken = {license: n for (limited, license), n in sorted(counted.items()) if limited is kind}
        for verdict in _verdicts(part, kind, taken):
            if not verdict.passes:
                return verdict
    return None


def _verdicts(part: Part, kind: Limited, taken: Mapping[str, int]) -> Iterator[Verdict]:
    if not taken:
        return
    limit = part.in_force.policy.safety.of(kind)
    recent = {license.value: _recent(part, kind, license) for license in License}
    for license, number in taken.items():
        yield Verdict(kind, number, recent[license], limit)
    others = part.tx.plans.done_to_kinds(part.company.key, kind.value, tuple(License), part.now)
    total = Recent(sum(r.done for r in recent.values()) + others, sum(r.held for r in recent.values()))
    yield Verdict(kind, sum(taken.values()), total, Limit(limit.most))


def _recent(part: Part, kind: Limited, license: License) -> Recent:
    company = part.company.key
    done, held = part.tx.plans.recent(company, kind.value, license.value, part.now)
    if kind is Limited.ARCHIVE and license is License.STANDARD:
        done += part.tx.holdings.in_line(company, kind.value, part.now - DAY)
    return Recent(done, held)


def hold(part: Part, why: str) -> list[HeldKind]:
    """Hold everything of a part that would change a license, for a person to approve: a hold a directory."""
    archives = any(limited is Limited.ARCHIVE for limited, _ in removals(part.settled))
    kind = (Limited.ARCHIVE if archives else Limited.UNASSIGN).value
    actions = [s.intent for s in part.settled if s.intent.kind in (*NEEDS_STOCK, RELEASE) and s.changes_license]
    held = []
    for directory in sorted({intent.subject.directory for intent in actions}):
        own = [proposal_of(intent, part.now) for intent in actions if intent.subject.directory == directory]
        digest = part.tx.plans.hold(
            company=part.company.key, directory=directory, kind=kind, actions=own,
            why=f"{why}; asked for by {part.who}", run=None, policy=part.in_force.version, now=part.now,
        )  # fmt: skip
        held.append(HeldKind(digest, kind, len(own)))
    return held
