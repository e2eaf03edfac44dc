"""License keys: each activates one lot, by hand or with an order, and nobody can make one up (M6)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.simulators.seller.ledger import Bought
from policies.license_keys import BadKey
from store.errors import Conflict, NotFound
from store.lots import Listed
from tests.license_keys import Issuer
from tests.proves import proves
from tests.worker.shop import AT_ONCE, NEVER, Shop, a_shop, at_once
from tests.worker.world import PERSON, Customer, World
from worker.errors import Usage
from worker.operations.activating import activate
from worker.operations.lots import Added
from worker.operations.retiring import retire_company

STAFF = "- {name: staff, groups: [Staff], license: standard}"


@pytest.fixture
def issuer(world: World) -> Issuer:
    """The provider, whose public key is in provider.yaml."""
    issuer = Issuer()
    (world.folder / "provider.yaml").write_text(issuer.publish(world.app.settings.secrets_dir), encoding="utf-8")
    return issuer


def activated(world: World, key: str, **more: Any) -> Added:
    return activate(world.app, key, PERSON, **more)


def lots(world: World) -> list[Listed]:
    with world.store.read() as tx:
        return tx.lots.listing(0)


@proves("M6", "M9")
def test_a_key_adds_its_lot_and_serves_who_waits_in_one_transaction(
    world: World, contoso: Customer, issuer: Issuer
) -> None:
    contoso.crowd(3)
    contoso.policy(STAFF)
    contoso.sync()
    before = world.one("SELECT count(*) FROM feed")
    added = activated(world, issuer.key(seats=2))
    assert (added.lot.pool, added.lot.seats, added.lot.held, added.lot.ref) == ("global", 2, 2, "key-1")
    assert (added.lot.starts, added.lot.expires, added.lot.renews) == ("2026-11-01", "2027-10-31", True)
    assert added.tally.counts == {"assign": 2}
    assert world.one("SELECT count(*) FROM feed") == before + 2, "of the provider and of the company, at once"
    assert len(contoso.licenses()) == 2 and world.is_sound()
    assert world.rows("SELECT who, because FROM audit WHERE what = 'lot.added'") == [(PERSON, "license key key-1")]


@proves("M6")
def test_the_same_key_twice_is_refused(world: World, contoso: Customer, issuer: Issuer) -> None:
    contoso.policy(STAFF, licenses="{pool: own}")
    added = activated(world, issuer.key())
    message = f"key-1 was activated on 2026-11-02 by {PERSON}, as {added.lot.id}"
    with pytest.raises(Conflict, match=message):
        activated(world, issuer.key())
    with pytest.raises(Conflict, match=message):
        activated(world, issuer.key(seats=500, company="contoso"))
    assert len(lots(world)) == 1 and world.is_sound()


@proves("M6")
def test_the_same_key_at_once_makes_one_lot(world: World, contoso: Customer, issuer: Issuer) -> None:
    contoso.policy(STAFF, licenses="{pool: own}")
    refused: list[Conflict] = []

    def use(company: str | None) -> None:
        try:
            activated(world, issuer.key(), company=company)
        except Conflict as problem:
            refused.append(problem)

    at_once(lambda: use(None), lambda: use("contoso"), lambda: use(None))
    assert len(refused) == 2 and len(lots(world)) == 1
    assert world.is_sound()


@proves("M1", "M6")
def test_a_key_for_a_company_goes_where_that_company_draws_from(world: World, issuer: Issuer) -> None:
    contoso, fabrikam = world.customer(), world.customer("fabrikam")
    contoso.policy(STAFF, licenses="{pool: own}")
    fabrikam.policy(STAFF)
    own = activated(world, issuer.key(id="a", company="contoso")).lot
    shared = activated(world, issuer.key(id="b", company="fabrikam"), company="fabrikam").lot
    anybodys = activated(world, issuer.key(id="c"), company="contoso").lot
    assert [(lot.pool, lot.company) for lot in (own, shared, anybodys)] == [
        ("own", "contoso"), ("global", None), ("own", "contoso"),
    ]  # fmt: skip


@proves("M6")
def test_a_key_for_another_company_is_refused(world: World, issuer: Issuer) -> None:
    contoso, fabrikam = world.customer(), world.customer("fabrikam")
    contoso.policy(STAFF, licenses="{pool: own}")
    fabrikam.policy(STAFF)
    with pytest.raises(Usage, match="key-1 is for contoso, and not for fabrikam"):
        activated(world, issuer.key(company="contoso"), company="fabrikam")
    with pytest.raises(NotFound):
        activated(world, issuer.key(company="northwind"))
    with pytest.raises(Usage, match="fabrikam draws from the global pool"):
        activated(world, issuer.key(), company="fabrikam")
    retire_company(world.app, "contoso", PERSON)
    with pytest.raises(Usage, match="which is retired"):
        activated(world, issuer.key(company="contoso"))
    assert lots(world) == []


@proves("M6")
def test_a_key_for_later_waits_for_its_day_and_one_that_is_over_is_refused(
    world: World, contoso: Customer, issuer: Issuer
) -> None:
    contoso.crowd(1)
    contoso.policy(STAFF)
    contoso.sync()
    added = activated(world, issuer.key(starts="2026-11-04"))
    assert not added.begun and added.lot.free == 0 and contoso.licenses() == {}
    world.later(days=2)
    contoso.settle()
    assert len(contoso.licenses()) == 1
    with pytest.raises(BadKey, match="the license key old ended on 2026-11-03"):
        activated(world, issuer.key(id="old", expires="2026-11-03"))
    with pytest.raises(BadKey, match="the license key month ended on 2026-10-31"):
        activated(world, issuer.key(id="month", term="monthly", starts="2026-10-01", expires=None))
    assert activated(world, issuer.key(id="last", expires="2026-11-04")).lot.seats == 10


@proves("M6", "P5")
def test_a_key_without_days_begins_today_and_ends_with_its_term(world: World, issuer: Issuer) -> None:
    made = [
        activated(world, issuer.key(id=term, term=term, starts=None, expires=None)).lot
        for term in ("monthly", "yearly", "trial", "perpetual")
    ]
    assert [(lot.starts, lot.expires) for lot in made] == [
        ("2026-11-02", "2026-12-01"), ("2026-11-02", "2027-11-01"), ("2026-11-02", "2026-12-01"), ("2026-11-02", None),
    ]  # fmt: skip


@proves("M6")
def test_a_key_that_is_made_up_adds_nothing(world: World, issuer: Issuer) -> None:
    with pytest.raises(BadKey, match="is not signed by this provider"):
        activated(world, Issuer().key())
    with pytest.raises(Usage, match="'gold' is no license that the provider sells, which are archived, standard"):
        activated(world, issuer.key(license="gold"))
    assert lots(world) == [] and world.rows("SELECT * FROM license_key") == []


@proves("M6")
def test_without_a_public_key_no_key_can_be_believed(world: World) -> None:
    with pytest.raises(BadKey, match=r"provider\.yaml names no `license_keys"):
        activated(world, Issuer().key())
    (world.folder / "provider.yaml").write_text("license_keys: {public_key: {file: gone.pem}}\n", encoding="utf-8")
    with pytest.raises(BadKey, match=r"gone\.pem cannot be read"):
        activated(world, Issuer().key())


# --- keys that sellers deliver ---


@contextmanager
def a_shop_with_keys(world: World, make: Callable[[Bought], str], **more: Any) -> Iterator[Shop]:
    """A portal that tells a license key with the seats of an order."""
    with a_shop(world, **more) as shop:
        shop.portal.license_key = make
        yield shop


def trusting(shop: Shop, issuer: Issuer) -> None:
    """Let provider.yaml name the issuer's public key beside the portal."""
    file = shop.world.folder / "provider.yaml"
    key = issuer.publish(shop.app.settings.secrets_dir)
    file.write_text(file.read_text(encoding="utf-8") + key, encoding="utf-8")
    shop.buys()


@proves("M6", "P8")
def test_an_order_that_comes_with_a_key_brings_the_lot_of_that_key(world: World) -> None:
    issuer = Issuer()
    made = issuer.key(seats=3, starts="2026-11-01", expires="2027-03-31", company="contoso")
    with a_shop_with_keys(world, lambda _: made) as shop:
        trusting(shop, issuer)
        shop.sync_one()
        [lot] = lots(world)
        assert (lot.seats, lot.held, lot.starts, lot.expires) == (3, 3, "2026-11-01", "2027-03-31")
        assert (shop.order.state, world.holds()) == ("fulfilled", [])
        with pytest.raises(Conflict, match="key-1 was activated on 2026-11-02 by system"):
            activated(world, made)
        assert len(lots(world)) == 1 and world.is_sound()


@proves("M6", "P2")
def test_an_order_whose_key_a_person_was_quicker_with_makes_no_second_lot(world: World) -> None:
    issuer = Issuer()
    made = issuer.key(seats=3)
    with a_shop_with_keys(world, lambda _: made, fulfills_after=NEVER) as shop:
        trusting(shop, issuer)
        shop.sync_one()
        added = activated(world, made)
        assert len(shop.buyer.licenses()) == 3
        shop.portal.fulfill(shop.portal.bought()[0].id)
        world.later(hours=2)
        shop.relay()
        assert shop.order.state == "fulfilled"
        assert [(lot.id, lot.seats) for lot in lots(world)] == [(added.lot.id, 3)]
        assert world.one("SELECT order_id FROM lot") == shop.order.id
        assert world.is_sound()


@proves("M6", "Z2")
@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"seats": 30}, "is for 30 standard seats, and the answer for 3 of standard"),
        ({"license": "archived"}, "is for 3 archived seats, and the answer for 3 of standard"),
        ({"company": "fabrikam"}, "is for fabrikam, and contoso ordered"),
        ({"expires": "2026-11-01"}, "ends on 2026-11-01, before its seats begin"),
        ({"term": "weekly"}, "what the license key says cannot be read"),
    ],
)
def test_a_key_that_is_not_what_was_ordered_is_held(world: World, claims: dict[str, Any], why: str) -> None:
    issuer = Issuer()
    made = issuer.key(**{"seats": 3, **claims})
    with a_shop_with_keys(world, lambda _: made) as shop:
        trusting(shop, issuer)
        shop.sync_one()
        assert world.holds() == [("delivery", 3)] and lots(world) == []
        assert why in world.one("SELECT why FROM plan")
        shop.portal.license_key = lambda _: issuer.key(seats=3)
        shop.next_attempt()
        assert (shop.order.state, world.holds(), len(lots(world))) == ("fulfilled", [], 1)


@proves("M6", "Z2")
def test_one_key_for_two_orders_is_held_and_one_that_is_made_up_too(world: World) -> None:
    issuer = Issuer()
    with a_shop_with_keys(world, lambda _: issuer.key(seats=3)) as shop:
        trusting(shop, issuer)
        shop.sync_one()
        shop.buys(standard="auto: true, spare: 3")
        shop.sync_one()
        [lot] = lots(world)
        assert f"was activated before, as {lot.id}" in world.one("SELECT why FROM plan")
        shop.portal.license_key = lambda _: Issuer().key(seats=3)
        shop.next_attempt()
        assert "is not signed by this provider" in world.one("SELECT why FROM plan WHERE state = 'held'")
        world.approve(world.hold("delivery"))
        assert [lot.seats for lot in lots(world)] == [3, 3], "a person took the seats on the seller's word"
        assert world.one("SELECT count(*) FROM license_key") == 1


@proves("P8")
def test_where_no_public_key_is_named_seats_come_on_the_sellers_word(world: World) -> None:
    with a_shop_with_keys(world, lambda _: Issuer().key(seats=3), fulfills_after=AT_ONCE) as shop:
        shop.sync_one()
        assert (shop.order.state, len(lots(world))) == ("fulfilled", 1)
        assert world.rows("SELECT * FROM license_key") == []


@proves("M6", "Z9")
def test_an_order_waits_while_the_public_key_cannot_be_read(world: World) -> None:
    issuer = Issuer()
    with a_shop_with_keys(world, lambda _: issuer.key(seats=3)) as shop:
        trusting(shop, issuer)
        file = world.app.settings.secrets_dir / "license-keys.pem"
        file.rename(file.with_suffix(".away"))
        shop.sync_one()
        assert lots(world) == [] and "license-keys.pem cannot be read" in (shop.order.problem or "")
        file.with_suffix(".away").rename(file)
        shop.next_attempt()
        assert (shop.order.state, len(lots(world)), len(shop.bought)) == ("fulfilled", 1, 1)
