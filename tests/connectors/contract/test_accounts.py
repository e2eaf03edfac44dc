"""Stories of accounts, played for every kind of directory."""

from itertools import islice

import pytest

from connectors import registry
from connectors.base import Directory
from connectors.errors import ConnectorError, CursorExpired, NeedsPerson, Transient
from policies.model import DELETED, FOUND, GONE, AccountId
from tests.connectors.contract import town as contract
from tests.connectors.contract.town import TOWNS, Mirror, Town, people, read, story
from tests.connectors.test_ahead import are_ahead
from tests.proves import proves


def test_every_kind_of_directory_has_a_town() -> None:
    """Welcome. Write tests/connectors/contract/towns/<kind>.py; it declares TOWN, as those beside it do."""
    assert set(TOWNS) == set(registry.directories())


# The first listing


@story()
@proves("Z11")
def test_a_first_listing_tells_everybody_and_who_the_directory_is(town: Town) -> None:
    hired = people(town, town.page + 1)

    mirror = read(town.open())

    assert mirror.names == hired
    assert all(page.full for page in mirror.pages)
    assert [page.tenant for page in mirror.pages if page.tenant] == [town.tenant]
    assert town.open().tenant() == town.tenant


@story()
@pytest.mark.parametrize("pages, more", [(0, 0), (0, 1), (1, -1), (1, 0), (1, 1), (2, 0), (2, 1)])
@proves("Z2")
def test_no_page_limit_cuts_a_listing(town: Town, pages: int, more: int) -> None:
    hired = people(town, pages * town.page + more)

    mirror = read(town.open())

    assert mirror.names == hired
    assert [page.cursor is not None for page in mirror.pages] == [False] * (len(mirror.pages) - 1) + [True]


@story()
def test_an_empty_directory_is_read_completely(town: Town) -> None:
    mirror = read(town.open())

    assert mirror.accounts == {}
    assert mirror.cursor is not None and mirror.pages[-1].full


@story()
def test_an_account_is_told_with_its_address_and_whether_it_may_sign_in(town: Town) -> None:
    ada, ben = town.hire("Ada Winter"), town.hire("Ben Okoro")
    town.disable(ben)

    accounts = read(town.open()).accounts

    assert accounts[ada].address == "ada.winter@contoso.example"
    assert (accounts[ada].enabled, accounts[ben].enabled) == (True, False)


@story()
@proves("Z2")
def test_an_interrupted_walk_goes_on_where_it_was_and_is_still_one_over_everybody(town: Town) -> None:
    hired = people(town, 3 * town.page)
    first = list(islice(town.open().pull(None), 2))

    rest = list(town.open().pull(None, first[-1].resume))

    assert Mirror().read([*first, *rest]).names == hired
    assert sum(len(page.accounts) for page in rest) == town.page
    assert all(page.full for page in rest)


# What changed since


@story("quiet")
def test_nothing_happened_and_nothing_is_told(town: Town) -> None:
    people(town, 3)
    mirror = read(town.open())

    again = Mirror().read(town.open().pull(mirror.cursor))

    assert again.accounts == {} and again.cursor is not None
    assert not any(page.full for page in again.pages)


@story("delta")
@proves("D4")
def test_what_happened_since_is_told_and_nothing_else(town: Town) -> None:
    hired = people(town, town.page)
    ada, ben, cy, dan = hired
    mirror = read(town.open())
    eve = town.hire("Eve Lund")
    town.rename(ada, "Ada Summer")
    town.disable(ben)
    town.leave(cy)

    told = Mirror().read(town.open().pull(mirror.cursor))

    assert set(told.accounts) == {eve, ada, ben, cy}
    assert told.gone == {cy: "deleted"}
    assert not any(page.full for page in told.pages)
    mirror.read(told.pages)
    assert mirror.names == {ada: "Ada Summer", ben: "Person 1", dan: "Person 3", eve: "Eve Lund"}
    assert mirror.accounts[ben].enabled is False


@story("delta", "deleted")
@proves("D4")
def test_somebody_leaves_and_comes_back_under_the_same_id(town: Town) -> None:
    ada = town.hire("Ada Winter")
    mirror = read(town.open())
    town.leave(ada)
    mirror.read(town.open().pull(mirror.cursor))
    assert mirror.gone == {ada: "deleted"}

    town.come_back(ada)
    mirror.read(town.open().pull(mirror.cursor))

    assert mirror.names == {ada: "Ada Winter"} and mirror.gone == {}


@story("delta", "deleted")
@proves("D4")
def test_somebody_leaves_and_then_is_gone_for_good(town: Town) -> None:
    ada = town.hire("Ada Winter")
    mirror = read(town.open())
    town.leave(ada)
    mirror.read(town.open().pull(mirror.cursor))

    town.vanish(ada)
    mirror.read(town.open().pull(mirror.cursor))

    assert mirror.gone == {ada: "purged"}


@story("delta")
def test_a_replayed_cursor_tells_the_same_again(town: Town) -> None:
    people(town, 2)
    mirror = read(town.open())
    town.hire("Eve Lund")

    first, second = (Mirror().read(town.open().pull(mirror.cursor)) for _ in range(2))

    assert first.accounts == second.accounts and len(first.accounts) == 1


# Cursors


@story("delta", trouble=contract.CURSOR_EXPIRED)
@pytest.mark.parametrize("trouble", [contract.CURSOR_EXPIRED, contract.CURSOR_DAMAGED])
@proves("Z2")
def test_a_dead_cursor_is_told_before_any_page_and_a_full_walk_goes_on(town: Town, trouble: str) -> None:
    hired = people(town, town.page + 1)
    mirror = read(town.open())
    town.trouble(trouble)

    with pytest.raises(CursorExpired):
        next(town.open().pull(mirror.cursor))

    assert read(town.open()).names == hired


@story()
@pytest.mark.parametrize("cursor", ["", "nonsense", "{}", '{"v":1}'])
def test_a_cursor_that_was_never_given_is_dead(town: Town, cursor: str) -> None:
    people(town, 1)

    with pytest.raises(CursorExpired):
        list(town.open().pull(cursor or "null"))


@story("delta", trouble=contract.LINK_LOST)
@proves("Z2")
def test_a_place_that_is_lost_in_the_middle_of_a_walk_ends_it_without_a_cursor(town: Town) -> None:
    people(town, 3 * town.page)
    town.trouble(contract.LINK_LOST)
    mirror = Mirror()

    with pytest.raises(CursorExpired):
        mirror.read(town.open().pull(None))

    assert mirror.cursor is None


# Things go wrong


@story(trouble=contract.BUSY)
def test_a_short_throttle_is_waited_out(town: Town) -> None:
    hired = people(town, town.page + 1)
    town.trouble(contract.BUSY)

    assert read(town.open()).names == hired
    assert 7 <= town.world.waited <= 8


@story(trouble=contract.BUSY_FOR_LONG)
@proves("Z9")
def test_a_long_throttle_is_handed_back_at_once(town: Town) -> None:
    people(town, 1)
    town.trouble(contract.BUSY_FOR_LONG)

    with pytest.raises(Transient) as failed:
        read(town.open())

    assert failed.value.retry_after == 600
    assert town.world.slept == []


@story(trouble=contract.BREAKS_HALFWAY)
@proves("Z2")
def test_half_a_listing_is_an_error_and_nothing_else(town: Town) -> None:
    people(town, 2 * town.page)
    town.trouble(contract.BREAKS_HALFWAY)
    mirror = Mirror()

    with pytest.raises(ConnectorError):
        mirror.read(town.open().pull(None))

    assert mirror.cursor is None and mirror.pages == []


@story(trouble=contract.NO_LINK)
@pytest.mark.parametrize("trouble", [contract.NO_LINK, contract.CIRCLE])
@proves("Z2")
def test_a_list_that_does_not_say_how_it_ends_is_an_error(town: Town, trouble: str) -> None:
    people(town, 2 * town.page)
    town.trouble(trouble)
    mirror = Mirror()

    with pytest.raises(Transient):
        mirror.read(town.open().pull(None))

    assert mirror.cursor is None


@story(trouble=contract.EMPTY_PAGE)
@proves("Z2")
def test_an_empty_page_with_a_link_is_not_the_end(town: Town) -> None:
    hired = people(town, 2 * town.page)
    town.trouble(contract.EMPTY_PAGE)

    mirror = read(town.open())

    assert mirror.names == hired
    assert [] in [list(page.accounts) for page in mirror.pages[:-1]]


@story(trouble=contract.TWICE)
def test_an_account_that_is_told_twice_is_one_account(town: Town) -> None:
    hired = people(town, town.page + 1)
    town.trouble(contract.TWICE)

    mirror = read(town.open())

    assert mirror.names == hired
    assert sum(len(page.accounts) for page in mirror.pages) > len(hired)


@story(trouble=contract.REPEATED_PAGE)
def test_a_page_that_comes_twice_is_one_page(town: Town) -> None:
    hired = people(town, 3 * town.page)
    town.trouble(contract.REPEATED_PAGE)

    mirror = read(town.open())

    assert mirror.names == hired
    assert len(mirror.pages) == 4


@story(trouble=contract.FOREIGN_LINK)
def test_a_link_to_another_host_is_not_followed(town: Town) -> None:
    people(town, 2 * town.page)
    town.trouble(contract.FOREIGN_LINK)

    with pytest.raises(ConnectorError, match="not followed"):
        read(town.open())

    assert getattr(town, "elsewhere", []) == []


@story(trouble=contract.UNREADABLE)
@proves("Z2")
def test_an_account_that_cannot_be_read_is_there_and_left_as_it_is(town: Town) -> None:
    hired = people(town, 2)
    mirror = read(town.open())
    town.trouble(contract.UNREADABLE)

    mirror.read(town.open().pull(None))

    assert mirror.names == hired
    assert {len(set(seen)) > 3 for page in mirror.pages for seen in page.accounts} == {True, False}


@story(trouble=contract.WRONG_TENANT)
@proves("Z11")
def test_another_tenant_that_answers_is_not_read(town: Town) -> None:
    people(town, 1)
    town.trouble(contract.WRONG_TENANT)

    with pytest.raises(NeedsPerson, match="is for tenant"):
        read(town.open())

    assert town.requests() == 0


@story(trouble=contract.DENIED)
@proves("Z9")
def test_a_missing_permission_needs_a_person_who_is_told_which(town: Town) -> None:
    people(town, 1)
    town.trouble(contract.DENIED)

    with pytest.raises(NeedsPerson) as needed:
        read(town.open())

    assert needed.value.feature == "users"
    assert needed.value.remedy


@story(trouble=contract.BUSY)
@proves("Z10")
def test_a_stop_ends_a_walk_before_its_next_request(town: Town) -> None:
    people(town, 3 * town.page)
    pages = town.open().pull(None)
    next(pages)
    asked = town.requests()
    town.world.stopped = True

    with pytest.raises(Transient, match="stopped"):
        next(pages)

    assert town.requests() <= asked + 1, "one may have been under way"


@story(trouble=contract.BUSY)
def test_a_walk_asks_for_one_page_ahead_and_leaves_nothing_under_way(town: Town) -> None:
    people(town, 3 * town.page)
    pages = town.open().pull(None)

    next(pages)
    assert len(are_ahead()) == 1
    next(pages)
    assert len(are_ahead()) == 1
    del pages

    assert are_ahead() == []


@story(trouble=contract.BUSY)
def test_a_walk_of_one_page_begins_no_thread(town: Town) -> None:
    people(town, 1)

    assert [are_ahead() for _ in town.open().pull(None)].count([]) == len(read(town.open()).pages)


# Looking up and counting


@story("look_up", "deleted")
@proves("D4")
def test_a_look_up_tells_the_living_the_deleted_and_the_gone_apart(town: Town) -> None:
    ada, ben, cy = (town.hire(name) for name in ("Ada Winter", "Ben Okoro", "Cy Lund"))
    town.leave(ben)
    town.vanish(cy)
    nobody = "00000000-0000-4000-8000-000000000000"

    assert looked_up(town.open(), [ada, ben, cy, nobody]) == {ada: FOUND, ben: DELETED, cy: GONE, nobody: GONE}


@story("look_up")
def test_many_accounts_can_be_looked_up_at_once(town: Town) -> None:
    hired = people(town, 45)
    away = list(hired)[::2]
    for id in away:
        town.leave(id)

    found = looked_up(town.open(), list(hired))

    assert [id for id in hired if found[id] == DELETED] == away
    assert len(found) == 45


@story("look_up")
def test_looking_nobody_up_asks_nothing(town: Town) -> None:
    assert looked_up(town.open(), []) == {}
    assert town.requests() == 0


@story("count")
def test_the_directory_counts_those_who_live(town: Town) -> None:
    hired = people(town, 7)
    town.leave(next(iter(hired)))

    assert town.open().count() == 6


def looked_up(directory: Directory, ids: list[str]) -> dict[str, str]:
    return {sighting.id: sighting.seen for sighting in directory.look_up([AccountId(id) for id in ids])}
