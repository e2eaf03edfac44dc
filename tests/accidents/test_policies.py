"""What people write into policies, and what must not follow from it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.accidents.conftest import STAFF
from tests.accidents.town import Town
from tests.proves import proves

Licensed = Callable[..., str]


@proves("G8", "Z1")
def test_accident_06_an_edit_that_narrows_the_scope_is_held(town: Town, licensed: Licensed) -> None:
    licensed()
    town.policy(STAFF.replace("name: staff", "name: staff, domains: [nobody.example]"))
    report = town.sync()
    assert (report["outcome"], report["code"]) == ("held", 3)
    assert town.holds() == [("release", 25)]
    assert town.licenses() == {"standard": 25}


@proves("G4")
def test_accident_11_a_small_group_emptied_by_mistake_has_a_week(town: Town, licensed: Licensed) -> None:
    group = licensed(4, STAFF.replace("{then: release, after: 0s}", "release"))
    for member in town.people:
        town.tenant.remove_member(group, member)
    assert town.sync()["actions"] == []
    assert town.licenses() == {"standard": 4}


@proves("Z1")
def test_accident_11_a_large_group_emptied_by_mistake_waits_for_a_person(town: Town, licensed: Licensed) -> None:
    group = licensed()
    for member in town.people:
        town.tenant.remove_member(group, member)
    assert town.sync()["code"] == 3
    assert (town.holds(), town.licenses()) == ([("release", 25)], {"standard": 25})


@proves("Z1")
@pytest.mark.parametrize("switch", ["--force", "--overwrite", "--no-limits", "--delete"])
def test_accident_12_there_is_no_switch_that_removes_many(town: Town, switch: str) -> None:
    assert town("sync", switch).code == 2


@proves("Z1")
@pytest.mark.parametrize("limit", ["off", "null", "{most: -1}", "{most: null}", "{most: unlimited}"])
def test_accident_12_no_limit_can_be_switched_off(town: Town, limit: str) -> None:
    town.policy(STAFF, safety=f"{{release: {limit}}}")
    said = town("policy", "check", "--json")
    assert said.code == 2 and len(said.json) == 1


@proves("Z1")
def test_accident_12_consent_does_not_pass_a_limit(town: Town, licensed: Licensed) -> None:
    licensed(60, archived=60)
    town("licenses", "archive", "--where", "directory=contoso-m365", "--yes")
    assert town.licenses() == {"standard": 60}
    assert [kind for kind, _ in town.holds()] in ([], ["archive"])


@proves("Z4", "R3")
@pytest.mark.parametrize("licenses", ["{retention: }", "{retention: null}", "{retention: ''}", "{retentoin: 30d}"])
def test_accident_17_a_blank_is_no_term(town: Town, licensed: Licensed, licenses: str) -> None:
    licensed(3, licenses="{retention: 90d}")
    town.policy(STAFF, licenses=licenses)
    said = town("policy", "check", "--json")
    assert said.code == 2 and said.json[0]["line"] > 1
    group = town.tenant.find_group("Staff")
    town.tenant.remove_member(group, town.people[0])
    town.sync()
    [ends] = [a["retention_ends"] for a in town.accounts().values() if a["retention_ends"]]
    [since] = [e["at"] for e in town("feed", "--json").json if e["type"] == "seatkeeper.license.released"]
    kept = datetime.fromisoformat(ends) - datetime.fromisoformat(since)
    assert kept == timedelta(days=90), "the last good version is in force"


BROKEN = {
    "nothing": "- {name: staff, license: standard}",
    "an empty list": "- {name: staff, groups: [], license: standard}",
    "a blank": "- {name: staff, groups: , license: standard}",
    "a misspelled key": "- {name: staff, group: [Staff], license: standard}",
    "a list of lists": "- {name: staff, groups: [[Staff]], license: standard}",
    "everyone: false": "- {name: staff, everyone: false, license: standard}",
    "users, all of them": "- {name: staff, mailboxes: user, license: standard}",
}


@proves("Z4", "G2")
@pytest.mark.parametrize("rules", BROKEN.values(), ids=BROKEN.keys())
def test_accident_18_a_filter_that_cannot_be_read_selects_nobody(town: Town, rules: str) -> None:
    town.hire(5)
    town.policy(rules, purchasing="{standard: {auto: true}}")
    said = town("sync", "--json")
    assert said.code == 2
    assert re.search(r"contoso\.yaml:\d+:\d+: ", said.err + said.out)
    assert town.tables(("assignment", "orders")) == {"assignment": [], "orders": []}


@proves("P1")
def test_accident_18_what_one_order_may_cost_is_limited(town: Town) -> None:
    """A rule for everybody that was meant for a few."""
    town.hire(120)
    town.policy(
        "- {name: staff, everyone: true, license: standard}",
        purchasing="{standard: {auto: true, most_per_order: 20, approve_above: 500}}",
    )
    town.sync()
    town.sync()
    assert sum(order["seats"] for order in town("orders", "list", "--json").json) <= 20
