"""Why an account has what it has (G9): the rule that decides, the groups that count, and what each other rule said.

Everything is read for this one account, out of the mirror as it was last read.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from policies.deciding import LEFT, TURNED, Desired
from policies.errors import SeatkeeperError
from policies.model import NOTHING, Holding, Leave, Memberships, Source
from policies.planner import Context, Proposal, is_turned, propose
from store.account_pages import AccountRow
from store.ancestry import Above, Ancestry, memberships_of
from store.times import micros, rfc3339, span
from worker.operations.policies import InForce, in_force
from worker.operations.standing import Standing, standing

if TYPE_CHECKING:
    from store.transaction import Transaction
    from store.views import Named
    from worker.bootstrap import App


class NoPolicy(SeatkeeperError):
    """No policy in force names the account's directory, so nothing is decided for it."""

    code = "no_policy"


class RuleSaid(msgspec.Struct, frozen=True):
    """What one rule says of the account."""

    rule: str
    said: str
    decides: bool
    mark: str


class Group(msgspec.Struct, frozen=True):
    """A group that the account is in, and the group through which it is, if not directly."""

    id: str
    name: str
    address: str
    through: str | None
    named_as: str | None
    """How the policy names it; None for groups that only lead to one that it names."""


class Decision(msgspec.Struct, frozen=True):
    """What the rules come to."""

    standing: str
    """matched, none, disabled, left, suspended or kind_unknown; `by_hand` and `gone` where rules are not asked."""
    text: str
    license: str | None
    rule: str | None
    because: str | None
    mark: str | None


class Grace(msgspec.Struct, frozen=True):
    """A grace that runs: what ends with it, and when."""

    kind: str
    since: str
    then: str
    ends: str


class Explained(msgspec.Struct, frozen=True):
    """An account as the list shows it, and the decision about it."""

    account: AccountRow
    decision: Decision
    rules: list[RuleSaid]
    groups: list[Group]
    grace: Grace | None
    next: str | None
    """What the next run will do about it; None if it is as it should be."""
    policy: str
    """The file and version in force."""
    directory_state: str


def explain(app: "App", name: str) -> Explained:
    """Explain the account of that id or address. Raises NotFound, Ambiguous and NoPolicy."""
    now = micros(app.clock())
    with app.store.read() as tx:
        named = tx.views.account_by_name(name)
        row = tx.directories.by_key(named.directory)
        policy = in_force(app, tx, named.company_id)
        entry = None if policy is None else policy.entry(row.id)
        if policy is None or entry is None:
            raise NoPolicy(f"no policy in force names the directory {row.id}; nothing is decided for {name}")
        rules = standing(app, tx, row, policy.policy, entry)
        return _explained(tx, named, policy, rules, row.state, now)


def _explained(tx: "Transaction", named: "Named", policy: InForce, rules: Standing, state: str, now: int) -> Explained:
    chunk = tx.proposals.one(named.key)
    assert chunk is not None  # the account was found in this transaction
    account = chunk.accounts[0]
    held = chunk.holdings.get(account.key, NOTHING)
    above = Ancestry(tx).groups_of(named.directory, named.id) if rules.bound else []
    members = memberships_of(account.key, above, rules.bound)
    desired = rules.book.verdict(account, members)
    context = Context(policy.policy, now)
    proposal = propose(desired, held, context)
    version = tx.versions.version(policy.version)
    return Explained(
        tx.views.account(named.key, now),
        _decision(_as_left(desired, held, context), held),
        _said(desired, held, rules, members),
        [_group(group, rules) for group in above],
        _grace(desired, held, context),
        _next(proposal, held),
        f"{version.file}, version {version.n}",
        state,
    )


def _as_left(desired: Desired, held: Holding, context: Context) -> Desired:
    """That a rule is for the other kind of mailbox means something only to those whose mailbox was turned (S5)."""
    if desired.standing != TURNED or is_turned(desired, context.rule(Source.rule_name(held.source))):
        return desired
    return Desired(desired.account, None, None, None, LEFT)


def _decision(desired: Desired, held: Holding) -> Decision:
    rule, because = desired.rule, desired.because
    mark = None if rule is None else str(rule.mark)
    reason = None if because is None else because.text
    if held.source in (Source.MANUAL, Source.PINNED):
        text = "a person decided, and rules neither take nor give"
        return Decision("by_hand", text, held.license, None, held.because, None)
    if desired.account.state in ("deleted", "purged"):
        text = f"{desired.account.state} in the directory: rules are not asked, `deleted_users` decides"
        return Decision("gone", text, held.license, None, held.because, None)
    name = "" if rule is None else rule.name
    text = {
        "matched": f"rule {name!r} decides: {reason}",
        "none": f"rule {name!r} says none: {reason}",
        "disabled": f"rule {name!r} would match ({reason}), but the account is disabled",
        "turned": f"no rule matches; rule {name!r} would if the mailbox were of the other kind",
        "left": "no rule matches",
        "suspended": f"rule {name!r} might match, but a group that it names cannot be found: nothing changes",
        "kind_unknown": "the directory has not said yet whether this is a shared mailbox: nothing changes",
    }[desired.standing]
    return Decision(desired.standing, text, desired.license, name or None, reason, mark)


def _said(desired: Desired, held: Holding, rules: Standing, members: Memberships) -> list[RuleSaid]:
    decided = held.source not in (Source.MANUAL, Source.PINNED) and desired.account.state not in ("deleted", "purged")
    return [
        RuleSaid(said.rule.name, said.said, decided and said.rule is desired.rule, str(said.rule.mark))
        for said in rules.book.explain(desired.account, members)
    ]


def _group(group: Above, rules: Standing) -> Group:
    named_as = next((ref for ref, id in rules.bound.items() if id == group.id), None)
    return Group(group.id, group.name, group.address, group.through, named_as)


def _grace(desired: Desired, held: Holding, context: Context) -> Grace | None:
    """The grace as its rule says it now (G4)."""
    if held.grace is None or held.grace_started is None:
        return None
    leave = _leave(desired, held, context)
    ends = held.grace_started + span(leave.after)
    return Grace(held.grace, rfc3339(held.grace_started) or "", leave.then, rfc3339(ends) or "")


def _leave(desired: Desired, held: Holding, context: Context) -> Leave:
    if held.grace == Source.DELETED_USER:
        return context.policy.deleted_users
    giver = context.rule(Source.rule_name(held.source))
    rule = (giver or desired.rule) if held.grace == Source.ON_DISABLE else giver
    if rule is None:
        return Leave("keep", timedelta(0))
    return rule.on_disable if held.grace == Source.ON_DISABLE else rule.on_leave


_VERBS = {"assign": "give it", "archive": "give it", "restore": "move it back to", "move": "move it to"}


def _next(proposal: Proposal | None, held: Holding) -> str | None:
    """What a run would do now, in words."""
    if proposal is None or proposal.kind == "settle":
        return None
    if proposal.kind == "grace":
        ends = rfc3339(proposal.since)
        return f"start the grace at whose end, on {ends}, the license is {_ENDS[proposal.license or 'release']}"
    if proposal.kind == "release":
        return f"take the license: {proposal.because}"
    if proposal.kind == "wait":
        return f"let it wait: {proposal.because}"
    waits = f", as soon as there is one ({held.waiting_reason.replace('_', ' ')})" if held.waiting_reason else ""
    what = "license" if proposal.through == "seat" else "license through the entitlement"
    return f"{_VERBS[proposal.kind]} {'an' if proposal.license == 'archived' else 'a'} {proposal.license} {what}{waits}"


_ENDS = {"release": "taken", "archive": "archived"}
