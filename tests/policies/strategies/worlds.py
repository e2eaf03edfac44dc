"""Worlds made up by Hypothesis: a company's policy, accounts, memberships, lots, and who holds and awaits what."""

from collections.abc import Iterator, Mapping
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


leaves = st.builds(Leave, st.sampled_from(("release", "archive", "keep")), st.sampled_from(GRACES))
of_deleted = st.sampled_from((*[Leave("archive", GRACES[0])] * 4, Leave("keep"), Leave("release", GRACES[1])))


def accounts() -> st.SearchStrategy[list[Account]]:
    """A few accounts with ids of their own, and addresses that need not be."""
    one = st.builds(
        lambda kind, state, domain, name: {"kind": kind, "state": state, "address": f"{name}@{domain}"},
        st.sampled_from((*["user"] * 8, *["shared_mailbox"] * 5, "unknown", "guest", "room")),
        st.sampled_from((*["active"] * 8, "disabled", "disabled", *["deleted"] * 4, "purged", "unknown")),
        st.sampled_from(DOMAINS),
        st.sampled_from(("ada", "bert", "cleo")),
    )
    said = st.lists(one, min_size=4, max_size=9)
    return said.map(lambda all_: [account(key, **each) for key, each in enumerate(all_, 1)])


def memberships(of: list[Account], missing: frozenset[GroupRef]) -> st.SearchStrategy[Memberships]:
    """Who is in which groups; nobody is known to be in a group that cannot be found."""
    found = [group for group in GROUPS if group not in missing]
    some = st.frozensets(st.sampled_from(found), max_size=2) if found else st.just(frozenset[GroupRef]())
    return st.fixed_dictionaries({each.key: some for each in of}).map(_only_filled)


def _only_filled(members: dict[AccountKey, frozenset[GroupRef]]) -> Memberships:
    return {key: groups for key, groups in members.items() if groups}


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    """One rule with one condition or two."""
    by: dict[str, Any] = {
        "groups": st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True),
        "domains": st.lists(st.sampled_from(DOMAINS), min_size=1, max_size=1),
        "everyone": st.just(True),
    }
    keys = draw(st.sampled_from((("everyone",), ("groups",), ("everyone",), ("groups", "domains"), ("domains",))))
    said: dict[str, Any] = {key: draw(by[key]) for key in keys}
    if draw(st.booleans()):
        said["mailboxes"] = draw(st.sampled_from(("shared", "shared", "user")))
    if draw(st.integers(0, 3)) == 3:
        said["but"] = {"groups": (draw(st.sampled_from(GROUPS)),)}
    include = draw(st.sampled_from(((), (), ("disabled",), ("guests",), ("rooms", "disabled"))))
    license = draw(st.sampled_from((*["standard"] * 6, "archived", "archived", None)))
    if license is not None:
        limit = draw(st.sampled_from((None, None, None, 0, 1, 2, 3)))
        said |= {"on_leave": draw(leaves), "on_disable": draw(leaves), "limit": limit}
    return rule(name, license, include=include, **said)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A company's policy with up to four rules."""
    names = RULES[: draw(st.integers(1, len(RULES)))]
    licenses = Licenses(
        pool=draw(st.sampled_from(("global", "global", "own"))),
        limit=draw(st.fixed_dictionaries({}, optional={name: st.integers(0, 6) for name in LICENSES})),
        shared_mailboxes=draw(st.sampled_from(("one_per_license", "one_per_license", "unlimited", 0, 2))),
    )
    written = [draw(rules(name)) for name in names]
    return policy(*written, licenses=licenses, deleted_users=draw(of_deleted))


@st.composite
def lots(draw: st.DrawFn) -> tuple[Lot, ...]:
    """Lots of either license, some ended, some on trial, some partly held by other companies."""
    licenses = (*LICENSES, *draw(st.lists(st.sampled_from(LICENSES), max_size=3)))
    made = []
    for key, license in enumerate(draw(st.permutations(licenses)), 1):
        seats = draw(st.integers(0, 6))
        others = draw(st.integers(0, min(seats, 1)))
        valid, purchased = draw(st.sampled_from(((True, True), (True, True), (True, False), (False, True))))
        made.append(Lot(key, license, seats, others, valid, purchased))
    return tuple(made)


@st.composite
def holdings(draw: st.DrawFn, of: list[Account], among: tuple[Lot, ...]) -> Mapping[AccountKey, Holding]:
    """Who holds what, with no more seats than there are, and what is under way."""
    free = {lot.key: lot.seats - lot.others for lot in among}
    found: dict[AccountKey, Holding] = {}
    for each in of:
        held = draw(st.sampled_from(("nothing", "nothing", "seat", "seat", "seat", "entitlement")))
        source = draw(st.sampled_from(RULE_SOURCES) | st.sampled_from(SOURCES))
        open_lots = [lot for lot in among if free[lot.key] > 0]
        base = NOTHING
        if held == "seat" and open_lots:
            lot = draw(st.sampled_from(open_lots))
            free[lot.key] -= 1
            base = Holding(lot.license, "seat", str(lot.key), source, "")
        elif held == "entitlement":
            base = Holding(draw(st.sampled_from(LICENSES)), "entitlement", None, source, "")
        elif held == "nothing" and source in ("manual", "pinned"):
            base = Holding(source=source)
        found[each.key] = _under_way(draw, base)
    return found


def _under_way(draw: st.DrawFn, held: Holding) -> Holding:
    """A wait or a grace; one that holds `standard` may have waited for an archive since its grace ended."""
    under_way = draw(st.sampled_from(("nothing", "nothing", "nothing", "nothing", "wait", "grace")))
    if under_way == "wait":
        since = NOW - draw(st.integers(0, 3)) * DAY
        held = held._replace(
            waiting_for=draw(st.sampled_from(LICENSES)),
            waiting_since=since,
            waiting_reason=draw(st.sampled_from(REASONS)),
        )
    elif under_way == "grace" and held.license == "standard":
        grace = draw(st.sampled_from(("on_leave", "on_disable", "deleted_user")))
        held = held._replace(grace=grace, grace_started=NOW - draw(st.integers(0, 9)) * DAY)
    return held


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A company at one moment."""
    company = draw(policies())
    people = draw(accounts())
    missing = draw(st.frozensets(st.sampled_from(GROUPS), max_size=1))
    stock = draw(lots())
    members = draw(memberships(people, missing))
    ledger = Ledger(company, stock, dict(draw(holdings(people, stock))))
    return World(company, people, members, missing, ledger)
