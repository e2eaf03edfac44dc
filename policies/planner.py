"""From what should be so and what is so to what has to change: one account at a time, each change with its reason.

A proposal is a change before stock and limits are looked at: `policies.stock` says who gets a seat and who waits,
`policies.judging` what is held. The table of what follows from what is in docs/architecture.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from policies.deciding import DISABLED, KIND_UNKNOWN, MATCHED, NONE, SUSPENDED, TURNED, Desired
from policies.footing import footing as footing
from policies.model import KEEP, NOTHING, Account, AccountKey, Holding, Kind, Leave, License, Source, State, Through

if TYPE_CHECKING:
    from policies.document import Policy, Rule

_STANDARD, _ARCHIVED = License.STANDARD.value, License.ARCHIVED.value
_SEAT, _ENTITLEMENT = Through.SEAT.value, Through.ENTITLEMENT.value
_USER, _SHARED, _UNKNOWN_KIND = Kind.USER.value, Kind.SHARED_MAILBOX.value, Kind.UNKNOWN.value
_PRESENT, _UNKNOWN_STATE = frozenset({State.ACTIVE.value, State.DISABLED.value}), State.UNKNOWN.value
_BY_HAND = frozenset({Source.MANUAL, Source.PINNED})
_MICROSECOND = timedelta(microseconds=1)

# Who is served first (M9): nothing is needed to release; expired holders; archiving frees seats, so it comes before
# what needs them; those who return; everybody else.
RANK_RELEASE, RANK_EXPIRED, RANK_ARCHIVE, RANK_RETURN, RANK_NEW = 0, 10, 20, 22, 30
RANK_TO_ENTITLEMENT = RANK_ARCHIVE + 1
LAST_POSITION = 1_000_000


class Proposal(NamedTuple):
    """One change that a run wants. `kind` is an action kind of the domain, or one that touches no license:

    | kind | meaning |
    | --- | --- |
    | `settle` | it waits for nothing any more, and no grace runs |
    | `grace` | a grace starts now, or goes on, and ends at `since`; it waits for nothing any more |
    | `wait` | no stock can end this wait; `reason` says why |

    A claim that a rule makes (`source` is `rule:…`) ends a grace even while it waits: the account has come back (G4).
    """

    account: AccountKey
    kind: str
    license: str | None
    through: str | None
    held_license: str | None
    held_through: str | None
    rank: int
    rule_position: int
    rule: str
    """The rule that wants it, or whose `on_leave` or `on_disable` does; '' where none does."""
    source: str
    because: str
    since: int
    """How long the account has waited for this license, in the store's microseconds (G5)."""
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
    held_by = holdings.get
    for verdict in desired:
        proposal = propose(verdict, held_by(verdict[0].key, NOTHING), context)
        if proposal is not None:
            yield proposal


def propose(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """What has to change for one account, if anything."""
    account, _, _, _, standing = desired
    state, source = account.state, held.source
    if state not in _PRESENT:
        return _of_the_absent(account, held, context)
    if source in _BY_HAND:
        return _of_the_decided(account, held, context)
    if standing == MATCHED:
        return _of_the_matched(desired, held, context)
    if standing in (SUSPENDED, KIND_UNKNOWN):
        return _of_the_undecidable(desired, held, context)
    return _of_the_left(desired, held, context)


def _of_the_absent(account: Account, held: Holding, context: Context) -> Proposal | None:
    """D1, D2, D7, S3: a license outlives the account as an archive; who holds nothing gets nothing. What a person
    decided is archived at the most, and what is pinned is not (L8). What is unknown is not gone (Z2)."""
    leave = context.policy.deleted_users
    if account.state == _UNKNOWN_STATE or held.source == Source.PINNED:
        return _settled(account, held)
    if held.license != _STANDARD or (held.source == Source.MANUAL and leave.then != "archive"):
        return _settled(account, held)
    giver = context.rule(Source.rule_name(held.source))
    because = f"{account.state} in the directory"
    return _leave(account, held, context, leave, (None, giver), Source.DELETED_USER, because)


def _of_the_decided(account: Account, held: Holding, context: Context) -> Proposal | None:
    """Rules neither take nor give (L8). What the product itself archived when the account was deleted is as the person
    left it once the account is restored (D3), and every license rests on what the account is by now (S5)."""
    if held.license is None:
        return _settled(account, held)
    if held.archived_as_deleted:
        place, because = (RANK_RETURN, LAST_POSITION, ""), "restored in the directory"
        through, source = _through(account, held), held.source or Source.MANUAL
        return _proposal(account, held, context.now, "restore", _STANDARD, through, place, source, because)
    return _moved(account, held, context)


def _of_the_matched(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    account, wanted, rule, because, _ = desired
    assert rule is not None and because is not None  # that is what "matched" means
    source = f"rule:{rule.name}"
    through = _SEAT if account.kind == _USER else _through(account, held)
    license = held.license
    if license is None:
        kind, rank = "assign", RANK_NEW
    elif license == wanted:
        if held.through != through:
            kind, rank = "move", _rank_of_moving_to(through)
        elif held.source != source:
            kind, rank = "move", RANK_RELEASE  # the reason alone (G4)
        elif held.waiting_for is None and held.grace is None:
            return None  # as nearly everybody, nearly always
        else:
            return _settled(account, held)
    elif wanted == _ARCHIVED:
        kind, rank = "archive", RANK_ARCHIVE
    else:
        kind, rank = "restore", RANK_RETURN
    since = context.now if held.waiting_for != wanted or held.waiting_since is None else held.waiting_since
    return Proposal(
        account.key, kind, wanted, through, license, held.through, rank, rule.position, rule.name, source, because.text,
        since, None, account.address, account.id,
    )  # fmt: skip


def _of_the_undecidable(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """It keeps what it holds, gets nothing new, and waits for what it might get (G3, S6). A grace goes on meanwhile,
    but does not end; a change that it waited for may not happen now."""
    account, wanted, rule, _, standing = desired
    if rule is None or wanted is None or held.license in (wanted, _STANDARD):
        return None if held.license is not None and held.waiting_for is None else _settled(account, held)
    reason = "kind_unknown" if standing == KIND_UNKNOWN else "rule_suspended"
    if held.waiting_reason == reason and held.waiting_for == wanted:
        return None
    place, source = (RANK_NEW, rule.position, rule.name), Source.rule(rule.name)
    proposal = _proposal(account, held, context.now, "wait", wanted, _SEAT, place, source, _UNDECIDABLE[reason])
    return proposal._replace(reason=reason)


_UNDECIDABLE = {
    "kind_unknown": "the directory has not said yet whether this is a shared mailbox",
    "rule_suspended": "a group that the rule names cannot be found",
}


def _of_the_left(desired: Desired, held: Holding, context: Context) -> Proposal | None:
    """G4, G7: the rule that gave the license says, as it stands now, what becomes of it; archives stay (L5). A mailbox
    that was turned into another kind moves even where no rule selects it any more (S5)."""
    account = desired.account
    if held.license is None:
        return _settled(account, held)
    if held.license == _STANDARD:
        giver = context.rule(Source.rule_name(held.source))
        leave, source, because, by = _leaving(desired, giver)
        if leave.then != "keep":
            return _leave(account, held, context, leave, (by, giver or by), source, because)
    return _moved(account, held, context)


def _moved(account: Account, held: Holding, context: Context) -> Proposal | None:
    """The same license, on what the account's kind uses (S5)."""
    through = _through(account, held)
    if held.through == through:
        return _settled(account, held)
    source = held.source or Source.IMPORTED
    place = (_rank_of_moving_to(through), LAST_POSITION, Source.rule_name(source) or "")
    because = f"turned into a {account.kind.replace('_', ' ')}"
    return _proposal(account, held, context.now, "move", held.license, through, place, source, because)


def _leaving(desired: Desired, giver: "Rule | None") -> "tuple[Leave, str, str, Rule | None]":
    """What becomes of a standard license, as what, why, and which rule says so."""
    rule = desired.rule
    if is_turned(desired, giver):
        return KEEP, "", "", giver
    if desired.standing == DISABLED:
        by = giver or rule
        return by.on_disable if by else KEEP, Source.ON_DISABLE, "disabled in the directory", by
    leave = giver.on_leave if giver else KEEP
    if desired.standing == NONE and rule is not None:
        return leave, Source.ON_LEAVE, f"rule {rule.name} says none", giver
    because = f"no longer selected by rule {giver.name}" if giver else "held without a rule"
    return leave, Source.ON_LEAVE, because, giver


def is_turned(desired: Desired, giver: "Rule | None") -> bool:
    """Whether the rule that gave the license did so when the mailbox was what it is no more, and a rule would still
    select it: turning a mailbox is not leaving (S5)."""
    if desired.standing != TURNED or giver is None:
        return False
    return (giver.mailboxes == "shared") != (desired.account.kind == _SHARED)


def _leave(
    account: Account,
    held: Holding,
    context: Context,
    leave: Leave,
    rules: "tuple[Rule | None, Rule | None]",
    source: str,
    because: str,
) -> Proposal | None:
    """Take the license at once, or when its grace has run out; until then note when the grace started.

    `rules` are the one that says so, and the one by whose position it stands in line.
    """
    if leave.then == "keep":
        return _settled(account, held)
    by, giver = rules
    position = LAST_POSITION if giver is None else giver.position
    name = "" if by is None else by.name
    after, now = leave.after // _MICROSECOND, context.now
    started = held.grace_started if held.grace == source else None
    ends = (now if started is None else started) + after
    if ends > now:
        if started is not None and held.grace_due in (None, ends):
            return None
        place = (RANK_RELEASE, position, name)
        grace = _proposal(account, held, now, "grace", leave.then, held.through, place, source, because)
        return grace._replace(since=ends)
    if leave.then == "archive":
        place, through = (RANK_ARCHIVE, position, name), _through(account, held)
        return _proposal(account, held, now, "archive", _ARCHIVED, through, place, source, because)
    return _proposal(account, held, now, "release", None, None, (RANK_RELEASE, position, name), source, because)


def _settled(account: Account, held: Holding) -> Proposal | None:
    """Nothing to change for the license; what waited or ran its grace is put to rest."""
    if held.waiting_for is None and held.grace is None:
        return None
    return Proposal(
        account.key, "settle", held.license, held.through, held.license, held.through, RANK_RELEASE, LAST_POSITION, "",
        held.source or "", "", 0, None, account.address, account.id,
    )  # fmt: skip


def _through(account: Account, held: Holding) -> str:
    """Shared mailboxes use no seat (S1); what an account of unknown kind holds stays as it is (S6)."""
    kind = account.kind
    if kind == _SHARED:
        return _ENTITLEMENT
    return held.through or _SEAT if kind == _UNKNOWN_KIND else _SEAT


def _rank_of_moving_to(through: str) -> int:
    return RANK_TO_ENTITLEMENT if through == _ENTITLEMENT else RANK_RETURN


def _proposal(
    account: Account,
    held: Holding,
    now: int,
    kind: str,
    license: str | None,
    through: str | None,
    place: tuple[int, int, str],
    source: str,
    because: str,
) -> Proposal:
    """`place` is rank, the rule's position and its name."""
    rank, position, rule = place
    since = now if held.waiting_for != license or held.waiting_since is None else held.waiting_since
    return Proposal(
        account.key, kind, license, through, held.license, held.through, rank, position, rule, source, because, since,
        None, account.address, account.id,
    )  # fmt: skip
