"""Walks that Google ends, repeats or cuts short, groups that lie, and what is asked for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.asking import Unreadable
from connectors.base import EVERYBODY, Directory, Edge, OrgUnit, Page
from connectors.errors import CursorExpired, NeedsPerson, Transient
from connectors.google_workspace.directory import GoogleWorkspace
from connectors.google_workspace.google import Google
from connectors.google_workspace.users import LONGEST
from connectors.google_workspace.wire import user_page
from connectors.simulators.google_workspace import Fault
from connectors.simulators.serving import Request
from policies.model import DELETED, FOUND, GONE, UNKNOWN, AccountId
from tests.connectors.contract.town import people, read
from tests.connectors.contract.towns.google_workspace import GoogleWorkspaceTown
from tests.proves import proves

USERS = "/admin/directory/v1/users?customer=my_customer&maxResults=1"


def google_of(directory: Directory) -> Google:
    assert isinstance(directory, GoogleWorkspace)
    return directory.google


@pytest.fixture
def town(tmp_path: Path) -> Iterator[GoogleWorkspaceTown]:
    with GoogleWorkspaceTown.founded(tmp_path) as town:
        yield town


def asked(town: GoogleWorkspaceTown) -> dict[str, int]:
    return {what: n for what, n in town.simulator.requests().items() if " login/" not in what}


@proves("Z2")
def test_pages_that_lead_in_a_circle_end_the_walk_without_a_cursor(town: GoogleWorkspaceTown) -> None:
    people(town, 3 * town.page)
    town.simulator.order(Fault("repeat_token", "/users", times=None))
    pages = town.open().pull(None)
    with pytest.raises(Transient, match="circle"):
        assert not any(page.cursor for page in pages)


@proves("Z2")
@pytest.mark.parametrize("problem", [Unreadable, RecursionError])
def test_a_page_that_says_what_follows_it_and_cannot_be_read_is_asked_for_again(
    town: GoogleWorkspaceTown, problem: type[Exception]
) -> None:
    hired = people(town, 3 * town.page)
    damaged = [problem("it is not what was asked for") for _ in range(2)]
    met: list[str] = []

    def page(body: bytes) -> list[str]:
        if len(met) == town.page and damaged:
            raise damaged.pop()
        return [user.id for user in user_page(body).users]

    query = {"customer": town.tenant, "maxResults": str(town.page)}
    for ids in google_of(town.open()).pages(("users",), query, page, "users"):
        met += ids
    assert sorted(met) == sorted(hired) and not damaged
    assert asked(town)["GET /users"] == 1, "the walk went on, and did not begin anew"


@proves("Z2")
def test_a_page_that_cannot_be_read_and_goes_on_otherwise_when_asked_for_again_ends_no_walk(
    town: GoogleWorkspaceTown,
) -> None:
    """What is no list says nothing of what follows it: were that believed, the rest of a list would be missing."""
    people(town, 3 * town.page)
    damaged = [Unreadable("it is not what was asked for")]

    def page(body: bytes) -> list[str]:
        if damaged:
            raise damaged.pop()
        return [user.id for user in user_page(body).users]

    query = {"customer": town.tenant, "maxResults": str(town.page)}
    town.simulator.order(Fault("short_list", "/users"))
    with pytest.raises(Transient, match="otherwise"):
        list(google_of(town.open()).pages(("users",), query, page, "users"))
    assert not damaged


@proves("Z2")
def test_a_walk_that_takes_too_long_stops_before_google_ends_it_and_goes_on_later(town: GoogleWorkspaceTown) -> None:
    hired = people(town, 3 * town.page)
    pages = town.open().pull(None)
    first = next(pages)
    town.world.sleep(LONGEST.total_seconds())
    with pytest.raises(Transient, match="goes on"):
        list(pages)
    rest = list(town.open().pull(None, first.resume))
    assert {seen.id for page in (first, *rest) for seen in page.accounts} == set(hired)
    assert rest[0].tenant == town.tenant and rest[-1].cursor


@proves("Z2")
def test_a_walk_that_google_goes_on_with_no_more_begins_anew(town: GoogleWorkspaceTown) -> None:
    """Google answers 503 for ever after an hour; here there is one domain, and nothing to split the walk by."""
    people(town, 3 * town.page)
    first = next(town.open().pull(None))
    town.world.sleep(timedelta(hours=2).total_seconds())
    with pytest.raises(CursorExpired):
        list(town.open().pull(None, first.resume))


def two_domains(town: GoogleWorkspaceTown) -> set[str]:
    """People in both of them, on four pages each; their ids."""
    town.contoso.add_domain("second.example")
    second = [town.contoso.hire(f"Second {n}", address=f"{n}@second.example") for n in range(4 * town.page)]
    return {*people(town, 4 * town.page), *second}


@proves("Z2")
def test_a_walk_that_google_goes_on_with_no_more_is_split_by_domains(town: GoogleWorkspaceTown) -> None:
    hired = two_domains(town)
    gone = town.hire("Gone")
    town.leave(gone)
    first = next(town.open().pull(None))
    town.world.sleep(timedelta(hours=2).total_seconds())
    rest = town.open().pull(None, first.resume)
    split = [next(rest), next(rest)]
    town.simulator.forget_requests()
    rest = town.open().pull(None, split[-1].resume)
    split += rest
    assert {seen.id for page in split for seen in page.accounts} == {*hired, gone}
    assert split[-1].cursor and "/domains" not in str(asked(town)), "it goes on where it was"
    assert {seen.id for seen in read(town.open()).accounts.values()} == {*hired, gone}


@proves("Z2")
def test_every_part_of_a_split_walk_has_an_hour_of_its_own(town: GoogleWorkspaceTown) -> None:
    """Everybody together takes longer than an hour, a domain does not, whether or not a page is asked for ahead."""
    hired = two_domains(town)
    met, pages, runs = set[str](), [Page()], 0
    while pages[-1].cursor is None:
        runs += 1
        try:
            for page in town.open().pull(None, next((page.resume for page in reversed(pages) if page.resume), None)):
                met |= {seen.id for seen in page.accounts}
                pages.append(page)
                town.world.sleep(timedelta(minutes=13).total_seconds())
        except Transient:
            assert runs < 8
    assert met == hired and "/domains" in str(asked(town))


@proves("Z2")
def test_domains_that_may_not_be_read_need_a_person_once_they_are_needed(town: GoogleWorkspaceTown) -> None:
    two_domains(town)
    town.simulator.order(Fault("lost_scope", "/customer/*/domains", times=None))
    first = next(town.open().pull(None))
    town.world.sleep(timedelta(hours=2).total_seconds())
    with pytest.raises(NeedsPerson) as needed:
        list(town.open().pull(None, first.resume))
    assert needed.value.feature == "domains" and "admin.directory.domain.readonly" in needed.value.remedy


@proves("Z2")
def test_a_page_token_that_died_begins_the_walk_anew(town: GoogleWorkspaceTown) -> None:
    people(town, 3 * town.page)
    first = next(town.open().pull(None))
    town.simulator.order(Fault("invalid", "/users", times=None))
    with pytest.raises(CursorExpired):
        list(town.open().pull(None, first.resume))


def test_a_cursor_of_another_customer_is_dead(town: GoogleWorkspaceTown) -> None:
    cursor = read(town.open()).cursor
    assert cursor is not None
    with pytest.raises(CursorExpired):
        next(town.open().pull(cursor.replace(town.tenant, "C0other")))
    with pytest.raises(CursorExpired):
        next(town.open().pull(None, cursor))


@proves("Z11")
def test_a_row_of_another_customer_needs_a_person(town: GoogleWorkspaceTown) -> None:
    people(town, 2)
    town.simulator.order(Fault("wrong_customer", "/users", times=None))
    with pytest.raises(NeedsPerson, match="lists users of customer"):
        list(town.open().pull(None))


@proves("D4")
def test_deleted_users_are_told_after_the_living(town: GoogleWorkspaceTown) -> None:
    ada, ben = people(town, 2)
    town.leave(ben)
    mirror = read(town.open())
    assert (set(mirror.names), mirror.gone) == ({ada}, {ben: "deleted"})


def test_every_throttle_is_waited_out(town: GoogleWorkspaceTown) -> None:
    hired = people(town, 2)
    town.simulator.order(
        Fault("throttle", "/users", reason="quotaExceeded", times=2),
        Fault("throttle", "/users", reason="userRateLimitExceeded", times=2),
        Fault("throttle", "/users", status=429, times=2),
    )
    assert read(town.open()).names == hired
    assert town.world.waited == 63


@pytest.mark.slow
def test_a_quota_that_is_shared_is_left_to_the_customers_own_programs_too(town: GoogleWorkspaceTown) -> None:
    """Google: 429 is per Workspace account, over all clients. Another program asks every two seconds."""
    fabrikam = town.simulator.add_customer(domain="fabrikam.example")
    fabrikam.habits = replace(fabrikam.habits, account_queries_per_minute=150)
    directory, begun, ours, answers = town.open_for(fabrikam), town.world.now, 0, []
    theirs = Request("GET", USERS, {"authorization": f"Bearer {town.simulator.token(fabrikam)}"}, b"")
    for at in range(0, 300, 2):
        while town.world.now < begun + timedelta(seconds=at):
            directory.tenant()
            ours += 1
        answers.append(town.simulator.answer(theirs).status)
    assert set(answers) == {200, 429}
    assert answers.count(429) < 15 and ours > 300


def test_a_read_asks_for_the_living_and_the_deleted_and_nothing_else(town: GoogleWorkspaceTown) -> None:
    people(town, 1)
    read(town.open())
    assert asked(town) == {"GET /users": 1, "GET /users?showDeleted": 1}


# Looking up


@proves("D4")
def test_a_denied_look_up_is_no_evidence(town: GoogleWorkspaceTown) -> None:
    ada, ben, cy, dan = people(town, 4)
    town.leave(cy)
    town.vanish(dan)
    town.simulator.order(Fault("forbidden", f"/users/{ben}", times=None))
    seen = {s.id: s.seen for s in town.open().look_up([AccountId(id) for id in (ada, ben, cy, dan)])}
    assert seen == {ada: FOUND, ben: UNKNOWN, cy: DELETED, dan: GONE}


@proves("D4")
def test_a_tenant_that_is_not_found_is_nobodys_deletion(town: GoogleWorkspaceTown) -> None:
    (ada,) = people(town, 1)
    town.simulator.order(Fault("domain_not_found", "/users/*", times=None))
    with pytest.raises(NeedsPerson, match="no Workspace customer"):
        list(town.open().look_up([AccountId(ada)]))


@proves("Z2")
@pytest.mark.parametrize("kind", ["domain_not_found", "not_found"])
def test_a_list_that_is_not_found_is_a_customer_that_is_not_found(town: GoogleWorkspaceTown, kind: Any) -> None:
    town.simulator.order(Fault(kind, "/users", times=None))
    with pytest.raises(NeedsPerson, match="no Workspace customer") as needed:
        read(town.open())
    assert "`customer`" in needed.value.remedy


# Groups and units


@proves("G2")
def test_everybody_is_one_edge_however_many_they_are(town: GoogleWorkspaceTown) -> None:
    people(town, 9)
    group = town.create_group("All")
    town.contoso.add_everybody(group)
    edges = [edge for page in town.open().pull_groups(None, [group]) for edge in page.edges]
    assert edges == [Edge(group, EVERYBODY, "everybody")]


@proves("Z2")
def test_a_group_that_counts_more_than_it_lists_is_read_twice_and_not_whole(town: GoogleWorkspaceTown) -> None:
    group = town.create_group("Staff", people(town, 3))
    town.simulator.order(Fault("lost_rows", "/groups/*/members", times=None))
    pages = list(town.open().pull_groups(None, [group]))
    assert [list(page.whole) for page in pages if page.whole] == []


@proves("Z2")
def test_a_group_that_counts_what_it_lists_the_second_time_is_whole(town: GoogleWorkspaceTown) -> None:
    hired = people(town, 3)
    group = town.create_group("Staff", hired)
    town.simulator.order(Fault("lost_rows", "/groups/*/members"))
    pages = list(town.open().pull_groups(None, [group]))
    assert [list(page.whole) for page in pages if page.whole] == [[group]]
    assert {edge.member for page in pages for edge in page.edges} == set(hired)


@proves("Z2")
def test_a_group_that_says_what_its_members_are_the_second_time_is_whole(town: GoogleWorkspaceTown) -> None:
    hired = people(town, 3)
    group = town.create_group("Staff", hired)
    town.simulator.order(Fault("without_types", "/groups/*/members"), Fault("wrong_count", "/groups/*"))
    pages = list(town.open().pull_groups(None, [group]))
    assert [list(page.whole) for page in pages if page.whole] == []
    town.simulator.order(Fault("without_types", "/groups/*/members"))
    pages = list(town.open().pull_groups(None, [group]))
    assert [list(page.whole) for page in pages if page.whole] == [[group]]
    assert {edge.member for page in pages for edge in page.edges} == set(hired)


def test_a_nested_group_of_another_organization_is_passed_over(
    town: GoogleWorkspaceTown, caplog: pytest.LogCaptureFixture
) -> None:
    (ada,) = people(town, 1)
    group = town.create_group("Staff", [ada])
    town.contoso.add_foreign_group(group, "partners@elsewhere.example")
    pages = list(town.open().pull_groups(None, [group]))
    assert [seen.id for page in pages for seen in page.groups] == [group]
    assert [list(page.whole) for page in pages if page.whole] == [[group]]
    assert "passed over" in caplog.text


@proves("G3")
def test_a_wanted_group_that_is_nowhere_is_told_gone_and_one_that_is_denied_needs_a_person(
    town: GoogleWorkspaceTown,
) -> None:
    group = town.create_group("Staff")
    town.delete_group(group)
    [told] = [seen for page in town.open().pull_groups(None, [group]) for seen in page.groups]
    assert told.gone
    town.simulator.order(Fault("forbidden", "/groups/*", times=None))
    with pytest.raises(NeedsPerson) as needed:
        list(town.open().pull_groups(None, [group]))
    assert needed.value.feature == "groups" and "Groups > Read" in needed.value.remedy


@proves("G3")
@pytest.mark.parametrize("again", [False, True], ids=["in a walk", "by itself"])
def test_a_group_whose_members_are_denied_needs_a_person(town: GoogleWorkspaceTown, again: bool) -> None:
    group = town.create_group("Staff", people(town, 1))
    town.simulator.order(Fault("forbidden", "/groups/*/members", times=None))
    directory = town.open()
    with pytest.raises(NeedsPerson) as needed:
        list(directory.read_group(group) if again else directory.pull_groups(None, [group]))
    assert needed.value.feature == "groups" and "Groups > Read" in needed.value.remedy


@proves("G3")
def test_an_alias_of_a_group_finds_it(town: GoogleWorkspaceTown) -> None:
    group = town.create_group("Staff", address="staff@contoso.example")
    town.contoso.rename_group(group, "Crew", address="crew@contoso.example")
    found = {answer.ref: [g.id for g in answer.groups] for answer in town.open().find_groups(["Staff@contoso.example"])}
    assert found == {"Staff@contoso.example": [group]}


@proves("G3")
def test_units_are_told_with_ids_that_stay(town: GoogleWorkspaceTown) -> None:
    town.contoso.create_unit("/Sales/EMEA")
    before = {unit.path: unit.id for unit in town.open().org_units()}
    town.contoso.rename_unit("/Sales", "Revenue")
    after = list(town.open().org_units())
    assert sorted(before) == ["/Sales", "/Sales/EMEA"]
    assert set(after) == {OrgUnit(before["/Sales"], "/Revenue"), OrgUnit(before["/Sales/EMEA"], "/Revenue/EMEA")}


def test_a_lost_scope_is_named_and_stops_its_feature_alone(town: GoogleWorkspaceTown) -> None:
    hired = people(town, 1)
    town.simulator.order(Fault("lost_scope", "/customer/*/orgunits", times=None))
    with pytest.raises(NeedsPerson) as needed:
        list(town.open().org_units())
    assert needed.value.feature == "org_units" and "orgunit.readonly" in needed.value.remedy
    assert read(town.open()).names == hired
