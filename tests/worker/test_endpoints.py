"""Other kinds of licenses: in the catalog, bought, pooled, exchanged, and assigned to endpoints by hand (M7)."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from store.errors import Ambiguous, Conflict, NotFound
from tests.license_keys import Issuer
from tests.proves import proves
from tests.worker.shop import a_shop, at_once
from tests.worker.world import PERSON, Customer, World
from worker.errors import Insufficient, Usage
from worker.operations.activating import activate
from worker.operations.endpoints import EndpointsDone, add_endpoint, assign_to, remove_endpoint, take_from
from worker.operations.ordering import want_order
from worker.operations.pool_pass import pass_pools
from worker.operations.retiring import retire_company

RULES = "- {name: staff, groups: [Staff], license: standard}"
CATALOG = """catalog:
  computer: {price: 12.00 USD, term: yearly, per: computer}
  host: {price: 365.00 USD, term: yearly, per: host}
"""


@pytest.fixture
def owner(world: World, contoso: Customer) -> Customer:
    """A company with a pool of its own, whose provider sells licenses per computer and per host."""
    (world.folder / "provider.yaml").write_text(CATALOG, encoding="utf-8")
    contoso.policy(RULES, licenses="{pool: own}")
    return contoso


def add(world: World, *names: str, **more: Any) -> None:
    for name in names:
        add_endpoint(world.app, name, PERSON, **more)


def assign(world: World, *names: str, license: str = "computer", **more: Any) -> EndpointsDone:
    return assign_to(world.app, names, license, PERSON, **more)


def take(world: World, *names: str, **more: Any) -> EndpointsDone:
    return take_from(world.app, names, PERSON, **more)


def lot(world: World, license: str, seats: int, **more: Any) -> str:
    return world.add_lot(license, seats, **{"company": "contoso", **more})


def held(world: World) -> dict[str, tuple[str | None, str | None, str]]:
    """What each endpoint holds, of which lot, and how that stands."""
    with world.store.read() as tx:
        rows = tx.endpoints.listing(round(world.clock().timestamp() * 1_000_000))
        return {row.name: (row.license, row.lot, row.state) for row in rows}


def told(world: World) -> Counter[str]:
    """What the feed told of endpoints."""
    with world.store.read() as tx:
        events = [event for event in tx.audit.feed(0) if event.type.startswith("seatkeeper.endpoint.")]
    assert all(event.account is None and event.data["subject"] for event in events)
    return Counter(event.type.removeprefix("seatkeeper.endpoint.") for event in events)


@proves("M7", "A1", "A2")
def test_a_kind_of_the_catalog_is_pooled_and_assigned_to_endpoints_by_hand(world: World, owner: Customer) -> None:
    own = lot(world, "computer", 2)
    add(world, "front-desk", kind="computer")
    add(world, "lab-1")
    assert world.rows("SELECT license, peak FROM usage_day") == []
    done = assign(world, "lab-1", "front-desk")
    assert (done.wanted, done.free, done.short) == (2, 2, 0)
    assert [row.name for row in done.assigned] == ["front-desk", "lab-1"]
    assert held(world) == dict.fromkeys(("front-desk", "lab-1"), ("computer", own, "licensed"))
    assert world.rows("SELECT license, peak FROM usage_day") == [("computer", 2)], "what is held is billed"
    take(world, "lab-1")
    assert held(world)["lab-1"] == (None, None, "unlicensed")
    remove_endpoint(world.app, "lab-1", PERSON)
    assert list(held(world)) == ["front-desk"]
    assert told(world) == {"added": 2, "assigned": 2, "released": 1, "removed": 1}
    assert world.is_sound()


@proves("M7", "L2", "L3", "L6")
def test_more_than_is_free_is_refused_whole_and_an_endpoint_has_one_license(world: World, owner: Customer) -> None:
    lot(world, "computer", 1)
    lot(world, "host", 1)
    add(world, "a", "b")
    with pytest.raises(Insufficient) as refused:
        assign(world, "a", "b")
    assert (refused.value.wanted, refused.value.free, refused.value.short) == (2, 1, 1)
    assert {license for license, *_ in held(world).values()} == {None}
    done = assign(world, "b", "a", as_many_as_fit=True)
    assert ([row.name for row in done.assigned], [row.name for row in done.left_out]) == (["a"], ["b"])
    with pytest.raises(Usage, match="a holds computer, and one license at a time"):
        assign(world, "a", license="host")
    before = world.dump()
    assert assign(world, "a").unchanged == 1
    assert world.dump() == before


@proves("M7", "L3")
def test_one_seat_is_given_once_whoever_asks_at_once(world: World, owner: Customer) -> None:
    lot(world, "computer", 1)
    add(world, "a", "b", "c")
    refused: list[str] = []

    def want(name: str) -> None:
        try:
            assign(world, name)
        except Insufficient:
            refused.append(name)

    at_once(*(lambda name=name: want(name) for name in ("a", "b", "c")))
    assert len(refused) == 2
    assert sum(license == "computer" for license, *_ in held(world).values()) == 1
    assert world.is_sound()


@proves("M7")
def test_what_makes_no_sense_is_refused(world: World, owner: Customer) -> None:
    add(world, "desk", kind="computer")
    for license, why in (
        ("standard", "standard is for accounts, and not for endpoints"),
        ("host", "desk is a computer, and host is sold per host"),
        ("socket", "'socket' is no license that the provider sells, which are archived, computer, host, standard"),
    ):
        with pytest.raises(Usage, match=why):
            assign(world, "desk", license=license)
    with pytest.raises(Usage, match="'socket' is no license"):
        lot(world, "socket", 3)
    with pytest.raises(NotFound, match="there is no endpoint 'chair'"):
        assign(world, "chair")
    with pytest.raises(Conflict, match="there is an endpoint 'desk' already"):
        add(world, "desk")
    for name in ("", " desk", "a\nb", "x" * 201):
        with pytest.raises(Usage, match="is no name for an endpoint"):
            add(world, name)


@proves("M7")
def test_an_endpoint_that_holds_a_license_is_not_removed(world: World, owner: Customer) -> None:
    lot(world, "computer", 1)
    add(world, "desk")
    assign(world, "desk")
    with pytest.raises(Conflict, match="desk holds a license; `seatkeeper licenses deactivate --endpoint desk`"):
        remove_endpoint(world.app, "desk", PERSON)
    assert held(world)["desk"][2] == "licensed"


@proves("M1", "M7")
def test_endpoints_of_several_companies_draw_from_their_pools(world: World, owner: Customer) -> None:
    fabrikam = world.customer("fabrikam")
    fabrikam.policy(RULES)
    own, shared = lot(world, "computer", 1), lot(world, "computer", 1, company=None)
    with pytest.raises(Usage, match="say whose it is with --company: contoso, fabrikam"):
        add(world, "desk")
    add(world, "desk", company="contoso")
    add(world, "desk", company="fabrikam")
    with pytest.raises(Ambiguous, match="several companies have an endpoint 'desk': contoso, fabrikam"):
        assign(world, "desk")
    assert assign(world, "desk", company="fabrikam").assigned[0].lot == shared
    assert assign(world, "desk", company="contoso").assigned[0].lot == own
    retire_company(world.app, "fabrikam", PERSON)
    with pytest.raises(Usage, match="fabrikam is retired"):
        assign(world, "desk", company="fabrikam")
    assert take(world, "desk", company="fabrikam").deactivated[0].name == "desk"


@proves("M7")
def test_a_provider_without_companies_has_endpoints_of_its_own(world: World) -> None:
    (world.folder / "provider.yaml").write_text(CATALOG, encoding="utf-8")
    world.add_lot("computer", 1)
    add(world, "rack")
    assert assign(world, "rack").assigned[0].company == "provider"


@proves("M4", "M7", "M9")
def test_seats_of_a_lot_that_ends_are_exchanged_or_first_in_line(world: World, owner: Customer) -> None:
    old = lot(world, "computer", 2, starts=date(2026, 10, 1), expires=date(2026, 11, 5), renews=False)
    add(world, "a", "b", "c")
    assign(world, "a", "b")
    other = lot(world, "computer", 1)
    world.later(days=4)
    pass_pools(world.app)
    assert held(world) == {
        "a": ("computer", other, "licensed"), "b": ("computer", old, "expired"), "c": (None, None, "unlicensed"),
    }  # fmt: skip
    assert told(world) == {"added": 3, "assigned": 2, "exchanged": 1, "expired": 1}
    before = world.dump()
    pass_pools(world.app)
    assert world.dump() == before
    with pytest.raises(Insufficient):
        assign(world, "c")
    newest = lot(world, "computer", 1)
    assert held(world)["b"] == ("computer", newest, "licensed")
    assert told(world)["exchanged"] == 2 and world.is_sound()


@proves("M4", "M7")
def test_a_seat_that_is_given_back_serves_an_expired_holder(world: World, owner: Customer) -> None:
    lot(world, "computer", 1, starts=date(2026, 10, 1), expires=date(2026, 11, 5), renews=False)
    add(world, "a", "b")
    assign(world, "a")
    other = lot(world, "computer", 1)
    assign(world, "b")
    world.later(days=4)
    pass_pools(world.app)
    assert held(world)["a"][2] == "expired"
    take(world, "b")
    assert held(world)["a"] == ("computer", other, "licensed")


@proves("M4", "M7")
def test_seats_are_not_exchanged_where_the_policy_says_so(world: World, owner: Customer) -> None:
    owner.policy(RULES, licenses="{pool: own, exchange_expired: false}")
    old = lot(world, "computer", 1, starts=date(2026, 10, 1), expires=date(2026, 11, 5), renews=False)
    add(world, "a")
    assign(world, "a")
    lot(world, "computer", 1)
    world.later(days=4)
    pass_pools(world.app)
    assert held(world)["a"] == ("computer", old, "expired")


@proves("M7", "Z8")
def test_passes_over_directories_do_not_touch_endpoints(world: World, owner: Customer) -> None:
    owner.crowd(2)
    lot(world, "standard", 2)
    lot(world, "computer", 1)
    add(world, "a")
    assign(world, "a")
    owner.settle()
    assert len(owner.licenses()) == 2
    before = world.dump()
    assert owner.sync().outcome == "nothing_to_do"
    for table in ("lot", "endpoint_assignment", "holding_count", "audit"):
        assert world.dump()[table] == before[table]
    assert world.is_sound()


@proves("M3", "M7", "P5", "P9")
def test_lots_of_other_kinds_are_renewed_for_what_is_held_at_the_price_of_the_catalog(
    world: World, owner: Customer
) -> None:
    owner.policy(RULES, licenses="{pool: own, renew: as_needed}")
    lot(world, "computer", 5, term="yearly", starts=date(2025, 11, 12), expires=date(2026, 11, 11))
    add(world, "a", "b")
    assign(world, "a", "b")
    pass_pools(world.app)
    assert world.orders() == [("contoso", "computer", 2, "placed")]
    [(estimate, because)] = world.rows("SELECT estimate, because FROM orders")
    assert estimate == "24.00 USD" and because.endswith("3 fewer than before, which saves 36.00 USD")
    world.fulfill()
    world.later(days=12)
    pass_pools(world.app)
    assert {state for *_, state in held(world).values()} == {"licensed"}
    assert world.one("SELECT count(*) FROM lot WHERE held = 2 AND seats = 2") == 1


@proves("M7", "M9")
def test_the_renewal_of_a_lot_is_for_the_endpoints_that_held_its_seats(world: World, owner: Customer) -> None:
    owner.policy(RULES, licenses="{pool: own}")
    days = {"starts": date(2025, 11, 12), "expires": date(2026, 11, 11)}
    first = lot(world, "computer", 1, **days)
    add(world, "z")
    assign(world, "z")
    lot(world, "computer", 1, renews=False, **days)
    add(world, "a")
    assign(world, "a")
    pass_pools(world.app)
    world.fulfill()
    world.later(days=12)
    pass_pools(world.app)
    assert {name: state for name, (*_, state) in held(world).items()} == {"a": "expired", "z": "licensed"}
    assert held(world)["z"][1] != first


@proves("M7", "P2", "P5", "P8")
def test_other_kinds_are_bought_from_a_portal_when_a_person_says_so(world: World) -> None:
    with a_shop(world) as shop:
        file = world.folder / "provider.yaml"
        file.write_text(file.read_text(encoding="utf-8") + CATALOG, encoding="utf-8")
        shop.buys(licenses="{pool: own, anniversary: 04-01}")
        order = want_order(world.app, "host", 2, PERSON, company="contoso")
        assert (order.state, order.estimate, order.term, order.because) == (
            "wanted", "300.00 USD", "yearly", f"asked for by {PERSON}",
        )  # fmt: skip
        shop.relay()
        [bought] = shop.portal.bought()
        assert (bought.wanted.license, bought.wanted.seats) == ("host", 2)
        add(world, "esx-1", kind="host")
        assert assign(world, "esx-1", license="host").free == 2


@proves("M7", "P6")
def test_who_cannot_buy_cannot_by_hand(world: World, owner: Customer) -> None:
    owner.policy(RULES, licenses="{trial: true}")
    with pytest.raises(Conflict, match="contoso is on trial, and cannot buy"):
        want_order(world.app, "host", 2, PERSON, company="contoso")
    with pytest.raises(Usage, match="'gold' is no license"):
        want_order(world.app, "gold", 2, PERSON)
    assert want_order(world.app, "standard", 2, PERSON).seller == "manual"
    assert world.orders() == [("provider", "standard", 2, "placed")]


@proves("M7", "P3", "Z1")
def test_a_large_order_by_hand_waits_for_approval_and_many_small_ones_too(world: World, owner: Customer) -> None:
    owner.policy(
        RULES, safety="{purchase: {most: 60}}", purchasing="{standard: {price: 9.00 USD, approve_above: 90.00 USD}}"
    )
    states = [
        want_order(world.app, license, seats, PERSON, company="contoso").state
        for license, seats in (
            ("archived", 26),
            ("standard", 10),
            ("standard", 11),
            ("host", 7),
            ("host", 6),
            ("host", 6),
        )
    ]
    assert states == ["awaiting_approval", "placed", "awaiting_approval", "placed", "placed", "awaiting_approval"]
    [(who, because)] = world.rows("SELECT who, because FROM audit WHERE what = 'order.wanted' ORDER BY n DESC LIMIT 1")
    assert who == PERSON and "66 in 24 hours, 60 of them already done, over the limit for purchase of 60" in because


@proves("M6", "M7")
def test_a_license_key_may_bring_another_kind(world: World, owner: Customer) -> None:
    issuer = Issuer()
    key = issuer.publish(world.app.settings.secrets_dir)
    (world.folder / "provider.yaml").write_text(CATALOG + key, encoding="utf-8")
    owner.policy(RULES, licenses="{pool: own}")
    assert activate(world.app, issuer.key(license="host", company="contoso"), PERSON).lot.license == "host"
    add(world, "esx-1")
    assert assign(world, "esx-1", license="host").free == 10


@proves("M7", "Z1")
def test_taking_many_at_once_is_held_until_a_person_approves(world: World, owner: Customer) -> None:
    owner.policy(RULES, licenses="{pool: own}", safety="{unassign: {most: 2, share: 100%}}")
    lot(world, "computer", 4)
    names = [f"lab-{n}" for n in range(4)]
    add(world, *names)
    assign(world, *names)
    take(world, "lab-0")
    done = take(world, "lab-1", "lab-2", "lab-3")
    [hold] = done.held
    assert (hold.kind, hold.total, done.deactivated) == ("unassign", 3, [])
    assert sum(state == "licensed" for *_, state in held(world).values()) == 3
    assert take(world, "lab-1", "lab-2", "lab-3").held == [hold], "asked for again it is the same hold"
    assert world.holds() == [("unassign", 3)]
    world.approve(hold.hash)
    assert {license for license, *_ in held(world).values()} == {None}
    assert world.holds() == [] and world.is_sound()
    assign(world, "lab-1")
    assert take(world, "lab-1").held == [], "what was approved is not counted again"


@proves("M7", "Z1")
def test_a_hold_of_endpoints_that_have_changed_is_refused_and_stays(world: World, owner: Customer) -> None:
    owner.policy(RULES, licenses="{pool: own}", safety="{unassign: {most: 1}}")
    lot(world, "computer", 2)
    add(world, "a", "b")
    assign(world, "a", "b")
    [hold] = take(world, "a", "b").held
    take(world, "a")
    with pytest.raises(Conflict, match="1 of the 2 endpoints have changed since"):
        world.approve(hold.hash)
    assert world.holds() == [("unassign", 2)] and held(world)["b"][2] == "licensed"
    world.reject(hold.hash)
    assert world.holds() == []
