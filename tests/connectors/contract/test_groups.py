"""Stories of groups, played for every kind of directory that has them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Self

import pytest

from connectors.base import Directory, Edge, GroupPage, SeenGroup
from connectors.errors import CursorExpired, NeedsPerson, Transient
from tests.connectors.contract import town as contract
from tests.connectors.contract.town import Town, people, story
from tests.proves import proves


@dataclass
class Known:
    """What somebody knows of groups who lays page over page, as the store does."""

    groups: dict[str, SeenGroup] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    cursor: str | None = None
    whole: set[str] = field(default_factory=set)
    """The groups that the last walk listed completely."""

    def read(self, directory: Directory, wanted: Collection[str]) -> Self:
        pages = list(directory.pull_groups(self.cursor, wanted))
        self.whole = {id for page in pages for id in page.whole}
        listed: dict[str, set[str]] = {id: set() for id in self.whole}
        for page in pages:
            self._lay(page, listed)
        self.members |= listed
        assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]
        self.cursor = pages[-1].cursor
        return self

    def _lay(self, page: GroupPage, listed: dict[str, set[str]]) -> None:
        for group in page.groups:
            before = self.groups.get(group.id, group)
            told = {name: value for name, value in group._asdict().items() if value is not None}
            self.groups[group.id] = before._replace(**{**told, "gone": group.gone})
        for edge in page.edges:
            members = listed.get(edge.group, self.members.setdefault(edge.group, set()))
            (members.discard if edge.gone else members.add)(edge.member)

    def people_in(self, group: str) -> set[str]:
        """Everybody below a group, through whatever it contains."""
        seen, todo = {group}, [group]
        while todo:
            for member in self.members.get(todo.pop(), ()):
                if member not in seen:
                    seen.add(member)
                    todo.append(member)
        return {id for id in seen if id not in self.members and id != group and id not in self.groups}


def known(town: Town, *wanted: str) -> Known:
    return Known().read(town.open(), wanted)


@story("groups")
def test_a_group_is_told_with_its_name_its_address_and_its_members(town: Town) -> None:
    ada, ben = people(town, 2)
    staff = town.create_group("Backup Staff", [ada, ben], "staff@contoso.example")
    town.create_group("Not asked for", [ada])

    told = known(town, staff)

    assert told.groups == {staff: SeenGroup(staff, "Backup Staff", "staff@contoso.example")}
    assert told.members == {staff: {ada, ben}}
    assert told.whole == {staff}


@story("groups")
@proves("G2")
def test_what_is_nested_is_told_at_any_depth_with_every_member(town: Town) -> None:
    ada, ben, cy = people(town, 3)
    inner = town.create_group("Inner", [cy])
    middle = town.create_group("Middle", [ben, inner])
    outer = town.create_group("Outer", [ada, middle])

    told = known(town, outer)

    assert set(told.groups) == told.whole == {outer, middle, inner}
    assert told.people_in(outer) == {ada, ben, cy}
    assert told.people_in(inner) == {cy}


@story("groups")
@proves("G2")
def test_groups_that_contain_each_other_end_no_walk(town: Town) -> None:
    ada, ben = people(town, 2)
    one = town.create_group("One", [ada])
    other = town.create_group("Other", [ben, one])
    town.join(one, other)
    town.join(one, one)

    told = known(town, one)

    assert told.people_in(one) == told.people_in(other) == {ada, ben}


@story("groups")
@proves("Z2")
def test_a_group_with_more_members_than_a_page_holds_is_told_whole(town: Town) -> None:
    """Accident 7: the first page of members was taken for the group."""
    hired = set(people(town, 5 * town.page + 1))
    large = town.create_group("Large", hired)
    small = town.create_group("Small", list(hired)[:3])

    told = known(town, large, small)

    assert told.members[large] == hired
    assert len(told.members[small]) == 3


@story("groups")
def test_an_empty_group_is_told_whole(town: Town) -> None:
    empty = town.create_group("Empty")

    told = known(town, empty)

    assert told.whole == {empty} and told.members == {empty: set()}


@story("groups")
def test_no_groups_wanted_and_nothing_asked(town: Town) -> None:
    told = known(town)

    assert told.groups == {} and told.cursor is not None
    assert town.requests() == 0


# What changed since


@story("groups", "delta")
def test_nothing_happened_in_groups_and_a_request_for_each_level_of_nesting_tells_it(town: Town) -> None:
    hired = list(people(town, 4))
    nested = town.create_group("Nested", hired[:2])
    wanted = [town.create_group(f"Group {number}", [nested, *hired[2:]]) for number in range(30)]
    told = known(town, *wanted)
    members = {group: set(some) for group, some in told.members.items()}
    before = town.requests()

    told.read(town.open(), wanted)

    assert town.requests() == before + 2
    assert told.members == members and told.whole == set()


@story("groups", "delta")
@proves("G2")
def test_who_joins_and_who_leaves_is_told(town: Town) -> None:
    ada, ben, cy = people(town, 3)
    staff = town.create_group("Backup Staff", [ada, ben])
    told = known(town, staff)
    town.join(staff, cy)
    town.quit(staff, ada)

    told.read(town.open(), [staff])

    assert told.members[staff] == {ben, cy}
    assert told.whole == set()


@story("groups", "delta")
@proves("G2")
def test_a_group_that_is_nested_later_is_told_whole_then(town: Town) -> None:
    ada, ben = people(town, 2)
    outer = town.create_group("Outer", [ada])
    told = known(town, outer)
    inner = town.create_group("Inner", [ben])
    town.join(outer, inner)

    told.read(town.open(), [outer])
    assert told.people_in(outer) == {ada, ben} and told.whole == {inner}

    town.quit(inner, ben)
    told.read(town.open(), [outer])
    assert told.people_in(outer) == {ada}


@story("groups", "delta")
@proves("G3")
def test_a_renamed_group_keeps_its_id_and_its_members(town: Town) -> None:
    (ada,) = people(town, 1)
    staff = town.create_group("Backup Staff", [ada])
    told = known(town, staff)
    town.rename_group(staff, "Backed-up Staff")

    told.read(town.open(), [staff])

    assert told.groups[staff].name == "Backed-up Staff"
    assert told.members[staff] == {ada}


@story("groups", "delta")
@proves("G3")
def test_a_group_that_is_deleted_is_told_and_not_taken_for_empty(town: Town) -> None:
    (ada,) = people(town, 1)
    staff = town.create_group("Backup Staff", [ada])
    told = known(town, staff)
    town.delete_group(staff)

    told.read(town.open(), [staff])

    assert told.groups[staff].gone and staff not in told.whole
    assert told.members[staff] == {ada}


@story("groups", "delta")
def test_a_group_that_comes_back_is_told_with_all_its_members(town: Town) -> None:
    ada, ben = people(town, 2)
    staff = town.create_group("Backup Staff", [ada, ben])
    told = known(town, staff)
    town.delete_group(staff)
    told.read(town.open(), [staff])

    town.restore_group(staff)
    told.read(town.open(), [staff])

    assert not told.groups[staff].gone
    assert told.whole == {staff} and told.members[staff] == {ada, ben}


@story("groups", "delta")
@proves("G3")
def test_a_wanted_group_that_is_nowhere_is_told_gone(town: Town) -> None:
    (ada,) = people(town, 1)
    staff = town.create_group("Backup Staff", [ada])
    nowhere = "00000000-0000-4000-8000-000000000000"

    told = known(town, staff, nowhere)

    assert told.groups[nowhere].gone and told.whole == {staff}


@story("groups", "delta")
def test_another_group_is_wanted_and_is_told_whole(town: Town) -> None:
    ada, ben = people(town, 2)
    staff = town.create_group("Backup Staff", [ada])
    told = known(town, staff)
    others = town.create_group("Others", [ben])

    told.read(town.open(), [staff, others])

    assert others in told.whole
    assert told.members == {staff: {ada}, others: {ben}}


@story("groups", "delta")
def test_more_groups_than_one_stream_takes_are_all_told(town: Town) -> None:
    hired = list(people(town, 3))
    wanted = [town.create_group(f"Group {number}", hired[: number % 3 + 1]) for number in range(115)]

    told = known(town, *wanted)
    town.quit(wanted[2], hired[0])
    town.quit(wanted[113], hired[0])
    told.read(town.open(), wanted)

    assert set(told.groups) == set(wanted)
    assert told.members[wanted[2]] == told.members[wanted[113]] == {hired[1], hired[2]}
    assert told.members[wanted[114]] == {hired[0]}


@story("groups", "delta", trouble=contract.CURSOR_EXPIRED)
@proves("Z2")
def test_a_dead_stream_of_groups_begins_anew(town: Town) -> None:
    ada, ben = people(town, 2)
    staff = town.create_group("Backup Staff", [ada, ben])
    told = known(town, staff)
    town.quit(staff, ada)
    town.trouble(contract.CURSOR_EXPIRED, "groups")

    told.read(town.open(), [staff])

    assert told.whole == {staff} and told.members[staff] == {ben}


@story("groups", "delta")
@pytest.mark.parametrize("cursor", ["nonsense", "{}", "[]"])
def test_a_cursor_of_something_else_is_no_cursor_of_groups(town: Town, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        list(town.open().pull_groups(cursor, []))


# Things go wrong


@story("groups", trouble=contract.BREAKS_HALFWAY)
@proves("Z2")
def test_half_a_walk_over_groups_is_an_error_and_no_cursor(town: Town) -> None:
    hired = people(town, 4 * town.page)
    large = town.create_group("Large", hired)
    town.trouble(contract.BREAKS_HALFWAY, "groups")
    pages: list[GroupPage] = []

    with pytest.raises(Transient):
        pages.extend(town.open().pull_groups(None, [large]))

    assert not any(page.cursor or page.whole for page in pages)


@story("groups", trouble=contract.EMPTY_PAGE)
@proves("Z2")
def test_empty_pages_between_groups_are_not_the_end(town: Town) -> None:
    hired = set(people(town, 2 * town.page))
    large = town.create_group("Large", hired)
    town.trouble(contract.EMPTY_PAGE, "groups")

    assert known(town, large).members[large] == hired


@story("groups", trouble=contract.DENIED)
@proves("Z9")
def test_groups_that_may_not_be_read_need_a_person_and_stop_nothing_else(town: Town) -> None:
    hired = people(town, 1)
    staff = town.create_group("Backup Staff", hired)
    town.trouble(contract.DENIED, "groups")

    with pytest.raises(NeedsPerson) as needed:
        known(town, staff)

    assert needed.value.feature == "groups" and needed.value.remedy
    assert contract.read(town.open()).names == hired


# One group again


@story("groups")
@proves("Z2")
def test_a_group_can_be_read_again_by_itself(town: Town) -> None:
    hired = set(people(town, 120))
    inner = town.create_group("Inner")
    staff = town.create_group("Backup Staff", [*hired, inner])

    pages = list(town.open().read_group(staff))

    edges = [edge for page in pages for edge in page.edges]
    assert {edge.member for edge in edges if edge.member_is == "account"} == hired
    assert Edge(staff, inner, "group") in edges
    assert [list(page.whole) for page in pages] == [[]] * (len(pages) - 1) + [[staff]]


@story("groups")
@proves("G3")
def test_a_group_that_is_gone_says_so_when_it_is_read_again(town: Town) -> None:
    staff = town.create_group("Backup Staff")
    town.delete_group(staff)

    (page,) = town.open().read_group(staff)

    assert list(page.groups) == [SeenGroup(staff, gone=True)] and list(page.whole) == []


# Names


@story("groups")
@proves("G3")
def test_groups_are_found_by_id_address_and_name(town: Town) -> None:
    staff = town.create_group("Backup Staff", address="staff@contoso.example")
    ohara = town.create_group("O'Hara's & Søn's + Co")
    found = {
        answer.ref: [group.id for group in answer.groups]
        for answer in town.open().find_groups(
            ["Backup Staff", "STAFF@contoso.example", staff, "O'Hara's & Søn's + Co", "Nobody", ohara[:-1] + "0"]
        )
    }

    assert found["Backup Staff"] == found["STAFF@contoso.example"] == found[staff] == [staff]
    assert found["O'Hara's & Søn's + Co"] == [ohara]
    assert found["Nobody"] == []


@story("groups")
@proves("G3")
def test_a_name_that_two_groups_have_finds_both(town: Town) -> None:
    twins = {town.create_group("Backup Staff") for _ in range(2)}
    named_like_an_address = town.create_group("exec@contoso.example")
    addressed = town.create_group("Executives", address="exec@contoso.example")

    by_name, by_address = town.open().find_groups(["Backup Staff", "exec@contoso.example"])

    assert {group.id for group in by_name.groups} == twins
    assert {group.id for group in by_address.groups} == {named_like_an_address, addressed}


@story("groups")
def test_many_names_are_looked_up_in_their_order(town: Town) -> None:
    names = [f"Group {number}" for number in range(45)]
    ids = [town.create_group(name) for name in names]

    found = list(town.open().find_groups(names))

    assert [answer.ref for answer in found] == names
    assert [[group.id for group in answer.groups] for answer in found] == [[id] for id in ids]
