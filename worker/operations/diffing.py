"""What the policy files as they lie in the folder would change against the versions in force (G8).

Everybody is decided twice over the mirror as it is, a chunk at a time; nothing is written, and no directory is asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from policies.deciding import RuleBook, decide
from policies.document import DirectoryEntry, Policy
from policies.errors import Problem
from policies.judging import judge
from policies.model import NOTHING, Account, AccountKey, Holding, Limited, Memberships
from policies.planner import Context, Proposal, make_plan
from store.times import micros, rfc3339
from worker.operations.policies import in_force, provider_text_in_force
from worker.operations.policy_folder import read_folder
from worker.operations.standing import Standing, standing

if TYPE_CHECKING:
    from store.directories import DirectoryRow
    from store.groups import Closure
    from store.proposals import Chunk
    from store.transaction import Transaction
    from worker.bootstrap import App

REPORTED = 1_000
"""Changes that a difference carries; `total` has their number."""


class Change(msgspec.Struct, frozen=True):
    """What the edit does to one account."""

    company: str
    directory: str
    account: str
    address: str
    effect: str
    """gain, lose, move (another license), reason (the same license because of another rule), wait, stay (it would
    have changed under the policy in force, and will not)."""
    held: str | None
    license: str | None
    """What it comes to under the files."""
    when: str | None
    """When a grace runs first, its end."""
    because: str


class Beyond(msgspec.Struct, frozen=True):
    """A kind of change that a safety limit would hold."""

    company: str
    kind: str
    why: str


@dataclass
class Difference:
    """What the files would change."""

    problems: tuple[Problem, ...] = ()
    changes: list[Change] = field(default_factory=list)
    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    held: list[Beyond] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What cannot be told before the next run, and what changes beside accounts."""

    def add(self, change: Change) -> None:
        self.total += 1
        self.counts[change.effect] = self.counts.get(change.effect, 0) + 1
        if len(self.changes) < REPORTED:
            self.changes.append(change)


def difference(app: "App") -> Difference:
    """Decide everybody by the policy in force and by the file as it is now, and tell where the two part."""
    with app.store.read() as tx:
        kept = provider_text_in_force(tx)
    folder = read_folder(app.settings.policy_dir, app.kinds, kept)
    found = Difference(folder.problems)
    files: dict[str, Policy] = {file.policy.company: file.policy for file in folder.files if file.policy is not None}
    broken = {problem.mark.file for problem in folder.problems}
    now = micros(app.clock())
    with app.store.read() as tx:
        known = {version.company: version.file for version in tx.versions.all_in_force()}
        for company in sorted({*known, *files}):
            if company not in files:
                if known[company] not in broken:
                    found.notes.append(f"{company}: its file is gone; it is frozen, and its licenses stay as they are")
            elif company not in known:
                found.notes.append(f"{company}: new; `seatkeeper sync --dry-run` shows what it would do")
            else:
                _of_company(app, tx, company, files[company], now, found)
    return found


def _of_company(app: "App", tx: "Transaction", company: str, policy: Policy, now: int, found: Difference) -> None:
    old = in_force(app, tx, company)
    if old is None or old.policy == policy:
        return
    row = tx.directories.company(company)
    removals: dict[Limited, int] = {}
    entries: dict[str, DirectoryEntry] = {entry.id: entry for entry in policy.directories}
    for directory in tx.directories.all(row.key):
        before, after = old.entry(directory.id), entries.pop(directory.id, None)
        if directory.retired or before is None:
            continue
        if after is None:
            found.notes.append(f"{directory.id}: in no file any more; it is frozen, and its licenses stay as they are")
            continue
        sides = (standing(app, tx, directory, old.policy, before), standing(app, tx, directory, policy, after))
        found.notes += _suspended(directory.id, "group", sides[1].groupless)
        found.notes += _suspended(directory.id, "organizational unit", sides[1].placeless)
        contexts = (Context(old.policy, now), Context(policy, now))
        for proposal in _of_directory(tx, company, directory, sides, contexts, found):
            if proposal.kind in (Limited.ARCHIVE, Limited.RELEASE):
                removals[Limited(proposal.kind)] = removals.get(Limited(proposal.kind), 0) + 1
    found.notes += [f"{id}: new; `seatkeeper sync --dry-run {id}` shows what it would do" for id in entries]
    recent = {kind: tx.plans.recent(row.key, kind.value, "standard", now) for kind in removals}
    found.held += [
        Beyond(company, verdict.kind.value, verdict.why) for verdict in judge(removals, policy.safety, recent).held
    ]


def _suspended(directory: str, what: str, rules: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Rules that come to nothing here for as long as nobody knows what a name in them stands for (G3)."""
    for rule, names in sorted(rules.items()):
        yield (
            f"{directory}: rule {rule!r} names {', '.join(map(repr, names))}, and no such {what} is known here. If the"
            " next run finds none either, the rule is suspended: whoever it might match keeps what they hold, and gets"
            " nothing new"
        )


def _of_directory(
    tx: "Transaction",
    company: str,
    directory: "DirectoryRow",
    sides: tuple[Standing, Standing],
    contexts: tuple[Context, Context],
    found: Difference,
) -> Iterator[Proposal]:
    """Note the accounts that the two sides treat differently; hands out what the new side would do to anybody."""
    closures = tuple(tx.groups.closure(directory.key, side.bound) if side.bound else None for side in sides)
    for chunk in tx.proposals.whole(directory.key):
        before, after = (
            dict(_proposals(tx, directory.key, chunk, side.book, closure, context))
            for side, closure, context in zip(sides, closures, contexts, strict=True)
        )
        yield from after.values()
        for account in chunk.accounts:
            old, new = before.get(account.key), after.get(account.key)
            if _same(old, new):
                continue
            held = chunk.holdings.get(account.key, NOTHING)
            found.add(_change(company, directory.id, account, held, old, new))


def _proposals(
    tx: "Transaction", directory: int, chunk: "Chunk", book: RuleBook, closure: "Closure | None", context: Context
) -> Iterator[tuple[AccountKey, Proposal]]:
    members: Memberships = {}
    if closure is not None:
        members = tx.groups.memberships(closure, directory, {account.id: account.key for account in chunk.accounts})
    for proposal in make_plan(decide(chunk.accounts, members, book), chunk.holdings, context):
        yield proposal.account, proposal


def _same(old: Proposal | None, new: Proposal | None) -> bool:
    """Whether both come to the same for a person: the license, how it rests, its reason, and when."""
    return _told(old) == _told(new)


def _told(proposal: Proposal | None) -> tuple[object, ...] | None:
    if proposal is None or proposal.kind == "settle":
        return None
    when = proposal.since if proposal.kind == "grace" else None
    return (proposal.kind, proposal.license, proposal.through, proposal.source, proposal.reason, when)


def _change(
    company: str, directory: str, account: Account, held: Holding, old: Proposal | None, new: Proposal | None
) -> Change:
    effect, license, when = _effect(held, new)
    if effect == "stay" and old is not None:
        because = f"it would no longer be {_PARTICIPLES.get(old.kind, old.kind)}"
    else:
        because = "" if new is None else new.because
    return Change(company, directory, account.id, account.address, effect, held.license, license, when, because)


_PARTICIPLES = {
    "assign": "licensed", "archive": "archived", "release": "released", "grace": "released after its grace",
    "restore": "restored", "move": "moved", "wait": "waiting",
}  # fmt: skip


def _effect(held: Holding, new: Proposal | None) -> tuple[str, str | None, str | None]:
    """What it comes to: the effect, the license then, and when."""
    if new is None or new.kind == "settle":
        return "stay", held.license, None
    if new.kind == "grace":
        then = "archived" if new.license == "archive" else None
        return ("move" if then else "lose"), then, rfc3339(new.since)
    if new.kind == "wait":
        return "wait", held.license, None
    if new.license is None:
        return "lose", None, None
    if held.license is None:
        return "gain", new.license, None
    return ("reason" if new.license == held.license and new.through == held.through else "move"), new.license, None
