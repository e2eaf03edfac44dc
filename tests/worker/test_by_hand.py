"""What people do by hand: assigning, archiving, deactivating, pinning, handing back; whole, or as many as fit (L)."""

from datetime import timedelta
from typing import Any

import pytest

from store.account_filters import AccountFilter
from store.errors import Conflict, NotFound
from store.times import micros
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.errors import Usage
from worker.operations.by_hand import Done, by_hand, preview
from worker.operations.requests import Request, Verb
from worker.operations.retaining import pass_clocks
from worker.operations.selecting import Meant

STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"
NOBODY = "- {name: nobody, domains: [elsewhere.example], license: standard}"


def ask(
    world: World, verb: str, *names: str, where: AccountFilter | None = None, who: str = PERSON, **more: Any
) -> Done:
    """Somebody does something by hand, for accounts by their first names or for all that match a filter."""
    accounts = tuple(f"{name.lower().replace(' ', '.')}@contoso.example" for name in names)
    return by_hand(world.app, Request(Verb(verb), Meant(accounts, where), **more), who)


def addresses(accounts: Any) -> list[str]:
    return [account.address.partition("@")[0] for account in accounts]


def shown(world: World, name: str) -> Any:
    """The account as the list shows it."""
    with world.store.read() as tx:
        now = int(world.clock().timestamp() * 1_000_000)
        [row] = [row for row in tx.views.every_account(AccountFilter(), now) if row.name == name]
    return row


@proves("L7", "L8")
def test_a_license_by_hand_is_neither_taken_nor_given_by_rules(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    staff = contoso.group("Staff", "Ben", "Cy")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    done = ask(world, "assign", "Ada", "Ben")
    assert (done.wanted, done.free, done.short, done.marked) == (1, 3, 0, 1)
    assert addresses(done.assigned) == ["ada"]
    assert contoso.sources() == {"Ada": "manual", "Ben": "manual", "Cy": "rule:staff"}
    for name in ("Ben", "Cy"):
        contoso.tenant.remove_member(staff, contoso.people[name])
    contoso.settle()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert (shown(world, "Ada").source, shown(world, "Ada").because) == ("manual", "assigned by kim")
    assert world.happened()["license.assigned"] == 3
    assert world.is_sound()


@proves("L8", "L4")
def test_who_was_deactivated_by_hand_gets_nothing_from_rules_until_handed_back(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    contoso.policy(STAFF)
    contoso.sync()
    assert contoso.waiting() == {"Ben": "insufficient_licenses"}
    done = ask(world, "deactivate", "Ada")
    assert addresses(done.deactivated) == ["ada"]
    assert done.served == {"assign": 1}
    assert contoso.licenses() == {"Ben": "standard"}, "the seat serves who waits, at once"
    assert contoso.clocks() == {"Ada": timedelta(days=60)}
    assert (shown(world, "Ada").source, shown(world, "Ada").protection) == ("manual", "retained")
    world.add_lot("standard", 1)
    contoso.settle()
    assert contoso.licenses() == {"Ben": "standard"}
    ask(world, "follow", "Ada")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert contoso.clocks() == {}
    assert contoso.sources()["Ada"] == "rule:staff"
    assert world.is_sound()


@proves("L8")
def test_who_waits_and_is_deactivated_waits_no_more(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.policy(STAFF)
    contoso.sync()
    ask(world, "deactivate", "Ada")
    assert contoso.waiting() == {}
    world.add_lot("standard", 1)
    contoso.settle()
    assert contoso.licenses() == {}
    assert "account.by_hand" in world.record()


@proves("L8", "G4")
def test_what_is_handed_back_is_the_rules_to_keep_or_to_give(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    ask(world, "assign", "Ada", "Ben")
    done = ask(world, "follow", "Ada", "Ben")
    assert (done.marked, done.unchanged) == (2, 0)
    contoso.settle()
    assert contoso.sources() == {"Ada": "rule:staff", "Ben": "imported"}, "held without a rule: kept"
    assert ask(world, "follow", "Ada").unchanged == 1


@proves("L6")
def test_a_request_for_more_than_is_free_is_refused_whole(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy", "Dan", "Eve")
    world.add_lot("standard", 3)
    contoso.policy(NOBODY)
    contoso.sync()
    before = world.dump()
    done = ask(world, "assign", "Ada", "Ben", "Cy", "Dan", "Eve")
    assert (done.wanted, done.free, done.short) == (5, 3, 2)
    assert (done.assigned, done.left_out, done.refused) == ([], [], ("insufficient_licenses",))
    assert world.dump() == before


@proves("L6")
def test_as_many_as_fit_are_served_by_address_and_the_rest_is_named(world: World, contoso: Customer) -> None:
    contoso.hire("Eve", "Dan", "Cy", "Ben", "Ada")
    world.add_lot("standard", 3)
    contoso.policy(NOBODY)
    contoso.sync()
    done = ask(world, "assign", "Eve", "Dan", "Cy", "Ben", "Ada", as_many_as_fit=True)
    assert addresses(done.assigned) == ["ada", "ben", "cy"]
    assert addresses(done.left_out) == ["dan", "eve"]
    assert {left.reason for left in done.left_out} == {"insufficient_licenses"}
    assert (done.wanted, done.free, done.short) == (5, 3, 2)
    assert contoso.waiting() == {}, "nobody is put in line by a person's wish"


@proves("L6", "M1")
def test_the_limit_of_a_company_counts_by_hand_too(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    world.add_lot("standard", 9)
    contoso.policy(NOBODY, licenses="{limit: {standard: 2}}")
    contoso.sync()
    done = ask(world, "assign", "Ada", "Ben", "Cy")
    assert (done.wanted, done.free, done.short, done.refused) == (3, 2, 1, ("company_limit",))


@proves("L7")
def test_a_filter_means_everybody_whom_it_fits(world: World, contoso: Customer) -> None:
    contoso.crowd(130)
    world.add_lot("standard", 200)
    contoso.policy(NOBODY)
    contoso.sync()
    done = ask(world, "assign", where=AccountFilter(company="contoso", state="active", license="none"))
    assert (done.wanted, len(done.assigned), done.short) == (130, 130, 0)
    assert len(contoso.licenses()) == 130
    again = ask(world, "assign", where=AccountFilter(license="none"))
    assert (again.wanted, again.assigned) == (0, [])
    assert world.is_sound()


@proves("L7")
def test_who_is_deleted_is_passed_over_by_a_filter_and_refused_by_name(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 2)
    world.add_lot("archived", 1)
    contoso.policy(NOBODY)
    contoso.sync()
    contoso.delete("Ben")
    contoso.sync()
    done = ask(world, "assign", where=AccountFilter(domain="contoso.example"))
    assert (addresses(done.assigned), addresses(done.passed_over)) == (["ada"], ["ben"])
    with pytest.raises(Usage, match="it is deleted in the directory"):
        ask(world, "assign", "Ben")
    assert addresses(ask(world, "assign", "Ben", license="archived").assigned) == ["ben"]
    with pytest.raises(NotFound):
        ask(world, "assign", "Zoe")


@proves("L1", "L7", "L8")
def test_archiving_by_hand_takes_an_archived_seat_and_frees_the_other(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(STAFF)
    contoso.sync()
    done = ask(world, "archive", "Ada")
    assert (done.wanted, done.free, addresses(done.assigned), done.served) == (1, 1, ["ada"], {"assign": 1})
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}
    assert contoso.sources()["Ada"] == "manual"
    contoso.settle()
    assert contoso.licenses()["Ada"] == "archived", "the rule would give standard, and does not"
    done = ask(world, "archive", "Ben")
    assert (done.wanted, done.free, done.short) == (1, 0, 1)
    ask(world, "deactivate", "Ben")
    with pytest.raises(Usage, match="holds nothing that could be archived"):
        ask(world, "archive", "Ben")


@proves("L1", "L7")
def test_going_back_to_standard_by_hand_needs_a_seat_first(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    world.add_lot("archived", 1)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada", license="archived")
    assert ask(world, "assign", "Ada").short == 1
    assert contoso.licenses() == {"Ada": "archived"}
    world.add_lot("standard", 1)
    ask(world, "assign", "Ada")
    assert contoso.licenses() == {"Ada": "standard"}
    assert (world.free("standard"), world.free("archived")) == (0, 1)


@proves("S1", "L6")
def test_shared_mailboxes_draw_on_the_entitlement_by_hand_too(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.mailbox("Info", "Sales")
    world.add_lot("standard", 3)
    contoso.policy(NOBODY)
    contoso.settle()
    done = ask(world, "assign", "Info")
    assert (done.short, done.refused) == (1, ("entitlement",))
    ask(world, "assign", "Ada")
    done = ask(world, "assign", "Info", "Sales", as_many_as_fit=True)
    assert (addresses(done.assigned), addresses(done.left_out)) == (["info"], ["sales"])
    assert contoso.through() == {"Ada": "seat", "Info": "entitlement"}
    assert world.free("standard") == 2


@proves("L8", "D1")
def test_a_deletion_archives_what_a_person_gave_unless_it_is_pinned(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 2)
    world.add_lot("archived", 2)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada", "Ben")
    assert ask(world, "pin", "Ben").marked == 1
    assert shown(world, "Ben").source == "pinned"
    contoso.delete("Ada", "Ben")
    contoso.settle()
    assert contoso.licenses() == {"Ada": "archived", "Ben": "standard"}
    assert shown(world, "Ben").protection == "not_running"
    ask(world, "unpin", "Ben")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "archived", "Ben": "archived"}
    assert {"account.pinned", "account.unpinned"} <= set(world.record())


@proves("L5", "L4")
def test_what_was_archived_and_is_deactivated_is_kept_no_longer(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada")
    ask(world, "assign", "Ben", license="archived")
    found = preview(world.app, Request(Verb.DEACTIVATE, Meant(where=AccountFilter())))
    assert (found.holding("standard"), found.holding("archived")) == (1, 1)
    assert found.retention == (timedelta(days=60),)
    ask(world, "deactivate", "Ada", "Ben", seen=found.seen)
    assert (shown(world, "Ada").protection, shown(world, "Ben").protection) == ("retained", "purge_due")
    assert world.happened()["account.purge_due"] == 1
    assert contoso.clocks() == {"Ada": timedelta(days=60), "Ben": timedelta(0)}


@proves("L5", "R4")
def test_nobody_is_told_that_data_may_go_on_the_word_of_an_old_read(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    world.add_lot("archived", 1)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada", license="archived")
    world.later(days=2)
    ask(world, "deactivate", "Ada")
    assert shown(world, "Ada").protection == "retained"
    assert "account.purge_due" not in world.record()
    contoso.sync()
    pass_clocks(world.app, contoso.row().company, micros(world.clock()))
    assert shown(world, "Ada").protection == "purge_due"
    assert world.happened()["account.purge_due"] == 1


@proves("L5", "R4")
def test_nobody_is_told_that_data_may_go_while_the_directory_does_not_confirm_it(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("archived", 2)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada", "Ben", license="archived")
    contoso.delete("Ada")
    ask(world, "deactivate", "Ada", "Ben")
    assert (shown(world, "Ada").protection, shown(world, "Ben").protection) == ("retained", "purge_due")
    contoso.sync()
    pass_clocks(world.app, contoso.row().company, micros(world.clock()))
    assert shown(world, "Ada").protection == "purge_due"
    assert world.happened()["account.purge_due"] == 2


@proves("L9", "L4")
def test_backups_of_before_are_shown_as_kept_and_until_when(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 2)
    world.add_lot("archived", 1)
    contoso.policy(NOBODY, licenses="{retention: 90d}")
    contoso.sync()
    ask(world, "assign", "Ada", "Ben")
    ask(world, "archive", "Ada")
    contoso.delete("Ada", "Ben")
    contoso.sync()
    assert (shown(world, "Ada").protection, shown(world, "Ada").retention_ends) == ("archived", None)
    assert shown(world, "Ben").protection == "archive_waiting"
    ask(world, "deactivate", "Ben")
    assert (shown(world, "Ben").protection, shown(world, "Ben").retention_ends) == ("retained", "2027-01-31T08:00:00Z")


@proves("L5")
def test_what_changed_since_a_person_was_told_is_not_done(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    world.add_lot("standard", 1)
    world.add_lot("archived", 1)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada")
    found = preview(world.app, Request(Verb.DEACTIVATE, Meant(("ada@contoso.example",))))
    ask(world, "archive", "Ada")
    with pytest.raises(Conflict, match="have changed since you were asked"):
        ask(world, "deactivate", "Ada", seen=found.seen)
    assert contoso.licenses() == {"Ada": "archived"}


@proves("M2")
def test_a_person_gives_by_hand_no_more_than_their_part(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    world.add_lot("standard", 9)
    contoso.policy(NOBODY, licenses="{user_pools: {kim: {standard: 2}}}")
    contoso.sync()
    done = ask(world, "assign", "Ada", "Ben", "Cy")
    assert (done.wanted, done.free, done.short, done.refused) == (3, 2, 1, ("user_pool",))
    ask(world, "assign", "Ada", "Ben")
    assert ask(world, "assign", "Cy").refused == ("user_pool",)
    assert addresses(ask(world, "assign", "Cy", who="cli:lee@ops").assigned) == ["cy"]
    ask(world, "deactivate", "Ada")
    assert ask(world, "assign", "Ada").short == 0, "what is no longer held counts no longer"


@proves("M2")
def test_the_limit_of_the_company_overrides_those_of_its_people(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    world.add_lot("standard", 9)
    contoso.policy(NOBODY, licenses="{limit: {standard: 2}, user_pools: {kim: {standard: 1}}}")
    contoso.sync()
    assert len(ask(world, "assign", "Ada", "Ben").assigned) == 2
    assert ask(world, "assign", "Cy").refused == ("company_limit",)


@proves("Z1", "L7")
def test_deactivating_too_many_is_held_and_happens_when_it_is_approved(world: World, contoso: Customer) -> None:
    contoso.crowd(20)
    world.add_lot("standard", 20)
    contoso.policy(STAFF)
    contoso.sync()
    done = ask(world, "deactivate", where=AccountFilter(directory="contoso-m365"))
    assert [(held.kind, held.total) for held in done.held] == [("unassign", 20)]
    assert (done.deactivated, len(contoso.licenses())) == ([], 20)
    contoso.settle()
    assert world.holds() == [("unassign", 20)], "no run takes it for its own"
    result = world.approve(done.held[0].hash)
    assert result is not None and (result.outcome, result.actions_total) == ("applied", 20)
    assert (contoso.licenses(), world.holds()) == ({}, [])
    assert len(contoso.clocks()) == 20
    contoso.settle()
    assert contoso.licenses() == {}
    assert world.one("SELECT count(*) FROM removal") == 0, "what was approved does not count again"
    assert world.is_sound()


@proves("Z1")
def test_a_slow_bleed_by_hand_trips_the_limit_too(world: World, contoso: Customer) -> None:
    people = contoso.crowd(20)
    world.add_lot("standard", 20)
    contoso.policy(STAFF)
    contoso.sync()
    for n in range(5):
        by_hand(world.app, Request(Verb.DEACTIVATE, Meant((people[n],))), PERSON)
        world.later(hours=1)
    assert by_hand(world.app, Request(Verb.DEACTIVATE, Meant((people[5],))), PERSON).held
    world.later(hours=24)
    assert not by_hand(world.app, Request(Verb.DEACTIVATE, Meant((people[5],))), PERSON).held


@proves("Z1")
def test_archiving_by_hand_counts_with_what_automation_archives(world: World, contoso: Customer) -> None:
    people = contoso.crowd(20)
    world.add_lot("standard", 20)
    world.add_lot("archived", 20)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Person 000", "Person 001", "Person 002")
    contoso.sync()
    done = by_hand(world.app, Request(Verb.ARCHIVE, Meant(tuple(people[3:6]))), PERSON)
    assert [(held.kind, held.total) for held in done.held] == [("archive", 3)]
    assert list(contoso.licenses().values()).count("archived") == 3
    world.approve(done.held[0].hash)
    assert list(contoso.licenses().values()).count("archived") == 6
    assert contoso.sources()["Person 003"] == "manual"


@proves("Z1")
def test_approval_is_refused_once_an_account_holds_something_else(world: World, contoso: Customer) -> None:
    people = contoso.crowd(10)
    world.add_lot("standard", 10)
    contoso.policy(STAFF)
    contoso.sync()
    [held] = by_hand(world.app, Request(Verb.DEACTIVATE, Meant(tuple(people[:6]))), PERSON).held
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant((people[0],))), PERSON)
    with pytest.raises(Conflict, match="1 of the 6 accounts have changed since"):
        world.approve(held.hash)
    assert len(contoso.licenses()) == 9
    world.reject(held.hash)
    assert world.holds() == []


@proves("Z1")
def test_two_requests_that_are_held_stand_beside_each_other(world: World, contoso: Customer) -> None:
    people = contoso.crowd(20)
    world.add_lot("standard", 20)
    contoso.policy(STAFF)
    contoso.sync()
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant(tuple(people[:8]))), PERSON)
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant(tuple(people[8:15]))), PERSON)
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant(tuple(people[8:15]))), PERSON)
    assert sorted(world.holds()) == [("unassign", 7), ("unassign", 8)]


@proves("L7", "M8")
def test_companies_that_share_a_pool_do_not_get_the_same_seat(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    contoso.hire("Ada")
    fabrikam.hire("Fay")
    world.add_lot("standard", 1)
    contoso.policy(NOBODY)
    fabrikam.policy(NOBODY)
    contoso.sync()
    fabrikam.sync()
    done = ask(world, "assign", where=AccountFilter(state="active"), as_many_as_fit=True)
    assert (done.wanted, done.free, addresses(done.assigned), addresses(done.left_out)) == (2, 1, ["ada"], ["fay"])
    assert world.is_sound()


@proves("A1", "Z8")
def test_the_record_names_the_person_and_a_second_time_nothing_is_written(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    world.add_lot("standard", 1)
    contoso.policy(NOBODY)
    contoso.sync()
    ask(world, "assign", "Ada")
    [(who, before, after)] = world.rows("SELECT who, before, after FROM audit WHERE what = 'license.assigned'")
    assert (who, before) == (PERSON, None)
    assert '"source":"manual"' in after
    contoso.settle()
    count = world.one("SELECT count(*) FROM audit")
    assert ask(world, "assign", "Ada").unchanged == 1
    assert contoso.sync().outcome == "nothing_to_do"
    assert world.one("SELECT count(*) FROM audit") == count
