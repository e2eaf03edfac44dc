"""Policy files as text: types come from our fields, marks point at the place, and nothing else ever comes out."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from policies.conditions.groups import Groups
from policies.credentials import EnvRef, FileRef, GoogleKey, MicrosoftManagedIdentity, NamedCredential
from policies.document import (
    EmailReceiver,
    Kinds,
    Money,
    NoOptions,
    Policy,
    Rule,
    SellerEntry,
    SharedMailboxes,
    WebhookReceiver,
)
from policies.errors import PolicyError, Problem
from policies.model import KEEP, Leave, Limit, Mark
from policies.reader import decoded, read_policy, read_provider
from tests.policies.kinds import KINDS, Export, GoogleWorkspace, Microsoft365, Portal
from tests.policies.texts import right, texts
from tests.proves import proves


def read(text: str) -> Policy:
    return read_policy(text, "contoso.yaml", KINDS)


def read_rule(*lines: str) -> Rule:
    text = "company: contoso\nrules:\n  - name: staff\n" + "".join(f"    {line}\n" for line in lines)
    (rule,) = read(text).rules
    return rule


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


@proves("Z4")
@given(texts)
def test_any_text_gives_a_policy_or_a_policy_error(text: str) -> None:
    for reader in (read_policy, read_provider):
        found = problems_of(reader, text)
        assert all(problem.mark.line >= 1 and problem.mark.column >= 1 for problem in found)
        assert all(str(problem) in problem.with_caret() for problem in found)


def problems_of(reader: Callable[..., object], text: str) -> tuple[Problem, ...]:
    """What is wrong with the text; nothing if it could be read."""
    try:
        reader(text, "any.yaml", KINDS)
    except PolicyError as error:
        return error.problems or pytest.fail("an error without a problem")
    return ()


@given(right)
def test_what_is_written_is_what_is_read(content: dict[str, Any]) -> None:
    policy = read(json.dumps(content, ensure_ascii=False))
    assert policy.company == content["company"]
    assert policy.name == content.get("name", content["company"])
    assert policy.licenses.limit == content.get("licenses", {}).get("limit", {})
    assert [rule.name for rule in policy.rules] == [rule["name"] for rule in content.get("rules", [])]
    assert [rule.position for rule in policy.rules] == list(range(len(policy.rules)))
    for rule, written in zip(policy.rules, content.get("rules", []), strict=True):
        assert [condition.key for condition in rule.conditions] == [key for key in written if key in _CONDITIONS]
        assert rule.limit == written.get("limit")


_CONDITIONS = ("everyone", "groups", "org_units", "domains", "attributes")


def test_types_come_from_the_fields_and_not_from_guesses_of_yaml() -> None:
    policy = read(
        """
company: 0123
name: 1e3
directories:
  m365: {kind: microsoft365, tenant: 0123, credential: {client_id: 0x10, secret: {env: "ON"}}}
rules:
  - name: yes
    attributes: {country: [no, NO, 1.0, true, 2026-01-01]}
    license: standard
"""
    )
    assert policy.company == "0123" and policy.name == "1e3"
    assert policy.directories[0].options == Microsoft365(
        tenant="0123",
        credential=policy.directories[0].options.credential,  # type: ignore[attr-defined]
    )
    (rule,) = policy.rules
    assert rule.name == "yes"
    assert rule.conditions[0].attributes == {"country": ("no", "NO", "1.0", "true", "2026-01-01")}  # type: ignore[attr-defined]


def test_the_whole_of_a_file_becomes_values() -> None:
    policy = read(
        """
company: contoso
name: Contoso Ltd
directories:
  gws:
    kind: google_workspace
    customer: my_customer
    admin: sync@contoso.example
    credential: {key: {file: contoso.json}}
    every: 15m
    shared_mailboxes_are: {org_units: [/Shared], groups: [Teams], addresses: ["*-team@contoso.example"]}
  export: {kind: file, path: users.csv, unknown_mailboxes: user}
licenses: {shared_mailboxes: 12, renew_ahead: 3d}
deleted_users: {then: release, after: 30d}
purchasing:
  seller: {kind: http, url: https://portal.example/api, secret: {env: PORTAL_SECRET}}
  standard: {approve_above: 1200.00 USD, price: 48.00 USD}
safety: {archive: {most: 300}, release: {share: 2.5%}, purchase: {most: 0}}
warn_below: {standard: 5}
notify:
  - webhook: {url: https://ops.example/hooks, secret: {file: hook}}
  - email: {to: [ops@contoso.example]}
"""
    )
    google, export = policy.directories
    assert google.options == GoogleWorkspace("my_customer", GoogleKey(FileRef("contoso.json")), "sync@contoso.example")
    assert google.every == timedelta(minutes=15)
    assert google.shared_mailboxes_are == SharedMailboxes(("/Shared",), ("Teams",), ("*-team@contoso.example",))  # type: ignore[arg-type]
    assert export.options == Export("users.csv") and export.every == timedelta(hours=1)
    assert export.unknown_mailboxes == "user"
    assert policy.licenses.shared_mailboxes == 12 and policy.licenses.renew_ahead == timedelta(days=3)
    assert policy.deleted_users == Leave("release", timedelta(days=30))
    assert policy.purchasing.seller == SellerEntry(
        "http", Portal("https://portal.example/api", EnvRef("PORTAL_SECRET"))
    )
    assert policy.purchasing.standard.approve_above == Money(Decimal("1200.00"), "USD")
    assert policy.safety.archive == Limit(300, 0.05) and policy.safety.release == Limit(50, 0.025)
    assert policy.safety.purchase == Limit(0, None) and policy.safety.purge == Limit(50, 0.05)
    assert policy.notify == (
        WebhookReceiver("https://ops.example/hooks", FileRef("hook")),
        EmailReceiver(("ops@contoso.example",)),
    )


def test_what_a_file_does_not_say_is_built_in() -> None:
    policy = read("company: contoso\n")
    assert policy == Policy(policy.company, "contoso", mark=policy.mark)
    assert policy.licenses.retention == timedelta(days=60)
    assert policy.deleted_users == Leave("archive", timedelta(0))
    assert policy.purchasing.seller == SellerEntry("manual", NoOptions())


@pytest.mark.parametrize(
    "written, leave",
    [
        ("keep", KEEP),
        ("release", Leave("release", timedelta(days=7))),
        ("archive", Leave("archive", timedelta(days=7))),
        ("{then: release, after: 0s}", Leave("release", timedelta(0))),
        ("{then: archive}", Leave("archive", timedelta(days=7))),
        ("{then: archive, after: 36h}", Leave("archive", timedelta(hours=36))),
    ],
)
@proves("G4")
def test_the_short_forms_of_leaving_mean_after_seven_days(written: str, leave: Leave) -> None:
    rule = read_rule("everyone: true", "license: standard", f"on_leave: {written}", f"on_disable: {written}")
    assert rule.on_leave == leave and rule.on_disable == leave


@pytest.mark.parametrize(
    "written, leave",
    [
        ("archive", Leave("archive", timedelta(0))),
        ("{then: archive, after: 0s}", Leave("archive", timedelta(0))),
        ("keep", KEEP),
        ("release", Leave("release", timedelta(days=7))),
        ("{then: release}", Leave("release", timedelta(days=7))),
    ],
)
def test_archiving_the_deleted_has_no_grace_and_releasing_them_has(written: str, leave: Leave) -> None:
    assert read(f"company: contoso\ndeleted_users: {written}\n").deleted_users == leave


def test_a_rule_without_anything_else_means_enabled_users_and_keeps() -> None:
    rule = read_rule("everyone: true", "license: standard")
    assert rule.mailboxes is None and rule.include == frozenset() and rule.directories is None and rule.limit is None
    assert rule.on_leave == KEEP and rule.on_disable == KEEP and rule.exceptions is None


def test_conditions_stand_in_the_order_of_the_file_and_carry_rule_and_place() -> None:
    rule = read_rule("domains: [a.example]", "groups: [Staff]", "license: standard")
    assert [condition.key for condition in rule.conditions] == ["domains", "groups"]
    assert rule.conditions[1].rule == "staff"
    assert rule.conditions[1].mark == Mark("contoso.yaml", 5, 5)


def test_shared_mailboxes_are_a_condition_and_users_are_none() -> None:
    shared = read_rule("mailboxes: shared", "license: standard")
    assert shared.mailboxes == "shared" and [condition.key for condition in shared.conditions] == ["mailboxes"]
    users = read_rule("mailboxes: user", "groups: [Staff]", "license: standard")
    assert users.mailboxes == "user" and [condition.key for condition in users.conditions] == ["groups"]


def test_none_is_a_license_that_is_none() -> None:
    assert read_rule("everyone: true", "license: none").license is None


def test_a_rule_names_the_groups_of_its_exceptions_too() -> None:
    rule = read_rule("groups: [A, B, A]", "except: {groups: [C, B]}", "license: standard")
    assert rule.group_refs == ("A", "B", "C")
    assert isinstance(rule.conditions[0], Groups)


def test_an_option_may_be_written_in_several_forms() -> None:
    text = "company: a\ndirectories:\n  m: {{kind: microsoft365, tenant: t, credential: {}}}\n"
    credentials = {
        "{managed_identity: system}": MicrosoftManagedIdentity("system"),
        "msp-app": NamedCredential("msp-app"),
    }
    for written, credential in credentials.items():
        (entry,) = read(text.format(written)).directories
        assert entry.options.credential == credential  # type: ignore[attr-defined]


def test_without_kinds_no_directory_can_be_declared() -> None:
    with pytest.raises(PolicyError, match="kind: found 'file'"):
        read_policy("company: a\ndirectories:\n  b: {kind: file, path: c}\n", "a.yaml", Kinds())


def test_comments_blank_lines_and_windows_line_ends_mean_nothing() -> None:
    policy = read("# ours\r\ncompany: contoso  # the id\r\n\r\nwarn_below: {standard: 5}\r\n")
    assert policy.warn_below == {"standard": 5}


def test_a_problem_tells_its_facts_apart() -> None:
    with pytest.raises(PolicyError) as caught:
        read("company: contoso\nlicenses:\n  pool: golbal\n")
    (problem,) = caught.value.problems
    assert problem.mark == Mark("contoso.yaml", 3, 9)
    assert (problem.found, problem.expected, problem.nearest) == ("'golbal'", "global or own", "global")
    assert problem.line == "  pool: golbal"


def test_a_place_beyond_a_very_long_line_is_told_without_the_line() -> None:
    (problem,) = problems(f"company: contoso\nlicenses: {{{' ' * 400}pool: golbal}}\n")
    assert problem.startswith("contoso.yaml:2:418: pool: found 'golbal'")


def test_the_last_problem_is_told_as_well_as_the_first() -> None:
    wrong = "".join(f"  - name: r{number}\n    everyone: true\n    license: gold\n" for number in range(50))
    assert len(problems(f"company: contoso\nrules:\n{wrong}")) == 50


@pytest.mark.parametrize("depth", [21, 5_000])
def test_a_file_nested_too_deep_is_refused(depth: int) -> None:
    assert problems("company: " + "[" * depth) == ["contoso.yaml:1:30: nested more than 20 deep; no policy is"]


def test_bytes_that_are_utf8_are_text() -> None:
    assert decoded("name: Müller".encode(), "a.yaml") == "name: Müller"


def test_bytes_that_are_not_utf8_are_a_problem_at_their_place() -> None:
    with pytest.raises(PolicyError, match=r"a\.yaml:2:8: the file is not UTF-8 text here"):
        decoded("company: a\nname: M\xfcller".encode("latin-1"), "a.yaml")
