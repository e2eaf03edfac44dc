"""Rules, top to bottom: who should hold which license, and why (G1, G2, G3, G7, S6).

Runs once per account, for a million of them: everything that does not depend on the account is worked out in
`Line` and `RuleBook`, and a verdict is one call per rule until a rule decides.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from policies.model import Account, Because, GroupRef, Kind, Memberships, State

if TYPE_CHECKING:
    from policies.conditions import Condition
    from policies.document import DirectoryEntry, Policy, Rule


class Desired(NamedTuple):
    """What the rules say of one account.

    `standing` is how they came to it:

    | standing | meaning |
    | --- | --- |
    | `matched` | `rule` gives `license` |
    | `none` | `rule` says `license: none`; what is held is treated as left |
    | `disabled` | `rule` would match if the account could sign in (G7) |
    | `turned` | no rule matches; `rule` would, or might, were the mailbox of the other kind: shared, or a user's (S5) |
    | `left` | no rule matches |
    | `suspended` | `rule` is suspended and might match; without it the account might get `license` (G3) |
    | `kind_unknown` | the directory has not said yet which kind of mailbox it is; `rule` might give `license` (S6) |

    The last two name no rule where the account would get nothing in any case, and so waits for nothing.
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
    """matches, suspended, not reached, or why not."""
    because: Because | None


Selects = Callable[[Account, Memberships], Because | None]

MATCHED, NONE, DISABLED, TURNED, LEFT, SUSPENDED, KIND_UNKNOWN = (
    "matched", "none", "disabled", "turned", "left", "suspended", "kind_unknown",
)  # fmt: skip

_USER, _SHARED, _UNKNOWN = Kind.USER.value, Kind.SHARED_MAILBOX.value, Kind.UNKNOWN.value
_TURNED_FROM = {_USER: _SHARED, _SHARED: _USER}
_DISABLED = State.DISABLED.value
_INCLUDED = {"guests": Kind.GUEST.value, "rooms": Kind.ROOM.value, "resources": Kind.RESOURCE.value}
_NO_GROUP = "a group that the rule names cannot be found"
_NO_UNIT = "an organizational unit that the rule names cannot be found"


@dataclass(frozen=True)
class Line:
    """One rule, made ready for the loop."""

    rule: "Rule"
    unresolved: frozenset[str] = frozenset()
    """The groups and organizational units for whose sake the rule is suspended."""
    units: Mapping[str, str] | None = None
    """What organizational units stand for, where accounts carry their ids (G3)."""

    @cached_property
    def suspended(self) -> bool:
        return bool(self.unresolved)

    @cached_property
    def standing(self) -> str:
        """Of the accounts that it selects."""
        if self.suspended:
            return SUSPENDED
        return NONE if self.rule.license is None else MATCHED

    @cached_property
    def decides(self) -> bool:
        """Whether the search ends with it; a suspended `license: none` only might have ended it."""
        return self.rule.license is not None or not self.suspended

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The account kinds that it selects."""
        own = _SHARED if self.rule.mailboxes == "shared" else _USER
        return frozenset({own, *(_INCLUDED[extra] for extra in self.rule.include if extra in _INCLUDED)})

    @cached_property
    def takes_disabled(self) -> bool:
        """Shared mailboxes are selected whatever their sign-in state (G2)."""
        return self.rule.mailboxes == "shared" or "disabled" in self.rule.include

    @cached_property
    def selects(self) -> Selects:
        """Why all conditions hold, or None; of a suspended rule, why they might. Does not look at kind and sign-in
        state."""
        if self.suspended:
            return self._might_select
        if len(self._conditions) == 1 and self.rule.exceptions is None and self.rule.mailboxes != "shared":
            return self._conditions[0].matches
        return self._selects

    @cached_property
    def _conditions(self) -> "tuple[Condition, ...]":
        """All but `mailboxes`: which kinds of mailbox are meant is said by `kinds`, which knows of `include` too."""
        return tuple(self._placed(condition) for condition in self.rule.conditions if condition.key != "mailboxes")

    @cached_property
    def _exceptions(self) -> "Condition | None":
        return None if self.rule.exceptions is None else self._placed(self.rule.exceptions)

    def _placed(self, condition: "Condition") -> "Condition":
        return condition if self.units is None or not condition.units else condition.placed(self.units)

    def _selects(self, account: Account, memberships: Memberships) -> Because | None:
        reasons = [account.kind.replace("_", " ")] if self.rule.mailboxes == "shared" else []
        for condition in self._conditions:
            because = condition.matches(account, memberships)
            if because is None:
                return None
            reasons.append(because.text)
        return None if self._excepts(account, memberships) else self._because(tuple(reasons))

    def _might_select(self, account: Account, memberships: Memberships) -> Because | None:
        """Everything that can be evaluated admits the account, while a group cannot be found (G3)."""
        for condition in self._conditions:
            needs = (*condition.refs, *condition.units)
            if condition.matches(account, memberships) is None and self.unresolved.isdisjoint(needs):
                return None
        lost = _NO_GROUP if self.unresolved.isdisjoint(self.rule.unit_refs) else _NO_UNIT
        return None if self._excepts(account, memberships) else self._because((lost,))

    def _excepts(self, account: Account, memberships: Memberships) -> bool:
        excepted = self._exceptions
        return excepted is not None and excepted.matches(account, memberships) is not None

    @cached_property
    def _reasons(self) -> dict[tuple[str, ...], Because]:
        return {}

    def _because(self, reasons: tuple[str, ...]) -> Because:
        """Few combinations occur, so each is built once."""
        known = self._reasons.get(reasons)
        if known is None:
            text = " and ".join(dict.fromkeys(reasons)) or "selected by kind"
            known = self._reasons[reasons] = Because(self.rule.name, text, self.rule.mark)
        return known


_Lines = tuple[tuple[Selects, "Rule", str, Line], ...]
"""What the loop needs of each line, so that it looks nothing up: how to ask, the rule, its standing, the line."""


@dataclass(frozen=True)
class RuleBook:
    """The rules of a policy as they stand for one directory in this run."""

    lines: tuple[Line, ...]
    unknown_is_user: bool = False
    _by_kind: Mapping[str, _Lines] = field(init=False, repr=False, compare=False)
    """The rules that an account of each kind has to be asked about."""

    def __post_init__(self) -> None:
        ready = [(line.selects, line.rule, line.standing, line) for line in self.lines]
        by_kind = {kind.value: tuple(r for r in ready if kind.value in r[3].kinds) for kind in Kind}
        object.__setattr__(self, "_by_kind", by_kind)

    def verdict(self, account: Account, memberships: Memberships) -> Desired:
        """What the first rule that matches says of the account."""
        kind = account.kind
        if kind == _UNKNOWN:
            if not self.unknown_is_user:
                return self._of_unknown_kind(account, memberships)
            kind = _USER
        lines = self._by_kind[kind]
        if account.state == _DISABLED:
            verdict = self._with_care(account, memberships, lines)
            return self._unselected(account, memberships, kind) if verdict.standing == LEFT else verdict
        for selects, rule, standing, _ in lines:
            because = selects(account, memberships)
            if because is not None:
                if standing == SUSPENDED and rule.license is None:
                    return self._with_care(account, memberships, lines)
                return Desired(account, rule.license, rule, because, standing)
        return self._unselected(account, memberships, kind)

    def _unselected(self, account: Account, memberships: Memberships, kind: str) -> Desired:
        """No rule for its kind selects it; one for the other kind of mailbox may, or might."""
        for selects, rule, standing, _ in self._by_kind[_TURNED_FROM[kind]] if kind in _TURNED_FROM else ():
            because = selects(account, memberships)
            if because is not None and standing == NONE:
                break
            if because is not None and rule.license is not None:
                return Desired(account, None, rule, because, TURNED)
        return Desired(account, None, None, None, LEFT)

    def _with_care(self, account: Account, memberships: Memberships, lines: _Lines) -> Desired:
        """The same search where a rule might select without deciding: the account is disabled, or a suspended
        `license: none` might end the search."""
        enabled = account.state != _DISABLED
        stops: Line | None = None
        otherwise = Desired(account, None, None, None, LEFT)
        for selects, rule, standing, line in lines:
            because = selects(account, memberships)
            if because is None:
                continue
            if not (enabled or line.takes_disabled):
                if otherwise.standing == LEFT:
                    otherwise = _if_it_could_sign_in(account, line, because)
            elif not line.decides:
                stops = stops or line
                otherwise = Desired(account, None, None, because, SUSPENDED)
            elif stops is None:
                return Desired(account, rule.license, rule, because, standing)
            elif rule.license is not None:
                return Desired(account, rule.license, stops.rule, because, SUSPENDED)
            else:
                break
        return otherwise

    def _of_unknown_kind(self, account: Account, memberships: Memberships) -> Desired:
        """It waits if it would get a license as a user or as a shared mailbox, and keeps what it has in any case."""
        for kind in (_USER, _SHARED):
            verdict = self._with_care(account, memberships, self._by_kind[kind])
            if verdict.standing in (MATCHED, SUSPENDED) and verdict.rule is not None:
                return Desired(account, verdict.license, verdict.rule, None, KIND_UNKNOWN)
        return Desired(account, None, None, None, KIND_UNKNOWN)

    @cached_property
    def reads_attributes(self) -> bool:
        """Whether any rule looks at the attributes of accounts."""
        return any(condition.key == "attributes" for line in self.lines for condition in line.rule.conditions) or any(
            line.rule.exceptions is not None and line.rule.exceptions.attributes for line in self.lines
        )

    def explain(self, account: Account, memberships: Memberships) -> Iterator[RuleSaid]:
        """What each rule says of the account, top to bottom (G9)."""
        verdict = self.verdict(account, memberships)
        kind = _USER if account.kind == _UNKNOWN and self.unknown_is_user else account.kind
        reached = True
        for line in self.lines:
            because = line.selects(account, memberships)
            yield RuleSaid(line.rule, _said(line, account, kind, because, reached), because)
            if verdict.rule is line.rule and line.decides and verdict.standing in (MATCHED, NONE, SUSPENDED):
                reached = False


def _if_it_could_sign_in(account: Account, line: Line, because: Because) -> Desired:
    """A disabled account has not left, and is not told to have left by a rule that cannot be evaluated (G3, G7)."""
    if line.suspended:
        return Desired(account, None, None, because, SUSPENDED)
    return Desired(account, None, line.rule, because, DISABLED)


def _said(line: Line, account: Account, kind: str, because: Because | None, reached: bool) -> str:
    if kind != _UNKNOWN and kind not in line.kinds:
        return f"selects {_named(line.kinds)}, and this is a {kind.replace('_', ' ')}"
    if not reached:
        return "does not match, and a rule above decides" if because is None else "not reached: a rule above decides"
    if because is None:
        return "does not match"
    if line.suspended:
        return f"suspended: {because.text}"
    if account.state == _DISABLED and not line.takes_disabled:
        return f"would match ({because.text}), but the account is disabled"
    if kind == _UNKNOWN:
        return f"might match ({because.text}): it selects {_named(line.kinds)}, and what this is is not known yet"
    return f"matches: {because.text}"


def rule_book(
    policy: "Policy",
    entry: "DirectoryEntry",
    suspended: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    org_units: bool = True,
    groups: bool = True,
    units: Mapping[str, str] | None = None,
) -> RuleBook:
    """The rules of `policy` that apply to the directory; `suspended` names those that cannot be evaluated and the
    groups and organizational units that are missing; `units` says what units stand for, where accounts carry their ids
    (G3).

    A rule applies to every directory of the company that can evaluate it, unless it names its directories. A directory
    without organizational units, or without groups, cannot evaluate a rule that selects by them; nor one that excepts
    groups, since it cannot tell who is in them.
    """
    lines = tuple(
        Line(rule, frozenset(suspended.get(rule.name, ())), units)
        for rule in policy.rules
        if _is_for(rule, entry) and (org_units or not _needs_org_units(rule)) and (groups or not rule.group_refs)
    )
    return RuleBook(lines, unknown_is_user=entry.unknown_mailboxes == "user")


def decide(accounts: Iterable[Account], memberships: Memberships, book: RuleBook) -> Iterator[Desired]:
    """Who should hold which license, a chunk of accounts at a time: a whole tenant never stands in memory."""
    verdict = book.verdict
    for account in accounts:
        yield verdict(account, memberships)


Elsewhere = Mapping[str, Collection[str]]
"""For names that nothing answers to here, the ids of the other directories that have what they stand for."""
NOWHERE: Elsewhere = MappingProxyType({})


def suspended_rules(
    policy: "Policy",
    unresolved: Iterable[GroupRef],
    elsewhere: Elsewhere = NOWHERE,
    entry: "DirectoryEntry | None" = None,
) -> dict[str, tuple[GroupRef, ...]]:
    """The rules that name a group which could not be resolved, each with those names; `except` groups count. A name
    that another directory of the rule has is no error for it (G3). With `entry`, only rules for that directory."""
    lost = frozenset(unresolved)
    found = {
        rule.name: tuple(ref for ref in rule.group_refs if ref in lost and not _is_found(policy, rule, elsewhere, ref))
        for rule in policy.rules
        if entry is None or _is_for(rule, entry)
    }
    return {name: refs for name, refs in found.items() if refs}


def placeless_rules(
    policy: "Policy", entry: "DirectoryEntry", unresolved: Iterable[str], elsewhere: Elsewhere = NOWHERE
) -> dict[str, tuple[str, ...]]:
    """The same for organizational units: the rules for this directory that name one which could not be resolved."""
    lost = frozenset(unresolved)
    found = {
        rule.name: tuple(at for at in rule.unit_refs if at in lost and not _is_found(policy, rule, elsewhere, at))
        for rule in policy.rules
        if _is_for(rule, entry)
    }
    return {name: units for name, units in found.items() if units}


def _is_for(rule: "Rule", entry: "DirectoryEntry") -> bool:
    return rule.directories is None or entry.id in rule.directories


def _is_found(policy: "Policy", rule: "Rule", elsewhere: Elsewhere, name: str) -> bool:
    """Whether one of the rule's directories has what the name stands for."""
    having = elsewhere.get(name, ())
    return any(entry.id in having and _is_for(rule, entry) for entry in policy.directories)


def _needs_org_units(rule: "Rule") -> bool:
    return any(condition.key == "org_units" for condition in rule.conditions)


def _named(kinds: frozenset[str]) -> str:
    return " and ".join(sorted(kind.replace("_", " ") + ("es" if kind.endswith("x") else "s") for kind in kinds))
