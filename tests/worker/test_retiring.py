"""What a person says is gone for good: companies and directories (Z11); and whose backups must not go (R2, L5)."""

import pytest

from store.account_filters import AccountFilter
from store.errors import Conflict, NotFound
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.errors import UnderLegalHold, Usage
from worker.operations.by_hand import by_hand
from worker.operations.legal_holds import lift_hold, set_hold
from worker.operations.requests import Request, Verb
from worker.operations.retiring import retire_company, retire_directory
from worker.operations.selecting import Meant

STAFF = "- {name: staff, everyone: true, license: standard}"


@proves("Z11")
def test_a_retired_company_keeps_its_licenses_until_a_person_takes_them(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben", "Cy")
    world.add_lot("standard", 2)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.file.unlink()
    world.load()
    assert contoso.row().state == "frozen"
    done = retire_company(world.app, "contoso", PERSON)
    assert (done.directories, done.held) == (("contoso-m365",), {"standard": 2})
    assert (contoso.licenses(), contoso.waiting()) == ({"Ada": "standard", "Ben": "standard"}, {})
    assert contoso.sync().outcome == "failed"
    world.add_lot("standard", 5)
    assert len(contoso.licenses()) == 2, "nobody of it is served"
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant(where=AccountFilter(company="contoso"))), PERSON)
    assert (contoso.licenses(), world.free("standard")) == ({}, 7)
    with pytest.raises(Conflict, match="retired already"):
        retire_company(world.app, "contoso", PERSON)
    assert world.is_sound()


@proves("Z11")
def test_a_retired_company_does_not_come_back_with_its_file(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.policy(STAFF)
    contoso.sync()
    retire_company(world.app, "contoso", PERSON)
    [problem] = world.load()
    assert "contoso is retired; use another id" in str(problem)
    with pytest.raises(Usage, match="its directory contoso-m365 is retired"):
        by_hand(world.app, Request(Verb.ASSIGN, Meant(("ada@contoso.example",))), PERSON)


@proves("Z11")
def test_a_directory_is_retired_alone(world: World, contoso: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    for customer in (contoso, fabrikam):
        customer.hire("Ada")
        customer.policy(STAFF)
        customer.sync()
    assert retire_directory(world.app, "contoso-m365", PERSON).held == {}
    assert (contoso.waiting(), fabrikam.waiting()) == ({}, {"Ada": "insufficient_licenses"})
    world.add_lot("standard", 2)
    assert (contoso.licenses(), fabrikam.licenses()) == ({}, {"Ada": "standard"})
    with pytest.raises(NotFound):
        retire_directory(world.app, "nowhere", PERSON)
    with pytest.raises(Usage, match="whoever runs this installation"):
        retire_company(world.app, "provider", PERSON)


@proves("Z11", "Z1")
def test_what_is_held_of_a_retired_directory_is_held_no_longer(world: World, contoso: Customer) -> None:
    contoso.crowd(20)
    world.add_lot("standard", 20)
    contoso.policy(STAFF)
    contoso.sync()
    by_hand(world.app, Request(Verb.DEACTIVATE, Meant(where=AccountFilter(company="contoso"))), PERSON)
    assert world.holds() == [("unassign", 20)]
    retire_directory(world.app, "contoso-m365", PERSON)
    assert world.holds() == []


@proves("R2", "L5")
def test_under_a_legal_hold_no_archived_license_is_deactivated(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 2)
    world.add_lot("archived", 2)
    contoso.policy("- {name: nobody, domains: [elsewhere.example], license: standard}")
    contoso.sync()
    everybody = Meant(where=AccountFilter(company="contoso"))
    by_hand(world.app, Request(Verb.ASSIGN, everybody, license="archived"), PERSON)
    assert set_hold(world.app, ("ada@contoso.example",), None, PERSON).changed == 1
    assert set_hold(world.app, ("ada@contoso.example",), None, PERSON).unchanged == 1
    with pytest.raises(UnderLegalHold, match="under a legal hold, so that backups may not go"):
        by_hand(world.app, Request(Verb.DEACTIVATE, everybody), PERSON)
    assert contoso.licenses() == {"Ada": "archived", "Ben": "archived"}
    with world.store.read() as tx:
        held = {row.name: row.legal_hold for row in tx.views.every_account(AccountFilter(), 0)}
    assert held == {"Ada": True, "Ben": False}
    set_hold(world.app, (), "contoso", PERSON)
    lift_hold(world.app, ("ada@contoso.example",), None, PERSON)
    with pytest.raises(UnderLegalHold):
        by_hand(world.app, Request(Verb.DEACTIVATE, Meant(("ben@contoso.example",))), PERSON)
    assert lift_hold(world.app, (), "contoso", PERSON).changed == 1
    by_hand(world.app, Request(Verb.DEACTIVATE, everybody), PERSON)
    assert contoso.licenses() == {}
    assert [what for what in world.record() if what.startswith("legal_hold")] == [
        "legal_hold.set", "legal_hold.set", "legal_hold.lifted", "legal_hold.lifted",
    ]  # fmt: skip


@proves("R2", "D5")
def test_a_hold_on_an_old_account_holds_the_one_that_covers_it(world: World, contoso: Customer) -> None:
    from worker.operations.linking import link

    [old] = contoso.hire("Ada")
    world.add_lot("standard", 2)
    world.add_lot("archived", 2)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.delete("Ada")
    contoso.sync()
    [new] = contoso.hire("Ada")
    contoso.sync()
    link(world.app, new, old, PERSON)
    set_hold(world.app, (old,), None, PERSON)
    by_hand(world.app, Request(Verb.ARCHIVE, Meant((new,))), PERSON)
    with pytest.raises(UnderLegalHold):
        by_hand(world.app, Request(Verb.DEACTIVATE, Meant((new,))), PERSON)
