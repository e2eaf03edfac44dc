"""People who come back under another id: flagged, linked by a person, and paid for once (D5)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.account_filters import AccountFilter
from store.errors import Conflict
from tests.proves import proves
from tests.worker.test_retention import accept_all, after, purged
from tests.worker.world import PERSON, Customer, World
from worker.errors import Insufficient, Usage
from worker.operations.by_hand import by_hand
from worker.operations.importing import import_licenses
from worker.operations.linking import Linked, link, unlink
from worker.operations.pool_pass import pass_pools
from worker.operations.requests import Request, Verb
from worker.operations.selecting import Meant
from worker.operations.syncing import sync

STAFF = "- {name: staff, everyone: true, license: standard}"


def rows(world: World) -> dict[str, Any]:
    """Every account as the list shows it, by its id."""
    with world.store.read() as tx:
        now = int(world.clock().timestamp() * 1_000_000)
        return {row.id: row for row in tx.views.every_account(AccountFilter(), now)}


def ada_comes_back(contoso: Customer, archived: int = 1) -> tuple[str, str]:
    """Ada was licensed, deleted and archived, and is hired again; the ids of the new and of the old account."""
    world = contoso.world
    [old] = contoso.hire("Ada")
    world.add_lot("standard", 5)
    world.add_lot("archived", archived)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    world.later(days=1)
    [new] = contoso.hire("Ada")
    contoso.sync()
    return new, old


def linked(contoso: Customer) -> tuple[str, str, Linked]:
    new, old = ada_comes_back(contoso)
    return new, old, link(contoso.world.app, new, old, PERSON)


@proves("D5")
def test_a_new_account_with_a_deleted_ones_address_is_another_one_and_flagged(world: World, contoso: Customer) -> None:
    new, old = ada_comes_back(contoso)
    shown = rows(world)
    assert shown[new].address == shown[old].address
    assert (shown[new].license, shown[old].license) == ("standard", "archived")
    assert (shown[new].possible_return_of, shown[old].possible_return_of) == (old, None)
    assert (shown[new].linked_to, shown[old].linked_to) == (None, None)


@proves("D5")
def test_linked_accounts_are_one_holder(world: World, contoso: Customer) -> None:
    new, old, done = linked(contoso)
    assert (done.freed, done.old.id, done.new.id) == ("archived", old, new)
    shown = rows(world)
    assert (shown[old].license, shown[old].linked_to, shown[old].protection) == (None, new, "backed_up")
    assert (shown[new].license, shown[new].possible_return_of) == ("standard", None)
    assert world.free("archived") == 1
    assert contoso.clocks() == {}, "no clock runs, and nothing is purge_due"
    [(who, subject, after)] = world.rows("SELECT who, subject, after FROM audit WHERE what = 'account.linked'")
    assert (who, subject) == (PERSON, old)
    assert f'"linked_to":"{new}"' in after
    with world.store.read() as tx:
        assert [event.account for event in tx.audit.feed(0) if event.type == "seatkeeper.account.linked"] == [old]
    contoso.settle()
    assert rows(world)[old].license is None
    assert world.is_sound()


@proves("D5")
def test_the_seat_of_the_old_account_serves_who_waits(world: World, contoso: Customer) -> None:
    new, old = ada_comes_back(contoso)
    contoso.hire("Ben")
    contoso.sync()
    contoso.delete("Ben")
    contoso.sync()
    assert contoso.waiting() == {"Ben": "insufficient_licenses"}
    done = link(world.app, new, old, PERSON)
    assert done.served == {"archive": 1}
    assert contoso.licenses() == {"Ada": "standard", "Ben": "archived"}


@proves("D5", "L4")
def test_while_linked_the_old_backups_follow_the_new_accounts_protection(world: World, contoso: Customer) -> None:
    new, old, _ = linked(contoso)
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant((new,))), PERSON)
    shown = rows(world)
    assert (shown[new].protection, shown[old].protection) == ("retained", "retained")
    assert shown[old].retention_ends == shown[new].retention_ends
    by_hand(world.app, Request(Verb.ASSIGN, Meant((new,)), license="archived"), PERSON)
    assert rows(world)[old].protection == "archived"
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant((new,))), PERSON)
    assert rows(world)[old].protection == "purge_due"
    told = world.rows("SELECT subject FROM audit WHERE what = 'account.purge_due' ORDER BY n")
    assert [subject for (subject,) in told] == [new, old], "the engine is told of both"


@proves("R1", "D5")
def test_notices_name_every_account_whose_backups_would_go(world: World, contoso: Customer) -> None:
    new, old, _ = linked(contoso)
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant((new,))), PERSON)
    world.later(days=30)
    contoso.sync()
    pass_pools(world.app)
    with world.store.read() as tx:
        [notice] = tx.notices.listing()
        told = [event for event in tx.audit.feed(0) if event.type == "seatkeeper.notice.due"]
    assert {account.id: account.linked_to for account in notice.accounts} == {new: None, old: new}
    assert [event.account for event in told] == [new, old]
    assert {event.data["after"]["notice"] for event in told} == {notice.id}
    assert told[1].data["after"]["linked_to"] == new
    world.add_lot("archived", 1)
    unlink(world.app, old, PERSON)
    with world.store.read() as tx:
        [notice] = tx.notices.listing()
    assert [account.id for account in notice.accounts] == [new], "its backups do not go any more"
    assert world.is_sound()


EXPORT = "every: 1m\n  contoso-export:\n    kind: file\n    path: users.csv"
NOBODY = "- {name: nobody, domains: [nowhere.example], license: standard}"
ADA, BEN = "0f000000-0000-0000-0000-00000000000a", "0f000000-0000-0000-0000-00000000000b"


def export(world: World, *ids: str) -> None:
    """Another directory of the company lists these, and is read."""
    lines = ["User principal name,Display name,Object Id", *(f"{id[-1]}@old.example,{id[-1]},{id}" for id in ids)]
    (world.folder / "users.csv").write_text("\n".join(lines) + "\n")
    world.later(hours=2)
    assert sync(world.app, "contoso-export").outcome != "failed"


@proves("R4", "D5")
def test_no_clock_ends_while_the_directory_of_a_linked_account_is_not_well(world: World, contoso: Customer) -> None:
    [new] = contoso.hire("Ada")
    world.add_lot("standard", 1)
    contoso.policy(NOBODY, directory=EXPORT)
    contoso.sync()
    export(world, ADA, BEN)
    export(world, BEN)
    by_hand(world.app, Request(Verb.ASSIGN, Meant((new,))), PERSON)
    link(world.app, new, ADA, PERSON)
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant((new,))), PERSON)
    contoso.policy(NOBODY)
    for days in (30, 23, 6, 2):
        after(world, contoso, days=days)
        accept_all(world)
    assert purged(world) == 0, "the directory of the old account is frozen"
    contoso.policy(NOBODY, directory=EXPORT)
    export(world, BEN)
    after(world, contoso, hours=1)
    assert purged(world) == 2


@proves("D5")
def test_a_link_is_refused_unless_the_new_account_holds_a_license_and_the_old_one_is_gone(
    world: World, contoso: Customer
) -> None:
    new, old = ada_comes_back(contoso)
    [ben] = contoso.hire("Ben")
    contoso.sync()
    with pytest.raises(Conflict, match="is active in the directory; two people"):
        link(world.app, new, ben, PERSON)
    with pytest.raises(Usage, match="are the same account"):
        link(world.app, new, "ada@contoso.example", PERSON)
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant((new,))), PERSON)
    with pytest.raises(Conflict, match="holds no license that could cover"):
        link(world.app, new, old, PERSON)
    assert rows(world)[old].license == "archived"
    fabrikam = world.customer("fabrikam")
    [fay] = fabrikam.hire("Fay")
    fabrikam.policy(STAFF)
    fabrikam.sync()
    with pytest.raises(Usage, match="of different companies"):
        link(world.app, fay, old, PERSON)


@proves("D5", "L6")
def test_unlinking_needs_a_seat_first(world: World, contoso: Customer) -> None:
    new, old, _ = linked(contoso)
    [ben] = contoso.hire("Ben")
    contoso.sync()
    by_hand(world.app, Request(Verb.ARCHIVE, Meant((ben,))), PERSON)
    with pytest.raises(Insufficient):
        unlink(world.app, old, PERSON)
    with pytest.raises(Conflict, match=f"is not linked to any account; those that are linked to it: {old}"):
        unlink(world.app, "ada@contoso.example", PERSON)
    assert rows(world)[old].linked_to == new
    world.add_lot("archived", 1)
    assert unlink(world.app, old, PERSON).license == "archived"
    shown = rows(world)
    assert (shown[old].license, shown[old].linked_to, shown[old].source) == ("archived", None, "manual")
    assert shown[new].license == "standard"
    assert {"account.linked", "account.unlinked"} <= set(world.record())
    with pytest.raises(Conflict, match="is not linked"):
        unlink(world.app, old, PERSON)
    assert world.is_sound()


@proves("D5", "L8")
def test_nobody_gives_a_linked_account_a_license_of_its_own(world: World, contoso: Customer) -> None:
    new, old, _ = linked(contoso)
    with pytest.raises(Usage, match=f"it is linked to {new}"):
        by_hand(world.app, Request(Verb.ASSIGN, Meant((old,)), license="archived"), PERSON)
    with pytest.raises(Usage, match="it is linked to"):
        by_hand(world.app, Request(Verb.FOLLOW, Meant((old,))), PERSON)
    contoso.tenant.restore_user(old)
    contoso.settle()
    assert rows(world)[old].license is None


@proves("D5")
def test_who_comes_back_twice_is_still_one_holder(world: World, contoso: Customer) -> None:
    second, first, _ = linked(contoso)
    contoso.delete("Ada")
    contoso.sync()
    world.later(days=1)
    [third] = contoso.hire("Ada")
    contoso.sync()
    assert rows(world)[third].possible_return_of == second
    link(world.app, third, second, PERSON)
    shown = rows(world)
    assert (shown[first].linked_to, shown[second].linked_to) == (third, third)
    assert world.free("archived") == 1


@proves("D5")
def test_a_clock_that_runs_for_the_old_account_stops(world: World, contoso: Customer) -> None:
    [old] = contoso.hire("Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF, deleted_users="{then: release, after: 0s}")
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    assert contoso.clocks() == {"Ada": timedelta(days=60)}
    [new] = contoso.hire("Ada")
    contoso.sync()
    link(world.app, new, old, PERSON)
    assert contoso.clocks() == {}


@proves("D5")
def test_an_import_gives_a_linked_account_nothing(world: World, contoso: Customer, tmp_path: Path) -> None:
    new, old, _ = linked(contoso)
    file = tmp_path / "licenses.csv"
    file.write_text(f"directory,account,license\ncontoso-m365,{old},archived\n")
    [unmatched] = import_licenses(world.app, file, PERSON).unmatched
    assert unmatched.why == f"is linked to {new}, whose license covers it"
    assert rows(world)[old].license is None
