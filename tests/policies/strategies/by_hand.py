"""Accounts, rules, policies and claims with only that said which an example is about."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from policies.conditions import Condition
from policies.conditions.attributes import Attributes
from policies.conditions.domains import Domains
from policies.conditions.everyone import Everyone
from policies.conditions.exceptions import Exceptions
from policies.conditions.groups import Groups
from policies.conditions.mailboxes import Mailboxes
from policies.conditions.org_units import OrgUnits
from policies.deciding import Desired, RuleBook, decide, rule_book
from policies.document import DirectoryEntry, Policy, Rule
from policies.model import (
    ATTRIBUTES,
    NOTHING,
    Account,
    AccountId,
    AccountKey,
    CompanyId,
    DirectoryId,
    GroupRef,
    Holding,
    Leave,
)
from policies.planner import RANK_NEW, Context, Proposal, propose
from policies.stock import Claim

NOW = 1_790_000_000_000_000
"""Microseconds since 1970; what day it is matters to no example."""
DAY = 86_400_000_000
AT_ONCE = timedelta(0)
RELEASE_AT_ONCE, ARCHIVE_AT_ONCE = Leave("release", AT_ONCE), Leave("archive", AT_ONCE)
RELEASE_AFTER_A_WEEK = Leave("release", timedelta(days=7))


def account(key: int = 1, attributes: Mapping[str, str] = MappingProxyType({}), **said: Any) -> Account:
    """An enabled user."""
    whole = tuple(attributes.get(name, "") for name in ATTRIBUTES)
    plain = Account(
        AccountKey(key),
        AccountId(f"id-{key}"),
        f"user{key}@contoso.example",
        f"User {key}",
        "user",
        "active",
        "",
        whole,
    )
    return plain._replace(**said)


def rule(name: str, license: str | None = "standard", **said: Any) -> Rule:
    """A rule whose conditions and exceptions are said by their keys, as in a policy file."""
    asked = {key: said[key] for key in _CONDITIONS if key in said}
    given: list[Condition] = [replace(_CONDITIONS[key](value), rule=name) for key, value in asked.items()]
    said = {key: value for key, value in said.items() if key not in asked or key == "mailboxes"}
    excepted = said.pop("but", None)
    exceptions = None if excepted is None else Exceptions(rule=name, **excepted)
    narrowing = tuple(condition for condition in given if condition.narrows)
    include = frozenset(said.pop("include", ()))
    return Rule(name, 0, license, narrowing, exceptions, include=include, **said)


_CONDITIONS: Mapping[str, Any] = {
    "groups": lambda groups: Groups(tuple(GroupRef(group) for group in groups)),
    "domains": lambda domains: Domains(tuple(domains)),
    "org_units": lambda units: OrgUnits(tuple(units)),
    "attributes": Attributes,
    "everyone": Everyone,
    "mailboxes": Mailboxes,
}


def policy(*rules: Rule, **said: Any) -> Policy:
    """A company's policy with these rules, top to bottom."""
    placed = tuple(replace(each, position=position) for position, each in enumerate(rules))
    return Policy(CompanyId("contoso"), "Contoso", rules=placed, **said)


def entry(**said: Any) -> DirectoryEntry:
    return DirectoryEntry(
        said.pop("id", DirectoryId("contoso-m365")), "microsoft365", timedelta(minutes=1), options=None, **said
    )


def book(*rules: Rule, suspended: Mapping[str, Iterable[str]] | None = None, **said: Any) -> RuleBook:
    """These rules for a directory in which the groups of some cannot be found."""
    missing = {name: tuple(GroupRef(ref) for ref in refs) for name, refs in (suspended or {}).items()}
    return rule_book(policy(*rules), entry(**said), missing)


def verdict(rules: RuleBook, about: Account, *groups: str) -> Desired:
    """What the rules say of a member of these groups."""
    members = {about.key: frozenset(GroupRef(group) for group in groups)} if groups else {}
    (said,) = decide([about], members, rules)
    return said


def proposed(
    company: Policy, about: Account, held: Holding = NOTHING, *groups: str, now: int = NOW, **said: Any
) -> Proposal | None:
    """What has to change for one account of the company."""
    missing = {name: tuple(GroupRef(ref) for ref in refs) for name, refs in said.pop("suspended", {}).items()}
    rules = rule_book(company, entry(**said), missing)
    return propose(verdict(rules, about, *groups), held, Context(company, now))


def holding(license: str = "standard", source: str = "imported", through: str = "seat", **said: Any) -> Holding:
    return Holding(license, through, "lot-1" if through == "seat" else None, source, "", **said)


def claim(key: int = 1, license: str = "standard", through: str = "seat", **said: Any) -> Claim:
    """The claim of an account that holds nothing, or what is said otherwise."""
    held_lot, held_source = said.pop("held_lot", None), said.pop("held_source", None)
    plain = Proposal(
        AccountKey(key), "assign", license, through, None, None, RANK_NEW, 0, "staff", "rule:staff", "everyone", NOW,
        None, f"user{key}@contoso.example", f"id-{key}",
    )  # fmt: skip
    return Claim(plain._replace(**said), held_lot, held_source)
