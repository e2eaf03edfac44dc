"""From what should be so and what is so to what has to change: one account at a time, each change with its reason.

A proposal is a change before stock and limits are looked at: `policies.stock` says who gets a seat and who waits,
`policies.judging` what is held. The table of what follows from what is in docs/architecture.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from policies.deciding import Desired
from policies.model import KEEP, NOTHING, Account, AccountKey, Holding, Kind, Leave, License, Source, State, Through

if TYPE_CHECKING:
    from policies.document import Policy, Rule

_STANDARD, _ARCHIVED = License.STANDARD.value, License.ARCHIVED.value
_GONE = (State.DELETED.value, State.PURGED.value)

# Who is served first (M9): nothing is needed to release; expired holders; archiving frees seats, so it comes before
# what needs them; those who return; everybody else.
RANK_RELEASE, RANK_EXPIRED, RANK_ARCHIVE, RANK_RETURN, RANK_NEW = 0, 10, 20, 22, 30
LAST_POSITION = 1_000_000


class Proposal(NamedTuple):
    """One change that a run wants. `kind` is an action kind of the domain, or one that touches no license:
    `settle` (it waits for nothing any more), `grace` (a grace starts), `wait` (no stock can end this wait)."""

    account: AccountKey
    kind: str
    license: str | None
    through: str | None
    held_license: str | None
    held_through: str | None
    rank: int
    rule_position: int
    rule: str
    source: str
    because: str
    since: int
    reason: str | None
    address: str
    id: str
    footing: str = ""
    """What a removal rests on: a person's rejection stands while it is the same (Z1)."""


@dataclass(frozen=True)
class Context:
    """What every account of a run shares; `now` is in the store's microseconds."""

    policy: "Policy"
    now: int

    def rule(self, name: str | None) -> "Rule | None":
        return None if name is None else self.policy.rule_named(name)


def make_plan(
    desired: Iterable[Desired], holdings: Mapping[AccountKey, Holding], context: Context
) -> Iterator[Proposal]:
    """What has to change for these accounts; nothing for those that are as they should be."""
    for verdict in desired:
        proposal = propose(verdict, holdings.get(verdict.account.key, NOTHING), context)
        if proposal is not None:
            yield proposal


def propose(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """What has to change for one account, if anything."""
    state = desired.account.state
    if held.source == Source.PINNED or state == State.UNKNOWN:
        return _settled(desired, held)
    if state in _GONE:
        return _of_the_deleted(desired, held, context)
    if held.source == Source.MANUAL:
        return _settled(desired, held)
    if desired.standing == "matched":
        return _of_the_matched(desired, held, context)
    if desired.standing in ("suspended", "kind_unknown"):
        return _of_the_undecidable(desired, held, context)
    return _of_the_left(desired, held, context)


def footing(account: Account, groups: Iterable[str], rule: "Rule | None") -> str:
    """A digest of the account as the directory has it, its memberships and its rule."""
    told = (account[1:], sorted(groups), repr(rule))
    return sha256(repr(told).encode()).hexdigest()[:32]


def _of_the_deleted(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """D1, D2, D7, S3: a license outlives the account as an archive; who holds nothing gets nothing."""
    if held.license != _STANDARD:
        return _settled(desired, held)
    leave = context.policy.deleted_users
    state = desired.account.state
    return _leave(desired, held, context, leave, Source.DELETED_USER, f"{state} in the directory")


def _of_the_matched(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    rule, because = desired.rule, desired.because
    assert rule is not None and because is not None  # that is what "matched" means
    wanted, source = desired.license, Source.rule(rule.name)
    through = _through(desired.account, held)

    def change(kind: str, rank: int, to: str | None = through) -> Proposal:
        return _proposal(desired.account, held, context, kind, wanted, to, rank, rule.position, source, because.text)

    if held.license is None:
        return change("assign", RANK_NEW)
    if held.license == wanted:
        if held.through != through:
            return change("move", RANK_ARCHIVE + 1 if through == Through.ENTITLEMENT else RANK_RETURN)
        if held.source != source:
            return change("move", RANK_RELEASE, held.through)  # the reason alone (G4)
        return _settled(desired, held)
    if wanted == _ARCHIVED:
        return change("archive", RANK_ARCHIVE)
    return change("restore", RANK_RETURN)


def _of_the_undecidable(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """It keeps what it holds and waits if it holds nothing (G3, S6); a grace that runs goes on but does not end."""
    if held.license is not None or desired.rule is None:
        return None if held.license is not None else _settled(desired, held)
    reason = "kind_unknown" if desired.standing == "kind_unknown" else "rule_suspended"
    rule = desired.rule
    if held.waiting_reason == reason and held.waiting_for == (rule.license or _STANDARD):
        return None
    proposal = _proposal(
        desired.account, held, context, "wait", rule.license or _STANDARD, Through.SEAT.value, RANK_NEW, rule.position,
        Source.rule(rule.name), _UNDECIDABLE[reason],
    )  # fmt: skip
    return proposal._replace(reason=reason)


_UNDECIDABLE = {
    "kind_unknown": "the directory has not said yet whether this is a shared mailbox",
    "rule_suspended": "a group that the rule names cannot be found",
}


def _of_the_left(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """G4, G7: the rule that gave the license says, as it stands now, what becomes of it; archives stay (L5)."""
    if held.license != _STANDARD:
        return _settled(desired, held)
    giver = context.rule(Source.rule_name(held.source))
    if desired.standing == "disabled":
        rule = giver or desired.rule
        leave, source, because = (rule.on_disable if rule else KEEP), Source.ON_DISABLE, "disabled in the directory"
    else:
        leave, source = (giver.on_leave if giver else KEEP), Source.ON_LEAVE
        because = f"no longer selected by rule {giver.name}" if giver else "held without a rule"
        if desired.standing == "none" and desired.rule is not None:
            because = f"rule {desired.rule.name} says none"
    if leave.then != "keep":
        return _leave(desired, held, context, leave, source, because)
    through = _through(desired.account, held)
    if held.through != through:  # S5: a converted mailbox moves even where no rule selects it any more
        rank = RANK_ARCHIVE + 1 if through == Through.ENTITLEMENT else RANK_RETURN
        source = held.source or Source.IMPORTED
        because = f"turned into a {desired.account.kind.replace('_', ' ')}"
        return _proposal(
            desired.account, held, context, "move", held.license, through, rank, LAST_POSITION, source, because
        )
    return _settled(desired, held)


def _leave(
    desired: Desired, held: Holding, context: Context, leave: Leave, source: str, because: str
) -> Proposal | None:
    """Take the license at once, or when its grace has run out; until then note when the grace started."""
    if leave.then == "keep":
        return _settled(desired, held)
    after = round(leave.after.total_seconds() * 1_000_000)
    started = held.grace_started if held.grace == source else None
    rule = Source.rule_name(held.source) or ""
    giver = context.rule(rule or None)
    position = giver.position if giver else LAST_POSITION
    if after > 0 and (started is None or started + after > context.now):
        if started is not None:
            return None
        proposal = _proposal(
            desired.account, held, context, "grace", leave.then, held.through, RANK_RELEASE, position, source, because
        )
        return proposal._replace(rule=rule, since=context.now + after)
    if leave.then == "archive":
        to = Through.ENTITLEMENT.value if desired.account.kind == Kind.SHARED_MAILBOX else Through.SEAT.value
        return _proposal(
            desired.account, held, context, "archive", _ARCHIVED, to, RANK_ARCHIVE, position, source, because
        )
    return _proposal(desired.account, held, context, "release", None, None, RANK_RELEASE, position, source, because)


def _settled(desired: Desired, held: Holding) -> Proposal | None:
    """Nothing to change for the license; what waited or ran its grace is put to rest."""
    if held.waiting_for is None and held.grace is None:
        return None
    account = desired.account
    return Proposal(
        account.key, "settle", held.license, held.through, held.license, held.through, RANK_RELEASE, LAST_POSITION, "",
        held.source or "", "", 0, None, account.address, account.id,
    )  # fmt: skip


def _through(account: Account, held: Holding) -> str:
    """Shared mailboxes use no seat (S1); what an account of unknown kind holds stays as it is (S6)."""
    if account.kind == Kind.UNKNOWN and held.through is not None:
        return held.through
    return Through.ENTITLEMENT.value if account.kind == Kind.SHARED_MAILBOX else Through.SEAT.value


def _proposal(
    account: Account,
    held: Holding,
    context: Context,
    kind: str,
    license: str | None,
    through: str | None,
    rank: int,
    position: int,
    source: str,
    because: str,
) -> Proposal:
    since = held.waiting_since if held.waiting_since is not None and held.waiting_for == license else context.now
    return Proposal(
        account.key, kind, license, through, held.license, held.through, rank, position,
        Source.rule_name(source) or "", source, because, since, None, account.address, account.id,
    )  # fmt: skip
