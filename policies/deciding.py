"""Rules, top to bottom: who should hold which license, and why (G1, G2, G3, G7, S6).

Runs once per account, for a million of them: everything that does not depend on the account is worked out in
`RuleBook`, and a verdict costs a few comparisons.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from policies.model import Account, Because, GroupRef, Kind, Memberships, State

if TYPE_CHECKING:
    from policies.document import DirectoryEntry, Policy, Rule


class Desired(NamedTuple):
    """What the rules say of one account.

    `standing` is how they came to it:

    | standing | meaning |
    | --- | --- |
    | `matched` | `rule` gives `license` |
    | `none` | `rule` says `license: none`; what is held is treated as left |
    | `disabled` | `rule` would match if the account could sign in (G7) |
    | `left` | no rule matches |
    | `suspended` | `rule` is suspended and might match (G3) |
    | `kind_unknown` | the directory has not said yet whether this is a shared mailbox, and a rule might match (S6) |
    """

    account: Account
    license: str | None
    rule: "Rule | None"
    because: Because | None
    standing: str


class RuleSaid(NamedTuple):
    """What one rule said of one account, for `why` (G9)."""

    rule: "Rule"
    said: str
    """matched, suspended, `not reached`, or why not."""
    because: Because | None


_KINDS = {"user": frozenset({Kind.USER.value}), "shared": frozenset({Kind.SHARED_MAILBOX.value})}
_INCLUDED = {"guests": Kind.GUEST, "rooms": Kind.ROOM, "resources": Kind.RESOURCE}
_EITHER = (Kind.USER, Kind.SHARED_MAILBOX)


@dataclass(frozen=True)
class Line:
    """One rule, made ready for the loop."""

    rule: "Rule"
    unresolved: frozenset[GroupRef] = frozenset()
    """The groups for whose sake the rule is suspended."""

    @property
    def suspended(self) -> bool:
        return bool(self.unresolved)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The account kinds that it selects."""
        own = _KINDS[self.rule.mailboxes or "user"]
        return own | {_INCLUDED[extra].value for extra in self.rule.include if extra in _INCLUDED}

    @cached_property
    def takes_disabled(self) -> bool:
        """Shared mailboxes are selected whatever their sign-in state (G2)."""
        return self.rule.mailboxes == "shared" or "disabled" in self.rule.include

    def selects(self, account: Account, memberships: Memberships) -> Because | None:
        """Why all conditions hold, or None. Does not look at kind and sign-in state."""
        reasons = []
        for condition in self.rule.conditions:
            because = condition.matches(account, memberships)
            if because is None:
                return None
            reasons.append(because.text)
        if self.rule.exceptions is not None and self.rule.exceptions.matches(account, memberships) is not None:
            return None
        return self._because(tuple(reasons))

    def might_select(self, account: Account, memberships: Memberships) -> bool:
        """Whether everything that can be evaluated admits the account, while a group cannot be found (G3)."""
        for condition in self.rule.conditions:
            if condition.matches(account, memberships) is None and self.unresolved.isdisjoint(condition.refs):
                return False
        return self.rule.exceptions is None or self.rule.exceptions.matches(account, memberships) is None

    @cached_property
    def _reasons(self) -> dict[tuple[str, ...], Because]:
        return {}

    def _because(self, reasons: tuple[str, ...]) -> Because:
        known = self._reasons.get(reasons)
        if known is None:
            text = " and ".join(dict.fromkeys(reasons)) or "selected by kind"
            known = self._reasons[reasons] = Because(self.rule.name, text, self.rule.mark)
        return known


@dataclass(frozen=True)
class RuleBook:
    """The rules of a policy as they stand for one directory in this run."""

    lines: tuple[Line, ...]
    unknown_is_user: bool = False

    def verdict(self, account: Account, memberships: Memberships) -> Desired:
        """What the first rule that matches says of the account."""
        kind = account.kind
        if kind == Kind.UNKNOWN and self.unknown_is_user:
            kind = Kind.USER.value
        if kind == Kind.UNKNOWN:
            return self._of_unknown_kind(account, memberships)
        enabled = account.state != State.DISABLED
        disabled_by: tuple[Rule, Because] | None = None
        for line in self.lines:
            if kind not in line.kinds:
                continue
            if line.suspended:
                if (enabled or line.takes_disabled) and line.might_select(account, memberships):
                    return Desired(account, None, line.rule, None, "suspended")
                continue
            because = line.selects(account, memberships)
            if because is None:
                continue
            if not (enabled or line.takes_disabled):
                disabled_by = disabled_by or (line.rule, because)
                continue
            standing = "matched" if line.rule.license is not None else "none"
            return Desired(account, line.rule.license, line.rule, because, standing)
        if disabled_by is not None:
            return Desired(account, None, disabled_by[0], disabled_by[1], "disabled")
        return Desired(account, None, None, None, "left")

    def _of_unknown_kind(self, account: Account, memberships: Memberships) -> Desired:
        """It waits if it would get a license as a user or as a shared mailbox, and keeps what it has in any case."""
        for kind in _EITHER:
            verdict = self.verdict(account._replace(kind=kind.value), memberships)
            if verdict.standing in ("matched", "suspended"):
                return verdict._replace(account=account, license=None, standing="kind_unknown")
        return Desired(account, None, None, None, "kind_unknown")

    def explain(self, account: Account, memberships: Memberships) -> Iterator[RuleSaid]:
        """What each rule says of the account, top to bottom (G9)."""
        verdict = self.verdict(account, memberships)
        kind = Kind.USER.value if account.kind == Kind.UNKNOWN else account.kind
        reached = True
        for line in self.lines:
            because = None if line.suspended else line.selects(account, memberships)
            if not reached:
                said = "not reached: a rule above decides" if because else "does not match, and a rule above decides"
            elif kind not in line.kinds:
                said = f"selects {_named(line.kinds)}, and this is a {kind.replace('_', ' ')}"
            elif line.suspended:
                said = "suspended: a group that it names cannot be found"
            elif because is None:
                said = "does not match"
            elif account.state == State.DISABLED and not line.takes_disabled:
                said = f"would match ({because.text}), but the account is disabled"
            else:
                said = f"matches: {because.text}"
            if verdict.rule is line.rule and verdict.standing in ("matched", "none", "suspended"):
                reached = False
            yield RuleSaid(line.rule, said, because)


def rule_book(
    policy: "Policy",
    entry: "DirectoryEntry",
    suspended: Mapping[str, Sequence[GroupRef]] = MappingProxyType({}),
    *,
    org_units: bool = True,
) -> RuleBook:
    """The rules of `policy` that apply to the directory; `suspended` names those that cannot be evaluated and the
    groups that are missing (G3).

    A rule applies to every directory of the company that can evaluate it, unless it names its directories.
    """
    lines = tuple(
        Line(rule, frozenset(suspended.get(rule.name, ())))
        for rule in policy.rules
        if (rule.directories is None or entry.id in rule.directories) and (org_units or not _needs_org_units(rule))
    )
    return RuleBook(lines, unknown_is_user=entry.unknown_mailboxes == "user")


def decide(accounts: Iterable[Account], memberships: Memberships, book: RuleBook) -> Iterator[Desired]:
    """Who should hold which license, a chunk of accounts at a time: a whole tenant never stands in memory."""
    verdict = book.verdict
    for account in accounts:
        yield verdict(account, memberships)


def suspended_rules(policy: "Policy", unresolved: Iterable[GroupRef]) -> dict[str, tuple[GroupRef, ...]]:
    """The rules that name a group which could not be resolved, each with those names; `except` groups count (G3)."""
    missing = frozenset(unresolved)
    found = {rule.name: tuple(ref for ref in rule.group_refs if ref in missing) for rule in policy.rules}
    return {name: refs for name, refs in found.items() if refs}


def _needs_org_units(rule: "Rule") -> bool:
    return any(condition.key == "org_units" for condition in rule.conditions)


def _named(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kind.replace("_", " ") + ("es" if kind.endswith("x") else "s") for kind in kinds))
