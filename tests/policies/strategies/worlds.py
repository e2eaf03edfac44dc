"""Worlds made up by Hypothesis: a company's policy, accounts, memberships, lots, and who holds and awaits what."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

from hypothesis import strategies as st

from policies.deciding import RuleBook, decide, rule_book, suspended_rules
from policies.document import Licenses, Policy, Rule
from policies.model import NOTHING, Account, AccountKey, GroupRef, Holding, Leave, Memberships
from policies.planner import Context, Proposal, make_plan
from tests.policies.strategies.by_hand import DAY, NOW, account, entry, policy, rule
from tests.policies.strategies.ledger import Ledger, Lot

GROUPS = tuple(GroupRef(name) for name in ("g1", "g2", "g3"))
DOMAINS = ("contoso.example", "fabrikam.example")
RULES = ("r0", "r1", "r2", "r3")
LICENSES = ("standard", "archived")
RULE_SOURCES = tuple(f"rule:{name}" for name in RULES)
SOURCES = ("imported", "deleted_user", "on_leave", "on_disable", "rule:gone", "manual", "pinned")
REASONS = ("insufficient_licenses", "rule_limit", "company_limit", "entitlement", "kind_unknown", "rule_suspended")
GRACES = (timedelta(0), timedelta(days=7))


@dataclass(frozen=True)
class World:
    """A company at one moment."""

    policy: Policy
    accounts: list[Account]
    memberships: Memberships
    missing: frozenset[GroupRef]
    """Groups that cannot be found."""
    ledger: Ledger
    now: int = NOW

    @property
    def book(self) -> RuleBook:
        return rule_book(self.policy, entry(), suspended_rules(self.policy, self.missing))

    @property
    def book_if_resolved(self) -> RuleBook:
        return rule_book(self.policy, entry())

    @property
    def context(self) -> Context:
        return Context(self.policy, self.now)

    def plan(self, accounts: list[Account] | None = None) -> list[Proposal]:
        """What has to change, in the order of the accounts."""
        verdicts = decide(self.accounts if accounts is None else accounts, self.memberships, self.book)
        return list(make_plan(verdicts, self.ledger.holdings, self.context))

    def whatever_the_missing_groups_hold(self) -> Iterator[Memberships]:
        """The memberships as they would be if the missing groups were found, with nobody and with everybody in each."""
        for found in product((False, True), repeat=len(self.missing)):
            holding = frozenset(ref for ref, holds in zip(sorted(self.missing), found, strict=True) if holds)
            yield {each.key: self.memberships.get(each.key, frozenset()) | holding for each in self.accounts}


# Strategies are made once: making them anew for every draw would cost more than the draws.
a_license, a_wait, a_source = st.sampled_from(LICENSES), st.sampled_from(REASONS), st.sampled_from(SOURCES)
a_rule_s_source = st.sampled_from(RULE_SOURCES) | a_source
yes_or_no = st.booleans()
leaves = st.builds(Leave, st.sampled_from(("release", "archive", "keep")), st.sampled_from(GRACES))
of_deleted = st.sampled_from((*[Leave("archive", GRACES[0])] * 4, Leave("keep"), Leave("release", GRACES[1])))
names_of_groups = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True)
conditions = st.sampled_from((("everyone",), ("groups",), ("everyone",), ("groups", "domains"), ("domains",)))
mailboxes = st.sampled_from((None, None, None, "shared", "shared", "user"))
excepted = st.sampled_from((None, None, None, *GROUPS))
included = st.sampled_from(((), (), ("disabled",), ("guests",), ("rooms", "disabled")))
given = st.sampled_from((*["standard"] * 6, "archived", "archived", None))
limits = st.sampled_from((None, None, None, 0, 1, 2, 3))
licenses_of_a_company = st.builds(
    Licenses,
    pool=st.sampled_from(("global", "global", "own")),
    limit=st.sampled_from(({}, {}, {"standard": 2}, {"standard": 4}, {"standard": 3, "archived": 1}, {"archived": 0})),
    shared_mailboxes=st.sampled_from(("one_per_license", "one_per_license", "unlimited", 0, 2)),
)
how_many_rules, seats_of_a_lot, days = st.integers(1, len(RULES)), st.integers(0, 6), st.integers(0, 9)
orders_of_lots = st.lists(a_license, max_size=3).flatmap(lambda more: st.permutations((*LICENSES, *more)))
lots_are = st.sampled_from(((True, True), (True, True), (True, False), (False, True)))
held_is = st.sampled_from(("nothing", "nothing", "seat", "seat", "seat", "entitlement"))
under_way_is = st.sampled_from(("nothing", "nothing", "nothing", "nothing", "wait", "grace"))
a_grace = st.sampled_from(("on_leave", "on_disable", "deleted_user"))
some_missing = st.sampled_from((*[frozenset[GroupRef]()] * 4, *(frozenset({group}) for group in GROUPS)))
an_account: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "kind": st.sampled_from((*["user"] * 8, *["shared_mailbox"] * 5, "unknown", "guest", "room")),
        "state": st.sampled_from((*["active"] * 8, "disabled", "disabled", *["deleted"] * 4, "purged", "unknown")),
        "address": st.sampled_from([f"{name}@{domain}" for name in ("ada", "bert", "cleo") for domain in DOMAINS]),
    }
)
accounts = st.lists(an_account, min_size=4, max_size=9).map(
    lambda all_: [account(key, **each) for key, each in enumerate(all_, 1)]
)
"""A few accounts with ids of their own, and addresses that need not be."""

some_groups = {
    missing: st.frozensets(st.sampled_from([group for group in GROUPS if group not in missing]), max_size=2)
    for missing in (frozenset[GroupRef](), *(frozenset({group}) for group in GROUPS))
}
"""What an account may be in: nobody is known to be in a group that cannot be found."""


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    """One rule with one condition or two."""
    said: dict[str, Any] = {}
    for key in draw(conditions):
        if key == "everyone":
            said[key] = True
        else:
            said[key] = draw(names_of_groups) if key == "groups" else [draw(st.sampled_from(DOMAINS))]
    if (which := draw(mailboxes)) is not None:
        said["mailboxes"] = which
    if (group := draw(excepted)) is not None:
        said["but"] = {"groups": (group,)}
    license = draw(given)
    if license is not None:
        said |= {"on_leave": draw(leaves), "on_disable": draw(leaves), "limit": draw(limits)}
    return rule(name, license, include=draw(included), **said)


rules_named = {name: rules(name) for name in RULES}


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A company's policy with up to four rules."""
    written = [draw(rules_named[name]) for name in RULES[: draw(how_many_rules)]]
    return policy(*written, licenses=draw(licenses_of_a_company), deleted_users=draw(of_deleted))


@st.composite
def lots(draw: st.DrawFn) -> tuple[Lot, ...]:
    """Lots of either license, some ended, some on trial, some partly held by other companies."""
    made = []
    for key, license in enumerate(draw(orders_of_lots), 1):
        seats = draw(seats_of_a_lot)
        others = int(seats > 0 and draw(yes_or_no))
        valid, purchased = draw(lots_are)
        made.append(Lot(key, license, seats, others, valid, purchased))
    return tuple(made)


def holdings(draw: st.DrawFn, of: list[Account], among: tuple[Lot, ...]) -> dict[AccountKey, Holding]:
    """Who holds what, with no more seats than there are, and what is under way."""
    free = {lot.key: lot.seats - lot.others for lot in among}
    found: dict[AccountKey, Holding] = {}
    for each in of:
        held, source, base = draw(held_is), draw(a_rule_s_source), NOTHING
        open_lots = [lot for lot in among if free[lot.key] > 0]
        if held == "seat" and open_lots:
            lot = draw(st.sampled_from(open_lots))
            free[lot.key] -= 1
            base = Holding(lot.license, "seat", str(lot.key), source, "")
        elif held == "entitlement":
            base = Holding(draw(a_license), "entitlement", None, source, "")
        elif held == "nothing" and source in ("manual", "pinned"):
            base = Holding(source=source)
        found[each.key] = _under_way(draw, base)
    return found


def _under_way(draw: st.DrawFn, held: Holding) -> Holding:
    """A wait or a grace, if any."""
    under_way = draw(under_way_is)
    if under_way == "wait":
        since = NOW - draw(days) * DAY
        held = held._replace(waiting_for=draw(a_license), waiting_since=since, waiting_reason=draw(a_wait))
    elif under_way == "grace" and held.license == "standard":
        held = held._replace(grace=draw(a_grace), grace_started=NOW - draw(days) * DAY)
    return held


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A company at one moment."""
    company, people, stock, missing = draw(policies()), draw(accounts), draw(lots()), draw(some_missing)
    members = {each.key: groups for each in people if (groups := draw(some_groups[missing]))}
    return World(company, people, members, missing, Ledger(company, stock, holdings(draw, people, stock)))
